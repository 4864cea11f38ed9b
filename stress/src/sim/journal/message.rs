//! What clients and the store say to each other.

use std::sync::Arc;

use fencehold_model::{Entry, OpId, Revision, State, TimeMs};

/// How often a key of the store was written.
pub(super) type Version = u64;

/// What a client asks of the store. Each is one transaction there.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// What happened after `known`, the time, and what is recorded under `op`. Where it is to be `durable`, so is all that
    /// it tells, before it is told.
    Fetch { known: Revision, op: Option<OpId>, durable: bool },
    /// Records the entry, if the head still has this version and no later time than the entry's was shown.
    Append { expected: Version, entry: Arc<Entry>, durable: bool },
    /// Rewrites the head, so that no append sent before can land, and says what is recorded under `op`.
    Barrier { op: OpId, durable: bool },
    /// Only says what is recorded under `op`: what a client without barriers asks.
    LookUp { op: OpId },
    /// Puts the folded state in the place of the events that it covers, if the one there has this version.
    Trim { expected: Version, folded: Arc<State> },
}

impl Request {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Request::Fetch { .. } => "fetch",
            Request::Append { .. } => "append",
            Request::Barrier { .. } => "barrier",
            Request::LookUp { .. } => "look up",
            Request::Trim { .. } => "trim",
        }
    }

    /// What it is about, for people.
    pub(super) fn about(&self) -> String {
        match self {
            Request::Fetch { known, .. } => format!("after revision {known}"),
            Request::Append { expected, entry, .. } => format!(
                "revision {} at head {expected}, {} ms: {} {}",
                entry.revision,
                entry.at_ms,
                entry.op,
                entry.event.word()
            ),
            Request::Barrier { op, .. } | Request::LookUp { op } => op.to_string(),
            Request::Trim { expected, folded } => {
                format!("up to revision {}, over version {expected}", folded.revision)
            }
        }
    }
}

/// What the store answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// To a fetch.
    Page(Page),
    /// The append is recorded.
    Appended,
    /// Something else came first; nothing was changed.
    Conflict,
    /// To a barrier or a look-up.
    Recorded(Recorded),
    /// To a trim; nobody waits for it.
    Trimmed,
}

/// What a client had not seen yet.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// A folded state to begin from, where some of the events that the client lacks were trimmed.
    pub(super) base: Option<Arc<State>>,
    /// The events after what the client has, or after the base, each with the revision before it.
    pub(super) events: Vec<(Revision, Arc<Entry>)>,
    /// The revision that the next event gets.
    pub(super) next: Revision,
    /// The revision of the newest event.
    pub(super) revision: Revision,
    /// The head's version.
    pub(super) version: Version,
    /// The folded state's version and revision.
    pub(super) folded: (Version, Revision),
    /// The store's time.
    pub(super) now_ms: TimeMs,
    /// What is recorded under the operation id of the fetch.
    pub(super) recorded: Recorded,
}

/// What the store knows of an operation id.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    /// The entry under it.
    pub(super) entry: Option<Arc<Entry>>,
    /// The ids of all entries up to this revision are forgotten.
    pub(super) forgotten: Revision,
}
