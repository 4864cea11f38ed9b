//! The lock machine: an exclusive right on a name.
//!
//! ```text
//!            granted                    released, broken
//!   free ──────────────► held ──────────────────────────► free
//!                         │  ▲
//!                  renewed└──┘          now ≥ expiry, or its process proven dead
//!                        held ─────────────────────────► lapsed ── granted ──► held, new token
//! ```
//!
//! Invariants:
//! - at most one grant of a name is live at any journal time;
//! - the token of a grant is the revision of its event, so tokens of all names strictly grow;
//! - an expiry never moves to an earlier time;
//! - a *timed* grant lapses at `now ≥ expiry`, its holder alive or not; a *bound* one has no expiry while its process
//!   is not proven dead, and where that cannot be found out from here, its TTL counts;
//! - a lapsed grant is nobody's: renew and release of it are refused, its own claim gets a new token.

mod decide;

pub use decide::{decide, standing};

use alloc::string::String;

use crate::event::{Evidence, Process};
use crate::id::BootId;
use crate::{Claim, Holder, LockName, TimeMs, Token};

/// The shortest TTL that can be asked for, in milliseconds.
pub const TTL_MS_MIN: u64 = 1;
/// The longest TTL that can be asked for, in milliseconds: 366 days.
pub const TTL_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;
/// The TTL of a lock where none is asked for, in milliseconds: 5 minutes.
pub const TTL_MS_DEFAULT: u64 = 5 * 60 * 1000;

/// All that is remembered of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The last grant that was neither released nor broken; it may have lapsed.
    pub grant: Option<Grant>,
    /// The last release, so that repeating it after an indefinite answer is ok.
    pub released: Option<Released>,
    /// The last grant that was ended by hand: older tokens than its stay stale.
    pub broken: Option<Broken>,
}

impl Lock {
    /// Whether its grant is bound to a process of this boot.
    #[must_use]
    pub fn is_bound_to(&self, boot: &BootId) -> bool {
        let bound = self.grant.as_ref().and_then(|grant| grant.bound.as_ref());
        bound.is_some_and(|process| process.boot == *boot)
    }

    /// The newest token that is remembered of this name.
    #[must_use]
    pub fn newest_token(&self) -> Option<Token> {
        let granted = self.grant.as_ref().map(|grant| grant.token);
        let ended = self.released.as_ref().map(|released| released.token);
        granted.max(ended).max(self.broken.as_ref().map(|broken| broken.token))
    }
}

/// One grant of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its fencing token.
    pub token: Token,
    /// To whom.
    pub holder: Holder,
    /// The claim it answers to.
    pub claim: Option<Claim>,
    /// When it was granted.
    pub since_ms: TimeMs,
    /// The duration last asked for.
    pub ttl_ms: u64,
    /// When it lapses.
    pub expires_ms: TimeMs,
    /// The process it is bound to.
    pub bound: Option<Process>,
    /// Pid and host of who asked, for people.
    pub asked_by: Option<(u64, String)>,
}

/// The last release of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Who gave it up.
    pub holder: Holder,
    /// By which claim it had been granted.
    pub claim: Option<Claim>,
    /// The token that ended.
    pub token: Token,
    /// When.
    pub at_ms: TimeMs,
}

/// The last grant of a name that was ended by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The token that ended.
    pub token: Token,
    /// When.
    pub at_ms: TimeMs,
}

/// What can be asked of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Grant it to `holder`, or keep it granted to the same holder and claim.
    Acquire {
        /// The lock.
        name: LockName,
        /// For whom.
        holder: Holder,
        /// The claim; without one, asking again is refused.
        claim: Option<Claim>,
        /// For how long, [`TTL_MS_MIN`] to [`TTL_MS_MAX`].
        ttl_ms: u64,
        /// The process to bind it to.
        bound: Option<Process>,
        /// Pid and host of who asks, for people.
        asked_by: Option<(u64, String)>,
    },
    /// Move the expiry of an unexpired grant.
    Renew {
        /// The lock.
        name: LockName,
        /// Whose grant.
        holder: Holder,
        /// Which grant.
        proof: Proof,
        /// For how long from now; the last duration where left out.
        ttl_ms: Option<u64>,
    },
    /// Give a grant up.
    Release {
        /// The lock.
        name: LockName,
        /// Whose grant.
        holder: Holder,
        /// Which grant.
        proof: Proof,
    },
    /// End another's grant by hand.
    Break {
        /// The lock.
        name: LockName,
        /// Why; blank is refused.
        reason: String,
    },
}

/// How a holder shows which grant it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By the token it was given.
    Token(Token),
    /// By the claim it acquired with.
    Claim(Claim),
}

/// What was found out about the process that a grant is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs, or nothing proves that it does not.
    Alive,
    /// It is proven dead.
    Dead(Evidence),
    /// It cannot be found out from here: another host, or another pid namespace.
    Unknowable,
}

/// A [`Liveness`] and the grant it was found out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The token of the grant.
    pub token: Token,
    /// What was found.
    pub liveness: Liveness,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happens; the journal makes it so.
    Record(crate::Event),
    /// It already is so; nothing needs to be recorded.
    Already(Already),
    /// The rules refuse it; nothing changes.
    Refuse(Refusal),
    /// It depends on whether this process lives: find out, then ask again with a [`Sighting`].
    Probe(Token, Process),
}

/// What already is as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Already {
    /// The grant stands, with this token and an expiry that is not earlier than asked for.
    Granted {
        /// Its token.
        token: Token,
        /// When it lapses; none while it is bound to a process that can be watched.
        expires_ms: Option<TimeMs>,
    },
    /// The grant had been released by this holder.
    Released {
        /// The token that had ended.
        token: Token,
    },
}

/// Why the rules refuse a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another grant is live.
    Held(Grant),
    /// The grant named is not the current one.
    NotHolder,
    /// The grant named has lapsed.
    Expired,
    /// Nobody holds the lock.
    NotFound,
    /// The command needs a reason that is not blank.
    NeedsReason,
}

impl Refusal {
    /// Its word in answers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::Held(_) => "held",
            Refusal::NotHolder => "not_holder",
            Refusal::Expired => "expired",
            Refusal::NotFound => "not_found",
            Refusal::NeedsReason => "needs_reason",
        }
    }
}

impl Command {
    /// The lock that it is about.
    #[must_use]
    pub fn name(&self) -> &LockName {
        match self {
            Command::Acquire { name, .. }
            | Command::Renew { name, .. }
            | Command::Release { name, .. }
            | Command::Break { name, .. } => name,
        }
    }
}
