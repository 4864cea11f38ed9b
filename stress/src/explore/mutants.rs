//! Deliberately wrong machines: each must be caught, or the search is blind.

use fencehold_model::lock::{self, Already, Command, Decision, Proof, Refusal, Sighting};
use fencehold_model::{Entry, Event, State, TimeMs};

use super::subject::Subject;

/// One wrong machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A grant lapses one instant after its expiry (`>` for `>=`).
    LapsesLate,
    /// An acquire by the same holder keeps the grant whatever its claim.
    ClaimIgnored,
    /// An acquire with the same claim keeps the grant whoever asks.
    HolderIgnored,
    /// A release shows nothing.
    ReleaseUnproven,
    /// A renew shows nothing.
    RenewUnproven,
    /// A renew sets the expiry, to an earlier instant too.
    RenewShortens,
    /// A renew of a lapsed grant is done.
    LapsedRenewed,
    /// A release of a lapsed grant is done.
    LapsedReleased,
    /// A lapsed grant's own claim gets its old token.
    LapsedKept,
    /// A new grant takes over the token of the grant before it.
    TokenReused,
    /// A repeated release is refused.
    RepeatRefused,
    /// A break needs no reason.
    BlankBreak,
    /// A break of a lapsed grant is done.
    LapsedBroken,
    /// A bound grant lapses by its TTL while its process lives.
    BoundByTtl,
    /// A process that cannot be seen counts as dead.
    UnseenIsDead,
    /// An earlier boot's process counts as alive.
    BootIgnored,
    /// A rotation forgets what is younger than the memory.
    ForgetsEarly,
    /// A rotation forgets a bound grant.
    ForgetsBound,
    /// A broken grant's token is not remembered.
    BreakForgotten,
    /// A release ends the grant of another name as well.
    ReleasesAll,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 20] = [
        Mutant::LapsesLate,
        Mutant::ClaimIgnored,
        Mutant::HolderIgnored,
        Mutant::ReleaseUnproven,
        Mutant::RenewUnproven,
        Mutant::RenewShortens,
        Mutant::LapsedRenewed,
        Mutant::LapsedReleased,
        Mutant::LapsedKept,
        Mutant::TokenReused,
        Mutant::RepeatRefused,
        Mutant::BlankBreak,
        Mutant::LapsedBroken,
        Mutant::BoundByTtl,
        Mutant::UnseenIsDead,
        Mutant::BootIgnored,
        Mutant::ForgetsEarly,
        Mutant::ForgetsBound,
        Mutant::BreakForgotten,
        Mutant::ReleasesAll,
    ];
}

/// The command as it would be by the current grant's own holder, claim and token.
fn disguised(state: &State, command: &Command, whom: bool, proof: bool) -> Command {
    let mut command = command.clone();
    let Some(grant) = state.locks.get(command.name()).and_then(|lock| lock.grant.as_ref()) else {
        return command;
    };
    match &mut command {
        Command::Acquire { holder, claim, .. } => {
            if whom && claim.is_some() && *claim == grant.claim {
                *holder = grant.holder.clone();
            }
            if proof && *holder == grant.holder {
                claim.clone_from(&grant.claim);
            }
        }
        Command::Renew { proof: shown, .. } | Command::Release { proof: shown, .. } if proof => {
            *shown = Proof::Token(grant.token);
        }
        _ => {}
    }
    command
}

/// The state as it was when the grant of `command` was still live.
fn unlapsed(state: &State, command: &Command) -> State {
    let mut state = state.clone();
    if let Some(grant) = state.locks.get_mut(command.name()).and_then(|lock| lock.grant.as_mut()) {
        grant.bound = None;
        grant.expires_ms = TimeMs::MAX;
    }
    state
}

