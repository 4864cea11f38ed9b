//! The locks of a ledger.

use fencehold_model::lock::{self, Already, Command, Decision, Grant, Liveness, Sighting};
use fencehold_model::{Event, LockName, State, TimeMs};

use super::{Answer, Ledger, LockView, PROBES_MAX, Verdict, check_reason, check_ttl};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Committed, Journal, Seen};

impl<J: Journal, H: Host> Ledger<J, H> {
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
                _ => return self.answer(command, sighting, &committed),
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
        committed: &Committed<Decision>,
    ) -> Result<Answer> {
        let revision = committed.revision;
        let verdict = match &committed.outcome {
            Ok(Event::LockGranted { expires_ms, bound, .. }) => {
                let watched =
                    bound.as_ref().is_some_and(|process| self.host.liveness(process) != Liveness::Unknowable);
                Verdict::Granted { token: revision, expires_ms: (!watched).then_some(*expires_ms) }
            }
            Ok(Event::LockRenewed { token, expires_ms, .. }) => {
                let alive =
                    sighting.is_some_and(|seen| seen.token == *token && seen.liveness == Liveness::Alive);
                Verdict::Granted { token: *token, expires_ms: (!alive).then_some(*expires_ms) }
            }
            Ok(Event::LockReleased { token, .. }) => Verdict::Released { token: *token, already: false },
            Ok(Event::LockBroken { token, .. }) => Verdict::Broken { token: *token },
            Ok(event) => panic!("deciding {command:?} recorded {event:?}"),
            Err(Decision::Already(Already::Granted { token, expires_ms })) => {
                Verdict::Granted { token: *token, expires_ms: *expires_ms }
            }
            Err(Decision::Already(Already::Released { token })) => {
                Verdict::Released { token: *token, already: true }
            }
            Err(Decision::Refuse(refusal)) => Verdict::Refused(refusal.clone()),
            Err(Decision::Record(_) | Decision::Probe(..)) => panic!("{command:?} was not answered"),
        };
        self.answered(committed, verdict)
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
    match command {
        Command::Acquire { ttl_ms, .. } | Command::Renew { ttl_ms: Some(ttl_ms), .. } => check_ttl(*ttl_ms),
        Command::Break { reason, .. } => check_reason(reason),
        Command::Renew { ttl_ms: None, .. } | Command::Release { .. } => Ok(()),
    }
}
