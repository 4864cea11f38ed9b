//! The answers of a ledger.

use fencehold_model::lease::{self, Crash, Lease, Standing};
use fencehold_model::lock::{Grant, Refusal};
use fencehold_model::proposal::{self, Told};
use fencehold_model::status::{self, Cell, Value};
use fencehold_model::{LeaseId, LockName, Revision, TaskId, TimeMs, Token};

/// What a command came to. A refusal is an answer: nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<V = Verdict> {
    /// The revision it was decided at: the event's own, or that of the last event seen.
    pub revision: Revision,
    /// Journal time at which it was decided.
    pub at_ms: TimeMs,
    /// Journal time of the answer; count down from here.
    pub now_ms: TimeMs,
    /// Whether all it rests on is durable; false only where the workspace is relaxed.
    pub durable: bool,
    /// What it came to.
    pub verdict: V,
}

/// The outcome of a lock command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Granted, or kept, or renewed.
    Granted {
        /// The fencing token.
        token: Token,
        /// When it lapses; none while it is bound to a process that can be watched.
        expires_ms: Option<TimeMs>,
    },
    /// Given up.
    Released {
        /// The token that ended.
        token: Token,
        /// Whether it had ended before.
        already: bool,
    },
    /// Ended by hand.
    Broken {
        /// The token that ended.
        token: Token,
    },
    /// Refused by the rules.
    Refused(Refusal),
}

/// The outcome of a command about a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseVerdict {
    /// Granted.
    Granted {
        /// The lease, in its canonical form.
        lease: LeaseId,
        /// The fencing token.
        token: Token,
        /// When its TTL has passed, where it has one.
        expires_ms: Option<TimeMs>,
        /// The lapsed leases that stood in its way and are crashed now.
        over: Vec<Crash>,
        /// The open leases that write what it writes, where the policy only advises.
        beside: Vec<LeaseId>,
    },
    /// Closed.
    Closed {
        /// The token that ended.
        token: Token,
        /// Whether it had ended before.
        already: bool,
    },
    /// Crashed, by hand or reaped.
    Crashed(Crash),
    /// Put aside.
    Cleared {
        /// The token that ended.
        token: Token,
    },
    /// There was nothing to reap.
    Standing,
    /// Refused by the rules.
    Refused(lease::Refusal),
}

/// The outcome of a command about a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskVerdict {
    /// What stands now.
    Stands {
        /// The value; more than one status is a conflict.
        value: Value,
        /// Whether it stood before.
        already: bool,
        /// Whether it passed a gate by force.
        forced: bool,
    },
    /// Refused by the rules.
    Refused(status::Refusal),
}

/// The outcome of a command about a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalVerdict {
    /// What stands now.
    Stands {
        /// Where the proposal stands.
        told: Told,
        /// Whether it stood there before.
        already: bool,
    },
    /// Refused by the rules.
    Refused(proposal::Refusal),
}

/// One lease as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Its canonical id.
    pub id: LeaseId,
    /// Its last grant.
    pub lease: Lease,
    /// How that stands, where it is open.
    pub standing: Option<Standing>,
}

/// One task as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// Its canonical id.
    pub id: TaskId,
    /// What is known of it.
    pub cell: Cell,
}

/// One lock as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockView {
    /// Its name.
    pub name: LockName,
    /// Its grant and when that lapses, where somebody holds it.
    pub grant: Option<(Grant, Option<TimeMs>)>,
}

impl<V> Answer<V> {
    /// Milliseconds from `now_ms` until `expires_ms`; 0 where that has passed while it was committed.
    #[must_use]
    pub fn expires_in_ms(&self, expires_ms: TimeMs) -> u64 {
        expires_ms.saturating_sub(self.now_ms)
    }
}
