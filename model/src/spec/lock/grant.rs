//! Acquire: a new grant, the old one kept, or refused.

use crate::history::{Ask, Id, Reason, Token, Tokens};

use super::super::Breach;
use super::super::op::{Given, LockOp};
use super::super::term::Term;
use super::{Grant, Lock, LockSpec, Same};

impl LockSpec {
    pub(super) fn acquire(&self, mut state: Lock, op: &LockOp) -> Result<Lock, Breach> {
        let Ask::Acquire { holder, claim, .. } = op.ask else { return Err(Breach::Malformed) };
        match op.given {
            Given::Ok => {
                self.well_formed(op.token)?;
                match state.grant {
                    Some(grant) if grant.answers_to(holder, claim) => self.acquire_again(state, grant, op),
                    Some(grant) if !grant.term.may_have_lapsed(op) => Err(Breach::DoubleGrant),
                    _ => self.granted(state, op),
                }
            }
            Given::Refused(Reason::Held) => {
                if state.grant.is_some_and(|grant| grant.answers_to(holder, claim)) {
                    return Err(Breach::HeldByOwnClaim);
                }
                self.seen_held(&mut state, op)?;
                Ok(state)
            }
            _ => Err(Breach::WrongReason),
        }
    }

    /// The same holder and claim: the live grant with its token, or a new one once it has lapsed.
    fn acquire_again(&self, mut state: Lock, mut grant: Grant, op: &LockOp) -> Result<Lock, Breach> {
        let may_be_live = grant.term.may_be_live(op);
        let may_have_lapsed = grant.term.may_have_lapsed(op);
        match grant.is_token(op.token) {
            Same::Yes if !may_be_live => Err(Breach::TokenKept),
            Same::Yes => {
                grant.extend(self, op);
                grant.promised(op, &self.rules)?;
                state.grant = Some(grant);
                Ok(state)
            }
            Same::No if !may_have_lapsed => Err(Breach::TokenChanged),
            Same::No => self.granted(state, op),
            Same::Maybe if !may_be_live => self.granted(state, op),
            Same::Maybe => {
                state.floor = grant.learn(op.token, state.floor, &self.rules)?;
                // Either the grant was kept, or it had lapsed and this is a new one: all that both allow.
                let fresh = self.new_grant(op);
                let ttl_us = (fresh.ttl_us.0.min(grant.ttl_us.0), fresh.ttl_us.1.max(grant.ttl_us.1));
                grant.extend(self, op);
                if may_have_lapsed {
                    grant.term = grant.term.either(fresh.term);
                    grant.ttl_us = ttl_us;
                    if grant.bound != fresh.bound {
                        grant.bound = Same::Maybe;
                    }
                }
                grant.promised(op, &self.rules)?;
                state.grant = Some(grant);
                Ok(state)
            }
        }
    }

    /// A new grant: its token is above every earlier one.
    fn granted(&self, mut state: Lock, op: &LockOp) -> Result<Lock, Breach> {
        let mut grant = self.new_grant(op);
        if let (Tokens::Ordered, Token::Number(token)) = (self.rules.tokens, op.token) {
            if token <= state.floor {
                let repeated = state.grant.is_some_and(|old| old.token == Some(op.token));
                return Err(if repeated { Breach::TokenRepeated } else { Breach::TokenBack });
            }
            state.floor = token;
        }
        grant.token = Some(op.token);
        grant.promised(op, &self.rules)?;
        state.grant = Some(grant);
        Ok(state)
    }

    /// The grant that the operation asks for, its token not known.
    pub(super) fn new_grant(&self, op: &LockOp) -> Grant {
        let (holder, claim, ttl_us) = match op.ask {
            Ask::Acquire { holder, claim, ttl_us, .. } => (holder, claim, ttl_us),
            _ => (Id(u32::MAX), None, 0),
        };
        let term = Term::of_grant(&self.rules, op, ttl_us);
        let bound = if op.binds(&self.rules) { Same::Yes } else { Same::No };
        Grant { holder, claim, token: None, bound, term, ttl_us: (ttl_us, ttl_us) }
    }

    fn well_formed(&self, token: Token) -> Result<(), Breach> {
        match (self.rules.tokens, token) {
            (Tokens::Ordered, Token::Number(_)) | (Tokens::Opaque, Token::Text(_)) | (Tokens::None, _) => {
                Ok(())
            }
            _ => Err(Breach::Malformed),
        }
    }
}

impl Grant {
    pub(super) fn answers_to(&self, holder: Id, claim: Option<Id>) -> bool {
        claim.is_some() && self.holder == holder && self.claim == claim
    }

    /// Acquired again by its own claim: the expiry moves later or stays.
    pub(super) fn extend(&mut self, spec: &LockSpec, op: &LockOp) {
        let Ask::Acquire { ttl_us, .. } = op.ask else { return };
        let rebinds = op.binds(&spec.rules);
        let before = self.term;
        self.prolong(spec, op, ttl_us, ttl_us);
        if rebinds {
            // Whether a repeat moves the binding is not laid down: it may end by either.
            let moved = Term::of_grant(&spec.rules, op, ttl_us);
            if self.bound == Same::Yes {
                self.term = before.either(moved);
            } else {
                self.term = self.term.either(moved);
                self.bound = Same::Maybe;
            }
        }
    }

    /// A TTL between `shortest` and `longest` begins anew.
    pub(super) fn prolong(&mut self, spec: &LockSpec, op: &LockOp, shortest: u64, longest: u64) {
        let term = Term::timed(&spec.rules, op, shortest, longest);
        let either = (self.ttl_us.0.min(shortest), self.ttl_us.1.max(longest));
        let surely_later = term.earliest > self.term.latest;
        if self.bound != Same::No {
            self.term.own_latest = self.term.own_latest.max(term.own_latest);
            if self.bound == Same::Maybe {
                self.term.latest = self.term.latest.max(term.latest);
            }
            self.ttl_us = either;
            return;
        }
        // Whether a TTL that moves nothing is the last one asked for is not laid down.
        self.ttl_us = if surely_later { (shortest, longest) } else { either };
        self.term = self.term.later(term);
    }
}
