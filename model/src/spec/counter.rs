//! A counter: one key of a document.

use super::{Breach, Spec};

/// The specification of one key of a document, absent counting as 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct CounterSpec;

/// An operation on a counter that was done, or may have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterOp {
    /// It was incremented by the first, and its new value answered as the second.
    Add(i64, Option<i64>),
    /// It was set.
    Set(i64),
    /// It was read as this.
    Read(i64),
}

impl Spec for CounterSpec {
    type State = i64;
    type Op = CounterOp;

    fn initial(&self) -> i64 {
        0
    }

    fn step(&self, state: &i64, op: &CounterOp) -> Result<i64, Breach> {
        match *op {
            CounterOp::Add(by, Some(value)) if state.checked_add(by) == Some(value) => Ok(value),
            CounterOp::Add(_, Some(_)) => Err(Breach::CounterValue),
            CounterOp::Add(_, None) => Err(Breach::Malformed),
            CounterOp::Set(value) => Ok(value),
            CounterOp::Read(value) if value == *state => Ok(value),
            CounterOp::Read(_) => Err(Breach::CounterValue),
        }
    }

    fn only_tells(&self, op: &CounterOp) -> bool {
        matches!(op, CounterOp::Read(_))
    }

    fn effects(&self, state: &i64, op: &CounterOp) -> [Option<i64>; 2] {
        let next = match *op {
            CounterOp::Add(by, _) => state.checked_add(by),
            CounterOp::Set(value) => Some(value),
            CounterOp::Read(_) => None,
        };
        [next.filter(|next| next != state), None]
    }
}
