//! Nothing is answered that a power loss takes back (C1), and a failed sync is never made good by another (C2).

use fencehold::error::{Error, Happened};
use fencehold::fs::Fs;
use fencehold_model::lock::Command;

use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, Party, RELAXED, acquire, is_damage};
use fencehold_stress::sim::disk::Persistence;

const JOURNAL: &str = "journal.1.ndjson";

/// A process that dies at the sync of its first event after it wrote one: its grant is visible, and not durable.
pub(super) fn dies_before_its_sync(sim: &Sim, command: &Command) {
    let mut written = false;
    let fs = Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if written && call == "sync" && path.ends_with(JOURNAL) { Act::Die } else { Act::Go }
    });
    sim.party_on(fs, DURABLE).ask(command).unwrap_err();
}

/// What an observer was told: that this token of `build` is held.
type Observer<F> = fn(&Party<F>, &Sim) -> Option<u64>;

/// The observers, none of whom appends anything.
fn observers<F: Fs>() -> Vec<(&'static str, Observer<F>)> {
    use fencehold::ledger::Verdict;
    use fencehold_model::lock::Refusal;
    vec![
        ("the same claim again", |party, _| {
            match party.ask(&acquire("build", "a#claim", HOUR)).unwrap().verdict {
                Verdict::Granted { token, .. } => Some(token),
                other => panic!("{other:?}"),
            }
        }),
        ("refused", |party, _| match party.ask(&acquire("build", "b", HOUR)).unwrap().verdict {
            Verdict::Refused(Refusal::Held(grant)) => Some(grant.token),
            other => panic!("{other:?}"),
        }),
        ("show", |party, _| party.held("build").map(|(_, token)| token)),
        ("list", |party, _| {
            let list = party.list().unwrap().value;
            let build = list.iter().find(|view| view.name.as_str() == "build").unwrap();
            build.grant.as_ref().map(|(grant, _)| grant.token)
        }),
        ("history", |party, _| {
            let mut last = None;
            party.journal().history(|entry| last = Some(entry.revision)).unwrap();
            last
        }),
        ("standing", |party, sim| {
            // The token of a fence that passes.
            let (_, token) = sim.party_on(sim.fs(), RELAXED).held("build").unwrap();
            match party.fence_standing(&crate::spec_kit::lock("build"), token).unwrap() {
                fencehold::ledger::FenceStanding::Good => Some(token),
                _ => None,
            }
        }),
    ]
}

/// How often a power cut, of all there can be, took back what the observer was told.
fn taken_back<F: Fs>(model: Persistence, of: impl Fn(&Sim) -> F, observer: Observer<F>) -> (u64, u64) {
    let sim = Sim::new(model);
    sim.party().token(&acquire("boot", "h", HOUR));
    dies_before_its_sync(&sim, &acquire("build", "a#claim", HOUR));
    let party = sim.party_on(of(&sim), DURABLE);
    let told = observer(&party, &sim).expect("the lock is there to be seen");
    let mut back = 0;
    let cuts = sim.every_cut(300, |after| {
        let held = after.party().held("build").map(|(_, token)| token);
        let next = after.party().token(&acquire("next", "c", HOUR));
        assert!(next > told, "a token never repeats");
        back += u64::from(held != Some(told));
    });
    (cuts, back)
}

/// A grants 17 and hangs or dies in its sync; the same claim again, a refusal, a read and the history append nothing,
/// and yet what they say must survive. No outcome of a power cut takes it back.
#[test]
fn review_C1_whoever_observes_makes_durable_what_it_says() {
    let mut cuts = 0;
    for model in MODELS {
        for (what, observer) in observers() {
            let (outcomes, back) = taken_back(model, Sim::fs, observer);
            assert_eq!(back, 0, "{what}, {model:?}");
            cuts += outcomes;
        }
    }
    assert!(cuts >= 30, "{cuts}");
}

/// The wrong variant of C1, caught: an observer that answers without a sync, on every filesystem and for every kind of
/// answer.
#[test]
fn review_m10_answer_before_durable_is_seen() {
    let unsynced = |sim: &Sim| {
        let skips = |call: &'static str, path: &std::path::Path| {
            if call == "sync" && path.ends_with(JOURNAL) { Act::Skip } else { Act::Go }
        };
        Tampered::new(sim.fs(), skips)
    };
    for model in MODELS {
        for (what, observer) in observers() {
            let (cuts, back) = taken_back(model, unsynced, observer);
            assert!(back > 0, "{what}, {model:?}: {back} of {cuts}");
        }
    }
}

/// The floor keeps a token from being granted twice even where its first grant was lost: with A's 17 seen by nobody who
/// was answered, the next token after the power cut is above it all the same.
#[test]
fn review_C1_a_grant_that_was_lost_unseen_leaves_no_token_behind() {
    let mut lost = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        let before = sim.party().token(&acquire("boot", "h", HOUR));
        dies_before_its_sync(&sim, &acquire("build", "a#claim", HOUR));
        sim.every_cut(300, |after| {
            lost += u64::from(after.party().held("build").is_none());
            let next = after.party().token(&acquire("other", "c", HOUR));
            assert!(next > before + 1, "17 was perhaps used");
        });
    }
    assert!(lost >= MODELS.len() as u64, "{lost}");
}

