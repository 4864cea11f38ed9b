//! The answers of a ledger.

use fencehold_model::lock::{Grant, Refusal};
use fencehold_model::{LockName, Revision, TimeMs, Token};

/// What a command came to. A refusal is an answer: nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The revision it was decided at: the event's own, or that of the last event seen.
    pub revision: Revision,
    /// Journal time at which it was decided.
    pub at_ms: TimeMs,
    /// Journal time of the answer; count down from here.
    pub now_ms: TimeMs,
    /// Whether all it rests on is durable; false only where the workspace is relaxed.
    pub durable: bool,
    /// What it came to.
    pub verdict: Verdict,
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

/// One lock as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockView {
    /// Its name.
    pub name: LockName,
    /// Its grant and when that lapses, where somebody holds it.
    pub grant: Option<(Grant, Option<TimeMs>)>,
}

impl Answer {
    /// Milliseconds from `now_ms` until `expires_ms`; 0 where that has passed while it was committed.
    #[must_use]
    pub fn expires_in_ms(&self, expires_ms: TimeMs) -> u64 {
        expires_ms.saturating_sub(self.now_ms)
    }
}
