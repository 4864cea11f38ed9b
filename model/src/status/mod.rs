//! The status machine: a cell per task, moved along the workspace's vocabulary.
//!
//! ```text
//!             step up                     step up
//!   rank 0 ───────────► rank 1 ───────────────────────► terminal
//!     ▲                  │   ▲  within the rank:           │
//!     │                  └───┘  naming what it left        │ reopen, with a reason
//!     └────────────────── a new epoch ◄────────────────────┘
//! ```
//!
//! Invariants:
//! - a cell is never moved to a lower value: epoch first, then rank, then turn;
//! - a step within a rank that does not name what it leaves overwrites nothing: both statuses stand, until a step up,
//!   a reopen, or a choice between them; so does a detail;
//! - no step leaves a terminal status that stands; a reopen does, and starts an epoch above every one seen before;
//! - what is asked of an epoch that is over changes nothing;
//! - every cell holds statuses of the vocabulary, all of one rank, under an id in its one form: decisions see to it,
//!   whoever reads a journal refuses what is otherwise ([`crate::State::admits`]), and [`crate::policy::decide`]
//!   refuses a vocabulary under which it would end;
//! - nothing enters a status behind the back of its gates ([`gate`]).

mod decide;
mod event;
pub mod gate;
pub mod outbox;
mod value;
mod vocabulary;

pub use decide::{decide, decide_shown};
pub use event::{How, StatusEvent};
pub use gate::{Forced, Held, Looked, Looking, Shown, Unmet};
pub use outbox::{Noted, OWED_MAX, Owed};
pub use value::{DETAIL_BYTES_MAX, DETAIL_DEPTH_MAX, Detail, Value};
pub use vocabulary::{RANK_MAX, Rung, STATUSES_MAX, Vocabulary};

use alloc::boxed::Box;
use alloc::string::String;

use crate::{Holder, Revision, Status, TaskId, TimeMs};

/// All that is known of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it holds.
    pub value: Value,
    /// Where the event stands that made it so.
    pub revision: Revision,
    /// When.
    pub at_ms: TimeMs,
    /// By whom.
    pub actor: Holder,
}

/// What can be asked of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Move a task to a status.
    Set {
        /// The task.
        task: TaskId,
        /// Where to.
        to: Status,
        /// What it is seen to be; makes a step within a rank an informed one.
        from: Option<Status>,
        /// The epoch that was seen; 0 is the one before any reopen.
        epoch: Revision,
        /// What goes with the status. Takes the place of another only where `from` names this very status.
        detail: Option<Detail>,
        /// End a conflict by choosing `to`, one of its sides; never begin one.
        resolve: bool,
    },
    /// Start a new epoch.
    Reopen {
        /// The task.
        task: TaskId,
        /// Where to.
        to: Status,
        /// The one status that it is seen to be; where it is another, nothing is reopened.
        from: Option<Status>,
        /// The epoch that was seen; where it is another, nothing is reopened.
        epoch: Option<Revision>,
        /// Why; blank is refused.
        reason: String,
    },
    /// Join what another board holds.
    Merge {
        /// The task.
        task: TaskId,
        /// What the other board holds.
        value: Value,
    },
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happens; the journal makes it so.
    Record(crate::Event),
    /// It already is so; this is what stands.
    Already(Value),
    /// The rules refuse it; nothing changes.
    Refuse(Refusal),
    /// It makes no sense in this workspace, and why: a status or an epoch that nobody knows, a number out of bounds.
    Invalid(String),
}

/// Why the rules refuse a command, and what stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A step down, or out of a terminal status.
    Regression(Value),
    /// The task is not what the command said that it saw, or the command would take the place of a detail without
    /// saying that it saw its status; none: it has no status yet.
    Conflict(Option<Value>),
    /// The epoch that was named is over.
    StaleEpoch(Value),
    /// The task has no status yet.
    NotFound,
    /// The command needs a reason that is not blank.
    NeedsReason,
    /// A gate stands before the status, and is not met or was not looked at.
    Gate(Box<Held>),
}

impl Refusal {
    /// Its word in answers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::Regression(_) => "regression",
            Refusal::Conflict(_) => "conflict",
            Refusal::StaleEpoch(_) => "stale_epoch",
            Refusal::NotFound => "not_found",
            Refusal::NeedsReason => "needs_reason",
            Refusal::Gate(_) => "gate",
        }
    }

    /// What stands instead, where anything does.
    #[must_use]
    pub fn stands(&self) -> Option<&Value> {
        match self {
            Refusal::Regression(value) | Refusal::StaleEpoch(value) => Some(value),
            Refusal::Conflict(value) => value.as_ref(),
            Refusal::Gate(held) => held.stands.as_ref(),
            Refusal::NotFound | Refusal::NeedsReason => None,
        }
    }
}

impl Command {
    /// The task that it is about.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        match self {
            Command::Set { task, .. } | Command::Reopen { task, .. } | Command::Merge { task, .. } => task,
        }
    }
}
