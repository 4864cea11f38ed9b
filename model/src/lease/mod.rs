//! The lease machine: a registered piece of work, and what it writes.
//!
//! ```text
//!            granted              closed ──► closed ──┐
//!   none ──────────────► open ──┤                     ├── cleared ──► cleared
//!                         │     crashed ──► crashed ──┘
//!                         └── cleared, by force and with a reason
//!   closed, crashed, cleared ── granted ──► open, new token
//! ```
//!
//! Invariants:
//! - at most one grant of a lease is open at any journal time, under any spelling of its id;
//! - the token of a grant is the revision of its event, so tokens of all leases strictly grow;
//! - where the policy refuses overlaps, no two open leases that have not lapsed write the same path;
//! - an open lease *lapses* when its process is proven dead, or, where that cannot be found out from here, when its TTL
//!   has passed; it stays open until a reap, or a grant in its way, makes it crashed and says on what evidence;
//! - a lease is never renewed, and nothing that happened to one is erased.

mod decide;
mod event;
mod form;

pub use decide::{Standing, decide, standing};
pub use event::{Crash, Granted, LeaseEvent};
pub use form::{ended_line, read_ended_line};
pub(crate) use form::{read_lease, write_lease};

use alloc::string::String;
use alloc::vec::Vec;

use crate::event::{Evidence, Process};
use crate::id::BootId;
use crate::{Holder, LeaseId, Pattern, TimeMs, Token};

/// The most lapsed leases that one grant makes crashed; with more in its way it is refused until they are reaped.
pub const OVER_MAX: usize = 64;
/// The longest worktree, branch or agent, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// All that is remembered of one lease: its last grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The fencing token of the grant.
    pub token: Token,
    /// To whom.
    pub holder: Holder,
    /// When.
    pub since_ms: TimeMs,
    /// The duration asked for, if any.
    pub ttl_ms: Option<u64>,
    /// The process that does the work, if it is known.
    pub bound: Option<Process>,
    /// Pid and host of who asked, for people.
    pub asked_by: Option<(u64, String)>,
    /// What it says of itself.
    pub about: About,
    /// What it writes.
    pub writes: Vec<Pattern>,
    /// How it ended; none while it is open.
    pub end: Option<End>,
}

/// What a lease says of itself, for people and for reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The worktree that the work is done in.
    pub worktree: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The agent.
    pub agent: Option<String>,
}

/// How and when a grant ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at_ms: TimeMs,
    /// How.
    pub how: How,
}

/// How a grant ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Its work is done.
    Closed,
    /// Its work stopped.
    Crashed(Cause),
    /// It was put aside by hand; the reason where it was open.
    Cleared(Option<String>),
}

/// Why a lease counts as crashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Somebody said so.
    Reason(String),
    /// Its process is proven dead.
    Dead(Evidence),
    /// The death of its process cannot be found out, and its TTL has passed.
    TtlPassed,
}

/// What can be asked of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Grant it.
    Grant {
        /// The lease.
        lease: LeaseId,
        /// To whom.
        holder: Holder,
        /// After how long it may be reaped where nobody can tell whether its process lives; none: not by time.
        ttl_ms: Option<u64>,
        /// What it writes.
        writes: Vec<Pattern>,
        /// What it says of itself.
        about: About,
        /// The process that does the work.
        bound: Option<Process>,
        /// Pid and host of who asks, for people.
        asked_by: Option<(u64, String)>,
    },
    /// Its work is done.
    Close {
        /// The lease.
        lease: LeaseId,
        /// Which grant.
        proof: Proof,
    },
    /// Its work stopped, says who asks.
    Crash {
        /// The lease.
        lease: LeaseId,
        /// Which grant, where that matters.
        token: Option<Token>,
        /// Why; blank is refused.
        reason: String,
    },
    /// Put it aside: off the list of what is open or crashed.
    Clear {
        /// The lease.
        lease: LeaseId,
        /// Even an open one.
        force: bool,
        /// Why; an open one needs it.
        reason: Option<String>,
    },
    /// Make it crashed if it has lapsed.
    Reap {
        /// The lease.
        lease: LeaseId,
        /// Which grant.
        token: Token,
    },
}

/// How a holder shows which grant it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By the token it was given.
    Token(Token),
    /// By being the holder of the open grant.
    Holder(Holder),
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happens; the journal makes it so.
    Record(crate::Event),
    /// It already is so.
    Already(Already),
    /// The rules refuse it; nothing changes.
    Refuse(Refusal),
    /// It depends on whether these processes live: find out, then ask again with what was seen.
    Probe(Vec<(Token, Process)>),
}

/// What already is as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Already {
    /// The grant had been closed.
    Closed {
        /// Its token.
        token: Token,
    },
    /// There is nothing to reap: it has not lapsed, or it is another grant, or none.
    Standing,
}

/// Why the rules refuse a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A grant of it is open.
    AlreadyOpen(Party),
    /// Open leases write what this one would write; those are the first [`OVER_MAX`] by id.
    Overlap(Vec<Party>),
    /// Its last grant is not open.
    NotOpen(Party, How),
    /// The grant named is not the current one.
    NotHolder(Party),
    /// It was never granted, or so long ago that it has left the state.
    NotFound,
    /// The command needs force, or a reason that is not blank.
    NeedsReason,
}

/// One grant, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The lease, in its canonical form.
    pub lease: LeaseId,
    /// Its token.
    pub token: Token,
    /// Its holder.
    pub holder: Holder,
}

impl Refusal {
    /// Its word in answers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::AlreadyOpen(_) => "already_open",
            Refusal::Overlap(_) => "overlap",
            Refusal::NotOpen(..) => "not_open",
            Refusal::NotHolder(_) => "not_holder",
            Refusal::NotFound => "not_found",
            Refusal::NeedsReason => "needs_reason",
        }
    }
}

impl How {
    /// The word of the state that it leads to.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            How::Closed => "closed",
            How::Crashed(_) => "crashed",
            How::Cleared(_) => "cleared",
        }
    }
}

impl Lease {
    /// The words of its states.
    pub const WORDS: [&str; 4] = ["open", "closed", "crashed", "cleared"];

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// The word of its state: `open`, `closed`, `crashed` or `cleared`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.end.as_ref().map_or("open", |end| end.how.word())
    }

    /// Whether it is open and its process is of this boot.
    #[must_use]
    pub fn is_bound_to(&self, boot: &BootId) -> bool {
        self.is_open() && self.bound.as_ref().is_some_and(|process| process.boot == *boot)
    }

    /// When its TTL has passed.
    #[must_use]
    pub fn expires_ms(&self) -> Option<TimeMs> {
        self.ttl_ms.map(|ttl_ms| self.since_ms.saturating_add(ttl_ms))
    }

    /// Its grant, named.
    #[must_use]
    pub fn party(&self, lease: &LeaseId) -> Party {
        Party { lease: lease.clone(), token: self.token, holder: self.holder.clone() }
    }
}

impl Command {
    /// The lease that it is about.
    #[must_use]
    pub fn lease(&self) -> &LeaseId {
        match self {
            Command::Grant { lease, .. }
            | Command::Close { lease, .. }
            | Command::Crash { lease, .. }
            | Command::Clear { lease, .. }
            | Command::Reap { lease, .. } => lease,
        }
    }
}
