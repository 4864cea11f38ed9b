//! The leases of a ledger.

use fencehold_model::lease::{
    self, Already, Command, Crash, Decision, End, How, Lease, LeaseEvent, Standing, TEXT_BYTES_MAX,
};
use fencehold_model::lock::Sighting;
use fencehold_model::pattern;
use fencehold_model::{Event, LeaseId, State, TimeMs, Token};

use super::{Answer, FenceStanding, LeaseVerdict, LeaseView, Ledger, PROBES_MAX, check_reason, check_ttl};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Committed, Journal, Seen};

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Decides a command about a lease and records what comes of it.
    ///
    /// # Errors
    /// A command that makes no sense, and all that [`Journal::commit`] gives.
    pub fn lease(&self, asking: &Asking, command: &Command) -> Result<Answer<LeaseVerdict>> {
        check(command)?;
        let mut seen: Vec<Sighting> = Vec::new();
        for _ in 0..PROBES_MAX {
            #[allow(clippy::result_large_err)]
            let committed = self.journal.commit(asking, |state, now_ms| {
                match lease::decide(state, command, &seen, now_ms) {
                    Decision::Record(event) => Ok(event),
                    other => Err(other),
                }
            })?;
            if let Err(Decision::Probe(processes)) = &committed.outcome {
                // Outside of the locked section: looking at a process may take a while.
                seen.extend(processes.iter().map(|(token, process)| Sighting {
                    token: *token,
                    liveness: self.host.liveness(process),
                }));
                continue;
            }
            let verdict = verdict(command, &committed);
            return self.answered(&committed, verdict);
        }
        Err(Error::usage(format!(
            "what stands in the way of lease {} changed {PROBES_MAX} times while it was looked at; nothing was changed",
            command.lease()
        )))
    }

    /// Makes every lapsed lease crashed, and says on what evidence. `ask` gives each event its own operation id.
    ///
    /// # Errors
    /// As [`Ledger::lease`]; what was reaped before the error stays reaped.
    pub fn reap(&self, mut ask: impl FnMut() -> Asking) -> Result<Vec<Crash>> {
        let lapsed: Vec<(LeaseId, Token)> = self
            .leases()?
            .value
            .into_iter()
            .filter(|view| matches!(view.standing, Some(Standing::Lapsed(_))))
            .map(|view| (view.id, view.lease.token))
            .collect();
        let mut reaped = Vec::new();
        for (lease, token) in lapsed {
            match self.lease(&ask(), &Command::Reap { lease, token })?.verdict {
                LeaseVerdict::Crashed(crash) => reaped.push(crash),
                LeaseVerdict::Standing => {}
                other => panic!("a reap came to {other:?}"),
            }
        }
        Ok(reaped)
    }

    /// One lease, under any spelling of its id.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn show_lease(&self, lease: &LeaseId) -> Result<Seen<Option<LeaseView>>> {
        self.journal.read(|state, now_ms| {
            let id = state.policy.lease(lease);
            state.leases.get(&id).map(|lease| self.lease_view(state, &id, lease, now_ms))
        })
    }

    /// Every lease that the state knows: those that are open or crashed, and those that ended a short while ago.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn leases(&self) -> Result<Seen<Vec<LeaseView>>> {
        self.journal.read(|state, now_ms| {
            let views = state.leases.iter();
            views.map(|(id, lease)| self.lease_view(state, id, lease, now_ms)).collect()
        })
    }

    /// Where a lease's token that is shown at a resource stands, as [`Ledger::fence_standing`] for locks, and the
    /// lease's canonical id. What was crashed or cleared by others is stale: a lease that took its paths over may have
    /// another id, so that no newer token of this one need ever come.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn lease_fence_standing(&self, lease: &LeaseId, shown: Token) -> Result<(LeaseId, FenceStanding)> {
        let seen = self.journal.read(|state, _| {
            let id = state.policy.lease(lease);
            let standing = fence_standing(state, state.leases.get(&id), shown);
            (id, standing)
        })?;
        Ok(seen.value)
    }

    fn lease_view(&self, state: &State, id: &LeaseId, lease: &Lease, now_ms: TimeMs) -> LeaseView {
        let standing = lease.is_open().then(|| {
            let seen = lease.bound.as_ref();
            let seen =
                seen.map(|process| Sighting { token: lease.token, liveness: self.host.liveness(process) });
            lease::standing(state, lease, seen.as_slice(), now_ms)
        });
        LeaseView { id: id.clone(), lease: lease.clone(), standing }
    }
}

