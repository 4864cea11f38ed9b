//! What is to be known of one lease: its last grant, when that may have lapsed, which states it may be in.

use super::op::{Ask, Bind, Name, Op, Rules, Seen, Set, State};
use crate::spec::Breach;

/// States that a lease may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct States(u8);

impl States {
    pub(super) fn add(&mut self, state: State) {
        self.0 |= 1 << state as u8;
    }

    pub(super) fn has(self, state: State) -> bool {
        self.0 & 1 << state as u8 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = State> {
        let all = [State::Open, State::Closed, State::Crashed, State::Cleared];
        all.into_iter().filter(move |state| self.has(*state))
    }
}

impl From<State> for States {
    fn from(state: State) -> Self {
        States(1 << state as u8)
    }
}

/// The two bounds of a grant's lapse: surely live before the first, surely lapsed from the second on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Term {
    earliest: u64,
    latest: u64,
}

impl Term {
    fn of_grant(rules: &Rules, op: &Op) -> Self {
        let never = Term { earliest: u64::MAX, latest: u64::MAX };
        let Ask::Grant { ttl_us, bind, .. } = op.ask else { return never };
        let by_ttl = match ttl_us.filter(|_| rules.ttl_ends) {
            None => never,
            Some(ttl_us) => Term {
                earliest: op.start_us.saturating_add(ttl_us).saturating_sub(rules.grain_us),
                latest: op.end_us.saturating_add(ttl_us).saturating_add(rules.slack_us),
            },
        };
        match bind {
            _ if !rules.process_ends => by_ttl,
            Bind::No | Bind::Unseen => by_ttl,
            // A process that lives makes the TTL not count.
            Bind::Process => Term {
                earliest: op.alive_us.max(op.start_us),
                latest: op.died_us.saturating_add(rules.slack_us),
            },
            Bind::Other => Term { earliest: op.start_us, latest: u64::MAX },
        }
    }
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    pub(super) holder: Name,
    /// Not known yet where the answer to its grant was lost.
    pub(super) token: Option<u64>,
    pub(super) writes: Set,
    pub(super) may_be: States,
    /// Since when it has ended at the latest; 0 while it may be open.
    pub(super) ended_us: u64,
    term: Term,
}

impl Cell {
    /// The open lease that a grant makes.
    pub(super) fn granted(rules: &Rules, op: &Op, token: Option<u64>) -> Self {
        let (holder, writes) = match op.ask {
            Ask::Grant { holder, writes, .. } => (holder, writes),
            _ => (Name(u32::MAX), Set(u32::MAX)),
        };
        let term = Term::of_grant(rules, op);
        Cell { holder, token, writes, may_be: State::Open.into(), ended_us: 0, term }
    }

    /// Whether it may be open and not lapsed at some point of the operation.
    pub(super) fn may_be_live(&self, op: &Op) -> bool {
        self.may_be.has(State::Open) && op.start_us < self.term.latest
    }

    /// Whether it may be open and lapsed at some point of the operation.
    pub(super) fn may_have_lapsed(&self, op: &Op) -> bool {
        self.may_be.has(State::Open) && op.end_us >= self.term.earliest
    }

    /// Whether it is open and not lapsed, whatever the point of the operation.
    pub(super) fn is_surely_live(&self, op: &Op) -> bool {
        self.may_be == State::Open.into() && !self.may_have_lapsed(op)
    }

    /// Whether it may have been forgotten by then.
    pub(super) fn may_be_forgotten(&self, rules: &Rules, op: &Op) -> bool {
        rules.memory_us != u64::MAX && op.end_us >= self.ended_us.saturating_add(rules.memory_us)
    }

    pub(super) fn seen_live(&mut self, op: &Op) {
        self.may_be = State::Open.into();
        self.term.earliest = self.term.earliest.max(op.start_us.saturating_add(1));
    }

    pub(super) fn seen_lapsed(&mut self, op: &Op) {
        self.term.latest = self.term.latest.min(op.end_us);
    }

    /// The answer names this lease, its last grant and its holder.
    pub(super) fn learn(&mut self, seen: &Seen) -> Result<(), Breach> {
        if seen.holder.is_some_and(|holder| holder != self.holder) {
            return Err(Breach::WrongHolder);
        }
        self.learn_token(seen.token)
    }

    pub(super) fn learn_token(&mut self, token: Option<u64>) -> Result<(), Breach> {
        match (self.token, token) {
            (Some(known), Some(named)) if known != named => Err(Breach::WrongToken),
            (None, Some(_)) => {
                self.token = token;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
