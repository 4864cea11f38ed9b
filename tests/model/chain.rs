use fencehold_model::chain::{Checksum, seal, seed, verify};
use fencehold_model::ndjson::{Kind, frames};
use fencehold_model::record::{
    Broken, FORMAT, Head, LINE_BYTES_MAX, LINE_ONE_BYTES_MAX, read_entry, read_head, write_entry, write_head,
};
use fencehold_model::{Claim, Entry, Event, Holder, LockName, OpId, State, WorkspaceId};
use proptest::prelude::*;

use super::arbitrary::{entries, id_text, number};

fn head() -> Head {
    Head { workspace: WorkspaceId::new("w").unwrap(), n: 3, state: State::default() }
}

/// A journal file of these entries.
fn journal(entries: &[Entry]) -> String {
    let (mut file, mut prev) = write_head(&head(), 0);
    for entry in entries {
        let (line, checksum) = write_entry(entry, entry.revision - 1, prev);
        file.push_str(&line);
        prev = checksum;
    }
    file
}

/// The longest unbroken chain of a file: what was read, and why it ended.
fn read(file: &[u8]) -> (Option<State>, Vec<Entry>, Option<Broken>) {
    let mut frames = frames(file, LINE_ONE_BYTES_MAX);
    let Some(Kind::Line { text, crlf: false }) = frames.next().map(|frame| frame.kind) else {
        return (None, vec![], None);
    };
    let (mut state, mut prev) = match read_head(text, 3) {
        Ok(line) => (line.content.state, line.checksum),
        Err(broken) => return (None, vec![], Some(broken)),
    };
    let mut entries = Vec::new();
    for frame in frames {
        let Kind::Line { text, crlf: false } = frame.kind else { break };
        match read_entry(text, prev, &state) {
            Ok(line) => {
                state.apply(&line.content);
                prev = line.checksum;
                entries.push(line.content);
            }
            Err(broken) => return (Some(state), entries, Some(broken)),
        }
    }
    (Some(state), entries, None)
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn sample() -> Vec<Entry> {
    let entry = |revision, at_ms, event| Entry {
        revision,
        at_ms,
        actor: Holder::new("a\"ß").unwrap(),
        op: OpId::new("o").unwrap(),
        event,
    };
    let name = LockName::new("build").unwrap();
    let granted = Event::LockGranted {
        name: name.clone(),
        holder: Holder::new("a\"ß").unwrap(),
        claim: Some(Claim::new("c").unwrap()),
        ttl_ms: 5,
        expires_ms: 12,
        bound: None,
        asked_by: Some((7, "host".into())),
        over: None,
    };
    vec![
        entry(4, 7, granted),
        entry(6, 8, Event::LockRenewed { name: name.clone(), token: 4, ttl_ms: 9, expires_ms: 17 }),
        entry(7, 8, Event::LockReleased { name, token: 4 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn entries_read_back_equal(entries in entries(12), durable in number()) {
        let file = journal(&entries);
        let (state, read, broken) = read(file.as_bytes());
        prop_assert_eq!(broken, None);
        prop_assert_eq!(&read, &entries);
        let mut folded = State::default();
        entries.iter().for_each(|entry| folded.apply(entry));
        prop_assert_eq!(state.as_ref(), Some(&folded));

        let head = Head { state: folded, ..head() };
        let (line, checksum) = write_head(&head, durable);
        let line = read_head(line.trim_end_matches('\n'), 3).unwrap();
        prop_assert_eq!((line.content, line.durable, line.checksum), (head, durable, checksum));
    }

    /// RECOVER-1: The journal is its longest unbroken chain, and nothing after the first break is ever applied.
    #[test]
    fn a_swapped_or_missing_line_ends_the_chain(entries in entries(8), at in any::<prop::sample::Index>()) {
        let file = journal(&entries);
        let lines: Vec<&str> = file.split_inclusive('\n').collect();
        let at = at.index(entries.len());
        let without: String = lines.iter().enumerate().filter(|(line, _)| *line != at + 1).map(|(_, line)| *line).collect();
        let twice: String = lines.iter().enumerate().map(|(line, text)| if line == at + 1 { text.repeat(2) } else { (*text).to_owned() }).collect();
        prop_assert_eq!(&read(without.as_bytes()).1, &entries[..at]);
        let (_, kept, broken) = read(twice.as_bytes());
        prop_assert_eq!(&kept, &entries[..=at]);
        prop_assert_eq!(broken, Some(Broken::Chain));
    }

    #[test]
    fn any_text_can_be_sealed_and_no_other_verifies(text in ".*", other in any::<prop::sample::Index>(), by in 1u8..255) {
        let mut line = text.clone();
        let checksum = seal(&mut line);
        let line = line.strip_suffix('\n').unwrap();
        prop_assert_eq!(verify(line), Some(checksum));
        prop_assert_eq!(Checksum::from_hex(&checksum.hex()), Some(checksum));
        let mut flipped = line.as_bytes().to_vec();
        flipped[other.index(line.len())] ^= by;
        if let Ok(flipped) = std::str::from_utf8(&flipped) {
            prop_assert_eq!(verify(flipped), None);
        }
    }

    #[test]
    fn seeds_differ_by_workspace_and_by_file(a in id_text(), b in id_text(), n in 0u64..1000, m in 0u64..1000) {
        prop_assert_eq!(seed(&a, n) == seed(&b, m), a == b && n == m);
    }
}

/// JOURNAL-1: An event exists when the newline of its line does.
///
/// JOURNAL-17's half in the model: what is torn is not read as an event.
#[test]
fn truncation_at_every_byte_gives_a_prefix() {
    let entries = sample();
    let file = journal(&entries);
    let mut cuts = 0;
    for cut in 0..=file.len() {
        let (state, read, broken) = read(&file.as_bytes()[..cut]);
        let whole = newlines(&file.as_bytes()[..cut]);
        assert_eq!(read, entries[..whole.saturating_sub(1)], "cut at {cut}");
        assert_eq!((state.is_some(), broken), (whole > 0, None), "cut at {cut}");
        cuts += 1;
    }
    assert!(cuts > 700, "{cuts}");
}

/// JOURNAL-4: A line's checksum is the CRC-32 of all its bytes before `,"crc":`, as eight lower-case hexadecimal
/// digits.
#[test]
fn no_flipped_byte_gives_another_valid_chain() {
    let entries = sample();
    let file = journal(&entries);
    let line_of = |at: usize| newlines(&file.as_bytes()[..at]);
    let (mut flips, mut shorter) = (0, 0);
    for at in 0..file.len() {
        for by in [1u8, 2, 4, 8, 16, 32, 64, 128, 0x20 ^ 0x7f, 255] {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= by;
            let (state, read, _) = read(&bytes);
            let whole = line_of(at).saturating_sub(1);
            assert_eq!(read, entries[..whole], "byte {at} flipped by {by}");
            assert_eq!(state.is_some(), line_of(at) > 0, "byte {at} flipped by {by}");
            flips += 1;
            shorter += usize::from(read.len() < entries.len());
        }
    }
    assert!(flips > 7_000 && shorter == flips, "{shorter} of {flips}");
    let crc = crc32(file.lines().nth(1).unwrap().split_once(",\"crc\":").unwrap().0.as_bytes());
    assert!(file.lines().nth(1).unwrap().ends_with(&format!("{crc:08x}\"}}")));
}

/// CRC-32 (IEEE), written out: the bits of `0xedb88320`.
fn crc32(bytes: &[u8]) -> u32 {
    let fold = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    };
    !bytes.iter().fold(u32::MAX, fold)
}

/// JOURNAL-3: An event line carries its revision, journal time, actor, operation id, event with version, highest
/// revision its writer knew to be durable, checksum of the line before, and own checksum, in this order.
#[test]
fn the_fields_of_a_line_stand_in_order() {
    let (line, _) = write_entry(&sample()[0], 3, Checksum(0xab));
    let places: Vec<usize> = [
        "\"rev\":4",
        "\"t\":7",
        "\"actor\":",
        "\"op\":",
        "\"event\":{\"v\":1,",
        "\"durable\":3",
        "\"prev\":\"000000ab\"",
        "\"crc\":\"",
    ]
    .iter()
    .map(|field| line.find(field).unwrap_or_else(|| panic!("{field} is not in {line}")))
    .collect();
    assert_eq!(places.len(), 8);
    assert!(places.is_sorted() && places[0] == 1, "{places:?} of {line}");
}

/// JOURNAL-2's half in the model: the longest ids and the longest reason that is taken fit into a line.
#[test]
fn the_longest_event_fits_its_bound() {
    let long = "\"".repeat(256);
    let entry = Entry {
        event: Event::LockBroken {
            name: LockName::new(&long).unwrap(),
            token: 1,
            reason: "\u{1}".repeat(4096),
        },
        actor: Holder::new(&long).unwrap(),
        op: OpId::new(&long).unwrap(),
        ..sample()[0].clone()
    };
    let (line, _) = write_entry(&entry, 0, Checksum(0));
    assert!(line.len() <= LINE_BYTES_MAX, "{}", line.len());
    assert_eq!(read_entry(line.trim_end(), Checksum(0), &State::default()).unwrap().content, entry);
}

/// Seals `line` anew after a part of it was replaced.
fn resealed(line: &str, from: &str, to: &str) -> String {
    let body = line.split(",\"crc\":").next().unwrap();
    assert!(body.contains(from), "{from} is not in {body}");
    let mut line = body.replace(from, to);
    seal(&mut line);
    line.trim_end().to_owned()
}

/// JOURNAL-5: Along a file revisions strictly grow, journal times never go back, and every number stays below 2^53.
#[test]
fn newer_words_are_newer_and_nonsense_is_content() {
    let (head, prev) = write_head(&head(), 0);
    let newer = resealed(&head, &format!("\"fencehold\":{FORMAT}"), &format!("\"fencehold\":{}", FORMAT + 1));
    assert!(matches!(read_head(&newer, 3), Err(Broken::Newer(_))));
    // A newer format may have another state: it is newer all the same.
    let newer = resealed(&newer, "\"state\":", "\"folded\":");
    assert!(matches!(read_head(&newer, 3), Err(Broken::Newer(_))));
    assert!(matches!(
        read_head(&resealed(&head, &format!("\"fencehold\":{FORMAT}"), "\"fencehold\":0"), 3),
        Err(Broken::Content(_))
    ));
    assert!(matches!(read_head(&resealed(&head, "\"n\":3", "\"n\":4"), 3), Err(Broken::Chain)));
    assert!(matches!(read_head(head.trim_end(), 4), Err(Broken::Chain)));
    assert!(matches!(read_head(&resealed(&head, "\"w\"", "\"v\""), 3), Err(Broken::Chain)));

    let (line, _) = write_entry(&sample()[2], 0, prev);
    let entry = |from: &str, to: &str| read_entry(&resealed(&line, from, to), prev, &State::default());
    for (from, to) in [("\"v\":1", "\"v\":2"), ("lock.released", "lock.lent")] {
        assert!(matches!(entry(from, to), Err(Broken::Newer(_))), "{from} to {to}");
    }
    let contents = [
        ("\"token\":4", "\"token\":-4"),
        ("\"token\":4", "\"token\":9007199254740992"),
        ("\"rev\":7", "\"rev\":0"),
        ("\"rev\":7", "\"rev\":7.5"),
        ("\"event\":{", "\"events\":{"),
    ];
    for (from, to) in contents {
        assert!(matches!(entry(from, to), Err(Broken::Content(_))), "{from} to {to}");
    }
    assert!(entry("\"t\":8", "\"t\":8,\"new\":[1]").is_ok(), "a field that is not known is ignored");
    assert!(matches!(
        read_entry(line.trim_end(), Checksum(prev.0 ^ 1), &State::default()),
        Err(Broken::Chain)
    ));
    for (revision, time_ms, fine) in [(6, 8, true), (7, 8, false), (6, 9, false)] {
        let after = State { revision, time_ms, ..State::default() };
        assert_eq!(read_entry(line.trim_end(), prev, &after).is_ok(), fine, "after {revision} at {time_ms}");
    }
}
