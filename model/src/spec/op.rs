//! An operation on a lock as the oracle sees it: small, and with its interval of time.

use crate::history::{Ask, Bind, Call, Header, History, NEVER, Operation, Outcome, Reason, Token, Tokens};

/// What a target declared, and how finely time can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What tokens it gives.
    pub tokens: Tokens,
    /// Locks lapse once their TTL has passed.
    pub ttl_ends: bool,
    /// Locks end with a process: those acquired with `bind`, or all of them where TTLs do not count.
    pub process_ends: bool,
    /// How long after its end a grant may still be called live.
    pub slack_us: u64,
    /// How finely the target counts time: a grant may lapse earlier by less than this.
    pub grain_us: u64,
    /// How long a release and a lapsed grant are remembered at least.
    pub memory_us: u64,
}

impl Rules {
    /// The rules for a recorded run: TTLs are milliseconds, so time is judged to the millisecond.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self {
            tokens: header.hello.tokens,
            ttl_ends: header.hello.ttl_ends,
            process_ends: header.hello.process_ends,
            slack_us: header.slack_ms.saturating_mul(1000),
            grain_us: 1000,
            memory_us: 10 * 60 * 1_000_000,
        }
    }

    /// The rules where operations are instants of the target's own clock: nothing is given for free.
    #[must_use]
    pub fn exact() -> Self {
        Self {
            tokens: Tokens::Ordered,
            ttl_ends: true,
            process_ends: true,
            slack_us: 0,
            grain_us: 0,
            memory_us: NEVER,
        }
    }
}

/// What an answer said, as far as it bears on a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It was done.
    Ok,
    /// It was refused.
    Refused(Reason),
    /// Nobody knows.
    Info,
}

/// One operation on one lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockOp {
    /// What was asked.
    pub ask: Ask,
    /// When it was sent.
    pub start_us: u64,
    /// When it was answered; for an indefinite one, until when it may have happened.
    pub end_us: u64,
    /// A time at which the process that was asked surely lived.
    pub alive_us: u64,
    /// When that process was known dead, or [`NEVER`].
    pub died_us: u64,
    /// What came of it.
    pub given: Given,
    /// The holder that the answer names.
    pub holder: Option<crate::history::Id>,
    /// The token that the answer names.
    pub token: Token,
    /// The remaining time that the answer names.
    pub expires_in_us: Option<u64>,
    /// Whether the answer says that it had been released before.
    pub already: Option<bool>,
}

impl LockOp {
    /// An operation that was sent and answered at one instant by a process that never dies, `given` its answer;
    /// the fields say the rest.
    #[must_use]
    pub fn at(now_us: u64, ask: Ask, given: Given) -> Self {
        Self {
            ask,
            start_us: now_us,
            end_us: now_us,
            alive_us: NEVER,
            died_us: NEVER,
            given,
            holder: None,
            token: Token::Absent,
            expires_in_us: None,
            already: None,
        }
    }

    /// The operation of a history, if it is one on a lock that may have happened.
    #[must_use]
    pub fn of(history: &History, op: &Operation) -> Option<Self> {
        let Call::Lock(_, ask) = op.call else { return None };
        let (given, answer) = match &op.outcome {
            Outcome::Ok(answer) => (Given::Ok, Some(answer)),
            Outcome::Refused(reason, answer) => (Given::Refused(*reason), Some(answer)),
            Outcome::Info => (Given::Info, None),
            Outcome::Fail => return None,
        };
        let life = history.processes[op.process];
        let mut out = Self::at(op.invoked_us, ask, given);
        out.end_us = op.ended_us;
        // A process that is not known dead may have died at any time after its last answer.
        (out.alive_us, out.died_us) = (life.alive_us, life.died_us);
        if let Some(answer) = answer {
            (out.holder, out.token) = (answer.holder, answer.token);
            (out.expires_in_us, out.already) = (answer.expires_in_us, answer.already);
        }
        Some(out)
    }

    /// Whether it asks for a lock that ends with a process.
    #[must_use]
    pub fn binds(&self, rules: &Rules) -> bool {
        match self.ask {
            Ask::Acquire { bind, .. } => rules.process_ends && (bind != Bind::No || !rules.ttl_ends),
            _ => false,
        }
    }
}
