//! Attempts to break the journal on a disk that loses power and errors, each an interleaving chosen by hand.

use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, acquire};

/// An event that is appended while the history is read, by a process that is killed before its sync, is shown by nobody
/// who did not make it durable.
#[test]
fn review_C1_a_history_shows_no_event_that_was_appended_meanwhile_and_not_synced() {
    let (mut cuts, mut reached) = (0, 0);
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("boot", "h", HOUR));
        let ours = sim.clone();
        let mut lists = 0;
        let fs = Tampered::new(sim.fs(), move |call, path| {
            lists += usize::from(call == "list");
            if call == "list" && path.ends_with("archive") && lists < 100 {
                lists = 100;
                super::durable::dies_before_its_sync(&ours, &acquire("a", "a", HOUR));
            }
            Act::Go
        });
        let mut shown = Vec::new();
        sim.party_on(fs, DURABLE).journal().history(|entry| shown.push(entry.revision)).unwrap();
        let last = *shown.last().unwrap();
        reached += 1;
        cuts += sim.every_cut(300, |after| {
            let mut kept = Vec::new();
            after.party().journal().history(|entry| kept.push(entry.revision)).unwrap();
            assert!(kept.contains(&last), "{model:?}: {last} was shown, and is gone: {kept:?}");
        });
    }
    assert!(reached == MODELS.len() && cuts >= 5, "{reached} {cuts}");
}

/// A rotation moves the old file from one directory to another. Whatever of that a power cut keeps, the events in it
/// are somewhere: a later sync of the one directory never makes its leaving durable without its arrival in the other.
#[test]
fn review_M17_no_power_cut_takes_an_archived_file() {
    let mut cuts = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        let acked = sim.party().token(&acquire("first", "h", HOUR));
        super::cuts::fill(&sim);
        sim.party().token(&acquire("rotates", "h", HOUR));
        assert!(!sim.bytes("archive/journal.1.ndjson").is_empty(), "it was rotated");
        // Somebody syncs the workspace folder later on: here a new boot raises the floor.
        sim.machine.reboot("later");
        sim.party().token(&acquire("later", "h", HOUR));
        cuts += sim.every_cut(300, |after| {
            let mut kept = Vec::new();
            let notes = after.party().journal().history(|entry| kept.push(entry.revision)).unwrap();
            assert!(
                kept.contains(&acked),
                "{model:?}: {acked} was acked, and the history is without it: {notes:?}"
            );
        });
    }
    assert!(cuts >= 5, "{cuts}");
}
