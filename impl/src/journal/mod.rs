//! The shared log of events: order, time, durability, and the look-up of an operation's id.
//!
//! [`FileJournal`] keeps it in files. Invariants:
//! - who appends holds the OS lock of `lock`, has verified that `lock` and the current file are the ones at their
//!   paths and that no later file exists, and has folded every line before its own;
//! - a record exists when its newline does; it is appended by one write;
//! - no answer of any kind is given before every event it rests on is durable (relaxed: exactly this is dropped); the
//!   OS lock is not held while that is waited for;
//! - a sync counts for what was written after its description was opened, and for nothing else;
//! - every revision ever handed out, durable or not, lies below a floor that was made durable first;
//! - bytes before the last valid line of a file are never changed; bytes that are cut were copied to `quarantine/`;
//! - readers take no lock and write nothing, unless what they read is not known to be durable.

mod commit;
mod condemned;
mod create;
mod ended;
mod file;
mod floor;
mod history;
mod layout;
mod proof;
mod prove;
mod read;
mod repair;
mod rotate;
mod section;
mod synced;
mod tail;
mod time;
mod verify;

pub use create::{Modes, create};
pub use file::{FileJournal, Note};
pub use layout::{FOLDERS, is_workspace};
pub use repair::Report;
pub use rotate::{FULL_BYTES, ROTATE_BYTES};

use std::time::Duration;

use fencehold_model::{Event, Holder, OpId, Revision, State, TimeMs, WorkspaceId};

use crate::error::Result;

/// Who asks, and by which id the outcome can be looked up later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// Who asks; stands on the line as its actor.
    pub actor: Holder,
    /// The id of this operation.
    pub op: OpId,
}

/// The outcome of a commit: an event that is now recorded, or the caller's own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed<A> {
    /// The revision that it was decided at: the event's own, or that of the last event seen.
    pub revision: Revision,
    /// The journal time at which it was decided.
    pub at_ms: TimeMs,
    /// The event, or what the decision answered without one.
    pub outcome: std::result::Result<Event, A>,
}

/// What a reader saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<A> {
    /// The revision of the last event seen.
    pub revision: Revision,
    /// The journal time of the look.
    pub at_ms: TimeMs,
    /// What it made of it.
    pub value: A,
}

/// An ordered, durable log of events with a clock of its own.
pub trait Journal {
    /// Decides on the newest state and records the event, if there is one.
    ///
    /// `decide` is pure and may be asked more than once; `now` is the journal's.
    ///
    /// # Errors
    /// [`crate::Error::happened`] tells whether the event may stand.
    fn commit<A>(
        &self,
        asking: &Asking,
        decide: impl FnMut(&State, TimeMs) -> std::result::Result<Event, A>,
    ) -> Result<Committed<A>>;

    /// Looks at a state that was current at or after the call began.
    ///
    /// # Errors
    /// Where the journal cannot be read, or is damaged.
    fn read<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>>;

    /// Journal time now, for answers that count down.
    ///
    /// # Errors
    /// As [`Journal::read`].
    fn now_ms(&self) -> Result<TimeMs>;

    /// Which workspace this is the journal of.
    ///
    /// # Errors
    /// As [`Journal::read`].
    fn workspace(&self) -> Result<WorkspaceId>;

    /// Whether answers wait for the disk.
    fn durability(&self) -> Durability;
}

/// Whether answers wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// No answer is given before every event it rests on is durable.
    #[default]
    Durable,
    /// Answers outlive the kill of any process, not a power cut; every answer says so.
    Relaxed,
}

/// How a journal is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether answers wait for the disk.
    pub durability: Durability,
    /// How long to wait for the OS lock.
    pub patience: Duration,
}

impl Default for Options {
    /// Durable, and 10 s of patience: a commit holds the lock for a millisecond.
    fn default() -> Self {
        Options { durability: Durability::Durable, patience: Duration::from_secs(10) }
    }
}
