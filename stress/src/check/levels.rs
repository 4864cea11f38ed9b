//! A counter that only ever grows by one and the same amount: its values are the order.
//!
//! An increment that answered *k* times the amount is the *k*-th; a read of that value comes between the *k*-th and
//! the next. A *k*-th that nobody was answered must be one without an answer. Which one is settled by the earliest
//! deadline first: an operation without an answer can stand at those places where what stands before did not begin
//! after its end, and what stands behind did not end before its start; these places are a range. Complete, by the
//! usual exchange; O(n log n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fencehold_model::spec::{Breach, CounterOp};

use super::search::Timed;

/// What the values say.
pub(super) enum Levels {
    /// They are explained by an order that agrees with real time.
    Explained,
    /// No order explains them: these operations, the last one cannot be explained.
    Impossible { breach: Breach, ops: Vec<usize> },
    /// Not a counter of this kind.
    NotApplicable,
}

/// An answered operation, or an increment that nobody was answered.
struct Place {
    op: Option<usize>,
    start_us: u64,
    end_us: u64,
}

/// Explains the history of one counter by its values.
pub(super) fn explain(ops: &[Timed<CounterOp>]) -> Levels {
    let Some(by) = amount(ops) else { return Levels::NotApplicable };
    let places = match places(ops, by) {
        Ok(places) => places,
        Err(impossible) => return impossible,
    };
    let lost = ops.iter().filter(|timed| !timed.answered && matches!(timed.op, CounterOp::Add(..)));
    fill(&places, lost)
}

/// The one positive amount of all increments, if that is all that ever changes the counter.
fn amount(ops: &[Timed<CounterOp>]) -> Option<i64> {
    let mut amount = None;
    for timed in ops {
        match timed.op {
            CounterOp::Add(by, _) if by > 0 && amount.is_none_or(|other| other == by) => amount = Some(by),
            CounterOp::Read(_) => {}
            CounterOp::Add(..) | CounterOp::Set(_) => return None,
        }
    }
    amount
}

/// All answers in the order of their values, with a place for every increment that is missing between them.
fn places(ops: &[Timed<CounterOp>], by: i64) -> Result<Vec<Place>, Levels> {
    let mut answers: Vec<(i64, bool, u64, usize)> = Vec::new();
    for (index, timed) in ops.iter().enumerate().filter(|(_, timed)| timed.answered) {
        let (value, is_read) = match timed.op {
            CounterOp::Add(_, Some(value)) => (value, false),
            CounterOp::Read(value) => (value, true),
            _ => return Err(Levels::Impossible { breach: Breach::Malformed, ops: vec![index] }),
        };
        if value % by != 0 || value < 0 || (value == 0 && !is_read) {
            return Err(Levels::Impossible { breach: Breach::CounterValue, ops: vec![index] });
        }
        answers.push((value / by, is_read, timed.start_us, index));
    }
    answers.sort_unstable();
    let lost = ops.iter().filter(|timed| !timed.answered).count();
    let (mut places, mut level, mut missing, mut last) = (Vec::new(), 0, 0, None);
    for (value, is_read, _, index) in answers {
        if !is_read && value == level {
            let ops = last.into_iter().chain([index]).collect();
            return Err(Levels::Impossible { breach: Breach::CounterLost, ops });
        }
        while level < value - i64::from(!is_read) {
            missing += 1;
            if missing > lost {
                let ops = last.into_iter().chain([index]).collect();
                return Err(Levels::Impossible { breach: Breach::CounterValue, ops });
            }
            places.push(Place { op: None, start_us: 0, end_us: u64::MAX });
            level += 1;
        }
        let timed = &ops[index];
        places.push(Place { op: Some(index), start_us: timed.start_us, end_us: timed.end_us });
        if !is_read {
            (level, last) = (value, Some(index));
        }
    }
    Ok(places)
}

/// Checks real time, and fills the open places.
fn fill<'a>(places: &[Place], lost: impl Iterator<Item = &'a Timed<CounterOp>>) -> Levels {
    let (mut latest, mut latest_op) = (0, None);
    // For each open place: the latest start before it, the earliest end behind it, the answer behind it.
    let mut open: Vec<(u64, u64, usize)> = Vec::new();
    for place in places {
        match place.op {
            None => open.push((latest, u64::MAX, 0)),
            Some(op) => {
                if place.end_us < latest {
                    let ops = [op].into_iter().chain(latest_op).collect();
                    return Levels::Impossible { breach: Breach::CounterValue, ops };
                }
                if place.start_us > latest {
                    (latest, latest_op) = (place.start_us, Some(op));
                }
            }
        }
    }
    let (mut earliest, mut behind, mut left) = (u64::MAX, 0, open.len());
    for place in places.iter().rev() {
        match place.op {
            None => {
                left -= 1;
                (open[left].1, open[left].2) = (earliest, behind);
            }
            Some(op) => {
                earliest = earliest.min(place.end_us);
                behind = op;
            }
        }
    }
    let mut waiting: Vec<(u64, u64)> = lost.map(|timed| (timed.start_us, timed.end_us)).collect();
    waiting.sort_unstable();
    let mut waiting = waiting.into_iter().peekable();
    let mut ready = BinaryHeap::new();
    for (begins_us, ends_us, behind) in open {
        while let Some((_, end_us)) = waiting.next_if(|(start_us, _)| *start_us <= ends_us) {
            ready.push(Reverse(end_us));
        }
        let fits = std::iter::from_fn(|| ready.pop()).find(|Reverse(end_us)| *end_us >= begins_us);
        if fits.is_none() {
            return Levels::Impossible { breach: Breach::CounterValue, ops: vec![behind] };
        }
    }
    Levels::Explained
}
