//! A decision as the oracle sees it: statuses and details as numbers.

use fencehold_model::spec::status::{
    AtGate, Cell, Rung, Shown, Side, Sides, StatusAsk, StatusGiven, StatusOp, StatusReason, StatusSpec, Task,
    Word,
};
use fencehold_model::status::{Command, Decision, Detail, Refusal, Value, Vocabulary};
use fencehold_model::{Event, Revision, Status};

/// The numbers of statuses and details.
#[derive(Debug, Clone)]
pub struct Lexicon {
    statuses: Vec<Status>,
    details: Vec<Detail>,
    /// The oracle of this vocabulary; it takes every answer to be exact.
    pub spec: StatusSpec,
}

impl Lexicon {
    /// That of a vocabulary, with every detail that will occur.
    #[must_use]
    pub fn new(vocabulary: &Vocabulary, mut details: Vec<Detail>) -> Self {
        details.sort();
        details.dedup();
        let rungs = vocabulary.rungs().iter().map(|rung| Rung { rank: rung.rank, terminal: rung.terminal });
        Lexicon {
            statuses: vocabulary.rungs().iter().map(|rung| rung.status.clone()).collect(),
            details,
            spec: StatusSpec { rungs: rungs.collect(), exact: true, gated: Vec::new() },
        }
    }

    /// The number of a status.
    pub(super) fn word(&self, status: &Status) -> Word {
        let place = self.statuses.iter().position(|known| known == status);
        place.map_or(Word::UNKNOWN, |place| Word(place as u8))
    }

    fn detail(&self, detail: Option<&Detail>) -> Option<u32> {
        let place = |detail| self.details.binary_search(detail).expect("every detail was given") as u32;
        detail.map(place)
    }

    /// A value; none where one of its statuses is unknown.
    #[must_use]
    pub fn cell(&self, value: &Value) -> Option<Cell> {
        let mut sides = Sides::default();
        for (status, detail) in &value.statuses {
            let word = self.word(status);
            if word == Word::UNKNOWN {
                return None;
            }
            sides = sides.with(word, Side::of(self.detail(detail.as_ref())));
        }
        Some(Cell { epoch: value.epoch, turn: value.turn, sides })
    }

    /// A task that holds a value, or none.
    ///
    /// # Errors
    /// Where its statuses are unknown.
    pub fn task(&self, value: Option<&Value>) -> Result<Task, String> {
        let Some(value) = value else { return Ok(Task::Nothing) };
        self.cell(value).map(Task::Stands).ok_or_else(|| format!("a task came to hold {value:?}"))
    }

    /// The oracle's form of a command.
    #[must_use]
    pub fn ask(&self, command: &Command) -> StatusAsk {
        match command {
            Command::Set { to, from, epoch, detail, resolve, .. } => StatusAsk::Set {
                to: self.word(to),
                from: from.as_ref().map(|from| self.word(from)),
                epoch: *epoch,
                detail: self.detail(detail.as_ref()),
                resolve: *resolve,
            },
            Command::Reopen { to, from, epoch, reason, .. } => StatusAsk::Reopen {
                to: self.word(to),
                from: from.as_ref().map(|from| self.word(from)),
                epoch: *epoch,
                blank: reason.trim().is_empty(),
            },
            Command::Merge { value, .. } => StatusAsk::Merge(self.cell(value)),
        }
    }

    /// A command with what it was decided to be, its event (if any) recorded at `revision`.
    #[must_use]
    pub fn op(&self, command: &Command, decision: &Decision, revision: Revision) -> StatusOp {
        self.answered(self.ask(command), decision, revision)
    }

    /// What was asked with what it was decided to be.
    pub(super) fn answered(&self, ask: StatusAsk, decision: &Decision, revision: Revision) -> StatusOp {
        let (given, value, already) = match decision {
            Decision::Record(Event::Status(event)) => {
                (StatusGiven::Ok, Some(event.value(revision)), Some(false))
            }
            // No event of a status: the oracle owes no such answer.
            Decision::Record(_) => (StatusGiven::Info, None, None),
            Decision::Already(value) => (StatusGiven::Ok, Some(value.clone()), Some(true)),
            Decision::Refuse(refusal) => {
                (StatusGiven::Refused(reason(refusal)), refusal.stands().cloned(), None)
            }
            Decision::Invalid(_) => (StatusGiven::Fail, None, None),
        };
        let shown: Option<Shown> =
            value.and_then(|value| self.cell(&value)).map(|cell| Shown { details: true, ..cell.shown() });
        let forced = matches!(decision, Decision::Record(Event::Status(event)) if event.by_force().is_some());
        let at_gate = AtGate::default();
        StatusOp { ask, given, shown, already, revision: Some(revision), at_gate, forced }
    }
}

fn reason(refusal: &Refusal) -> StatusReason {
    match refusal {
        Refusal::Regression(_) => StatusReason::Regression,
        Refusal::Conflict(_) => StatusReason::Conflict,
        Refusal::StaleEpoch(_) => StatusReason::StaleEpoch,
        Refusal::NotFound => StatusReason::NotFound,
        Refusal::NeedsReason => StatusReason::NeedsReason,
        Refusal::Gate(_) => StatusReason::Gate,
    }
}
