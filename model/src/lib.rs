//! The decisions of Fencehold, and nothing else.
//!
//! ```text
//! command ──► lock::decide(state, command, now) ──► event | refusal      pure; so lease, status, proposal
//! event   ──► State::apply(entry)               ──► state                pure, total
//! ```
//!
//! This crate cannot do I/O, read a clock or start a thread: it is `no_std`, so the compiler holds it to that. The
//! state of a workspace is a fold over one shared log of [`Entry`]s; [`record`] is their form on disk, [`ndjson`]
//! the framing below it. [`spec`] is the oracle: the same rules written a second time, on their own, from SPEC.md;
//! the implementation never imports it, the harness judges [`history`] by it.
#![no_std]

extern crate alloc;

pub mod chain;
pub mod date;
pub mod event;
pub mod history;
pub mod id;
pub mod json;
pub mod lease;
pub mod lock;
pub mod ndjson;
mod number;
pub mod pattern;
pub mod policy;
pub mod proposal;
pub mod record;
mod right;
mod sift;
pub mod spec;
pub mod state;
pub mod status;
mod tree;

pub use event::{Entry, Event};
pub use id::{Claim, Holder, LeaseId, LockName, OpId, ProposalId, Status, TaskId, WorkspaceId};
pub use pattern::Pattern;
pub use policy::Policy;
pub use right::Right;
pub use state::State;

/// The point of the journal at which an event stands; what an event granted carries it as its fencing token.
///
/// Revisions grow, are not consecutive, and stay below 2^53 so that `jq` and JavaScript read them exactly.
pub type Revision = u64;

/// The revision of a grant, to be shown at the resource: a lower one than the highest seen there is refused.
/// (Kleppmann, *How to do distributed locking*, 2016; an equal one is the same holder writing again and passes.)
pub type Token = Revision;

/// Journal time in milliseconds. It never goes back, and suspend and wall-clock steps do not move it.
pub type TimeMs = u64;

/// The first number that is no revision, token or time: 2^53.
pub const NUMBER_BOUND: u64 = 1 << 53;
