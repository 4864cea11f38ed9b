//! Keys, as a terminal in raw mode sends them (ECMA-48, and the function keys of xterm).
//!
//! Read here and not by crossterm: its reader is told of a byte once, and forgets it where the size of the terminal changes
//! at the same instant; the key would be lost, and whoever polls would be woken by it for ever.

use super::view::Move;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Back,
    Help,
    Move(Move),
}

/// The keys in what was read at once. Escape is a key where nothing follows it.
pub(super) fn keys(mut bytes: &[u8]) -> Vec<Key> {
    let mut found = Vec::new();
    while let [first, rest @ ..] = bytes {
        let (key, rest) = match (first, rest) {
            (0x1b, []) => (Some(Key::Back), rest),
            (0x1b, [b'[' | b'O', sequence @ ..]) => {
                let end = sequence.iter().position(|byte| (b'@'..=b'~').contains(byte));
                let end = end.map_or(sequence.len(), |at| at + 1);
                (of_sequence(&sequence[..end]), &sequence[end..])
            }
            // With Alt: nothing of ours.
            (0x1b, [_, rest @ ..]) => (None, rest),
            (byte, rest) => (of_byte(*byte), rest),
        };
        found.extend(key);
        bytes = rest;
    }
    found
}

fn of_byte(byte: u8) -> Option<Key> {
    Some(match byte {
        // Ctrl-C sends no signal in raw mode.
        0x03 | b'q' => Key::Quit,
        b'?' | b'h' => Key::Help,
        b'j' => Key::Move(Move::Lines(1)),
        b'k' => Key::Move(Move::Lines(-1)),
        b' ' => Key::Move(Move::Pages(1)),
        b'g' => Key::Move(Move::First),
        b'G' => Key::Move(Move::Last),
        _ => return None,
    })
}

/// What follows `ESC [` or `ESC O`.
fn of_sequence(sequence: &[u8]) -> Option<Key> {
    Some(Key::Move(match sequence {
        b"A" => Move::Lines(-1),
        b"B" => Move::Lines(1),
        b"5~" => Move::Pages(-1),
        b"6~" => Move::Pages(1),
        b"H" | b"1~" | b"7~" => Move::First,
        b"F" | b"4~" | b"8~" => Move::Last,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::{Key, Move, keys};

    #[test]
    fn keys_are_told_apart_however_many_come_at_once() {
        let all = keys(b"j\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x1bx?G\x1b[H \x03\xff\x1b");
        let lines = |count| Key::Move(Move::Lines(count));
        let pages = |count| Key::Move(Move::Pages(count));
        let ends = [Key::Help, Key::Move(Move::Last), Key::Move(Move::First), pages(1), Key::Quit, Key::Back];
        assert_eq!(all[..4], [lines(1), lines(-1), lines(1), pages(-1)]);
        assert_eq!(all[4..], ends);
        for cut_off in [&b"\x1b["[..], b"\x1bO", b"\x1b[5", b"\xc3"] {
            assert_eq!(keys(cut_off), [], "{cut_off:?}");
        }
    }
}
