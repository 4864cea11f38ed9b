//! Proving: the OS lock is free while a commit waits for the disk, and a sync counts for what it can vouch for.

use std::path::Path;
use std::sync::{Arc, Mutex};

use fencehold::error::Happened;
use fencehold::fs::{Fs, How};
use fencehold_model::Token;
use fencehold_model::record::{Head, read_head, write_head};
use fencehold_stress::sim::disk::Persistence;

use crate::review::kit::{Act, Tampered};
use crate::review::sim::{MODELS, Sim};
use crate::spec_kit::{
    self, DURABLE, Disk, Does as _, HOUR, Lab, Party, acquire, is_damage, kill_everywhere, names, vandal,
};

const JOURNAL: &str = "journal.1.ndjson";

/// A disk whose process does `what` while it waits in the sync of the first event that it wrote itself.
fn while_it_syncs(what: impl FnOnce() + Send + 'static) -> Disk {
    let (mut what, mut written) = (Some(what), false);
    Disk::new(move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if written
            && call == "sync"
            && path.ends_with(JOURNAL)
            && let Some(what) = what.take()
        {
            what();
        }
        spec_kit::Act::Go
    })
}

/// JOURNAL-28: A commit lets the OS lock go before it syncs its event, so a process that waits for the disk holds
/// nobody up.
#[test]
fn others_commit_while_one_waits_for_the_disk() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let (other, within) = (lab.party(), Arc::new(Mutex::new(Vec::new())));
    let tokens = Arc::clone(&within);
    let disk = while_it_syncs(move || {
        let mut tokens = tokens.lock().unwrap();
        tokens.extend(["b", "c"].map(|name| other.token(&acquire(name, "other", HOUR))));
        assert_eq!(other.refusal(&acquire("a", "other", HOUR)), "held", "it sees what is not synced yet");
    });
    let mine = lab.party_on(disk, DURABLE).token(&acquire("a", "h", HOUR));
    let within = within.lock().unwrap();
    assert!(within.len() == 2 && within.iter().all(|token| *token > mine), "{mine} {within:?}");
    let held = ["a", "b", "c"].map(|name| lab.party().held(name).map(|(_, token)| token));
    assert_eq!(held, [Some(mine), Some(within[0]), Some(within[1])]);
}

#[test]
fn a_rotation_while_one_waits_for_the_disk_takes_its_event_along() {
    let mut rotations = 0;
    for times in 1..3 {
        let lab = Arc::new(Lab::new());
        lab.party().token(&acquire("boot", "h", HOUR));
        let rotated = Arc::clone(&lab);
        let disk = while_it_syncs(move || (0..times).for_each(|_| vandal::rotate(&rotated)));
        let mine = lab.party_on(disk, DURABLE).token(&acquire("a", "h", HOUR));
        assert_eq!(lab.n(), times + 1);
        assert_eq!(lab.party().held("a"), Some(("h".to_owned(), mine)));
        rotations += times;
    }
    assert_eq!(rotations, 3);
}

