//! The status of one task, as the oracle understands it.
//!
//! - Nothing moves a task to a lower value: epoch first, then rank, then turn.
//! - A set of an epoch that is over changes nothing; a reopen, with a reason, begins one above every earlier one.
//! - Within a rank, who names what stands takes its place; who names nothing is put beside it.
//! - A task enters a status that has a gate where it is shown that all is met there, or by force with a reason.
//! - Two boards meet in the higher of two values, or in the statuses of both where neither is higher.
//!
//! A task that was reopened by an operation whose answer was lost stands in an epoch that nobody has seen yet: any
//! above the one before, until an answer names it.

mod cell;
mod gate;
mod ids;
mod op;
mod rules;

pub use cell::{Cell, Side, Sides, WORDS_MAX};
pub use ids::canonical;
pub use op::{AtGate, Force, Seen, Shown, StatusAsk, StatusGiven, StatusOp, StatusReason, Word};

use alloc::vec::Vec;

use self::rules::Owed;
use super::{Breach, Spec};

/// Where a status stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Its rank.
    pub rank: u64,
    /// Whether it is left by a reopen only.
    pub terminal: bool,
}

/// The specification of one task under one vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSpec {
    /// The vocabulary: a [`Word`] is a place in it.
    pub rungs: Vec<Rung>,
    /// Whether every answer is exact: says all that there is to say, fails for no reason but that the command makes no
    /// sense, and gives a reopen the epoch that its revision says. Else only what the protocol lays down is judged.
    pub exact: bool,
    /// The statuses that a gate stands before.
    pub gated: Vec<Word>,
}

/// All that is to be known of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Task {
    /// It has no status.
    #[default]
    Nothing,
    /// It holds this.
    Stands(Cell),
    /// It was reopened into `to`, alone and at turn 0, in an epoch that no answer has named yet.
    Reopened {
        /// The epoch is greater than this.
        above: u64,
        /// The status.
        to: Word,
    },
}

impl Spec for StatusSpec {
    type State = Task;
    type Op = StatusOp;

    fn initial(&self) -> Task {
        Task::Nothing
    }

    fn step(&self, task: &Task, op: &StatusOp) -> Result<Task, Breach> {
        match op.given {
            StatusGiven::Refused(StatusReason::Own) => return Ok(*task),
            StatusGiven::Fail if !self.exact => return Ok(*task),
            StatusGiven::Info => return Err(Breach::Malformed),
            _ => {}
        }
        match task {
            Task::Nothing => self.explain(None, op),
            Task::Stands(cell) => self.explain(Some(cell), op),
            Task::Reopened { above, to } => {
                let mut breach = Err(Breach::WrongStatus);
                for epoch in epochs(*above, op) {
                    match self.explain(Some(&fresh(epoch, *to)), op) {
                        Ok(_) if op.shown.is_none() => return Ok(*task),
                        Ok(next) => return Ok(next),
                        Err(why) => breach = Err(why),
                    }
                }
                breach
            }
        }
    }

    fn only_tells(&self, op: &StatusOp) -> bool {
        op.ask == StatusAsk::Get || matches!(op.given, StatusGiven::Refused(_) | StatusGiven::Fail)
    }

    fn effects(&self, task: &Task, op: &StatusOp) -> [Option<Task>; 2] {
        let done = |cell: Option<&Cell>| match self.at_gates(cell, self.owed(cell, &op.ask), op.at_gate).owed
        {
            Owed::Done(next) => Some(Task::Stands(next)),
            Owed::NewEpoch(to) => Some(Task::Reopened { above: cell.map_or(0, |cell| cell.epoch), to }),
            Owed::Stays | Owed::Refused(_) | Owed::Fails => None,
        };
        let Task::Reopened { above, to } = *task else {
            let Task::Stands(cell) = task else { return [done(None), None] };
            return [done(Some(cell)), None];
        };
        let in_epoch = |epoch: u64| done(Some(&fresh(epoch, to))).filter(|_| epoch > above);
        match op.ask {
            StatusAsk::Set { epoch, .. } => [in_epoch(epoch), None],
            StatusAsk::Reopen { epoch, .. } => [in_epoch(epoch.unwrap_or(above + 1)), None],
            StatusAsk::Merge(Some(theirs)) => {
                [in_epoch(theirs.epoch), theirs.epoch.checked_sub(1).and_then(in_epoch)]
            }
            StatusAsk::Merge(None) | StatusAsk::Get => [None, None],
        }
    }
}

