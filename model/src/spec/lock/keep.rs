//! Renew and release: for the current holder, in time.

use crate::history::{Ask, Reason, Token};

use super::super::Breach;
use super::super::op::{Given, LockOp};
use super::{Lock, LockSpec, Released, Same, forgotten};

impl LockSpec {
    pub(super) fn renew(&self, mut state: Lock, op: &LockOp) -> Result<Lock, Breach> {
        let Ask::Renew { holder, token, claim, ttl_us } = op.ask else { return Err(Breach::Malformed) };
        let shown = state.grant.map_or(Same::No, |grant| grant.shown_by(holder, token, claim));
        match op.given {
            Given::Ok => {
                let Some(mut grant) = state.grant.filter(|_| shown != Same::No) else {
                    return Err(Breach::NotHolderOk);
                };
                for named in [token, op.token] {
                    if named != Token::Absent {
                        state.floor = grant.learn(named, state.floor, &self.rules)?;
                    }
                }
                if !grant.term.may_be_live_for_holder(op) {
                    return Err(Breach::ExpiredOk);
                }
                let (shortest, longest) = ttl_us.map_or(grant.ttl_us, |ttl_us| (ttl_us, ttl_us));
                grant.prolong(self, op, shortest, longest);
                grant.promised(op, &self.rules)?;
                state.grant = Some(grant);
                Ok(state)
            }
            Given::Refused(Reason::Expired) => self.expired(state, op, shown),
            Given::Refused(Reason::NotHolder) => self.not_holder(state, op, shown, Same::No),
            _ => Err(Breach::WrongReason),
        }
    }

    pub(super) fn release(&self, mut state: Lock, op: &LockOp) -> Result<Lock, Breach> {
        let Ask::Release { holder, token, claim } = op.ask else { return Err(Breach::Malformed) };
        let shown = state.grant.map_or(Same::No, |grant| grant.shown_by(holder, token, claim));
        let before = state.released.map_or(Same::No, |last| last.shown_by(holder, token, claim));
        match op.given {
            Given::Ok => {
                let repeated = before != Same::No && op.already != Some(false);
                if op.already == Some(true) || (shown == Same::No && repeated) {
                    return if before == Same::No { Err(Breach::NotHolderOk) } else { Ok(state) };
                }
                let Some(mut grant) = state.grant.filter(|_| shown != Same::No) else {
                    return Err(Breach::NotHolderOk);
                };
                if token != Token::Absent {
                    state.floor = grant.learn(token, state.floor, &self.rules)?;
                }
                if !grant.term.may_be_live_for_holder(op) {
                    return if repeated { Ok(state) } else { Err(Breach::ExpiredOk) };
                }
                state.released = Some(grant.released(op.start_us));
                state.grant = None;
                Ok(state)
            }
            Given::Refused(Reason::Expired) => self.expired(state, op, shown),
            Given::Refused(Reason::NotHolder) => self.not_holder(state, op, shown, before),
            _ => Err(Breach::WrongReason),
        }
    }

    /// The holder is told that its grant has lapsed.
    fn expired(&self, mut state: Lock, op: &LockOp, shown: Same) -> Result<Lock, Breach> {
        let Some(grant) = state.grant.as_mut().filter(|_| shown != Same::No) else {
            return Err(Breach::WrongReason);
        };
        if !grant.term.may_have_lapsed(op) {
            return Err(Breach::WronglyRefused);
        }
        grant.term = grant.term.seen_lapsed(op, true);
        Ok(state)
    }

    /// The caller is told that it is not the holder.
    fn not_holder(&self, state: Lock, op: &LockOp, shown: Same, before: Same) -> Result<Lock, Breach> {
        let grant_forgotten =
            state.grant.is_some_and(|grant| forgotten(grant.term.earliest, op, &self.rules));
        let release_forgotten = state.released.is_some_and(|last| forgotten(last.since_us, op, &self.rules));
        let justified = (shown != Same::Yes || grant_forgotten) && (before != Same::Yes || release_forgotten);
        if justified { Ok(state) } else { Err(Breach::WronglyRefused) }
    }
}

impl super::Grant {
    pub(super) fn released(&self, since_us: u64) -> Released {
        Released { holder: self.holder, claim: self.claim, token: self.token, since_us }
    }
}
