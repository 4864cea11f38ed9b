//! What is found in a plan file: tasks, and what is wrong.

use std::ops::Range;

use fencehold_model::TaskId;

/// A task block that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The line of its fence, counted from 1.
    pub line: u64,
    /// Its id, as it is written.
    pub id: TaskId,
    /// The line of its status.
    pub status_line: u64,
    /// Its status, as it is written; it may be one that nobody knows.
    pub status: String,
    /// The bytes of the status in the file, and no quote around it.
    pub at: Range<usize>,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TroubleKind {
    /// The file as a whole cannot be read as markdown.
    File,
    /// A block is not what a task block is.
    Block,
}

/// What cannot be read for certain, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The line, counted from 1.
    pub line: u64,
    /// Which kind.
    pub kind: TroubleKind,
    /// What is wrong and what to do, as one sentence.
    pub what: String,
}

impl Trouble {
    pub(super) fn block(line: u64, what: impl Into<String>) -> Self {
        Trouble { line, kind: TroubleKind::Block, what: what.into() }
    }

    pub(super) fn file(line: u64, what: impl Into<String>) -> Self {
        Trouble { line, kind: TroubleKind::File, what: what.into() }
    }
}
