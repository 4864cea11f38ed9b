//! What is explored: the lease machine that ships, or a deliberately wrong variant of it.

use fencehold_model::event::Evidence;
use fencehold_model::lease::{self, Command, Decision, Lease};
use fencehold_model::lock::{Liveness, Sighting};
use fencehold_model::{Entry, LeaseId, State, TimeMs};

use super::super::subject::{Fate, Shipped};
use super::node::World;

/// A lease machine.
pub trait LeaseSubject {
    /// As [`lease::decide`].
    fn decide(&self, state: &State, command: &Command, seen: &[Sighting], now_ms: TimeMs) -> Decision {
        lease::decide(state, command, seen, now_ms)
    }

    /// As [`State::apply`].
    fn apply(&self, state: &mut State, entry: &Entry) {
        state.apply(entry);
    }

    /// As [`State::forget`].
    fn forget(&self, state: &mut State, now_ms: TimeMs) -> Vec<(LeaseId, Lease)> {
        state.forget(now_ms)
    }
}

impl LeaseSubject for Shipped {}

/// Rounds of looking at processes: the lease's own, then those in its way.
const ROUNDS_MAX: usize = 3;

/// Decides as a ledger does: where the answer depends on processes, they are looked at and the command decided again.
///
/// # Errors
/// If it depends on a process of no open lease, or still on one that was looked at.
pub(super) fn decide_looking(
    subject: &impl LeaseSubject,
    world: &World,
    command: &Command,
    now_ms: TimeMs,
) -> Result<Decision, String> {
    let mut seen: Vec<Sighting> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let processes = match subject.decide(&world.state, command, &seen, now_ms) {
            Decision::Probe(processes) => processes,
            decision => return Ok(decision),
        };
        for (token, _) in processes {
            let fate = world.fate_of(token).ok_or("a process is asked for that no open lease has")?;
            if seen.iter().any(|sighting| sighting.token == token) {
                return Err("a sighting of the very grant does not settle the probe".into());
            }
            seen.push(Sighting { token, liveness: liveness(fate) });
        }
    }
    Err("the processes in the way are asked for one after the other".into())
}

/// What a look at the process finds. A dead one's pid is another's by now.
fn liveness(fate: Fate) -> Liveness {
    match fate {
        Fate::Dead => Liveness::Dead(Evidence::OtherStartTime),
        other => other.liveness(),
    }
}
