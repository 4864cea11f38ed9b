//! Power cuts at the instants that the findings name: a killed rotator (C7), a hole (M1), a cut that was not durable
//! (M2), a forked child (M7).

use fencehold::fs::Fs;
use fencehold::journal::Options;
use fencehold_stress::sim::disk::Persistence;

use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, RELAXED, acquire, end_by_hand};

const JOURNAL: &str = "journal.1.ndjson";
const SECOND: &str = "journal.2.ndjson";

/// Makes the next commit rotate.
pub(super) fn fill(sim: &Sim) {
    let party = sim.party_on(sim.fs(), RELAXED);
    let reason = format!("x{}x", "\u{1}".repeat(4000));
    while sim.bytes(JOURNAL).len() <= 66 * 1024 {
        party.verdict(&acquire("fills", "f", HOUR));
        party.verdict(&end_by_hand("fills", &reason));
    }
}

/// The rotator is killed between the rename and the sync of the directory; W acks in the new file, on files as `of` has
/// them. How many outcomes of a power cut there are, and how many took the ack back.
fn behind_a_killed_rotator<F: Fs>(model: Persistence, of: impl Fn(&Sim) -> F) -> (u64, u64) {
    let sim = Sim::new(model);
    sim.party().token(&acquire("first", "h", HOUR));
    fill(&sim);
    let mut renamed = false;
    let rotator = Tampered::new(sim.fs(), move |call, path| {
        renamed |= call == "rename" && path.ends_with(SECOND);
        if renamed && call == "sync_dir" { Act::Die } else { Act::Go }
    });
    sim.party_on(rotator, DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
    assert!(!sim.bytes(SECOND).is_empty() && !sim.bytes(JOURNAL).is_empty());
    let acked = sim.party_on(of(&sim), DURABLE).token(&acquire("a", "w", HOUR));
    let mut back = 0;
    let cuts = sim.every_cut(300, |after| {
        let held = after.party().look("a").ok().and_then(|view| view.grant).map(|(grant, _)| grant.token);
        back += u64::from(held != Some(acked));
        if held == Some(acked) {
            assert!(after.party().token(&acquire("next", "n", HOUR)) > acked);
        }
    });
    (cuts, back)
}

/// R publishes the new file and dies before the directory sync; W appends, syncs and acks. W pays R's debt first. The
/// wrong variant syncs its file alone: on the weakest that POSIX allows the file's name is gone, and the ack with it.
#[test]
fn review_C7_no_power_cut_behind_a_killed_rotator_takes_an_ack() {
    let mut cuts = 0;
    for model in MODELS {
        let (outcomes, back) = behind_a_killed_rotator(model, Sim::fs);
        assert_eq!(back, 0, "{model:?}");
        cuts += outcomes;
    }
    assert!(cuts >= 5, "{cuts}");
    let owing = |sim: &Sim| Tampered::always(sim.fs(), "sync_dir", "ws", Act::Skip);
    let (cuts, back) = behind_a_killed_rotator(Persistence::Posix, owing);
    assert!(back > 0, "the wrong variant: {back} of {cuts}");
}

/// Lines that nobody synced, and a power cut: whatever subset of their pages survives, work goes on without a person,
/// what was acked before is there, and nothing behind a hole is. Holes with whole lines behind them are reached.
#[test]
fn review_M1_no_power_cut_stops_the_work() {
    let mut reached = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        let acked = sim.party().token(&acquire("acked", "h", HOUR));
        let long = "x".repeat(250);
        let relaxed = sim.party_on(sim.fs(), RELAXED);
        let tokens: Vec<u64> =
            (0..4).map(|n| relaxed.token(&acquire(&format!("{n}{long}"), &long, HOUR))).collect();
        let cuts = sim.every_cut(400, |after| {
            let bytes = after.bytes(JOURNAL);
            let whole_lines_at_the_end = bytes.ends_with(b"\"}\n");
            reached += usize::from(bytes.contains(&0) && whole_lines_at_the_end);
            let next = after.party().token(&acquire("next", "n", HOUR));
            assert!(tokens.iter().all(|token| *token < next));
            assert_eq!(after.party().held("acked").map(|(_, token)| token), Some(acked));
            let there: Vec<bool> =
                (0..4).map(|n| after.party().held(&format!("{n}{long}")).is_some()).collect();
            assert!(
                there.is_sorted_by(|a, b| a >= b),
                "{model:?}: a line behind one that is lost: {there:?}"
            );
        });
        assert!(cuts > 4, "{model:?}: {cuts}");
    }
    assert!(reached > 10, "{reached}");
}

/// The write came short by its newline; the writer cut its bytes off and was killed before that was durable. A power
/// cut brings them back: they are no record, whatever of them there is.
#[test]
fn review_M2_a_cut_that_was_not_durable_brings_no_record_back() {
    let mut came_back = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("acked", "h", HOUR));
        let mut cut = false;
        let fs = Tampered::new(sim.fs(), move |call, path| {
            if !path.ends_with(JOURNAL) {
                return Act::Go;
            }
            let act = match call {
                "append" => Act::Short(usize::MAX),
                "sync" if cut => Act::Die,
                _ => Act::Go,
            };
            cut |= call == "truncate";
            act
        });
        sim.party_on(fs, DURABLE).ask(&acquire("a", "a", HOUR)).unwrap_err();
        let len = sim.bytes(JOURNAL).len();
        sim.every_cut(400, |after| {
            came_back += usize::from(after.bytes(JOURNAL).len() > len);
            assert_eq!(after.party().held("a"), None, "{model:?}");
            after.party().token(&acquire("next", "n", HOUR));
            assert_eq!(after.party().held("a"), None, "{model:?}");
            assert!(after.party().held("acked").is_some(), "{model:?}");
        });
    }
    assert!(came_back > 0, "{came_back}");
}

/// A process is forked while the lock is held, and outlives its parent. The lock was let go by an unlock, so the child
/// has nothing of it. The wrong variant leaves it to the close: the child keeps the lock, and its pid is nobody's.
#[test]
fn review_M7_a_child_that_was_forked_meanwhile_keeps_no_lock() {
    for (unlock, free) in [(Act::Go, true), (Act::Skip, false)] {
        let sim = Sim::new(Persistence::Ext4);
        let (parent, fs, _) = sim.world.process();
        let world = sim.world.clone();
        let forks = Tampered::new(fs, move |call, path| {
            if call == "append" && path.ends_with(JOURNAL) {
                world.disk(|disk| disk.fork_inherits(parent, 2_000));
            }
            if call == "unlock" { unlock } else { Act::Go }
        });
        let party = sim.party_on(forks, DURABLE);
        party.token(&acquire("a", "h", HOUR));
        drop(party);
        sim.world.kill(parent);
        let at_once = Options { patience: std::time::Duration::ZERO, ..DURABLE };
        let next = sim.party_on(sim.fs(), at_once).ask(&acquire("b", "h", HOUR));
        assert_eq!(next.is_ok(), free, "{unlock:?}: {next:?}");
    }
}
