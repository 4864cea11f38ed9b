//! The oracle: the rules written a second time, on their own, as sequential specifications.
//!
//! Nothing here calls the production code. A specification says, of one object (a lock, a task, a proposal, a counter), which
//! answer fits which state; it judges with *intervals* of time, because a history's clock is not the target's. Where an
//! operation's interval is a single instant and the slack is nothing, its answers are exact.

mod breach;
mod counter;
pub mod lease;
mod lock;
mod op;
pub mod proposal;
pub mod status;
mod term;

pub use breach::Breach;
pub use counter::{CounterOp, CounterSpec};
pub use lock::{Grant, Lock, LockSpec, Released};
pub use op::{Given, LockOp, Rules};
pub use proposal::{ProposalOp, ProposalSpec};
pub use status::{StatusOp, StatusSpec};

use core::fmt::Debug;
use core::hash::Hash;

/// A sequential specification of one object.
pub trait Spec {
    /// What is to be known of the object.
    type State: Clone + Eq + Hash + Debug;
    /// An operation, with what came of it.
    type Op;

    /// The object before anything happened.
    fn initial(&self) -> Self::State;

    /// The state after an answered operation.
    ///
    /// # Errors
    /// If that answer does not fit the state: which rule is broken.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Result<Self::State, Breach>;

    /// Whether an answered operation is one that changes nothing in any state: it only tells what is so.
    fn only_tells(&self, op: &Self::Op) -> bool;

    /// The states that an operation without an answer may lead to, if it changes anything.
    fn effects(&self, state: &Self::State, op: &Self::Op) -> [Option<Self::State>; 2];
}
