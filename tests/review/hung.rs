//! A committer that hangs in its sync, the OS lock let go, while others come, answer and rotate (C1, C2, C5, C7).

use std::sync::{Arc, Mutex};

use fencehold::error::Happened;
use fencehold::fs::Fs;

use super::cuts::fill;
use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, RELAXED, acquire};

const JOURNAL: &str = "journal.1.ndjson";

/// The files of a committer that hangs in the sync of its event, while `meanwhile` happens.
fn hangs(sim: &Sim, meanwhile: impl FnOnce(&Sim) + Send + 'static) -> Tampered<impl Fs> {
    let (ours, mut written, mut meanwhile) = (sim.clone(), false, Some(meanwhile));
    Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with(JOURNAL);
        if written
            && call == "sync"
            && path.ends_with(JOURNAL)
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile(&ours);
        }
        Act::Go
    })
}

/// A1 appends grant 17, unlocks, hangs in fdatasync. A2, the same claim, is told token 17; B is refused: held by A. The
/// power goes while A1 still hangs. C is granted another lock, and never 17; A's grant is what they were told.
#[test]
fn review_C1_two_are_answered_while_the_first_one_hangs_in_its_sync() {
    let mut cuts = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("boot", "h", HOUR));
        let seen = Arc::new(Mutex::new(0));
        let count = seen.clone();
        let a1 = hangs(&sim, move |sim| {
            let token = sim.party().token(&acquire("build", "a#claim", HOUR));
            assert_eq!(sim.party().refusal(&acquire("build", "b", HOUR)), "held");
            *count.lock().unwrap() += sim.every_cut(300, |after| {
                assert_eq!(after.party().held("build"), Some(("a".to_owned(), token)), "{model:?}");
                assert!(after.party().token(&acquire("other", "c", HOUR)) > token, "{model:?}");
            });
        });
        sim.party_on(a1, DURABLE).token(&acquire("build", "a#claim", HOUR));
        cuts += *seen.lock().unwrap();
    }
    assert!(cuts >= 5, "{cuts}");
}

/// While A hangs, C, durable or relaxed, rotates its file away, and acks in the next one. Then A's sync comes through:
/// its event is in the next file's first line, and it may say so. What each of them acked survives.
#[test]
fn review_C5_a_file_that_was_rotated_away_under_a_hanging_commit_is_told_apart() {
    let (mut cuts, mut acked) = (0, 0);
    for model in MODELS {
        for options in [DURABLE, RELAXED] {
            let sim = Sim::new(model);
            sim.party().token(&acquire("boot", "h", HOUR));
            let a = hangs(&sim, move |sim| {
                fill(sim);
                sim.party_on(sim.fs(), options).token(&acquire("rotates", "c", HOUR));
                assert!(!sim.bytes("journal.2.ndjson").is_empty());
                let mine = sim.party().token(&acquire("c", "c", HOUR));
                sim.every_cut(100, |after| {
                    assert_eq!(after.party().held("c").map(|(_, token)| token), Some(mine), "{model:?}");
                });
            });
            let answer = sim.party_on(a, DURABLE).ask(&acquire("a", "a", HOUR)).unwrap();
            acked += 1;
            cuts += sim.every_cut(100, |after| {
                let held = after.party().held("a").map(|(_, token)| token);
                assert_eq!(held, Some(answer.revision), "{model:?}");
            });
        }
    }
    assert!(acked == 2 * MODELS.len() && cuts >= 10, "{acked} {cuts}");
}

/// While A hangs its sync fails; others come before it is told. Whoever of them answers, answers what stands; A is
/// indefinite, and the mark that it leaves late is in nobody's way.
#[test]
fn review_C2_others_come_between_the_error_and_the_one_who_is_told() {
    let (mut answered, mut cuts) = (0, 0);
    for model in MODELS {
        for evicted in [false, true] {
            let sim = Sim::new(model);
            sim.party().token(&acquire("boot", "h", HOUR));
            let early = Arc::new(sim.party());
            assert!(early.held("boot").is_some());
            let told = Arc::new(Mutex::new(Vec::new()));
            let (heard, others) = (told.clone(), early.clone());
            let a = hangs(&sim, move |sim| {
                sim.fail_writeback(JOURNAL);
                if evicted {
                    sim.evict();
                }
                for (name, party) in [("early", others), ("fresh", Arc::new(sim.party()))] {
                    if let Ok(answer) = party.ask(&acquire(name, name, HOUR)) {
                        heard.lock().unwrap().push((name, answer.revision));
                    }
                }
            });
            let error = sim.party_on(a, DURABLE).ask(&acquire("a", "a", HOUR)).unwrap_err();
            assert_eq!(error.happened(), Happened::Unknown, "{error}");
            let after_it = sim.party().token(&acquire("later", "later", HOUR));
            sim.evict();
            let told = told.lock().unwrap().clone();
            assert!(told.iter().all(|(_, revision)| *revision < after_it), "{told:?} {after_it}");
            let stand = |sim: &Sim| {
                for (name, revision) in &told {
                    let held = sim.party().held(name).map(|(_, token)| token);
                    assert_eq!(held, Some(*revision), "{model:?} {evicted}: {name}");
                }
            };
            stand(&sim);
            cuts += sim.every_cut(100, |after| {
                stand(&after);
                assert!(after.party().token(&acquire("next", "next", HOUR)) > after_it);
            });
            answered += told.len();
        }
    }
    assert!(answered >= 5 && cuts >= 10, "{answered} {cuts}");
}
