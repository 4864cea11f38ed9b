//! The lock, as the oracle understands it.
//!
//! - At most one grant of a name is live; tokens of a name only grow.
//! - A timed grant ends at its expiry, a bound one with its process; an expiry never moves to an earlier time.
//! - The same holder *and* claim keep their live grant; anybody else is refused, `held`, by whoever holds it.
//! - A lapsed grant is nobody's: renew and release are refused, `expired`, and its own claim gets a new token.
//! - Renew and release need the current holder and its token (or claim); repeating the last release is ok.
//!
//! Where an answer's interval of time leaves two rules possible, both pass, and what the answer shows is learned: a
//! lock that was seen held had not ended by then, one that was taken over had. A grant whose answer was lost has no
//! known token until a later answer names it.

mod grant;
mod info;
mod keep;

use crate::history::{Ask, Id, NEVER, Reason, Token, Tokens};

use super::op::{Given, LockOp, Rules};
use super::term::Term;
use super::{Breach, Spec};

/// The specification of one lock.
#[derive(Debug, Clone, Copy)]
pub struct LockSpec {
    /// What the target declared.
    pub rules: Rules,
}

/// All that is to be known of one lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Lock {
    /// The last grant that was neither released nor broken; it may have lapsed.
    pub grant: Option<Grant>,
    /// The last release.
    pub released: Option<Released>,
    /// Every new token is above this.
    pub floor: u64,
}

/// One grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grant {
    /// To whom.
    pub holder: Id,
    /// The claim it answers to.
    pub claim: Option<Id>,
    /// Its token; not known yet where its answer was lost.
    pub token: Option<Token>,
    /// Whether it ends with a process.
    bound: Same,
    term: Term,
    /// The TTL last asked for: the shortest and the longest that it may be.
    ttl_us: (u64, u64),
}

/// The last release of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Released {
    /// By whom.
    pub holder: Id,
    /// The claim that it answered to.
    pub claim: Option<Id>,
    /// The token that ended.
    pub token: Option<Token>,
    since_us: u64,
}

/// How sure it is that two things are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Same {
    Yes,
    No,
    Maybe,
}

impl Spec for LockSpec {
    type State = Lock;
    type Op = LockOp;

    fn initial(&self) -> Lock {
        Lock::default()
    }

    fn step(&self, state: &Lock, op: &LockOp) -> Result<Lock, Breach> {
        if op.given == Given::Refused(Reason::Own) {
            return Ok(*state);
        }
        match op.ask {
            Ask::Acquire { .. } => self.acquire(*state, op),
            Ask::Renew { .. } => self.renew(*state, op),
            Ask::Release { .. } => self.release(*state, op),
            Ask::Break { blank } => self.end_by_hand(*state, op, blank),
            Ask::Show => self.show(*state, op),
        }
    }

    fn only_tells(&self, op: &LockOp) -> bool {
        op.ask == Ask::Show || matches!(op.given, Given::Refused(_))
    }

    fn effects(&self, state: &Lock, op: &LockOp) -> [Option<Lock>; 2] {
        self.lost_answer(*state, op).map(|next| next.filter(|next| next != state))
    }
}

impl LockSpec {
    fn end_by_hand(&self, mut state: Lock, op: &LockOp, blank: bool) -> Result<Lock, Breach> {
        match op.given {
            Given::Refused(Reason::NeedsReason) if blank => Ok(state),
            Given::Refused(Reason::NeedsReason) => Err(Breach::WrongReason),
            Given::Refused(Reason::NotFound) => {
                self.seen_free(&mut state, op)?;
                Ok(state)
            }
            Given::Ok if blank => Err(Breach::InvalidOk),
            Given::Ok => {
                let grant = state.grant.ok_or(Breach::HeldByNobody)?;
                if op.token != Token::Absent && grant.is_token(op.token) == Same::No {
                    return Err(Breach::WrongToken);
                }
                if !grant.term.may_be_live(op) {
                    return Err(Breach::Late);
                }
                state.grant = None;
                Ok(state)
            }
            _ => Err(Breach::WrongReason),
        }
    }

    fn show(&self, mut state: Lock, op: &LockOp) -> Result<Lock, Breach> {
        if op.given != Given::Ok {
            return Err(Breach::WrongReason);
        }
        match op.holder {
            None => self.seen_free(&mut state, op)?,
            Some(_) => self.seen_held(&mut state, op)?,
        }
        Ok(state)
    }

