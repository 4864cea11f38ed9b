//! Where the chain of a file ends: tails and breaks.

use std::io::ErrorKind;

use fencehold::error::Happened;
use fencehold::fs::RealFs;

use crate::spec_kit::{Act, DURABLE, Disk, Does as _, HOUR, Lab, RELAXED, acquire, is_damage, names, vandal};

/// RECOVER-1: The journal is its longest unbroken chain, and nothing after the first break is ever applied.
#[test]
fn what_follows_a_break_is_never_applied() {
    let mut breaks = 0;
    for broken in 2..6 {
        let lab = Lab::new();
        let party = lab.party_on(RealFs, RELAXED);
        let tokens: Vec<u64> =
            (2..6).map(|line| party.token(&acquire(&format!("line {line}"), "h", HOUR))).collect();
        vandal::damage(&lab, broken);
        lab.machine.reboot("boot 2");
        let holds = |lab: &Lab| -> Vec<u64> {
            (2..6)
                .filter_map(|line| lab.party().held(&format!("line {line}")))
                .map(|(_, token)| token)
                .collect()
        };
        assert_eq!(holds(&lab), tokens[..broken - 2], "as a reader sees it");
        let next = lab.party().token(&acquire("next", "h", HOUR));
        assert_eq!(holds(&lab), tokens[..broken - 2], "after a writer went on");
        assert!(next > tokens[3]);
        breaks += 1;
    }
    assert_eq!(breaks, 4);
}

/// RECOVER-3: An unterminated tail of the journal is copied to quarantine, synced there and cut off by the next
/// writer, which then goes on.
#[test]
fn a_torn_tail_of_every_length_is_kept_and_cut_off() {
    let lab = Lab::new();
    lab.party().token(&acquire("before", "h", HOUR));
    let line = vandal::next_line(&lab, &acquire("torn", "h", HOUR));
    let mut kept = 0;
    for cut in (1..line.len()).step_by(5) {
        let before = lab.bytes("journal.1.ndjson");
        lab.append(&line[..cut]);
        let (disk, calls) = Disk::noting();
        let party = lab.party_on(disk, DURABLE);
        party.token(&acquire(&format!("after {cut}"), "h", HOUR));
        assert_eq!(party.journal().notes().len(), 1);
        let name = names(&lab.path("quarantine")).into_iter().find(|name| {
            name.starts_with(&format!("journal.1.ndjson@{}-", before.len()))
                && lab.bytes(&format!("quarantine/{name}")) == line[..cut]
        });
        assert!(name.is_some(), "{cut}: {:?}", names(&lab.path("quarantine")));
        let calls = calls.lock().unwrap();
        let at = |call: &str| calls.iter().position(|noted| noted.starts_with(call)).unwrap();
        let order = [
            at("sync .journal"),
            at("rename journal.1"),
            at("sync_dir quarantine"),
            at("truncate journal.1"),
        ];
        assert!(order.is_sorted(), "{calls:#?}");
        assert!(lab.bytes("journal.1.ndjson").starts_with(&before));
        kept += 1;
    }
    assert!(kept > 40, "{kept}");
    assert_eq!(lab.party().held("torn"), None);
    assert_eq!(lab.history(), (lab.history().0, Vec::new()));
    assert_eq!(lab.history().0.len(), 2 + kept);
}

