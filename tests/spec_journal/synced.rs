//! `synced`: what one process leaves word of, when it counts, and that nothing is lost with it.

use fencehold::fs::RealFs;
use fencehold_model::chain;

use crate::review::kit::{Act, Tampered};
use crate::review::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Disk, Does as _, HOUR, Lab, Named, Party, RELAXED, acquire, asking, names};

type Ask = fn(&Party<Disk>);

fn questions() -> [Named<Ask>; 4] {
    [
        ("refusal", |party| _ = party.refusal(&acquire("a", "other", HOUR))),
        ("the same claim again", |party| _ = party.token(&acquire("a", "h#claim", HOUR))),
        ("read", |party| _ = party.held("a")),
        ("history", |party| _ = party.journal().history(|_| ()).unwrap()),
    ]
}

/// A workspace with one grant, acked.
fn quiet() -> Lab {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h#claim", HOUR));
    lab
}

/// The syncs of one process that asks.
fn syncs(lab: &Lab, ask: impl Fn(&Party<Disk>)) -> Vec<String> {
    let (disk, calls) = Disk::noting();
    ask(&lab.party_on(disk, DURABLE));
    let calls = calls.lock().unwrap();
    calls.iter().filter(|call| call.starts_with("sync")).cloned().collect()
}

/// JOURNAL-29: Whoever synced what its answer rests on leaves word of it in `synced`, so that later answers which rest
/// on nothing newer need no sync.
#[test]
fn what_rests_on_nothing_newer_needs_no_sync() {
    let mut seen = 0;
    for (what, ask) in questions() {
        let lab = quiet();
        let before = lab.snapshot();
        assert_eq!(syncs(&lab, ask), [""; 0], "{what}");
        assert_eq!(lab.snapshot(), before, "{what}");
        // One that was not proven is, by the first who needs it, for all.
        lab.party_on(RealFs, RELAXED).token(&acquire("b", "h", HOUR));
        assert_eq!(syncs(&lab, ask), ["sync journal.1.ndjson"], "{what}");
        assert_eq!(syncs(&lab, ask), [""; 0], "{what}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn an_operation_that_is_recorded_already_is_answered_without_a_sync() {
    let lab = Lab::new();
    let mine = asking("me");
    let first = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
    let again = |party: &Party<Disk>| {
        assert_eq!(party.submit(&mine, &acquire("a", "h", HOUR)).unwrap().revision, first.revision);
    };
    assert_eq!(syncs(&lab, again), [""; 0]);
    std::fs::remove_file(lab.path("synced")).unwrap();
    assert!(syncs(&lab, again).contains(&"sync journal.1.ndjson".to_owned()));
}

#[test]
fn nobody_leaves_word_where_answers_wait_for_no_disk() {
    let lab = Lab::new();
    let party = lab.party_on(RealFs, RELAXED);
    party.token(&acquire("a", "h", HOUR));
    assert!(party.held("a").is_some());
    assert!(!names(&lab.ws()).contains(&"synced".to_owned()));
}

/// The line of `synced` with one field changed, sealed again.
fn forged(line: &str, field: &str, value: &str) -> String {
    let key = format!("\"{field}\":");
    let start = line.find(&key).unwrap() + key.len();
    let end = start + line[start..].find(",\"").unwrap();
    assert_ne!(&line[start..end], value, "{field}");
    let changed = format!("{}{value}{}", &line[..start], &line[end..]);
    let mut sealed = changed[..changed.find(",\"crc\"").unwrap()].to_owned();
    chain::seal(&mut sealed);
    sealed
}

/// JOURNAL-30: `synced` counts only in the boot and for the journal file that it names, a copy of that file being
/// another, and where it is damaged it counts as absent.
#[test]
fn word_of_anything_else_counts_as_absent() {
    let lab = quiet();
    let told = String::from_utf8(lab.bytes("synced")).unwrap();
    let read = |party: &Party<Disk>| assert!(party.held("a").is_some());
    let mut looks = 0;
    let mut put = |bytes: &[u8], counts: bool| {
        std::fs::write(lab.path("synced"), bytes).unwrap();
        assert_eq!(syncs(&lab, read).is_empty(), counts, "{:?}", String::from_utf8_lossy(bytes));
        looks += 1;
    };
    put(told.as_bytes(), true);
    for (field, value) in
        [("boot", "\"another\""), ("n", "2"), ("file", "\"1:2\""), ("head", "\"00000000\""), ("end", "1")]
    {
        put(forged(&told, field, value).as_bytes(), false);
    }
    for cut in 0..told.len() {
        put(&told.as_bytes()[..cut], false);
    }
    for at in 0..told.len() {
        let mut bytes = told.clone().into_bytes();
        bytes[at] ^= 1;
        put(&bytes, false);
    }
    put(b"", false);
    put(&[0; 4096], false);
    put(&[b'x'; 4096], false);
    // What a longer one left behind it is no part of it.
    put(format!("{told}rest of a longer one\n").as_bytes(), true);
    assert!(looks > 200, "{looks}");
}

#[test]
fn a_copy_is_not_taken_for_durable_by_what_it_brought_along() {
    let lab = quiet();
    let copy = Lab::empty();
    let copied = std::process::Command::new("cp").arg("-a").args([lab.ws(), copy.ws()]).status().unwrap();
    assert!(copied.success());
    let before = copy.bytes("journal.1.ndjson");
    let reads = syncs(&copy, |party| assert!(party.held("a").is_some()));
    assert!(reads.contains(&"sync journal.1.ndjson".to_owned()), "{reads:?}");
    assert_eq!((copy.n(), copy.bytes("journal.1.ndjson")), (1, before), "a reader makes nothing its own");
}

#[test]
fn a_workspace_in_which_no_word_can_be_left_works() {
    let lab = quiet();
    std::fs::remove_file(lab.path("synced")).unwrap();
    std::fs::create_dir(lab.path("synced")).unwrap();
    for name in ["b", "c"] {
        let token = lab.party().token(&acquire(name, "h", HOUR));
        assert_eq!(lab.party().held(name), Some(("h".to_owned(), token)));
    }
}

/// JOURNAL-32: Whoever does not find in `synced` that the directory of the journal file, and the floor as it stands,
/// were synced in this boot syncs the directory before its first answer.
#[test]
fn directories_are_synced_by_who_does_not_know_that_they_were() {
    let lab = quiet();
    let root = lab.root().file_name().unwrap().to_string_lossy().into_owned();
    let dirs = |ask: Ask| -> Vec<String> {
        syncs(&lab, ask).into_iter().filter(|call| call.starts_with("sync_dir")).collect()
    };
    let mut seen = 0;
    for (what, ask) in questions() {
        std::fs::remove_file(lab.path("synced")).unwrap();
        assert_eq!(dirs(ask), [format!("sync_dir {root}"), "sync_dir ws".to_owned()], "{what}");
        // A reader that had nothing to write over leaves no word.
        lab.party().refusal(&acquire("a", "other", HOUR));
        assert_eq!(dirs(ask), [""; 0], "{what}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    // A floor that was replaced since, by one who was killed before it had synced the directory.
    let told = String::from_utf8(lab.bytes("synced")).unwrap();
    std::fs::write(lab.path("synced"), forged(&told, "floor", "1")).unwrap();
    let (disk, calls) = Disk::noting();
    lab.party_on(disk, DURABLE).token(&acquire("b", "h", HOUR));
    let calls = calls.lock().unwrap();
    let at = |call: &str| calls.iter().position(|noted| noted == call);
    assert!(at("sync_dir ws").is_some() && at("sync_dir ws") < at("append journal.1.ndjson"), "{calls:#?}");
}

#[test]
fn a_file_begun_by_one_who_was_killed_before_the_directory_was_synced_stays() {
    let mut cuts = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("a", "h", HOUR));
        // Condemned, so that the next commit begins a file; it dies before it syncs the directory of that.
        let path = sim.path("journal.1.condemned");
        sim.world.disk(|disk| disk.put(&path, b""));
        let mut begun = false;
        let fs = Tampered::new(sim.fs(), move |call, path| {
            begun |= call == "rename" && path.ends_with("journal.2.ndjson");
            if begun && call == "sync_dir" { Act::Die } else { Act::Go }
        });
        sim.party_on(fs, DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert!(!sim.bytes("journal.2.ndjson").is_empty());
        let token = sim.party().token(&acquire("c", "h", HOUR));
        cuts += sim.every_cut(200, |after| {
            assert_eq!(after.party().held("c").map(|(_, token)| token), Some(token), "{model:?}");
            assert!(after.party().token(&acquire("next", "h", HOUR)) > token);
        });
    }
    assert!(cuts >= 5, "{cuts}");
}
