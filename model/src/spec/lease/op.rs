//! An operation on leases as the oracle sees it: small texts as numbers, and its interval of time.

use alloc::vec::Vec;

/// A lease, in the one form of its id, or a holder: equal names are equal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u32);

/// A write set: its place in the sets that a [`Touch`](super::Touch) was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set(pub u32);

/// What the rules leave to the workspace and the target, and how finely time can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether overlaps are merely told; else they are refused.
    pub advises: bool,
    /// Whether each token is above the ones before.
    pub tokens_grow: bool,
    /// Whether a TTL counts.
    pub ttl_ends: bool,
    /// Whether a process counts.
    pub process_ends: bool,
    /// How long after its end a lease may still be called live.
    pub slack_us: u64,
    /// How finely the target counts time: a lease may lapse earlier by less than this.
    pub grain_us: u64,
    /// How long a lease that was closed or cleared is known at least. Where more than 1,024 ended, whose names are
    /// all different, it may be forgotten earlier: then 0 is right.
    pub memory_us: u64,
}

/// The states of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// At work.
    Open,
    /// Done.
    Closed,
    /// Stopped.
    Crashed,
    /// Put aside by hand.
    Cleared,
}

/// What a lease is asked to be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// To no process.
    No,
    /// To the process that answers, which everybody can watch.
    Process,
    /// To a process whose death nobody can find out.
    Unseen,
    /// To a process of which the history knows nothing.
    Other,
}

/// How a close shows which grant it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By its token.
    Token(u64),
    /// By its holder.
    Holder(Name),
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Grant it.
    Grant {
        /// To whom.
        holder: Name,
        /// Its TTL, if any.
        ttl_us: Option<u64>,
        /// What it writes.
        writes: Set,
        /// Its process.
        bind: Bind,
    },
    /// Its work is done.
    Close(Proof),
    /// Its work stopped.
    Crash {
        /// Which grant, if that was said.
        token: Option<u64>,
        /// Whether the reason is blank.
        blank: bool,
    },
    /// Put it aside.
    Clear {
        /// Even if it is open.
        force: bool,
        /// Whether there is no reason, or a blank one.
        blank: bool,
    },
    /// Make it crashed if it has lapsed.
    Reap {
        /// Which grant.
        token: u64,
    },
    /// Tell of it.
    Show,
    /// Tell of all of the object's leases.
    List {
        /// Only those in this state.
        only: Option<State>,
        /// Whether the answer is the whole list, not a page of it.
        whole: bool,
    },
}

/// Why it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reason {
    AlreadyOpen,
    Overlap,
    NotOpen,
    NotHolder,
    NotFound,
    NeedsReason,
    /// A reason of the target's own.
    Own,
    /// Any other.
    Other,
}

/// A lease that an answer names, with what it says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub lease: Name,
    /// Its state.
    pub state: Option<State>,
    /// Its token.
    pub token: Option<u64>,
    /// Its holder.
    pub holder: Option<Name>,
}

/// What an answer carried, as far as it bears on leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The token of the grant that was made or ended.
    pub token: Option<u64>,
    /// Whether it had been closed before.
    pub already: Option<bool>,
    /// The lapsed leases that a grant crashed, itself included.
    pub crashed: Option<Vec<Name>>,
    /// The leases that it overlaps.
    pub beside: Option<Vec<Name>>,
    /// The state that the lease is in now. None of a reap says that nothing was reaped.
    pub state: Option<State>,
    /// The leases that a refusal, a show or a list names.
    pub named: Vec<Seen>,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It was done.
    Ok(Answer),
    /// It was refused.
    Refused(Reason, Answer),
    /// Nobody knows.
    Info,
}

/// One operation on a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The lease; of a list, any.
    pub lease: Name,
    /// What was asked.
    pub ask: Ask,
    /// When it was sent.
    pub start_us: u64,
    /// When it was answered; of an indefinite one, until when it may have happened.
    pub end_us: u64,
    /// A time at which the process that was asked surely lived.
    pub alive_us: u64,
    /// When that process was known dead, or `u64::MAX`.
    pub died_us: u64,
    /// What came of it.
    pub given: Given,
}

impl Rules {
    /// The rules where operations are instants of the target's own clock: nothing is given for free.
    #[must_use]
    pub fn exact(advises: bool) -> Self {
        Rules {
            advises,
            tokens_grow: true,
            ttl_ends: true,
            process_ends: true,
            slack_us: 0,
            grain_us: 0,
            memory_us: u64::MAX,
        }
    }
}

impl Op {
    /// An operation that was sent and answered at one instant by a process that never dies.
    #[must_use]
    pub fn at(now_us: u64, lease: Name, ask: Ask, given: Given) -> Self {
        let never = u64::MAX;
        Op { lease, ask, start_us: now_us, end_us: now_us, alive_us: never, died_us: never, given }
    }
}
