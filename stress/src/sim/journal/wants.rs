//! What clients want, and how it is decided: rightly, or by who takes a holder's name for its claim.

use fencehold_model::lock::{self, Already, Command, Decision};
use fencehold_model::{State, TimeMs};

use super::call::Decided;
use super::defect::Defect;
use super::judge::{self, Answered};

/// How long a lock is granted for.
pub(super) const TTL_MS: u64 = 250;

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Asks for the lock, under a claim of its own.
    Acquire,
    /// Gives up what it was granted last; reads, if that was nothing.
    Release,
    /// Renews what it was granted last; reads, if that was nothing.
    Renew,
    /// Looks who holds what.
    Read,
    /// Asks again, under the same operation id, for what another client asked for last; reads, if that was nothing.
    Again,
}

/// What the clients of a scenario do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// So many operations each, drawn among the first so many kinds of [`Want`].
    Drawn {
        /// Operations of each client.
        each: usize,
        /// Kinds.
        kinds: usize,
    },
    /// These.
    Given(&'static [&'static [Want]]),
}

/// The kinds in the order in which they are drawn from.
pub(super) const WANTS: [Want; 5] = [Want::Acquire, Want::Release, Want::Read, Want::Renew, Want::Again];

/// How a command is decided; without one, a look at who holds what.
pub(super) fn decision(
    command: Option<&Command>,
    defect: Option<Defect>,
) -> impl FnMut(&State, TimeMs) -> Decided<Answered> + use<'_> {
    move |state, now_ms| {
        judge::decided(state, command, now_ms, |state, command, now_ms| {
            if defect == Some(Defect::HolderIsClaim) {
                by_holder(state, command, now_ms)
            } else {
                right(state, command, now_ms)
            }
        })
    }
}

pub(super) fn right(state: &State, command: &Command, now_ms: TimeMs) -> Decision {
    lock::decide(state, command, None, now_ms)
}

/// The wrong decision of who takes a holder's name for its claim.
fn by_holder(state: &State, command: &Command, now_ms: TimeMs) -> Decision {
    if let Command::Acquire { name, holder, .. } = command
        && let Some(grant) = state.locks.get(name).and_then(|lock| lock.grant.as_ref())
        && grant.holder == *holder
        && now_ms < grant.expires_ms
    {
        return Decision::Already(Already::Granted {
            token: grant.token,
            expires_ms: Some(grant.expires_ms),
        });
    }
    right(state, command, now_ms)
}
