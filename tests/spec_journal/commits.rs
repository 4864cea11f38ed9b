//! A commit: what it syncs, what it answers when the disk fails, and to which file it writes.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use fencehold::error::Happened;
use fencehold::fs::RealFs;
use fencehold::ledger::Verdict;

use crate::spec_kit::{
    Act, DURABLE, Disk, Does as _, HOUR, Lab, Named, Party, RELAXED, acquire, asking, is_damage, names,
    vandal,
};

/// JOURNAL-6: Unless durability is relaxed, no answer, be it a grant, a refusal or a read, is given before every event
/// that it rests on was synced.
#[test]
fn every_kind_of_answer_rests_on_a_sync_of_its_own() {
    type Ask = fn(&Party<Disk>);
    let ask: [Named<Ask>; 3] = [
        ("grant", |party| _ = party.token(&acquire("b", "h", HOUR))),
        ("refusal", |party| _ = party.refusal(&acquire("a", "other", HOUR))),
        ("read", |party| _ = party.held("a")),
    ];
    for (what, ask) in ask {
        let lab = Lab::new();
        lab.party().token(&acquire("a", "h", HOUR));
        // Nobody left word that it is durable.
        std::fs::remove_file(lab.path("synced")).unwrap();
        let (disk, calls) = Disk::noting();
        let party = lab.party_on(disk, DURABLE);
        ask(&party);
        let calls = calls.lock().unwrap();
        let last = |call: &str| calls.iter().rposition(|noted| noted == call);
        let rests_on = last("append journal.1.ndjson").max(last("read journal.1.ndjson"));
        assert!(last("sync journal.1.ndjson") > rests_on, "{what}: {calls:#?}");
        assert!(
            last("sync_dir ws").is_some() && last(&format!("sync_dir {}", root(&lab))).is_some(),
            "{what}: {calls:#?}"
        );
    }
}

fn root(lab: &Lab) -> String {
    lab.root().file_name().unwrap().to_string_lossy().into_owned()
}

/// JOURNAL-7: Under `durability = "relaxed"` a commit does not sync its event, and every answer says so.
#[test]
fn relaxed_answers_say_that_nothing_was_synced() {
    let lab = Lab::new();
    lab.party_on(RealFs, RELAXED).token(&acquire("boot", "h", HOUR));
    let mut seen = 0;
    for (options, durable) in [(RELAXED, false), (DURABLE, true)] {
        let (disk, calls) = Disk::noting();
        let party = lab.party_on(disk, options);
        for command in [acquire(&format!("{durable}"), "h", HOUR), acquire("boot", "other", HOUR)] {
            assert_eq!(party.ask(&command).unwrap().durable, durable);
            seen += 1;
        }
        let syncs = calls.lock().unwrap().iter().filter(|call| call.starts_with("sync")).count();
        assert_eq!(syncs > 0, durable);
    }
    assert_eq!(seen, 4);
}

/// JOURNAL-8: A commit whose event could not be synced is answered as indefinite, and no second sync turns that into
/// an ack.
#[test]
fn a_failed_sync_is_indefinite_and_no_later_answer_rests_on_the_file() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let (mut failed, after) = (false, Arc::new(std::sync::Mutex::new(Vec::new())));
    let noted = after.clone();
    let party = lab.party_on(
        Disk::new(move |call, path| {
            let journal = path.ends_with("journal.1.ndjson");
            if failed && journal {
                noted.lock().unwrap().push(call);
            }
            if call == "sync" && journal && !failed {
                failed = true;
                return Act::Fail(ErrorKind::Other);
            }
            Act::Go
        }),
        DURABLE,
    );
    let mine = asking("me");
    let error = party.submit(&mine, &acquire("a", "h#c", HOUR)).unwrap_err();
    assert_eq!((error.happened(), error.exit_code()), (Happened::Unknown, 3), "{error}");
    let answer = party.submit(&mine, &acquire("a", "h#c", HOUR)).unwrap();
    assert!(matches!(answer.verdict, Verdict::Granted { .. }));
    let calls = after.lock().unwrap();
    // For the history alone its lines are written over, by a description of its own, before that is synced.
    let at = |call| calls.iter().position(|made| *made == call);
    assert!(at("append") < at("sync") && at("sync") < at("rename"), "{calls:?}");
    assert_eq!(lab.n(), 2, "the answer rests on a new file");
}