impl StatusSpec {
    /// Whether the answer is one that is owed where `cell` stands, and what stands then.
    fn explain(&self, cell: Option<&Cell>, op: &StatusOp) -> Result<Task, Breach> {
        let gate::Passed { owed, forced } = self.at_gates(cell, self.owed(cell, &op.ask), op.at_gate);
        if self.exact
            && op.given == StatusGiven::Ok
            && !matches!(owed, Owed::Refused(_))
            && op.forced != forced
        {
            return Err(Breach::ForceUntold);
        }
        let before = cell.map_or(Task::Nothing, |cell| Task::Stands(*cell));
        match (owed, op.given) {
            (Owed::Fails, StatusGiven::Fail) => Ok(before),
            (Owed::Fails, _) => Err(Breach::InvalidOk),
            (_, StatusGiven::Fail) => Err(Breach::WronglyRefused),
            (Owed::Refused(reason), StatusGiven::Refused(given)) if given == reason => {
                self.tells(cell, op)?;
                Ok(before)
            }
            (Owed::Refused(_), StatusGiven::Refused(_)) => Err(Breach::WrongReason),
            (Owed::Refused(reason), _) => Err(unlawful(reason)),
            (_, StatusGiven::Refused(_)) => Err(Breach::WronglyRefused),
            (Owed::Stays, _) => {
                let told = if op.ask == StatusAsk::Get { None } else { Some(true) };
                let next = cell.ok_or(Breach::Malformed)?;
                self.becomes(op, *next, told, Breach::WrongStatus)
            }
            (Owed::Done(next), _) => {
                let merged = matches!(op.ask, StatusAsk::Merge(_));
                let breach = if merged { Breach::WrongJoin } else { Breach::WrongStatus };
                self.becomes(op, next, Some(false), breach)
            }
            (Owed::NewEpoch(to), _) => {
                let over = cell.map_or(0, |cell| cell.epoch);
                let epoch = op.shown.ok_or(Breach::Malformed)?.epoch;
                let due = op.revision.filter(|_| self.exact).map(|revision| revision.max(over + 1));
                if epoch <= over || due.is_some_and(|due| due != epoch) {
                    return Err(Breach::EpochKept);
                }
                self.becomes(op, fresh(epoch, to), None, Breach::WrongStatus)
            }
        }
    }

    /// The answer says that `next` stands; `already`, where that is laid down, that it did before.
    fn becomes(
        &self,
        op: &StatusOp,
        next: Cell,
        already: Option<bool>,
        breach: Breach,
    ) -> Result<Task, Breach> {
        let shown = op.shown.ok_or(Breach::Malformed)?;
        if !next.is_shown(&shown) {
            return Err(breach);
        }
        match (already, op.already) {
            (Some(due), Some(said)) if due != said => Err(Breach::WrongAlready),
            (Some(_), None) if self.exact => Err(Breach::Malformed),
            _ => Ok(Task::Stands(next)),
        }
    }

    /// A refusal names what stands, where anything does and the reason is of it.
    fn tells(&self, cell: Option<&Cell>, op: &StatusOp) -> Result<(), Breach> {
        let of_it = op.given != StatusGiven::Refused(StatusReason::NeedsReason);
        match (cell, &op.shown) {
            (Some(cell), Some(shown)) if !cell.is_shown(shown) => Err(Breach::WrongStatus),
            (Some(_), None) if self.exact && of_it => Err(Breach::Malformed),
            (None, Some(_)) => Err(Breach::WrongStatus),
            _ => Ok(()),
        }
    }
}

fn fresh(epoch: u64, to: Word) -> Cell {
    Cell { epoch, turn: 0, sides: Sides::only(to, Side::PLAIN) }
}

/// What it means that something was done that has to be refused.
fn unlawful(reason: StatusReason) -> Breach {
    match reason {
        StatusReason::Regression => Breach::Regressed,
        StatusReason::Conflict => Breach::Overwritten,
        StatusReason::StaleEpoch => Breach::StaleEpochOk,
        StatusReason::NeedsReason => Breach::ReasonMissing,
        StatusReason::Gate => Breach::GatePassed,
        StatusReason::NotFound | StatusReason::Own | StatusReason::Other => Breach::WrongStatus,
    }
}

/// The epochs above `above` that the operation could tell apart.
fn epochs(above: u64, op: &StatusOp) -> impl Iterator<Item = u64> {
    let asked = match op.ask {
        StatusAsk::Set { epoch, .. } => Some(epoch),
        StatusAsk::Merge(Some(theirs)) => Some(theirs.epoch),
        StatusAsk::Reopen { epoch, .. } => epoch,
        _ => None,
    };
    let named = [op.shown.map(|shown| shown.epoch), asked, Some(above)];
    let near = named.into_iter().flatten().flat_map(|epoch| [epoch, epoch + 1, epoch.saturating_sub(1)]);
    near.filter(move |epoch| *epoch > above)
}