#[test]
fn a_file_that_follows_without_the_event_makes_the_commit_indefinite() {
    let mut seen = 0;
    for (archived, with_it) in [(true, false), (false, false), (true, true), (false, true)] {
        let lab = Arc::new(Lab::new());
        lab.party().token(&acquire("boot", "h", HOUR));
        let follow = Arc::clone(&lab);
        // As after a repair that found a break before the event.
        let disk = while_it_syncs(move || {
            let (bytes, event) = (follow.lines(), 1 + follow.lines().len() as u64);
            let mut head = read_head(&bytes[0], 1).unwrap().content;
            let last: serde_json::Value = serde_json::from_str(bytes.last().unwrap()).unwrap();
            head.state.revision = last["rev"].as_u64().unwrap() - u64::from(!with_it);
            let revision = head.state.revision;
            let (line, _) = write_head(&Head { n: 2, ..head }, revision);
            std::fs::write(follow.path("journal.2.ndjson"), line).unwrap();
            if archived {
                std::fs::rename(follow.path(JOURNAL), follow.path("archive").join(JOURNAL)).unwrap();
            }
            assert!(event > 1);
        });
        let answer = lab.party_on(disk, DURABLE).ask(&acquire("a", "h", HOUR));
        match answer {
            Ok(_) => assert!(with_it),
            Err(error) => assert_eq!((with_it, error.happened()), (false, Happened::Unknown), "{error}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// A workspace in which one process wrote a line whose writeback failed, was told, and was killed before it could leave
/// word: the line stands in memory alone, and nobody knows.
fn told_and_killed(model: Persistence) -> Sim {
    let sim = Sim::new(model);
    sim.party().token(&acquire("boot", "h", HOUR));
    let (ours, mut written) = (sim.clone(), false);
    let fs = Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if !(written && call == "sync" && path.ends_with(JOURNAL)) {
            return Act::Go;
        }
        let path = ours.path(JOURNAL);
        ours.world.disk(|disk| {
            let open = disk.open(999, &path, How::Read).unwrap();
            disk.fail_sync(open).unwrap_err();
            disk.close(open);
        });
        Act::Die
    });
    let error = sim.party_on(fs, DURABLE).ask(&acquire("a", "a", HOUR)).unwrap_err();
    assert_eq!(error.happened(), Happened::Unknown, "{error}");
    sim
}

type Ask<F> = fn(&Party<F>) -> Option<Token>;

/// What a process that comes later asks, and the token of `a` that its answer rests on.
fn questions<F: Fs>() -> [(&'static str, Ask<F>); 4] {
    [
        ("commit", |party| {
            party.token(&acquire("c", "c", HOUR));
            None
        }),
        ("refusal", |party| {
            assert_eq!(party.refusal(&acquire("a", "c", HOUR)), "held");
            None
        }),
        ("show", |party| party.held("a").map(|(_, token)| token)),
        ("history", |party| {
            let mut last = None;
            party.journal().history(|entry| last = Some(entry.revision)).unwrap();
            last
        }),
    ]
}

/// How many of the outcomes of memory pressure and of a power cut take `a` back after somebody was answered.
fn taken_back<F: Fs>(model: Persistence, of: impl Fn(&Sim) -> F, ask: Ask<F>) -> (u64, u64) {
    let sim = told_and_killed(model);
    let told = ask(&sim.party_on(of(&sim), DURABLE));
    let (mut outcomes, mut back) = (0, 0);
    let mut judge = |after: &Sim| {
        let held = after.party().look("a").ok().and_then(|view| view.grant).map(|(grant, _)| grant.token);
        let kept = held.is_some() && (told.is_none() || held == told);
        (outcomes, back) = (outcomes + 1, back + u64::from(!kept));
    };
    sim.every_cut(200, |after| judge(&after));
    sim.evict();
    judge(&sim);
    (outcomes, back)
}

/// JOURNAL-31: A line that was there before a process opened the file, and is not known to be durable, is written over
/// with the same bytes under the OS lock before a sync of that process counts for it, unless the process may not write
/// the file.
#[test]
fn a_late_opener_writes_over_what_it_cannot_vouch_for() {
    let mut seen = 0;
    for model in MODELS {
        for (what, ask) in questions() {
            let (outcomes, back) = taken_back(model, Sim::fs, ask);
            assert_eq!(back, 0, "{what}, {model:?}: of {outcomes}");
            seen += outcomes;
        }
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn a_late_opener_that_only_syncs_is_seen_to_lose_what_it_answered() {
    let only_syncs = |sim: &Sim| Tampered::always(sim.fs(), "write_at", JOURNAL, Act::Skip);
    for model in MODELS {
        for (what, ask) in questions() {
            let (outcomes, back) = taken_back(model, only_syncs, ask);
            assert!(back > 0, "{what}, {model:?}: of {outcomes}");
        }
    }
}

#[test]
fn lines_that_were_appended_after_the_file_was_opened_are_not_written_over() {
    let lab = Lab::new();
    let (disk, calls) = Disk::noting();
    let party = lab.party_on(disk, DURABLE);
    party.token(&acquire("boot", "h", HOUR));
    lab.party_on(fencehold::fs::RealFs, spec_kit::RELAXED).token(&acquire("theirs", "h", HOUR));
    let from = calls.lock().unwrap().len();
    party.token(&acquire("mine", "h", HOUR));
    let calls = calls.lock().unwrap();
    let appends = calls[from..].iter().filter(|call| *call == "append journal.1.ndjson").count();
    let syncs = calls[from..].iter().filter(|call| *call == "sync journal.1.ndjson").count();
    assert_eq!((appends, syncs), (1, 1), "{calls:#?}");
}

#[test]
fn who_dies_anywhere_while_it_writes_over_changes_no_byte_of_a_line() {
    let mut over = 0;
    for read in [true, false] {
        let kills = kill_everywhere(|disk, _| {
            let lab = Lab::new();
            let token = lab.party().token(&acquire("boot", "h", HOUR));
            lab.party_on(fencehold::fs::RealFs, spec_kit::RELAXED).token(&acquire("a", "h", HOUR));
            let before = lab.bytes(JOURNAL);
            let party = lab.party_on(disk, DURABLE);
            if read {
                let _ = party.look("a");
                assert_eq!(lab.bytes(JOURNAL), before, "a reader adds nothing");
            } else {
                let _ = party.ask(&acquire("c", "h", HOUR));
                assert!(lab.bytes(JOURNAL).starts_with(&before));
            }
            assert_eq!(lab.party().held("boot"), Some(("h".to_owned(), token)));
            assert!(lab.party().token(&acquire("next", "h", HOUR)) > token + 1);
            over += 1;
        });
        assert!(kills > 15, "{kills}");
    }
    assert!(over > 40, "{over}");
}

#[test]
fn what_changed_between_two_looks_is_not_written_over() {
    let lab = Arc::new(Lab::new());
    lab.party().token(&acquire("boot", "h", HOUR));
    lab.party_on(fencehold::fs::RealFs, spec_kit::RELAXED).token(&acquire("a", "h", HOUR));
    let changes = Arc::clone(&lab);
    let mut changes = Some(move || vandal::damage(&changes, 3));
    // Its line is folded; then a page is read from the disk again, and is not what it was.
    let disk = Disk::new(move |call, path| {
        if call == "stat"
            && path.ends_with("journal.1.condemned")
            && let Some(changes) = changes.take()
        {
            changes();
        }
        spec_kit::Act::Go
    });
    assert!(is_damage(&lab.party_on(disk, DURABLE).ask(&acquire("c", "h", HOUR))));
}

/// A sync that fails while others have appended behind the line: each is told by its own, and what is acked later is in
/// a file of its own.
#[test]
fn everybody_behind_a_failed_sync_is_told_and_the_next_one_goes_on() {
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("boot", "h", HOUR));
        let (second, ours) = (sim.party(), sim.clone());
        assert!(second.held("boot").is_some(), "it has opened the file");
        let heard = Arc::new(Mutex::new(None));
        let (said, mut written) = (Arc::clone(&heard), false);
        let fs = Tampered::new(sim.fs(), move |call, path: &Path| {
            written |= call == "append" && path.ends_with(JOURNAL);
            if written && call == "sync" && path.ends_with(JOURNAL) {
                written = false;
                ours.fail_writeback(JOURNAL);
                *said.lock().unwrap() = Some(second.ask(&acquire("b", "b", HOUR)));
            }
            Act::Go
        });
        let first = sim.party_on(fs, DURABLE).ask(&acquire("a", "a", HOUR)).unwrap_err();
        let second = heard.lock().unwrap().take().unwrap().unwrap_err();
        assert_eq!((first.happened(), second.happened()), (Happened::Unknown, Happened::Unknown));
        let token = sim.party().token(&acquire("c", "c", HOUR));
        assert!(token > 1 << 20, "at the floor");
        sim.evict();
        assert_eq!(sim.party().held("c").map(|(_, token)| token), Some(token));
        sim.every_cut(100, |after| {
            assert_eq!(after.party().held("c").map(|(_, token)| token), Some(token), "{model:?}");
        });
    }
}

#[test]
fn a_refusal_whose_sync_fails_is_decided_anew_in_the_next_file() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    lab.party_on(fencehold::fs::RealFs, spec_kit::RELAXED).token(&acquire("b", "h", HOUR));
    let mut seen = 0;
    for read in [false, true] {
        let fails = Disk::nth("sync", "journal.", 1, spec_kit::Act::Fail(std::io::ErrorKind::Other));
        let (party, n) = (lab.party_on(fails, DURABLE), lab.n());
        if read {
            assert!(party.held("b").is_some());
        } else {
            assert_eq!(party.refusal(&acquire("b", "other", HOUR)), "held");
        }
        assert_eq!(lab.n(), n + 1);
        lab.party_on(fencehold::fs::RealFs, spec_kit::RELAXED).token(&acquire("d", "h#c", HOUR));
        std::fs::remove_file(lab.path("synced")).unwrap();
        seen += 1;
    }
    assert_eq!(seen, 2);
    assert!(!names(&lab.ws()).iter().any(|name| name.ends_with("condemned")));
}

fn revisions<F: Fs>(party: &Party<F>) -> Vec<Token> {
    let mut revisions = Vec::new();
    party.journal().history(|entry| revisions.push(entry.revision)).unwrap();
    revisions
}

/// How many outcomes of a power cut take a line of a condemned file from the history, which was shown after it was left.
fn lost_from_history<F: Fs>(model: Persistence, of: impl Fn(&Sim) -> F) -> (u64, u64) {
    let sim = told_and_killed(model);
    let path = sim.path("journal.1.condemned");
    sim.world.disk(|disk| disk.put(&path, b""));
    let party = sim.party_on(of(&sim), DURABLE);
    party.token(&acquire("c", "c", HOUR));
    let shown = revisions(&party);
    let mut lost = 0;
    let cuts = sim.every_cut(200, |after| {
        let left = revisions(&after.party());
        lost += u64::from(!left.starts_with(&shown));
    });
    (cuts, lost)
}

#[test]
fn the_history_keeps_the_lines_of_a_condemned_file() {
    for model in MODELS {
        let (cuts, lost) = lost_from_history(model, Sim::fs);
        assert!(cuts > 0 && lost == 0, "{model:?}: {lost} of {cuts}");
        let no_sync = |sim: &Sim| Tampered::always(sim.fs(), "sync", JOURNAL, Act::Skip);
        let (cuts, lost) = lost_from_history(model, no_sync);
        assert!(lost > 0, "{model:?}: left out, it is seen: {lost} of {cuts}");
    }
}
