//! The locks, leases, statuses and proposals of a workspace: commands in, answers out, over any [`Journal`].
//!
//! What a holder must do, in this order:
//! 1. acquire, and keep the token that it is given;
//! 2. show the token at the resource (a fenced log or document), or to whatever it talks to: that is what protects
//!    when a lock has lapsed unseen;
//! 3. renew before the TTL is over, counted from when it *sent* its request; a third of it is a good time;
//! 4. on `expired` or `not_holder`: stop. The lock is another's;
//! 5. release. After an indefinite answer ask again: acquire with the same claim, renew and release are idempotent.

mod answer;
mod leases;
mod locks;
mod policy;
mod proposals;
mod tasks;

pub use answer::{
    Answer, LeaseVerdict, LeaseView, LockView, ProposalVerdict, TaskVerdict, TaskView, Verdict,
};
#[cfg(feature = "cli")]
pub(crate) use leases::check as check_lease;
#[cfg(feature = "cli")]
pub(crate) use locks::check;
#[cfg(feature = "cli")]
pub(crate) use tasks::check as check_task;

use std::path::Path;

use fencehold_model::lock::{self, Lock};
use fencehold_model::{LockName, OpId, Right, Token, WorkspaceId};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Committed, Durability, Journal, Seen};

/// How often a command is decided anew because the process that it depends on has changed meanwhile.
const PROBES_MAX: usize = 16;
/// The longest reason that is recorded, in bytes.
pub const REASON_BYTES_MAX: usize = 4096;

/// Where a token that is shown at a resource stands with the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceStanding {
    /// Nothing newer of its lock or lease is known.
    Good,
    /// A newer token of its lock or lease was granted, its lease was crashed or cleared, or its grant ended so long ago
    /// that it was forgotten.
    Stale {
        /// The newest token known.
        newest: Token,
    },
    /// No lock and no lease of this workspace ever had it.
    NeverGranted,
}

/// The locks, leases, statuses and proposals of one workspace.
#[derive(Debug)]
pub struct Ledger<J, H> {
    journal: J,
    host: H,
}

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Those that `journal` records.
    pub fn new(journal: J, host: H) -> Self {
        Ledger { journal, host }
    }

    /// The journal below.
    pub fn journal(&self) -> &J {
        &self.journal
    }

    /// The machine it runs on.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// Which workspace this is.
    ///
    /// # Errors
    /// As [`Journal::workspace`].
    pub fn workspace(&self) -> Result<WorkspaceId> {
        self.journal.workspace()
    }

    /// A fresh operation id.
    pub fn new_op(&self) -> OpId {
        OpId::new(&format!("{:032x}", self.host.random())).expect("hexadecimal digits are an id")
    }

    /// The answer that a commit comes to, with the time of now to count down from.
    fn answered<A, V>(&self, committed: &Committed<A>, verdict: V) -> Result<Answer<V>> {
        let now_ms = self.journal.now_ms().map_err(|error| match committed.outcome {
            Ok(_) => Error::indefinite(
                Path::new("the journal"),
                format!("revision {} is recorded, but {error}", committed.revision),
            ),
            Err(_) => error,
        })?;
        let (revision, at_ms) = (committed.revision, committed.at_ms);
        Ok(Answer { revision, at_ms, now_ms, durable: self.is_durable(), verdict })
    }

    /// The answer that a look comes to.
    pub(crate) fn told<A, V>(&self, seen: &Seen<A>, verdict: V) -> Result<Answer<V>> {
        let (revision, at_ms) = (seen.revision, seen.at_ms);
        Ok(Answer { revision, at_ms, now_ms: self.journal.now_ms()?, durable: self.is_durable(), verdict })
    }

    fn is_durable(&self) -> bool {
        self.journal.durability() == Durability::Durable
    }

    /// Where a token that is shown at a resource stands, and the one name of what it was granted for: a lease by its
    /// canonical id.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn right_standing(&self, right: &Right, shown: Token) -> Result<(Right, FenceStanding)> {
        match right {
            Right::Lock(name) => Ok((right.clone(), self.fence_standing(name, shown)?)),
            Right::Lease(lease) => {
                let (id, standing) = self.lease_fence_standing(lease, shown)?;
                Ok((Right::Lease(id), standing))
            }
        }
    }

    /// Where a token that is shown at a resource stands. The resource's own mark decides; this adds what the mark
    /// cannot know, because the newer token was never shown there.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn fence_standing(&self, name: &LockName, shown: Token) -> Result<FenceStanding> {
        let seen = self.journal.read(|state, _| {
            if shown > state.revision {
                return FenceStanding::NeverGranted;
            }
            let lock = state.locks.get(name);
            match lock.and_then(Lock::newest_token) {
                Some(newest) if newest > shown => FenceStanding::Stale { newest },
                _ if lock.and_then(|lock| lock.grant.as_ref()).is_some_and(|grant| grant.token == shown) => {
                    FenceStanding::Good
                }
                // No grant has it and nothing newer is remembered; what was broken or forgotten may be newer.
                _ if shown <= state.forgotten => FenceStanding::Stale { newest: state.forgotten },
                _ => FenceStanding::Good,
            }
        })?;
        Ok(seen.value)
    }
}

/// Refuses a TTL that makes no sense.
fn check_ttl(ttl_ms: u64) -> Result<()> {
    if (lock::TTL_MS_MIN..=lock::TTL_MS_MAX).contains(&ttl_ms) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "a TTL of {ttl_ms} ms; it must be {} ms to {} ms (366 days)",
        lock::TTL_MS_MIN,
        lock::TTL_MS_MAX
    )))
}

/// Refuses a reason that is too long to be recorded.
fn check_reason(reason: &str) -> Result<()> {
    if reason.len() <= REASON_BYTES_MAX {
        return Ok(());
    }
    Err(Error::usage(format!("the reason has {} bytes; the most is {REASON_BYTES_MAX}", reason.len())))
}