#[test]
fn a_tail_that_cannot_be_kept_is_not_cut_off() {
    let mut seen = 0;
    for call in ["create", "append", "sync", "rename", "sync_dir"] {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("a", "h", HOUR));
        lab.append("half a line");
        let before = lab.bytes("journal.1.ndjson");
        let full = Disk::nth(call, "/quarantine", 1, Act::Fail(ErrorKind::StorageFull));
        let error = lab.party_on(full, DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::No, "{call}: {error}");
        assert_eq!(lab.bytes("journal.1.ndjson"), before, "{call}");
        assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
        lab.party().token(&acquire("b", "h", HOUR));
        let kept = names(&lab.path("quarantine"));
        assert_eq!(kept.len(), 1, "{call}: {kept:?}");
        assert_eq!(lab.bytes(&format!("quarantine/{}", kept[0])), b"half a line", "{call}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// A journal whose middle one of three grants is damaged; none of them claims another durable where they are relaxed.
fn broken(relaxed: bool) -> (Lab, u64) {
    let lab = Lab::new();
    let party = lab.party_on(RealFs, if relaxed { RELAXED } else { DURABLE });
    let tokens = ["a", "b", "c"].map(|name| party.token(&acquire(name, "h", HOUR)));
    vandal::damage(&lab, 3);
    (lab, tokens[2])
}

/// RECOVER-4: A break in a file that was last written in an earlier boot or of which a sync failed, with no later line
/// that claims the broken revision to be durable, is copied to quarantine and reported, and work goes on at the floor.
#[test]
fn an_unacked_break_is_kept_reported_and_left_behind() {
    let mut seen = 0;
    for condemned in [false, true] {
        let (lab, last) = broken(true);
        if condemned {
            std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
        } else {
            lab.machine.reboot("boot 2");
        }
        let (floor, bytes) = (lab.floor(), lab.bytes("journal.1.ndjson"));
        let end: usize = bytes.split(|byte| *byte == b'\n').take(3).map(|line| line.len() + 1).sum();
        let party = lab.party();
        let next = party.token(&acquire("next", "h", HOUR));
        assert!(next > floor && floor > last, "{next} {floor} {last}");
        let kept = names(&lab.path("quarantine"));
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(lab.bytes(&format!("quarantine/{}", kept[0])), bytes[end..]);
        let notes = party.journal().notes();
        assert!(notes.iter().any(|note| note.0.contains(&kept[0])), "{notes:?}");
        assert!(lab.party().held("a").is_some() && lab.party().held("b").is_none());
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// RECOVER-5: Any other break is damage: every operation on locks, and `history`, exits 4 and changes nothing.
#[test]
fn a_break_of_what_was_acked_stops_everything() {
    // In the boot that wrote it, and in a later one where a later line claims it durable.
    let mut seen = 0;
    for (relaxed, reboot) in [(true, false), (false, false), (false, true)] {
        let (lab, token) = broken(relaxed);
        if reboot {
            lab.machine.reboot("boot 2");
        }
        let before = lab.snapshot();
        let party = lab.party();
        for command in [
            acquire("a", "h", HOUR),
            acquire("z", "h", HOUR),
            crate::spec_kit::release("c", "h", fencehold_model::lock::Proof::Token(token)),
            crate::spec_kit::renew("a", "h", fencehold_model::lock::Proof::Token(token), None),
            crate::spec_kit::end_by_hand("c", "stuck"),
        ] {
            let error = party.ask(&command).unwrap_err();
            assert_eq!((error.exit_code(), error.happened()), (4, Happened::No), "{error}");
            assert!(error.to_string().contains("line 4") && error.to_string().contains("repair"), "{error}");
            seen += 1;
        }
        assert_eq!(party.look("a").unwrap_err().exit_code(), 4);
        assert_eq!(party.list().unwrap_err().exit_code(), 4);
        assert_eq!(lab.history_error().exit_code(), 4);
        assert_eq!(lab.snapshot(), before);
    }
    assert_eq!(seen, 15);
}

/// RECOVER-6: A read reports damage only where it is still there when read again with the OS lock held shared.
#[test]
fn what_looks_broken_for_a_moment_is_no_damage() {
    let mut seen = 0;
    for mended in [true, false] {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("a", "h", HOUR));
        let (path, whole) = (lab.journal(), lab.bytes("journal.1.ndjson"));
        // A writer that holds the OS lock is in the midst of its write: one page is there, one is not.
        lab.append([&[0; 40][..], b"}\n"].concat());
        let disk = Disk::new(move |call, of| {
            if mended && call == "lock" && of.ends_with("lock") {
                std::fs::write(&path, &whole).unwrap();
            }
            Act::Go
        });
        let party = lab.party_on(disk, DURABLE);
        if mended {
            assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
        } else {
            assert!(is_damage(&party.look("a")));
        }
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// RECOVER-7: A workspace without its lock file, its journal or its floor, or with an invalid floor, is damaged and
/// never taken for a fresh one.
#[test]
fn what_is_missing_is_damage_and_nothing_is_made_anew() {
    let mut seen = 0;
    for (name, content) in [
        ("lock", None),
        ("journal.1.ndjson", None),
        ("floor.json", None),
        ("floor.json", Some("")),
        ("floor.json", Some("{\"fencehold\":1,\"floor\":9007199254740000}\n")),
        ("floor.json", Some("\u{0}\u{0}\u{0}")),
    ] {
        let lab = Lab::new();
        lab.party().token(&acquire("a", "h", HOUR));
        match content {
            None => std::fs::remove_file(lab.path(name)).unwrap(),
            Some(content) => std::fs::write(lab.path(name), content).unwrap(),
        }
        let before = lab.snapshot();
        let error = lab.party().ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert_eq!(error.exit_code(), 4, "{name}: {error}");
        let modes = fencehold::journal::Modes::Owner;
        assert!(!fencehold::journal::create(&RealFs, &lab.machine, &lab.ws(), modes).unwrap(), "{name}");
        assert!(fencehold::journal::is_workspace(&RealFs, &lab.ws()).unwrap());
        assert_eq!(lab.snapshot(), before, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// RECOVER-15: A journal whose chain ends before what `synced` says to be durable is damaged, whether the file breaks
/// there or ends.
#[test]
fn a_chain_that_ends_before_what_was_durable_is_damage() {
    let mut seen = 0;
    for condemned in [false, true] {
        for (what, left) in [("cut at a line", 0), ("cut within a line", 30), ("broken", usize::MAX)] {
            let lab = Lab::new();
            let token = lab.party().token(&acquire("a", "h", HOUR));
            let end = lab.bytes("journal.1.ndjson").len();
            lab.party().token(&acquire("b", "h", HOUR));
            let mut bytes = lab.bytes("journal.1.ndjson");
            bytes.truncate(end.saturating_add(left).min(bytes.len()));
            if left == usize::MAX {
                bytes[end + 20] ^= 1;
            }
            std::fs::write(lab.path("journal.1.ndjson"), &bytes).unwrap();
            if condemned && left == usize::MAX {
                // What a failed sync lost was never said to be durable.
                std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
            }
            assert!(is_damage(&lab.party().ask(&acquire("c", "h", HOUR))), "{what}");
            assert!(is_damage(&lab.party().look("a")), "{what}");
            assert_eq!(lab.bytes("journal.1.ndjson"), bytes, "{what}");
            let (floor, report) = (lab.floor(), lab.party().journal().repair().unwrap());
            assert_eq!(report.kept.len(), usize::from(left > 0), "{what}: {report:?}");
            assert!(report.done[0].contains("durable") || left == usize::MAX, "{what}: {report:?}");
            assert!(lab.party().token(&acquire("c", "h", HOUR)) > floor);
            assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}