impl Mutant {
    /// Turns a right decision into the wrong one.
    fn falsify(
        self,
        state: &State,
        command: &Command,
        right: Decision,
        sighting: Option<Sighting>,
        now_ms: TimeMs,
    ) -> Decision {
        let grant = state.locks.get(command.name()).and_then(|lock| lock.grant.as_ref());
        let unlapsed = || lock::decide(&unlapsed(state, command), command, sighting, now_ms);
        match (self, command) {
            (Mutant::RenewShortens, Command::Renew { name, ttl_ms: Some(ttl_ms), .. }) => match right {
                Decision::Already(Already::Granted { token, .. }) => Decision::Record(Event::LockRenewed {
                    name: name.clone(),
                    token,
                    ttl_ms: *ttl_ms,
                    expires_ms: now_ms + ttl_ms,
                }),
                right => right,
            },
            (Mutant::LapsedRenewed, Command::Renew { name, ttl_ms, .. }) => match (right, grant) {
                (Decision::Refuse(Refusal::Expired), Some(grant)) => Decision::Record(Event::LockRenewed {
                    name: name.clone(),
                    token: grant.token,
                    ttl_ms: ttl_ms.unwrap_or(grant.ttl_ms),
                    expires_ms: now_ms + ttl_ms.unwrap_or(grant.ttl_ms),
                }),
                (right, _) => right,
            },
            (Mutant::LapsedReleased, Command::Release { .. }) => match right {
                Decision::Refuse(Refusal::Expired) => unlapsed(),
                right => right,
            },
            (Mutant::LapsedKept, Command::Acquire { claim: Some(claim), holder, .. }) => match (right, grant)
            {
                (Decision::Record(Event::LockGranted { .. }), Some(grant))
                    if grant.claim.as_ref() == Some(claim) && grant.holder == *holder =>
                {
                    let (token, expires_ms) = (grant.token, Some(grant.expires_ms.max(now_ms)));
                    Decision::Already(Already::Granted { token, expires_ms })
                }
                (right, _) => right,
            },
            (Mutant::RepeatRefused, Command::Release { .. }) => match right {
                Decision::Already(_) => Decision::Refuse(Refusal::NotHolder),
                right => right,
            },
            (Mutant::BlankBreak, Command::Break { name, .. }) => {
                let command = Command::Break { name: name.clone(), reason: "why".into() };
                lock::decide(state, &command, sighting, now_ms)
            }
            (Mutant::LapsedBroken, Command::Break { .. }) => match right {
                Decision::Refuse(Refusal::NotFound) if grant.is_some() => unlapsed(),
                right => right,
            },
            _ => right,
        }
    }
}

impl Subject for Mutant {
    fn decide(
        &self,
        state: &State,
        command: &Command,
        sighting: Option<Sighting>,
        now_ms: TimeMs,
    ) -> Decision {
        let right = lock::decide(state, command, sighting, now_ms);
        let lock = state.locks.get(command.name());
        let grant = lock.and_then(|lock| lock.grant.as_ref());
        let again = |command: &Command| lock::decide(state, command, sighting, now_ms);
        match (self, command) {
            (Mutant::LapsesLate, _) if grant.is_some_and(|grant| grant.expires_ms == now_ms) => {
                lock::decide(state, command, sighting, now_ms - 1)
            }
            (Mutant::ClaimIgnored, Command::Acquire { .. }) => again(&disguised(state, command, false, true)),
            (Mutant::HolderIgnored, Command::Acquire { .. }) => {
                again(&disguised(state, command, true, false))
            }
            (Mutant::ReleaseUnproven, Command::Release { .. })
            | (Mutant::RenewUnproven, Command::Renew { .. }) => {
                again(&disguised(state, command, false, true))
            }
            (Mutant::BoundByTtl, _) => match right {
                Decision::Probe(token, _) => {
                    let seen = Sighting { token, liveness: lock::Liveness::Unknowable };
                    lock::decide(state, command, Some(seen), now_ms)
                }
                right => right,
            },
            (Mutant::UnseenIsDead, _) => match sighting {
                Some(Sighting { token, liveness: lock::Liveness::Unknowable }) => {
                    let evidence = fencehold_model::event::Evidence::NoSuchProcess;
                    let seen = Sighting { token, liveness: lock::Liveness::Dead(evidence) };
                    lock::decide(state, command, Some(seen), now_ms)
                }
                _ => right,
            },
            (Mutant::BootIgnored, _) => {
                let mut forgetful = state.clone();
                forgetful.ended_boots.clear();
                lock::decide(&forgetful, command, sighting, now_ms)
            }
            _ => self.falsify(state, command, right, sighting, now_ms),
        }
    }

    fn apply(&self, state: &mut State, entry: &Entry) {
        let before = state.clone();
        state.apply(entry);
        let Some(name) = entry.event.lock() else { return };
        let old = before.locks.get(name).and_then(|lock| lock.grant.as_ref());
        let Some(lock) = state.locks.get_mut(name) else { return };
        match (self, &entry.event) {
            (Mutant::TokenReused, Event::LockGranted { .. }) => {
                if let (Some(grant), Some(old)) = (&mut lock.grant, old) {
                    grant.token = old.token;
                }
            }
            (Mutant::RenewShortens, Event::LockRenewed { expires_ms, .. }) => {
                if let Some(grant) = &mut lock.grant {
                    grant.expires_ms = *expires_ms;
                }
            }
            (Mutant::BreakForgotten, Event::LockBroken { .. }) => lock.broken = None,
            (Mutant::ReleasesAll, Event::LockReleased { .. }) => {
                state.locks.values_mut().for_each(|lock| lock.grant = None);
            }
            _ => {}
        }
    }

    fn forget(&self, state: &mut State, now_ms: TimeMs) {
        let now_ms = match self {
            Mutant::ForgetsEarly => now_ms + fencehold_model::state::REMEMBER_MS,
            Mutant::ForgetsBound => {
                let grants = state.locks.values_mut().filter_map(|lock| lock.grant.as_mut());
                grants.for_each(|grant| grant.bound = None);
                now_ms
            }
            _ => now_ms,
        };
        state.forget(now_ms);
    }
}
