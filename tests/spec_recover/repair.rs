//! `repair`: what it keeps, what it names, and that it can be killed.

use fencehold::error::Error;
use fencehold_model::Token;

use crate::spec_kit::{DURABLE, Does as _, HOUR, Lab, Named, acquire, kill_everywhere, names, vandal};

/// Four acked locks, of which the last three are behind a damaged line.
fn damaged() -> (Lab, Token) {
    let lab = Lab::new();
    let party = lab.party();
    let tokens = ["kept", "lost 1", "lost 2", "lost 3"].map(|name| party.token(&acquire(name, "h", HOUR)));
    vandal::damage(&lab, 3);
    (lab, tokens[3])
}

/// RECOVER-8: `repair` copies the damaged bytes to quarantine, makes the next journal file from the chain, and changes
/// no byte before the end of the chain.
#[test]
fn a_repair_keeps_every_byte() {
    let (lab, _) = damaged();
    let before = lab.bytes("journal.1.ndjson");
    let end: usize = before.split(|byte| *byte == b'\n').take(3).map(|line| line.len() + 1).sum();
    let report = lab.party().journal().repair().unwrap();
    assert_eq!(report.kept.len(), 1, "{report:?}");
    assert_eq!(std::fs::read(&report.kept[0]).unwrap(), before[end..]);
    assert_eq!(lab.n(), 2);
    assert!(lab.bytes("archive/journal.1.ndjson").starts_with(&before[..end]));
    assert!(lab.party().held("kept").is_some());
    assert!(["lost 1", "lost 2", "lost 3"].iter().all(|name| lab.party().held(name).is_none()));
}

/// RECOVER-9: `repair` names the locks that the lost events may concern, and every token granted after it is above the
/// floor from before it.
#[test]
fn a_repair_names_the_locks_and_leaves_no_token_to_repeat() {
    let (lab, last) = damaged();
    let floor = lab.floor();
    let report = lab.party().journal().repair().unwrap();
    // The first byte of the first lost line is what was damaged; its name can still be read.
    assert_eq!(report.concerned, ["lost 1", "lost 2", "lost 3"]);
    for name in ["lost 1", "kept 2", "lost 3"] {
        let token = lab.party().token(&acquire(name, "other", HOUR));
        assert!(token > floor && floor > last, "{token} {floor} {last}");
    }
}

/// What a repair may meet.
fn cases() -> Vec<Named<fn() -> Lab>> {
    vec![
        ("a broken line", || damaged().0),
        ("a lost lock", || {
            let (lab, _) = damaged();
            std::fs::remove_file(lab.path("lock")).unwrap();
            lab
        }),
        ("a lost floor", || {
            let (lab, _) = damaged();
            std::fs::remove_file(lab.path("floor.json")).unwrap();
            lab
        }),
        ("an invalid floor", || {
            let (lab, _) = damaged();
            std::fs::write(lab.path("floor.json"), "{}\n").unwrap();
            lab
        }),
        ("a damaged line one", || {
            let lab = Lab::new();
            lab.party().token(&acquire("kept", "h", HOUR));
            vandal::rotate(&lab);
            vandal::damage(&lab, 0);
            lab
        }),
    ]
}

/// What is left to see after a repair: the locks, the copies, and that work goes on.
fn outcome(lab: &Lab) -> (Vec<String>, Vec<Vec<u8>>) {
    let held = lab.party().list().unwrap().value.iter().map(|view| view.name.to_string()).collect();
    let kept = names(&lab.path("quarantine"));
    let mut kept: Vec<Vec<u8>> =
        kept.iter().map(|name| without_ids(&lab.bytes(&format!("quarantine/{name}")))).collect();
    kept.sort();
    (held, kept)
}

/// Two runs differ in their random ids, and in what follows from them.
fn without_ids(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    // Letters of a random id may stand together for long.
    let of_an_id = |word: &str| word.bytes().all(|byte| (b'a'..=b'f').contains(&byte));
    let plain = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| (word.len() > 8 && !of_an_id(word)) || *word == "lost");
    plain.collect::<Vec<_>>().join(" ").into_bytes()
}

/// RECOVER-10: A `repair` that was killed at any step and is run again ends as an undisturbed one does.
#[test]
fn a_repair_killed_anywhere_and_run_again_comes_to_the_same() {
    let mut kills = 0;
    for (what, make) in cases() {
        let undisturbed = make();
        let before = undisturbed.party().ask(&acquire("x", "h", HOUR));
        assert!(matches!(before, Err(Error::Damaged { .. })), "{what}: {before:?}");
        undisturbed.party().journal().repair().unwrap();
        let expected = outcome(&undisturbed);
        assert!(!expected.1.is_empty() && expected.0.contains(&"kept".to_owned()), "{what}: {expected:?}");
        kills += kill_everywhere(|disk, killed| {
            let lab = make();
            let first = lab.party_on(disk, DURABLE).journal().repair();
            assert!(first.is_ok() || killed(), "{what}: {first:?}");
            lab.party().journal().repair().unwrap();
            assert_eq!(outcome(&lab), expected, "{what}");
            lab.party().token(&acquire("next", "h", HOUR));
        });
    }
    assert!(kills > 150, "{kills}");
}

/// RECOVER-11: `repair` of an undamaged workspace exits 0 and changes nothing.
#[test]
fn a_repair_of_what_is_whole_touches_nothing() {
    let lab = Lab::new();
    for boot in ["boot 1", "boot 2"] {
        let before = lab.snapshot();
        lab.machine.reboot(boot);
        let report = lab.party().journal().repair().unwrap();
        assert_eq!(report, fencehold::journal::Report::default());
        assert_eq!(lab.snapshot(), before);
        lab.party().token(&acquire(boot, "h", HOUR));
    }
    vandal::rotate(&lab);
    let before = lab.snapshot();
    assert_eq!(lab.party().journal().repair().unwrap(), fencehold::journal::Report::default());
    assert_eq!(lab.snapshot(), before);
}

/// RECOVER-12: A file in quarantine is named by its source, offset and checksum, holds the bytes exactly as they were,
/// and is never overwritten.
#[test]
fn the_same_bytes_are_kept_once_and_others_beside_them() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let end = lab.bytes("journal.1.ndjson").len();
    let torn: [&[u8]; 4] = [b"half", b"other half", b"half", b"\x01\xff\x01"];
    let mut names_seen = std::collections::BTreeSet::new();
    for (index, tail) in torn.iter().enumerate() {
        lab.append(tail);
        let refused = lab.party().refusal(&acquire("a", "other", HOUR));
        assert_eq!((refused, lab.bytes("journal.1.ndjson").len()), ("held", end));
        let kept = names(&lab.path("quarantine"));
        assert_eq!(kept.len(), [1, 2, 2, 3][index], "{kept:?}");
        names_seen.extend(kept);
    }
    let contents: Vec<Vec<u8>> =
        names_seen.iter().map(|name| lab.bytes(&format!("quarantine/{name}"))).collect();
    for tail in torn {
        assert_eq!(contents.iter().filter(|content| content.as_slice() == tail).count(), 1, "{tail:?}");
    }
    assert!(
        names_seen.iter().all(|name| name.starts_with(&format!("journal.1.ndjson@{end}-"))),
        "{names_seen:?}"
    );
}
