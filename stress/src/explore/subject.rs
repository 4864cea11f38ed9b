//! What is explored: the machine that ships, or a deliberately wrong variant of it.

use fencehold_model::event::Evidence;
use fencehold_model::lock::{self, Command, Decision, Liveness, Sighting};
use fencehold_model::{Entry, State, TimeMs};

/// A lock machine.
pub trait Subject {
    /// As [`lock::decide`].
    fn decide(
        &self,
        state: &State,
        command: &Command,
        sighting: Option<Sighting>,
        now_ms: TimeMs,
    ) -> Decision {
        lock::decide(state, command, sighting, now_ms)
    }

    /// As [`State::apply`].
    fn apply(&self, state: &mut State, entry: &Entry) {
        state.apply(entry);
    }

    /// As [`State::forget`].
    fn forget(&self, state: &mut State, now_ms: TimeMs) {
        state.forget(now_ms);
    }
}

/// The machine that ships.
#[derive(Debug, Clone, Copy)]
pub struct Shipped;

impl Subject for Shipped {}

/// What became of the process that a grant is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The grant is bound to none.
    Timed,
    /// It lives.
    Alive,
    /// It is proven dead.
    Dead,
    /// It cannot be seen from here.
    Unknowable,
    /// Its boot is over.
    BootEnded,
}

impl Fate {
    /// What a look at the process finds.
    #[must_use]
    pub fn liveness(self) -> Liveness {
        match self {
            Fate::Timed | Fate::Unknowable | Fate::BootEnded => Liveness::Unknowable,
            Fate::Alive => Liveness::Alive,
            Fate::Dead => Liveness::Dead(Evidence::Exited),
        }
    }

    /// Whether a grant of this fate with that much time left is live. Written here once more, on its own.
    #[must_use]
    pub fn is_live(self, now_ms: TimeMs, expires_ms: TimeMs) -> bool {
        match self {
            Fate::Timed | Fate::Unknowable => now_ms < expires_ms,
            Fate::Alive => true,
            Fate::Dead | Fate::BootEnded => false,
        }
    }
}

/// Decides as a ledger does: where the answer depends on a process, it is looked at and the command decided again.
///
/// # Errors
/// If the second answer still depends on a process.
pub(super) fn decide_looking(
    subject: &impl Subject,
    state: &State,
    command: &Command,
    fate: Fate,
    now_ms: TimeMs,
) -> Result<(Decision, bool), String> {
    match subject.decide(state, command, None, now_ms) {
        Decision::Probe(token, _) => {
            let sighting = Some(Sighting { token, liveness: fate.liveness() });
            match subject.decide(state, command, sighting, now_ms) {
                Decision::Probe(..) => Err("a sighting of the very grant does not settle the probe".into()),
                decision => Ok((decision, fate == Fate::Alive)),
            }
        }
        decision => Ok((decision, false)),
    }
}
