//! What each operation owes: written from SPEC.md, chapter STATUS, in the order in which it tries its rules.

use super::cell::{Cell, Side, Sides};
use super::op::{StatusAsk, StatusReason, Word};
use super::{Rung, StatusSpec};
use crate::NUMBER_BOUND;

/// What an operation must come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owed {
    /// It is done, and this stands.
    Done(Cell),
    /// It is so already, or only told.
    Stays,
    /// A new epoch above the old one, in which this stands.
    NewEpoch(Word),
    /// It is refused.
    Refused(StatusReason),
    /// It makes no sense, and fails.
    Fails,
}

struct Set {
    to: Word,
    from: Option<Word>,
    epoch: u64,
    detail: Option<u32>,
    resolve: bool,
}

impl StatusSpec {
    pub(super) fn owed(&self, cell: Option<&Cell>, ask: &StatusAsk) -> Owed {
        match *ask {
            StatusAsk::Set { to, from, epoch, detail, resolve } => {
                if self.rung(to).is_none() || from.is_some_and(|from| self.rung(from).is_none()) {
                    return Owed::Fails;
                }
                let set = Set { to, from, epoch, detail, resolve };
                cell.map_or_else(|| first(&set), |cell| self.set(cell, &set))
            }
            StatusAsk::Reopen { to, from, epoch, blank } => {
                let known = |word: Word| self.rung(word).is_some();
                match cell {
                    _ if !known(to) || !from.is_none_or(known) => Owed::Fails,
                    _ if blank => Owed::Refused(StatusReason::NeedsReason),
                    None => Owed::Refused(StatusReason::NotFound),
                    Some(cell) => reopened(cell, to, from, epoch),
                }
            }
            StatusAsk::Merge(None) => Owed::Fails,
            StatusAsk::Merge(Some(theirs)) => {
                if self.rank(&theirs.sides).is_none() || theirs.epoch.max(theirs.turn) >= NUMBER_BOUND {
                    return Owed::Fails;
                }
                match cell {
                    None => Owed::Done(theirs),
                    Some(ours) => self.joined(ours, &theirs),
                }
            }
            StatusAsk::Get => cell.map_or(Owed::Refused(StatusReason::NotFound), |_| Owed::Stays),
        }
    }

    fn set(&self, cell: &Cell, set: &Set) -> Owed {
        if set.epoch != cell.epoch {
            let over = set.epoch < cell.epoch;
            return if over { Owed::Refused(StatusReason::StaleEpoch) } else { Owed::Fails };
        }
        if cell.sides.side(set.to) != Side::ABSENT {
            return stands_already(cell, set);
        }
        let rungs = || cell.sides.words().filter_map(|word| self.rung(word));
        let rank = rungs().map(|rung| rung.rank).max();
        let to = self.rung(set.to).map(|rung| rung.rank);
        if rungs().any(|rung| rung.terminal) || to < rank {
            return Owed::Refused(StatusReason::Regression);
        }
        if to > rank {
            return Owed::Done(Cell { turn: 0, sides: Sides::only(set.to, Side::of(set.detail)), ..*cell });
        }
        match set.from {
            None if set.resolve => Owed::Refused(StatusReason::Conflict),
            None => Owed::Done(Cell { sides: cell.sides.with(set.to, Side::of(set.detail)), ..*cell }),
            Some(from) if cell.sides.alone() == Some(from) => next_turn(cell, set.to, Side::of(set.detail)),
            Some(_) => Owed::Refused(StatusReason::Conflict),
        }
    }

    fn joined(&self, ours: &Cell, theirs: &Cell) -> Owed {
        let height = |cell: &Cell| (cell.epoch, self.rank(&cell.sides), cell.turn);
        let higher = if height(theirs) > height(ours) { theirs } else { ours };
        let met = if height(theirs) == height(ours) {
            Cell { sides: ours.sides.united(&theirs.sides), ..*ours }
        } else {
            *higher
        };
        if met == *ours { Owed::Stays } else { Owed::Done(met) }
    }

    pub(super) fn rung(&self, word: Word) -> Option<&Rung> {
        self.rungs.get(usize::from(word.0))
    }

    /// The one rank of all that stand; none where there is no such.
    fn rank(&self, sides: &Sides) -> Option<u64> {
        let mut ranks = sides.words().map(|word| self.rung(word).map(|rung| rung.rank));
        let first = ranks.next()??;
        ranks.all(|rank| rank == Some(first)).then_some(first)
    }
}

/// A reopen of a task that has a status.
fn reopened(cell: &Cell, to: Word, from: Option<Word>, epoch: Option<u64>) -> Owed {
    match epoch {
        Some(seen) if seen < cell.epoch => Owed::Refused(StatusReason::StaleEpoch),
        Some(seen) if seen > cell.epoch => Owed::Fails,
        _ if from.is_some() && from != cell.sides.alone() => Owed::Refused(StatusReason::Conflict),
        _ if cell.epoch + 1 == NUMBER_BOUND => Owed::Fails,
        _ => Owed::NewEpoch(to),
    }
}

/// A set of a task that has no status yet.
fn first(set: &Set) -> Owed {
    match set {
        Set { epoch: 1.., .. } => Owed::Fails,
        Set { from: Some(_), .. } => Owed::Refused(StatusReason::Conflict),
        _ => Owed::Done(Cell { epoch: 0, turn: 0, sides: Sides::only(set.to, Side::of(set.detail)) }),
    }
}

/// A set to a status that stands, alone or as a side of a conflict.
fn stands_already(cell: &Cell, set: &Set) -> Owed {
    let held = cell.sides.side(set.to);
    let wanted = set.detail.map_or(held, Side::with);
    let alone = cell.sides.alone().is_some();
    if set.resolve && !alone {
        return next_turn(cell, set.to, wanted);
    }
    if wanted == held {
        return Owed::Stays;
    }
    // A detail that stands is replaced by who names the status that it goes with.
    if alone && (held == Side::PLAIN || set.from == Some(set.to)) {
        return next_turn(cell, set.to, wanted);
    }
    Owed::Refused(StatusReason::Conflict)
}

fn next_turn(cell: &Cell, to: Word, side: Side) -> Owed {
    if cell.turn + 1 == NUMBER_BOUND {
        return Owed::Fails;
    }
    Owed::Done(Cell { turn: cell.turn + 1, sides: Sides::only(to, side), ..*cell })
}
