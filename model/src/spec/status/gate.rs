//! The gate before a status, as the oracle understands it: from SPEC.md, chapter GATE.
//!
//! - A task enters a status where it had not that status in this epoch, or had it as one of several and has it alone then.
//! - Where a gate stands before what it enters, it must be shown that all is met, as the gate is now; or a reason.

use super::cell::{Cell, Side};
use super::op::{AtGate, Force, Seen, StatusReason, Word};
use super::rules::Owed;
use super::{StatusSpec, fresh};

/// What a gate leaves of what an operation owes.
pub(super) struct Passed {
    pub(super) owed: Owed,
    /// Whether it was passed by force.
    pub(super) forced: bool,
}

impl StatusSpec {
    /// What an operation owes with what is shown at the gates.
    pub(super) fn at_gates(&self, cell: Option<&Cell>, owed: Owed, shown: AtGate) -> Passed {
        let owes = |owed| Passed { owed, forced: false };
        let next = match owed {
            Owed::Fails => return owes(owed),
            _ if shown.force == Force::Blank => return owes(Owed::Refused(StatusReason::NeedsReason)),
            Owed::Stays | Owed::Refused(_) => return owes(owed),
            // Any epoch but the one that stands.
            Owed::NewEpoch(to) => fresh(cell.map_or(1, |cell| cell.epoch + 1), to),
            Owed::Done(next) => next,
        };
        if !self.gated.iter().any(|word| enters(cell, &next, *word)) {
            return owes(owed);
        }
        match (shown.seen, shown.force) {
            (Seen::Met, _) => owes(owed),
            (Seen::Unmet, Force::Reason) => Passed { owed, forced: true },
            (Seen::Unmet | Seen::Nothing | Seen::Otherwise, _) => owes(Owed::Refused(StatusReason::Gate)),
        }
    }
}

fn enters(before: Option<&Cell>, after: &Cell, word: Word) -> bool {
    let stood = |cell: &Cell| cell.sides.side(word) != Side::ABSENT;
    let Some(before) = before.filter(|before| before.epoch == after.epoch) else { return stood(after) };
    let alone = |cell: &Cell| cell.sides.alone() == Some(word);
    stood(after) && (!stood(before) || (alone(after) && !alone(before)))
}
