//! An operation on a task's status as the oracle sees it: words and details are numbers.

use super::{Cell, Sides};

/// A status by its place in [`super::StatusSpec::rungs`]; one that is not there is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Word(pub u8);

impl Word {
    /// A word that no vocabulary has.
    pub const UNKNOWN: Word = Word(u8::MAX);
}

/// What was asked of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAsk {
    /// `status.set`
    Set {
        /// Where to.
        to: Word,
        /// What it was seen to be.
        from: Option<Word>,
        /// The epoch that was seen; 0 where none was named.
        epoch: u64,
        /// What goes with it: as [`super::Side::with`] takes it.
        detail: Option<u32>,
        /// Whether a conflict is to be ended by it.
        resolve: bool,
    },
    /// `status.reopen`
    Reopen {
        /// Where to.
        to: Word,
        /// What it was seen to be.
        from: Option<Word>,
        /// The epoch that was seen.
        epoch: Option<u64>,
        /// Whether its reason is blank.
        blank: bool,
    },
    /// `status.merge`; none: a word of its value is unknown.
    Merge(Option<Cell>),
    /// `status.get`
    Get,
}

/// What is shown at the gates of what a task enters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AtGate {
    /// What was seen there.
    pub seen: Seen,
    /// Whether they are to be passed by force.
    pub force: Force,
}

/// What was seen at gates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// Nobody looked.
    #[default]
    Nothing,
    /// Somebody looked at something else than what stands there now.
    Otherwise,
    /// Something is not met.
    Unmet,
    /// All is met.
    Met,
}

/// Whether gates are to be passed by force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Force {
    /// No.
    #[default]
    No,
    /// Yes, without a reason.
    Blank,
    /// Yes, with a reason.
    Reason,
}

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusReason {
    /// Down, or out of a terminal status.
    Regression,
    /// The task is not what was seen.
    Conflict,
    /// The epoch is over.
    StaleEpoch,
    /// The task has no status.
    NotFound,
    /// It needs a reason.
    NeedsReason,
    /// A gate is not met.
    Gate,
    /// One of the target's own, which is not judged.
    Own,
    /// Any other.
    Other,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusGiven {
    /// It was done, or is so already.
    Ok,
    /// It was refused.
    Refused(StatusReason),
    /// It surely did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// The value that an answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Epoch.
    pub epoch: u64,
    /// Turn.
    pub turn: u64,
    /// The statuses.
    pub sides: Sides,
    /// Whether the details are told as well; else [`Shown::sides`] says nothing of them.
    pub details: bool,
}

/// One operation on one task, with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusOp {
    /// What was asked.
    pub ask: StatusAsk,
    /// What came of it.
    pub given: StatusGiven,
    /// The value that the answer names.
    pub shown: Option<Shown>,
    /// Whether the answer says that it was so before.
    pub already: Option<bool>,
    /// Where the answer says that it was decided; of one that recorded an event, where that stands.
    pub revision: Option<u64>,
    /// What was shown at gates.
    pub at_gate: AtGate,
    /// Whether its event says that a gate was passed by force.
    pub forced: bool,
}
