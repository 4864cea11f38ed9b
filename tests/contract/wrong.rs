//! Wrong journals: for each clause of the contract one that breaks it, so that no clause is kept by whatever there is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use fencehold::error::Result;
use fencehold::journal::{Asking, Committed, Durability, Journal, Seen};
use fencehold_model::{Event, OpId, State, TimeMs, WorkspaceId};
use fencehold_stress::sim::journal::{Defect, SimJournal};

use super::clauses::all;
use super::places::{Place, Store};

/// What is wrong with a client of a correct store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Nothing: the control.
    Nothing,
    /// Revisions are counted by each client for itself.
    OwnCount,
    /// Decides on what it saw before its last commit.
    OldState,
    /// Each decision records its event.
    EachDecision,
    /// A refusal is recorded, too.
    RefusalRecorded,
    /// A refusal carries the revision that comes next.
    NextRevision,
    /// Says that nothing it answers is durable.
    SaysRelaxed,
    /// Answers before the store has.
    AnswersAnyway,
    /// Each client names a workspace of its own.
    OwnWorkspace,
}

/// A wrong client.
struct WrongJournal {
    journal: SimJournal,
    wrong: Wrong,
    commits: Cell<u64>,
    old: RefCell<State>,
}

/// A store whose clients are wrong.
struct WrongStore(Store, Wrong);

impl WrongStore {
    fn wrong(&self, journal: SimJournal) -> WrongJournal {
        WrongJournal { journal, wrong: self.1, commits: Cell::new(0), old: RefCell::default() }
    }
}

impl Place for WrongStore {
    type Journal = WrongJournal;

    fn ahead(&self, ahead_ms: u64) -> WrongJournal {
        self.wrong(self.0.ahead(ahead_ms))
    }
    fn relaxed(&self) -> Option<WrongJournal> {
        None
    }
    fn pass(&self, ms: u64) {
        self.0.pass(ms);
    }
    fn unanswered<R>(&self, ask: impl FnOnce(&WrongJournal) -> R) -> Option<R> {
        Some(ask(&self.wrong(self.0.troubled_client(true))))
    }
    fn cut_off<R>(&self, ask: impl FnOnce(&WrongJournal) -> R) -> R {
        ask(&self.wrong(self.0.troubled_client(false)))
    }
}

impl WrongJournal {
    /// Records `event` as an operation of its own, whatever stands.
    fn also(&self, asking: &Asking, event: &Event) -> Result<()> {
        let op = OpId::new(&format!("{}-also-{}", asking.op, self.commits.get())).unwrap();
        let also = Asking { actor: asking.actor.clone(), op };
        self.journal.commit::<()>(&also, |_, _| Ok(event.clone())).map(drop)
    }
}

impl Journal for WrongJournal {
    fn commit<A>(
        &self,
        asking: &Asking,
        mut decide: impl FnMut(&State, TimeMs) -> std::result::Result<Event, A>,
    ) -> Result<Committed<A>> {
        let old = self.journal.read(|state, _| state.clone()).map(|seen| seen.value);
        let mut known = State::default();
        let mut events = Vec::new();
        let got = self.journal.commit(asking, |state, now_ms| {
            known = state.clone();
            let decided = match self.wrong {
                Wrong::OldState if self.commits.get() > 0 => decide(&self.old.borrow(), now_ms),
                _ => decide(state, now_ms),
            };
            if let Ok(event) = &decided {
                events.push(event.clone());
            }
            decided
        });
        self.commits.set(self.commits.get() + 1);
        if let Ok(old) = old {
            *self.old.borrow_mut() = old;
        }
        match (self.wrong, got) {
            (Wrong::AnswersAnyway, Err(_)) => {
                let outcome = decide(&known, known.time_ms);
                Ok(Committed { revision: known.revision + 1, at_ms: known.time_ms, outcome })
            }
            (_, Err(error)) => Err(error),
            (Wrong::OwnCount, Ok(committed)) => Ok(Committed { revision: self.commits.get(), ..committed }),
            (Wrong::EachDecision, Ok(committed)) => {
                for event in events.iter().skip(1) {
                    self.also(asking, event)?;
                }
                Ok(committed)
            }
            (Wrong::RefusalRecorded, Ok(committed)) if committed.outcome.is_err() => {
                self.also(asking, &Event::Repaired { reason: "it was refused".to_owned() })?;
                Ok(committed)
            }
            (Wrong::NextRevision, Ok(committed)) if committed.outcome.is_err() => {
                Ok(Committed { revision: committed.revision + 1, ..committed })
            }
            (_, Ok(committed)) => Ok(committed),
        }
    }

    fn read<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>> {
        self.journal.read(look)
    }

    fn now_ms(&self) -> Result<TimeMs> {
        self.journal.now_ms()
    }

    fn workspace(&self) -> Result<WorkspaceId> {
        if self.wrong == Wrong::OwnWorkspace {
            return Ok(WorkspaceId::new(&format!("{self:p}")).unwrap());
        }
        self.journal.workspace()
    }

    fn durability(&self) -> Durability {
        if self.wrong == Wrong::SaysRelaxed { Durability::Relaxed } else { Durability::Durable }
    }
}

/// The clauses that a place does not keep, each with why.
fn broken<P: Place>(place: impl Fn() -> P) -> Vec<(&'static str, String)> {
    let clauses = all::<P>().into_iter();
    clauses.filter_map(|(clause, holds)| Some((clause, holds(&place()).err()?))).collect()
}

/// A wrong journal, and a clause that it must break.
const BREAKS: [(Wrong, &str); 8] = [
    (Wrong::OwnCount, "revisions grow"),
    (Wrong::OldState, "decisions see the newest"),
    (Wrong::EachDecision, "one event of many decisions"),
    (Wrong::RefusalRecorded, "a refusal changes nothing"),
    (Wrong::NextRevision, "a refusal changes nothing"),
    (Wrong::SaysRelaxed, "durability is told"),
    (Wrong::AnswersAnyway, "waiting ends"),
    (Wrong::OwnWorkspace, "one workspace"),
];

/// A defect of the protocol, and a clause that it must break. The others take more than one client at a time to show,
/// which is what the fault suite is for.
const DEFECTS: [(Defect, &str); 5] = [
    (Defect::AbsenceAsCas, "one event of many decisions"),
    (Defect::NoLookUp, "an operation is recorded once"),
    (Defect::AmbiguousIsNo, "an error says whether it happened"),
    (Defect::StaleRead, "reads are current"),
    (Defect::ClientClock, "time is the journal's"),
];

#[test]
fn every_clause_is_broken_by_a_wrong_journal() {
    let mut shown = BTreeSet::new();
    let mut must = |name: &str, clause: &'static str, broken: &[(&str, String)]| {
        println!("{name}: {broken:?}");
        assert!(broken.iter().any(|(found, _)| *found == clause), "{name} keeps: {clause}");
        shown.insert(clause);
    };
    for (wrong, clause) in BREAKS {
        must(&format!("{wrong:?}"), clause, &broken(|| WrongStore(Store::calm(), wrong)));
    }
    for (defect, clause) in DEFECTS {
        must(defect.name(), clause, &broken(|| Store::with(Some(defect))));
    }
    let clauses: BTreeSet<&str> = all::<Store>().iter().map(|(clause, _)| *clause).collect();
    assert_eq!(shown, clauses);
}

#[test]
fn a_client_with_nothing_wrong_keeps_every_clause() {
    assert_eq!(broken(|| WrongStore(Store::calm(), Wrong::Nothing)), []);
}