/// JOURNAL-26: A journal file of which a sync failed is followed by a new one, at the floor, before any commit or read
/// that begins later is answered.
#[test]
fn a_condemned_file_is_left_before_anything_is_answered() {
    let mut seen = 0;
    for read in [true, false] {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("a", "h", HOUR));
        let (floor, old) = (lab.floor(), lab.bytes("journal.1.ndjson"));
        // The process that saw the sync fail was killed after it had left the mark.
        std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
        let party = lab.party();
        if read {
            assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
        } else {
            assert!(party.token(&acquire("b", "h", HOUR)) > floor);
        }
        assert_eq!(lab.n(), 2);
        assert_eq!(lab.bytes("archive/journal.1.ndjson"), old);
        assert!(!names(&lab.ws()).contains(&"journal.1.condemned".to_owned()));
        assert!(lab.party().token(&acquire("c", "h", HOUR)) > floor);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// JOURNAL-9: A commit whose write came short cuts its own bytes off and syncs before it fails definitely, and is
/// indefinite where it cannot.
#[test]
fn a_short_write_is_cut_off_or_indefinite() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let before = lab.bytes("journal.1.ndjson");
    let line = vandal::next_line(&lab, &acquire("a", "h", HOUR)).len();
    let mut seen = 0;
    for count in [0, 1, line / 2, line - 1] {
        let (noting, calls) = Disk::noting();
        let party = lab.party_on(short(noting, count, None), DURABLE);
        let error = party.ask(&acquire("a", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::No, "{count}: {error}");
        assert_eq!(lab.bytes("journal.1.ndjson"), before, "{count}");
        let calls = calls.lock().unwrap();
        let at = |call: &str| calls.iter().rposition(|noted| noted == call);
        assert!(at("sync journal.1.ndjson") > at("truncate journal.1.ndjson"), "{calls:#?}");
        seen += 1;
    }
    for cannot in ["truncate", "sync"] {
        let lab = Lab::new();
        lab.party().token(&acquire("boot", "h", HOUR));
        let party = lab.party_on(short(Disk::noting().0, 9, Some(cannot)), DURABLE);
        let error = party.ask(&acquire("a", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::Unknown, "{cannot}: {error}");
        assert_eq!(lab.party().held("a"), None);
        lab.party().token(&acquire("a", "h", HOUR));
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// A disk whose first write to the journal comes short, and whose next call of that kind on it then fails.
fn short(under: Disk, count: usize, then: Option<&'static str>) -> Disk {
    let mut came_short = false;
    Disk::over(under, move |call, path| {
        if !path.ends_with("journal.1.ndjson") {
            return Act::Go;
        }
        if call == "append" {
            came_short = true;
            return Act::Short(count);
        }
        if came_short && then == Some(call) { Act::Fail(ErrorKind::StorageFull) } else { Act::Go }
    })
}

/// JOURNAL-10: A commit never writes to a journal file that was replaced, removed or followed by a later one since it
/// was opened.
#[test]
fn a_file_that_is_no_longer_the_journal_gets_no_byte() {
    type Change = fn(&Lab);
    let change: [(Named<bool>, Change); 4] = [
        (("replaced by the same bytes", true), |lab| {
            std::fs::copy(lab.journal(), lab.path("copy")).unwrap();
            std::fs::rename(lab.path("copy"), lab.journal()).unwrap();
        }),
        (("removed", false), |lab| std::fs::remove_file(lab.journal()).unwrap()),
        (("followed by one", true), vandal::rotate),
        (("followed by two", true), |lab| {
            vandal::rotate(lab);
            vandal::rotate(lab);
        }),
    ];
    for ((what, works), change) in change {
        let lab = Lab::new();
        let party = lab.party();
        party.token(&acquire("a", "h", HOUR));
        std::fs::hard_link(lab.journal(), lab.root().join("kept")).unwrap();
        change(&lab);
        let before = std::fs::read(lab.root().join("kept")).unwrap();
        let answer = party.ask(&acquire("b", "h", HOUR));
        assert_eq!(answer.is_ok(), works, "{what}: {answer:?}");
        assert!(works || is_damage(&answer), "{what}: {answer:?}");
        assert_eq!(std::fs::read(lab.root().join("kept")).unwrap(), before, "{what}");
        assert!(!works || lab.party().held("b").is_some(), "{what}");
    }
}

/// JOURNAL-11: A commit that finds after its sync that the lock file or the journal is gone from its path is answered
/// as indefinite, unless the journal was followed by a file whose line one holds the event.
#[test]
fn a_workspace_that_vanishes_during_a_commit_makes_it_indefinite() {
    let vanish: [Named<fn(&Path)>; 4] = [
        ("lock removed", |ws| std::fs::remove_file(ws.join("lock")).unwrap()),
        ("journal removed", |ws| std::fs::remove_file(ws.join("journal.1.ndjson")).unwrap()),
        ("folder removed", |ws| std::fs::remove_dir_all(ws).unwrap()),
        ("lock replaced", |ws| {
            std::fs::write(ws.join("new"), "").unwrap();
            std::fs::rename(ws.join("new"), ws.join("lock")).unwrap();
        }),
    ];
    for (what, vanish) in vanish {
        let lab = Lab::new();
        lab.party().token(&acquire("boot", "h", HOUR));
        let (ws, mut written) = (lab.ws(), false);
        let disk = Disk::new(move |call, path| {
            written |= call == "append";
            if written && call == "sync" && path.ends_with("journal.1.ndjson") {
                vanish(&ws);
                written = false;
            }
            Act::Go
        });
        let error = lab.party_on(disk, DURABLE).ask(&acquire("a", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::Unknown, "{what}: {error}");
    }
}
