//! From when a grant may have ended, and until when it may be live.

use crate::history::{Ask, Bind, NEVER};

use super::op::{LockOp, Rules};

/// The two bounds of a grant's end. It is surely live before the first and surely lapsed from the second on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Term {
    /// From here on it may have ended.
    pub(super) earliest: u64,
    /// From here on it has surely ended.
    pub(super) latest: u64,
    /// From here on it has surely ended for its own holder too: who shows a bound grant within its TTL need not
    /// prove that its process lives.
    pub(super) own_latest: u64,
}

impl Term {
    /// Of a TTL between `shortest` and `longest` that began within the operation's interval.
    pub(super) fn timed(rules: &Rules, op: &LockOp, shortest: u64, longest: u64) -> Self {
        if !rules.ttl_ends {
            return Term { earliest: NEVER, latest: NEVER, own_latest: NEVER };
        }
        let earliest = op.start_us.saturating_add(shortest).saturating_sub(rules.grain_us);
        let latest = op.end_us.saturating_add(longest).saturating_add(rules.slack_us);
        Term { earliest, latest, own_latest: latest }
    }

    /// Of a new grant.
    pub(super) fn of_grant(rules: &Rules, op: &LockOp, ttl_us: u64) -> Self {
        let timed = Self::timed(rules, op, ttl_us, ttl_us);
        let Ask::Acquire { bind, .. } = op.ask else { return timed };
        if !op.binds(rules) {
            return timed;
        }
        if bind == Bind::Other {
            return Term { earliest: op.start_us, latest: NEVER, own_latest: NEVER };
        }
        let bound = Term {
            earliest: op.alive_us.max(op.start_us),
            latest: op.died_us.saturating_add(rules.slack_us),
            own_latest: timed.own_latest.max(op.died_us.saturating_add(rules.slack_us)),
        };
        // A remaining time in the answer says that the process cannot be watched: its TTL counts as well.
        if op.expires_in_us.is_some() && rules.ttl_ends { bound.either(timed) } else { bound }
    }

    /// It may end by either.
    pub(super) fn either(self, other: Self) -> Self {
        Term {
            earliest: self.earliest.min(other.earliest),
            latest: self.latest.max(other.latest),
            own_latest: self.own_latest.max(other.own_latest),
        }
    }

    /// It ends at the later of the two: an expiry never moves to an earlier time.
    pub(super) fn later(self, other: Self) -> Self {
        Term {
            earliest: self.earliest.max(other.earliest),
            latest: self.latest.max(other.latest),
            own_latest: self.own_latest.max(other.own_latest),
        }
    }

    /// Whether it may have ended at some point of the operation.
    pub(super) fn may_have_lapsed(self, op: &LockOp) -> bool {
        op.end_us >= self.earliest
    }

    /// Whether it may be live at some point of the operation.
    pub(super) fn may_be_live(self, op: &LockOp) -> bool {
        op.start_us < self.latest
    }

    /// The same, for who shows the grant.
    pub(super) fn may_be_live_for_holder(self, op: &LockOp) -> bool {
        op.start_us < self.own_latest
    }

    /// It was seen live.
    pub(super) fn seen_live(mut self, op: &LockOp) -> Self {
        self.earliest = self.earliest.max(op.start_us.saturating_add(1));
        self
    }

    /// It was seen lapsed; `own` says that its holder was told.
    pub(super) fn seen_lapsed(mut self, op: &LockOp, own: bool) -> Self {
        self.latest = self.latest.min(op.end_us);
        if own {
            self.own_latest = self.own_latest.min(op.end_us);
        }
        self
    }
}