fn fence_standing(state: &State, lease: Option<&Lease>, shown: Token) -> FenceStanding {
    if shown > state.revision {
        return FenceStanding::NeverGranted;
    }
    match lease {
        Some(lease) if lease.token > shown => FenceStanding::Stale { newest: lease.token },
        Some(lease) if lease.token == shown => match &lease.end {
            Some(End { how: How::Crashed(_) | How::Cleared(_), .. }) => {
                FenceStanding::Stale { newest: lease.token }
            }
            Some(End { how: How::Closed, .. }) | None => FenceStanding::Good,
        },
        // No grant has it and nothing newer is remembered; what was forgotten may be newer.
        _ if shown <= state.forgotten => FenceStanding::Stale { newest: state.forgotten },
        _ => FenceStanding::Good,
    }
}

fn verdict(command: &Command, committed: &Committed<Decision>) -> LeaseVerdict {
    match &committed.outcome {
        Ok(Event::Lease(LeaseEvent::Granted(granted))) => LeaseVerdict::Granted {
            lease: granted.lease.clone(),
            token: committed.revision,
            expires_ms: granted.ttl_ms.map(|ttl_ms| committed.at_ms.saturating_add(ttl_ms)),
            over: granted.over.clone(),
            beside: granted.beside.clone(),
        },
        Ok(Event::Lease(LeaseEvent::Closed { token, .. })) => {
            LeaseVerdict::Closed { token: *token, already: false }
        }
        Ok(Event::Lease(LeaseEvent::Crashed(crash))) => LeaseVerdict::Crashed(crash.clone()),
        Ok(Event::Lease(LeaseEvent::Cleared { token, .. })) => LeaseVerdict::Cleared { token: *token },
        Ok(event) => panic!("deciding {command:?} recorded {event:?}"),
        Err(Decision::Already(Already::Closed { token })) => {
            LeaseVerdict::Closed { token: *token, already: true }
        }
        Err(Decision::Already(Already::Standing)) => LeaseVerdict::Standing,
        Err(Decision::Refuse(refusal)) => LeaseVerdict::Refused(refusal.clone()),
        Err(Decision::Record(_) | Decision::Probe(_)) => panic!("{command:?} was not answered"),
    }
}

/// Refuses a command that makes no sense whatever the state.
pub(crate) fn check(command: &Command) -> Result<()> {
    match command {
        Command::Grant { ttl_ms, writes, about, .. } => {
            ttl_ms.map_or(Ok(()), check_ttl)?;
            pattern::check_set(writes).map_err(|bad| Error::usage(bad.to_string()))?;
            for (what, text) in
                [("worktree", &about.worktree), ("branch", &about.branch), ("agent", &about.agent)]
            {
                check_text(what, text.as_deref())?;
            }
            Ok(())
        }
        Command::Crash { reason, .. } => check_reason(reason),
        Command::Clear { reason, .. } => reason.as_deref().map_or(Ok(()), check_reason),
        Command::Close { .. } | Command::Reap { .. } => Ok(()),
    }
}

fn check_text(what: &str, text: Option<&str>) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    if text.trim().is_empty() {
        return Err(Error::usage(format!("the {what} is blank: give one, or leave it out")));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::usage(format!(
            "the {what} has {} bytes; the most is {TEXT_BYTES_MAX}",
            text.len()
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::usage(format!("the {what} {text:?} holds a control character; leave it out")));
    }
    Ok(())
}