/// Relaxed durability drops exactly this rule, and every answer says so.
#[test]
fn review_C1_relaxed_answers_say_that_they_may_be_taken_back() {
    let sim = Sim::new(Persistence::Ext4);
    let party = sim.party_on(sim.fs(), RELAXED);
    assert!(!party.ask(&acquire("build", "a", HOUR)).unwrap().durable);
    assert!(!party.ask(&acquire("build", "b", HOUR)).unwrap().durable, "a refusal too");
    let mut kept = [0, 0];
    sim.every_cut(300, |after| kept[usize::from(after.party().held("build").is_some())] += 1);
    assert!(kept[0] > 0 && kept[1] > 0, "{kept:?}");
}

/// The story of a writeback error, each process a page of its own. `again` is what the first process's sync does.
fn after_a_failed_sync(again: Act) -> (bool, Sim) {
    let sim = Sim::new(Persistence::Ext4);
    sim.party().token(&acquire("boot", "h", HOUR));
    let early = sim.party();
    assert!(early.held("boot").is_some());
    let (ours, mut written) = (sim.clone(), false);
    let fs = Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if written && call == "sync" && path.ends_with(JOURNAL) {
            written = false;
            ours.fail_writeback(JOURNAL);
            return again;
        }
        Act::Go
    });
    let answer = sim.party_on(fs, DURABLE).ask(&acquire("a", "a", HOUR));
    if let Err(error) = &answer {
        assert_eq!((error.happened(), error.exit_code()), (Happened::Unknown, 3), "{error}");
    }
    (answer.is_ok(), sim)
}

/// Linux reports a writeback error once to each open description and then calls the pages clean. Who was told answers
/// indefinite and condemns the file; a fresh process, which hears of nothing, goes on in a new one, and what it acks
/// survives the loss of the pages, in this boot and after any power cut.
#[test]
fn review_C2_a_failed_sync_condemns_the_file_and_not_the_handle() {
    let (acked, sim) = after_a_failed_sync(Act::Go);
    assert!(!acked);
    let fresh = sim.party();
    let token = fresh.token(&acquire("c", "c", HOUR));
    assert!(sim.bytes("journal.2.ndjson").ends_with(b"\n"), "a new file was begun");
    sim.evict();
    assert_eq!(sim.party().held("c").map(|(_, token)| token), Some(token), "in this boot");
    let cuts = sim.every_cut(300, |after| {
        assert_eq!(after.party().held("c").map(|(_, token)| token), Some(token));
        assert!(after.party().token(&acquire("next", "d", HOUR)) > token);
    });
    assert!(cuts >= 1);
}

/// The wrong variant of C2, caught: a second fdatasync says that all is well, the grant is acked, and gone as soon as
/// memory is short.
#[test]
fn review_m10_retry_after_eio_is_seen() {
    let (acked, sim) = after_a_failed_sync(Act::Again);
    assert!(acked, "the second sync succeeds");
    sim.evict();
    let seen = sim.party().look("a");
    assert!(is_damage(&seen) || seen.is_ok_and(|view| view.grant.is_none()), "the acked grant is gone");
}

/// A process that is killed inside a sync that fails: the report goes to its description, and dies with it.
pub(super) fn dies_in_a_failing_sync(sim: &Sim, command: &Command) {
    let (ours, mut written) = (sim.clone(), false);
    let fs = Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if written && call == "sync" && path.ends_with(JOURNAL) {
            ours.fail_writeback(JOURNAL);
            let told = ours.fs().open(&ours.path(JOURNAL), fencehold::fs::How::Read).unwrap();
            fencehold::fs::File::sync(&told).unwrap_err();
            return Act::Die;
        }
        Act::Go
    });
    sim.party_on(fs, DURABLE).ask(command).unwrap_err();
}

/// The process that was told is killed inside the failing sync: nobody on earth knows. Memory is short or not; whoever
/// comes then either makes the line durable anew, before it answers anything, or finds what is missing. It never acks
/// what stands behind a hole.
#[test]
fn review_C2_killed_inside_the_failing_sync() {
    let mut outcomes = [0, 0];
    for evicted in [false, true] {
        for model in MODELS {
            let sim = Sim::new(model);
            sim.party().token(&acquire("boot", "h", HOUR));
            dies_in_a_failing_sync(&sim, &acquire("a", "a#claim", HOUR));
            if evicted {
                sim.evict();
            }
            match sim.party().ask(&acquire("a", "c", HOUR)) {
                Ok(answer) => {
                    outcomes[0] += 1;
                    let told = sim.party().held("a").unwrap();
                    sim.evict();
                    assert_eq!(sim.party().held("a"), Some(told.clone()), "in this boot");
                    sim.every_cut(300, |after| {
                        assert_eq!(after.party().held("a"), Some(told.clone()), "{model:?} {evicted}");
                        let next = after.party().token(&acquire("next", "d", HOUR));
                        assert!(next > answer.revision, "{model:?} {evicted}");
                    });
                }
                Err(error) => {
                    outcomes[1] += 1;
                    assert!(
                        evicted && matches!(error, Error::Damaged { .. }),
                        "{model:?} {evicted}: {error}"
                    );
                }
            }
        }
    }
    assert!(outcomes[0] >= MODELS.len(), "{outcomes:?}");
}
