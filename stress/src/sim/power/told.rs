//! What a process was told, and what its answer rested on.

use std::sync::Arc;

use fencehold_model::{Entry, Revision};

/// What came of asking for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Heard {
    /// It is done, decided at this revision; it may have been so before.
    Done(Revision),
    /// The rules refuse it, by what stands at this revision; or it was a look.
    Saw(Revision),
    /// It did not and will not happen.
    Not,
    /// Nobody knows.
    Unknown,
    /// The workspace is damaged, it says; nothing happened.
    Damaged,
}

/// One thing that somebody was told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The id of the operation.
    pub(super) op: String,
    /// What it was.
    pub(super) what: &'static str,
    /// What came of it.
    pub(super) heard: Heard,
    /// Whether the answer claims to outlive a power cut.
    pub(super) durable: bool,
    /// The events that it rested on, as they stood when it was given: all up to its revision.
    pub(super) witness: Arc<Vec<Entry>>,
}

impl Heard {
    pub(super) fn of<T>(result: &fencehold::Result<T>, answered: impl FnOnce(&T) -> Heard) -> Heard {
        match result {
            Ok(answer) => answered(answer),
            Err(fencehold::Error::Damaged { .. }) => Heard::Damaged,
            Err(error) if error.happened() == fencehold::Happened::No => Heard::Not,
            Err(_) => Heard::Unknown,
        }
    }

    /// The revision that it was answered at.
    pub(super) fn revision(self) -> Option<Revision> {
        match self {
            Heard::Done(revision) | Heard::Saw(revision) => Some(revision),
            Heard::Not | Heard::Unknown | Heard::Damaged => None,
        }
    }
}
