//! A value in one word.
//!
//! What the machine can tell apart is kept, the rest is made canonical: epochs become their order, and statuses of one
//! rank and kind are interchangeable, so how they stand is sorted.

use fencehold_model::Status;
use fencehold_model::status::{Detail, Value};
use serde_json::json;

use super::shape::{Shape, status};
use super::space::{Bounds, EPOCH_STEP};

/// A value in one word; 0 is the task without a status.
pub(super) type Key = u64;

const EPOCH_BITS: u32 = 4;
const TURN_BITS: u32 = 4;
const SIDE_BITS: u32 = 2;

/// The texts of the search: statuses of one letter, details that are in order.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) statuses: Vec<Status>,
    pub(super) details: Vec<Detail>,
    /// Where a class of interchangeable statuses ends, for each status.
    class_ends: Vec<usize>,
}

impl Texts {
    pub(super) fn new(shape: &Shape, bounds: &Bounds) -> Self {
        let places = shape.places();
        let end =
            |place: &(usize, bool)| places.iter().rposition(|other| other == place).map_or(0, |at| at + 1);
        let detail = |index| Detail::new(&json!({ "q": index })).expect("a small object is a detail");
        Texts {
            statuses: (0..shape.len()).map(status).collect(),
            details: (0..bounds.details).map(detail).collect(),
            class_ends: places.iter().map(end).collect(),
        }
    }

    /// The key of what a command made of `before`; none where it lies beyond the bounds. An epoch that is no step of
    /// the search was begun by a reopen: it is the next after the one before.
    pub(super) fn encode(
        &self,
        before: Option<&Value>,
        value: Option<&Value>,
        bounds: &Bounds,
    ) -> Option<Key> {
        let Some(value) = value else { return Some(0) };
        let epoch = if value.epoch.is_multiple_of(EPOCH_STEP) {
            value.epoch / EPOCH_STEP
        } else {
            before.map_or(0, |before| before.epoch / EPOCH_STEP) + 1
        };
        if epoch > bounds.epochs || value.turn > bounds.turns {
            return None;
        }
        let side = |status: &Status| match value.statuses.get(status) {
            None => 0,
            Some(None) => 1,
            Some(Some(detail)) => {
                2 + self.details.iter().position(|known| known == detail).unwrap_or(0) as u64
            }
        };
        let mut sides: Vec<u64> = self.statuses.iter().map(side).collect();
        let mut begin = 0;
        while begin < sides.len() {
            let end = self.class_ends[begin];
            sides[begin..end].sort_unstable();
            begin = end;
        }
        let packed = sides.iter().fold(0, |packed, side| packed << SIDE_BITS | side);
        Some(1 | (epoch | (value.turn | packed << TURN_BITS) << EPOCH_BITS) << 1)
    }

    /// The value of a key.
    pub(super) fn decode(&self, key: Key) -> Option<Value> {
        if key == 0 {
            return None;
        }
        let (epoch, rest) = (key >> 1 & ((1 << EPOCH_BITS) - 1), key >> (1 + EPOCH_BITS));
        let (turn, mut packed) = (rest & ((1 << TURN_BITS) - 1), rest >> TURN_BITS);
        let mut value = Value { epoch: epoch * EPOCH_STEP, turn, statuses: Default::default() };
        for status in self.statuses.iter().rev() {
            let side = packed & ((1 << SIDE_BITS) - 1);
            packed >>= SIDE_BITS;
            if side > 0 {
                let detail = side.checked_sub(2).map(|index| self.details[index as usize].clone());
                value.statuses.insert(status.clone(), detail);
            }
        }
        Some(value)
    }
}
