//! The search for an order that explains a history of one object.
//!
//! Wing and Gong's algorithm with Lowe's cache, as Porcupine has it, and three things more:
//! - operations without an answer may take effect anywhere up to their end, or never;
//! - an operation that only tells what is so (a read, a refusal), fits here and teaches nothing new is taken at once
//!   and never tried elsewhere: whatever order explains the rest without it explains it with it, as long as taking
//!   it now shuts no lost operation out;
//! - where answers carry revisions, the order may be held to them.
//!
//! A configuration (which operations are placed, and the state that they led to) is remembered by a fingerprint of
//! 128 bits: two different ones are taken for one with a probability below 2^-80 in a search of any size that fits
//! into memory.

mod engine;
mod fingerprint;
mod list;

use fencehold_model::spec::{Breach, Spec};

use super::limit::Limit;

/// One operation to be placed.
#[derive(Debug, Clone)]
pub struct Timed<O> {
    /// When it was sent.
    pub start_us: u64,
    /// When it was answered; of one without an answer, until when it may have happened.
    pub end_us: u64,
    /// Whether it was answered: then it has to be placed.
    pub answered: bool,
    /// The revision that it has to be placed by.
    pub revision: Option<u64>,
    /// The operation.
    pub op: O,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An order that explains every answer: indices into the operations, those left out had no effect.
    Order(Vec<usize>),
    /// No order does. The operation is the one that could not be placed in the order that explained the most.
    Nothing {
        /// Its index.
        op: usize,
        /// Which rule it breaks there.
        breach: Breach,
    },
    /// The search had to stop.
    Stopped,
}

/// Searches for an order of `ops`; with `by_revision` only those in which revisions do not go back.
///
/// `transitions` counts the steps of the specification that were tried.
pub fn search<S: Spec>(
    spec: &S,
    ops: &[Timed<S::Op>],
    by_revision: bool,
    limit: &mut Limit,
    transitions: &mut u64,
) -> Found {
    engine::Search::new(spec, ops, by_revision, limit, transitions).run()
}
