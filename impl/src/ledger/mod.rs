//! The locks of a workspace: commands in, answers out, over any [`Journal`].
//!
//! What a holder must do, in this order:
//! 1. acquire, and keep the token that it is given;
//! 2. show the token at the resource (a fenced log or document), or to whatever it talks to: that is what protects
//!    when a lock has lapsed unseen;
//! 3. renew before the TTL is over, counted from when it *sent* its request; a third of it is a good time;
//! 4. on `expired` or `not_holder`: stop. The lock is another's;
//! 5. release. After an indefinite answer ask again: acquire with the same claim, renew and release are idempotent.

mod answer;

pub use answer::{Answer, LockView, Verdict};

use std::path::Path;

use fencehold_model::lock::{self, Already, Command, Decision, Grant, Liveness, Refusal, Sighting};
use fencehold_model::{Event, LockName, OpId, State, TimeMs, Token, WorkspaceId};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Committed, Durability, Journal, Seen};

/// How often a command is decided anew because the process that it depends on has changed meanwhile.
const PROBES_MAX: usize = 16;
/// The longest reason that is recorded, in bytes.
pub const REASON_BYTES_MAX: usize = 4096;

/// Where a token that is shown at a resource stands with the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceStanding {
    /// Nothing newer of its lock is known.
    Good,
    /// A newer token of its lock was granted, or its grant ended so long ago that it was forgotten.
    Stale {
        /// The newest token known.
        newest: Token,
    },
    /// No lock of this workspace ever had it.
    NeverGranted,
}

/// The locks of one workspace.
#[derive(Debug)]
pub struct Ledger<J, H> {
    journal: J,
    host: H,
}

impl<J: Journal, H: Host> Ledger<J, H> {
    /// The locks that `journal` records.
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

    /// Decides `command` and records what comes of it.
    ///
    /// # Errors
    /// A command that makes no sense, and all that [`Journal::commit`] gives.
    pub fn submit(&self, asking: &Asking, command: &Command) -> Result<Answer> {
        check(command)?;
        let mut sighting = None;
        for _ in 0..PROBES_MAX {
            // Without an event the answer travels in the Err: it is large, and no error.
            #[allow(clippy::result_large_err)]
            let committed = self.journal.commit(asking, |state, now_ms| {
                match lock::decide(state, command, sighting, now_ms) {
                    Decision::Record(event) => Ok(event),
                    other => Err(other),
                }
            })?;
            match &committed.outcome {
                Err(Decision::Probe(token, process)) => {
                    // Outside of the locked section: looking at a process may take a while.
                    let liveness = self.host.liveness(process);
                    sighting = Some(Sighting { token: *token, liveness });
                }
                _ => return self.answer(command, sighting, committed),
            }
        }
        Err(Error::usage(format!(
            "lock {} changed hands {PROBES_MAX} times while it was looked at",
            command.name()
        )))
    }

    fn answer(
        &self,
        command: &Command,
        sighting: Option<Sighting>,
        committed: Committed<Decision>,
    ) -> Result<Answer> {
        let Committed { revision, at_ms, outcome } = committed;
        let recorded = outcome.is_ok();
        let verdict = match outcome {
            Ok(Event::LockGranted { expires_ms, bound, .. }) => {
                let watched =
                    bound.as_ref().is_some_and(|process| self.host.liveness(process) != Liveness::Unknowable);
                Verdict::Granted { token: revision, expires_ms: (!watched).then_some(expires_ms) }
            }
            Ok(Event::LockRenewed { token, expires_ms, .. }) => {
                let alive =
                    sighting.is_some_and(|seen| seen.token == token && seen.liveness == Liveness::Alive);
                Verdict::Granted { token, expires_ms: (!alive).then_some(expires_ms) }
            }
            Ok(Event::LockReleased { token, .. }) => Verdict::Released { token, already: false },
            Ok(Event::LockBroken { token, .. }) => Verdict::Broken { token },
            Ok(event @ (Event::Boot { .. } | Event::Repaired { .. })) => {
                panic!("deciding {command:?} recorded {event:?}")
            }
            Err(Decision::Already(Already::Granted { token, expires_ms })) => {
                Verdict::Granted { token, expires_ms }
            }
            Err(Decision::Already(Already::Released { token })) => Verdict::Released { token, already: true },
            Err(Decision::Refuse(Refusal::Held(grant))) => Verdict::Refused(Refusal::Held(grant)),
            Err(Decision::Refuse(refusal)) => Verdict::Refused(refusal),
            Err(Decision::Record(_) | Decision::Probe(..)) => panic!("{command:?} was not answered"),
        };
        let now_ms = self.journal.now_ms().map_err(|error| match recorded {
            true => Error::indefinite(
                Path::new("the journal"),
                format!("revision {revision} is recorded, but {error}"),
            ),
            false => error,
        })?;
        Ok(Answer { revision, at_ms, now_ms, durable: self.is_durable(), verdict })
    }

    fn is_durable(&self) -> bool {
        self.journal.durability() == Durability::Durable
    }

    /// Who holds `name`.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn show(&self, name: &LockName) -> Result<Seen<LockView>> {
        let seen = self.journal.read(|state, now_ms| self.view(state, name, now_ms))?;
        Ok(seen)
    }

    /// Every lock that somebody holds.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn list(&self) -> Result<Seen<Vec<LockView>>> {
        self.journal.read(|state, now_ms| {
            let views = state.locks.keys().map(|name| self.view(state, name, now_ms));
            views.filter(|view| view.grant.is_some()).collect()
        })
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
            match lock.and_then(lock::Lock::newest_token) {
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

    fn view(&self, state: &State, name: &LockName, now_ms: TimeMs) -> LockView {
        let grant = state.locks.get(name).and_then(|lock| lock.grant.as_ref());
        let standing = grant.and_then(|grant| self.standing(state, grant, now_ms));
        LockView { name: name.clone(), grant: standing }
    }

    /// The grant, and when it lapses, unless it has.
    fn standing(&self, state: &State, grant: &Grant, now_ms: TimeMs) -> Option<(Grant, Option<TimeMs>)> {
        let sighting = grant
            .bound
            .as_ref()
            .map(|process| Sighting { token: grant.token, liveness: self.host.liveness(process) });
        lock::standing(state, grant, sighting, now_ms).map(|expires_ms| (grant.clone(), expires_ms))
    }
}

/// Refuses a command that makes no sense whatever the state.
pub(crate) fn check(command: &Command) -> Result<()> {
    let ttl_ms = match command {
        Command::Acquire { ttl_ms, .. } => Some(*ttl_ms),
        Command::Renew { ttl_ms, .. } => *ttl_ms,
        Command::Release { .. } => None,
        Command::Break { reason, .. } if reason.len() > REASON_BYTES_MAX => {
            return Err(Error::usage(format!(
                "the reason has {} bytes; the most is {REASON_BYTES_MAX}",
                reason.len()
            )));
        }
        Command::Break { .. } => None,
    };
    match ttl_ms {
        Some(ttl_ms) if !(lock::TTL_MS_MIN..=lock::TTL_MS_MAX).contains(&ttl_ms) => {
            Err(Error::usage(format!(
                "a TTL of {ttl_ms} ms; it must be {} ms to {} ms (366 days)",
                lock::TTL_MS_MIN,
                lock::TTL_MS_MAX
            )))
        }
        _ => Ok(()),
    }
}