    /// The answer says that nobody holds the lock.
    fn seen_free(&self, state: &mut Lock, op: &LockOp) -> Result<(), Breach> {
        let Some(grant) = &mut state.grant else { return Ok(()) };
        if !grant.term.may_have_lapsed(op) {
            return Err(Breach::FreeWhileHeld);
        }
        grant.term = grant.term.seen_lapsed(op, grant.bound == Same::No);
        Ok(())
    }

    /// The answer says that the lock is held, by whom, and perhaps by which token.
    fn seen_held(&self, state: &mut Lock, op: &LockOp) -> Result<(), Breach> {
        let Some(grant) = &mut state.grant else { return Err(Breach::HeldByNobody) };
        match op.holder {
            Some(holder) if holder == grant.holder => {}
            Some(_) => return Err(Breach::WrongHolder),
            None if self.rules.tokens == Tokens::None => {}
            None => return Err(Breach::Malformed),
        }
        if op.token != Token::Absent {
            state.floor = grant.learn(op.token, state.floor, &self.rules)?;
        }
        if !grant.term.may_be_live(op) {
            return Err(Breach::Late);
        }
        grant.promised(op, &self.rules)?;
        grant.term = grant.term.seen_live(op);
        Ok(())
    }
}

impl Grant {
    fn is_token(&self, token: Token) -> Same {
        match self.token {
            None | Some(Token::Absent) => Same::Maybe,
            Some(known) if known == token => Same::Yes,
            Some(_) => Same::No,
        }
    }

    /// The answer names this grant's token. Gives the new floor.
    fn learn(&mut self, token: Token, floor: u64, rules: &Rules) -> Result<u64, Breach> {
        match self.is_token(token) {
            Same::Yes => Ok(floor),
            Same::No => Err(Breach::WrongToken),
            Same::Maybe => {
                self.token = Some(token);
                match (rules.tokens, token) {
                    (Tokens::Ordered, Token::Number(number)) if number >= floor => Ok(number),
                    (Tokens::Ordered, Token::Number(_)) => Err(Breach::TokenBack),
                    (Tokens::Ordered, _) => Err(Breach::Malformed),
                    _ => Ok(floor),
                }
            }
        }
    }

    /// The remaining time that the answer names is not shorter than what was promised.
    fn promised(&self, op: &LockOp, rules: &Rules) -> Result<(), Breach> {
        let Some(left_us) = op.expires_in_us.filter(|_| self.bound == Same::No && rules.ttl_ends) else {
            return Ok(());
        };
        let ends = op.end_us.saturating_add(left_us).saturating_add(rules.grain_us);
        if ends < self.term.earliest { Err(Breach::ShorterExpiry) } else { Ok(()) }
    }

    /// Whether holder and proof of a renew or release name this grant.
    fn shown_by(&self, holder: Id, token: Token, claim: Option<Id>) -> Same {
        if holder != self.holder {
            return Same::No;
        }
        shown(self.token, self.claim, token, claim)
    }
}

/// Whether a proof (the token, or else the claim) names the grant with this token and claim.
fn shown(known: Option<Token>, known_claim: Option<Id>, token: Token, claim: Option<Id>) -> Same {
    match (token, claim) {
        (Token::Absent, Some(claim)) if known_claim == Some(claim) => Same::Yes,
        (Token::Absent, Some(_)) => Same::No,
        (Token::Absent, None) => Same::Maybe,
        (token, claim) => match known {
            Some(known) if known != token => Same::No,
            // Token and claim were both shown and speak of different grants: either answer can be defended.
            _ if claim.is_some() && claim != known_claim => Same::Maybe,
            Some(_) => Same::Yes,
            None => Same::Maybe,
        },
    }
}

impl Released {
    fn shown_by(&self, holder: Id, token: Token, claim: Option<Id>) -> Same {
        if holder != self.holder {
            return Same::No;
        }
        shown(self.token, self.claim, token, claim)
    }
}

/// Whether so much time has passed since `since_us` that the target may have forgotten.
fn forgotten(since_us: u64, op: &LockOp, rules: &Rules) -> bool {
    rules.memory_us != NEVER && op.end_us >= since_us.saturating_add(rules.memory_us)
}
