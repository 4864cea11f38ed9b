use fencehold_model::ndjson::{Damage, Kind, first, frames};
use proptest::prelude::*;

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(vec![0; 3]),
        Just(vec![0xef, 0xbb, 0xbf]),
        Just("ß🦀".as_bytes()[..4].to_vec()),
        Just(b"{\"a\":1}\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #[test]
    fn every_byte_belongs_to_exactly_one_frame(pieces in proptest::collection::vec(piece(), 0..20), bound in 0usize..40) {
        let bytes = pieces.concat();
        let mut end = 0;
        for frame in frames(&bytes, bound) {
            prop_assert_eq!(frame.bytes.start, end);
            prop_assert!(frame.bytes.end > end);
            end = frame.bytes.end;
            let raw = &bytes[frame.bytes.clone()];
            match frame.kind {
                Kind::Unterminated => prop_assert!(end == bytes.len() && !raw.contains(&b'\n')),
                Kind::Line { text, crlf } => {
                    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
                    prop_assert_eq!([text.as_bytes(), line_end].concat(), raw);
                    prop_assert!(!text.contains('\0') && raw.len() - 1 <= bound);
                }
                Kind::Damaged(Damage::TooLong { bound_bytes }) => prop_assert!(raw.len() - 1 > bound_bytes),
                Kind::Damaged(Damage::NotUtf8 { valid_bytes }) => {
                    prop_assert!(std::str::from_utf8(&raw[..valid_bytes]).is_ok());
                    prop_assert!(std::str::from_utf8(raw).is_err());
                }
                Kind::Damaged(Damage::Nul { run_bytes }) => prop_assert!(raw.windows(run_bytes).any(|run| run.iter().all(|byte| *byte == 0))),
            }
            prop_assert_eq!(raw.iter().filter(|byte| **byte == b'\n').count(), usize::from(raw.ends_with(b"\n")));
        }
        prop_assert_eq!(end, bytes.len());
    }

    /// JOURNAL-1: An event exists when the newline of its line does.
    #[test]
    fn a_longer_file_changes_no_earlier_line(pieces in proptest::collection::vec(piece(), 0..12), more in proptest::collection::vec(piece(), 0..4)) {
        let short = pieces.concat();
        let long = [short.clone(), more.concat()].concat();
        let whole = |bytes: &[u8]| frames(bytes, 64).filter(|frame| frame.kind != Kind::Unterminated).map(|frame| frame.bytes).collect::<Vec<_>>();
        let (before, after) = (whole(&short), whole(&long));
        prop_assert_eq!(&after[..before.len()], &before[..]);
    }
}

#[test]
fn bad_lines_hide_no_neighbour() {
    let bad: [(&[u8], Kind<'_>); 7] = [
        (b"\0\0\0", Kind::Damaged(Damage::Nul { run_bytes: 3 })),
        (b"ab\0c\0\0", Kind::Damaged(Damage::Nul { run_bytes: 1 })),
        (b"ok\xff", Kind::Damaged(Damage::NotUtf8 { valid_bytes: 2 })),
        (&"ß".as_bytes()[..1], Kind::Damaged(Damage::NotUtf8 { valid_bytes: 0 })),
        (b"a line that is too long", Kind::Damaged(Damage::TooLong { bound_bytes: 16 })),
        (b"dos\r", Kind::Line { text: "dos", crlf: true }),
        ("\u{feff}{}".as_bytes(), Kind::Line { text: "\u{feff}{}", crlf: false }),
    ];
    for (line, kind) in &bad {
        let bytes = [b"before\n", *line, b"\nafter\nhalf"].concat();
        let seen: Vec<Kind<'_>> = frames(&bytes, 16).map(|frame| frame.kind).collect();
        let line = |text| Kind::Line { text, crlf: false };
        assert_eq!(seen, [line("before"), kind.clone(), line("after"), Kind::Unterminated]);
    }
    let at_bound = [&[b'a'; 16][..], b"\n"].concat();
    assert_eq!(first(&at_bound, 16).bytes, 0..17);
    assert!(matches!(first(&at_bound, 16).kind, Kind::Line { .. }));
    assert!(matches!(first(&at_bound, 15).kind, Kind::Damaged(Damage::TooLong { bound_bytes: 15 })));
}
