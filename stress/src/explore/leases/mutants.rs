//! Deliberately wrong lease machines: each must be caught, or the search is blind.

use fencehold_model::event::Evidence;
use fencehold_model::lease::{
    self, Already, Cause, Command, Crash, Decision, Lease, LeaseEvent, Proof, Refusal,
};
use fencehold_model::lock::{Liveness, Sighting};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Entry, Event, LeaseId, Pattern, State, TimeMs};

use super::kinds::LeaseMutant;
use super::subject::LeaseSubject;

/// The state without what does not `stay` in the index.
fn thinned(state: &State, stays: impl Fn(&Pattern) -> bool) -> State {
    let mut thin = state.clone();
    for (pattern, id) in state.writes.iter().filter(|(pattern, _)| !stays(pattern)) {
        thin.writes.remove(pattern, id);
    }
    thin
}

fn lies_below(entry: &Pattern, above: &Pattern) -> bool {
    entry.prefix().strip_prefix(&above.prefix()).is_some_and(|rest| rest.starts_with('/'))
}

/// The state without the lease of the command.
fn without(state: &State, command: &Command) -> State {
    let id = state.policy.lease(command.lease());
    let mut state = state.clone();
    if let Some(lease) = state.leases.remove(&id) {
        lease.writes.iter().for_each(|pattern| state.writes.remove(pattern, &id));
    }
    state
}

/// The state with another look of the command's lease.
fn with(state: &State, command: &Command, change: impl FnOnce(&mut Lease)) -> State {
    let mut state = state.clone();
    if let Some(lease) = state.leases.get_mut(&state.policy.lease(command.lease())) {
        change(lease);
    }
    state
}

fn seen_as(seen: &[Sighting], change: impl Fn(Liveness) -> Liveness) -> Vec<Sighting> {
    seen.iter().map(|sighting| Sighting { liveness: change(sighting.liveness), ..*sighting }).collect()
}

impl LeaseMutant {
    /// Which entries of open leases a grant of `writes` is compared with.
    fn compares(self, writes: &[Pattern], entry: &Pattern) -> bool {
        match self {
            LeaseMutant::OverlapIgnored => false,
            LeaseMutant::OverlapUpwards => writes
                .iter()
                .any(|new| new == entry || lies_below(new, entry) || new.is_glob() || entry.is_glob()),
            LeaseMutant::OverlapDownwards => writes
                .iter()
                .any(|new| new == entry || lies_below(entry, new) || new.is_glob() || entry.is_glob()),
            LeaseMutant::PrefixIgnored => {
                writes.iter().any(|new| new == entry || new.is_glob() || entry.is_glob())
            }
            LeaseMutant::GlobIgnored => {
                writes.iter().any(|new| new == entry || !(new.is_glob() || entry.is_glob()))
            }
            _ => true,
        }
    }

    /// What is decided on: the state, the command and the sightings as this machine takes them.
    fn distorted(
        self,
        state: &State,
        command: &Command,
        seen: &[Sighting],
    ) -> (State, Command, Vec<Sighting>) {
        let (mut state, mut command, mut seen) = (state.clone(), command.clone(), seen.to_vec());
        match (self, &mut command) {
            (LeaseMutant::GrantedTwice, Command::Grant { .. }) => state = without(&state, &command),
            (_, Command::Grant { writes, .. }) => {
                let writes = writes.clone();
                state = thinned(&state, |entry| self.compares(&writes, entry));
            }
            (LeaseMutant::CloseByAnybody, Command::Close { lease, proof: Proof::Holder(holder) }) => {
                if let Some(open) = state.leases.get(&state.policy.lease(lease)) {
                    *holder = open.holder.clone();
                }
            }
            (LeaseMutant::EndedCrashed, Command::Crash { .. }) => {
                state = with(&state, &command, |lease| {
                    lease.end = lease.end.take_if(|end| matches!(end.how, lease::How::Cleared(_)));
                });
            }
            (LeaseMutant::CrashStale, Command::Crash { token, .. }) => *token = None,
            (LeaseMutant::BlankCrash, Command::Crash { reason, .. }) => reason.push_str("why"),
            (LeaseMutant::ClearUnforced, Command::Clear { force, reason, .. }) if !*force => {
                (*force, *reason) = (true, Some("why".to_owned()));
            }
            (LeaseMutant::BlankForce, Command::Clear { reason, .. }) => {
                *reason = Some("why".to_owned());
            }
            (LeaseMutant::ClearedTwice, Command::Clear { .. }) => {
                state = with(&state, &command, |lease| {
                    if let Some(end) = &mut lease.end {
                        end.how = lease::How::Closed;
                    }
                });
            }
            (LeaseMutant::ReapsAnyGrant, Command::Reap { lease, token }) => {
                if let Some(open) = state.leases.get(&state.policy.lease(lease)) {
                    *token = open.token;
                }
            }
            _ => {}
        }
        match self {
            LeaseMutant::IdAsItStands => state.policy.lease_ids = IdForm::Text,
            LeaseMutant::AdviceRefuses => state.policy.overlap = Overlap::Refuse,
            LeaseMutant::LiveCrashed => state.policy.overlap = Overlap::Advise,
            LeaseMutant::BootIgnored => state.ended_boots.clear(),
            LeaseMutant::TtlEndsLive => {
                seen = seen_as(&seen, |liveness| match liveness {
                    Liveness::Alive => Liveness::Unknowable,
                    other => other,
                });
            }
            LeaseMutant::UnseenIsDead => {
                seen = seen_as(&seen, |liveness| match liveness {
                    Liveness::Unknowable => Liveness::Dead(Evidence::NoSuchProcess),
                    other => other,
                });
            }
            LeaseMutant::UnseenForEver => {
                seen = seen_as(&seen, |liveness| match liveness {
                    Liveness::Unknowable => Liveness::Alive,
                    other => other,
                });
            }
            LeaseMutant::PidOnly => {
                seen = seen_as(&seen, |liveness| match liveness {
                    Liveness::Dead(Evidence::OtherStartTime) => Liveness::Alive,
                    other => other,
                });
            }
            _ => {}
        }
        (state, command, seen)
    }

    /// Turns a right decision into the wrong one.
    fn falsify(self, state: &State, command: &Command, right: Decision) -> Decision {
        let id = state.policy.lease(command.lease());
        let last = state.leases.get(&id);
        let crashed = |lease: &Lease| {
            let crash = Crash { lease: id.clone(), token: lease.token, cause: Cause::TtlPassed };
            Decision::Record(Event::Lease(LeaseEvent::Crashed(crash)))
        };
        match (self, command, right) {
            (
                LeaseMutant::Renewed,
                Command::Grant { holder, .. },
                Decision::Refuse(Refusal::AlreadyOpen(party)),
            ) if party.holder == *holder => {
                lease::decide(&without(state, command), command, &[], state.time_ms)
            }
            (LeaseMutant::EndIsFinal, Command::Grant { .. }, Decision::Record(_))
                if last.is_some_and(|lease| !lease.is_open()) =>
            {
                Decision::Refuse(Refusal::NotFound)
            }
            (
                LeaseMutant::AdviceSilent
                | LeaseMutant::LapsedStays
                | LeaseMutant::LapsedInTheWay
                | LeaseMutant::LiveCrashed,
                _,
                Decision::Record(Event::Lease(LeaseEvent::Granted(mut granted))),
            ) => {
                match self {
                    LeaseMutant::AdviceSilent => granted.beside.clear(),
                    LeaseMutant::LapsedStays => granted.over.clear(),
                    LeaseMutant::LiveCrashed => {
                        for id in std::mem::take(&mut granted.beside) {
                            let token = state.leases[&id].token;
                            granted.over.push(Crash { lease: id, token, cause: Cause::TtlPassed });
                        }
                    }
                    _ => {
                        let others = granted.over.iter().filter(|crash| crash.lease != id);
                        let parties: Vec<_> =
                            others.map(|crash| state.leases[&crash.lease].party(&crash.lease)).collect();
                        if !parties.is_empty() {
                            return Decision::Refuse(Refusal::Overlap(parties));
                        }
                    }
                }
                Decision::Record(Event::Lease(LeaseEvent::Granted(granted)))
            }
            (LeaseMutant::ReapsLive, Command::Reap { token, .. }, Decision::Already(Already::Standing)) => {
                match last.filter(|lease| lease.is_open() && lease.token == *token) {
                    Some(lease) => crashed(lease),
                    None => Decision::Already(Already::Standing),
                }
            }
            (
                LeaseMutant::CloseUnproven,
                Command::Close { .. },
                Decision::Refuse(Refusal::NotHolder(party)),
            ) => Decision::Record(Event::Lease(LeaseEvent::Closed { lease: id, token: party.token })),
            (LeaseMutant::RepeatRefused, _, Decision::Already(Already::Closed { .. })) => {
                Decision::Refuse(Refusal::NotFound)
            }
            (
                LeaseMutant::RepeatRecorded,
                Command::Close { .. },
                Decision::Refuse(Refusal::NotOpen(party, lease::How::Closed)),
            ) => Decision::Record(Event::Lease(LeaseEvent::Closed { lease: id, token: party.token })),
            (_, _, right) => right,
        }
    }
}

impl LeaseSubject for LeaseMutant {
    fn decide(&self, state: &State, command: &Command, seen: &[Sighting], now_ms: TimeMs) -> Decision {
        let (distorted, asked, seen) = self.distorted(state, command, seen);
        match (self, &asked) {
            (LeaseMutant::LapsesLate, _) => return lease::decide(&distorted, &asked, &seen, now_ms - 1),
            (LeaseMutant::LapsedNotClosed, Command::Close { lease, .. }) => {
                let id = state.policy.lease(lease);
                let lapsed = state.leases.get(&id).filter(|lease| lease.is_open());
                if let Some(lease) = lapsed.filter(|lease| {
                    lease.bound.is_none() && lease.expires_ms().is_some_and(|expires_ms| now_ms >= expires_ms)
                }) {
                    return Decision::Refuse(Refusal::NotHolder(lease.party(&id)));
                }
            }
            (LeaseMutant::IdTrimmed, _) => {
                let trimmed = asked.lease().as_str().trim_end_matches('0').to_owned();
                if let Ok(id) = LeaseId::new(&trimmed) {
                    return lease::decide(&distorted, &named(asked, id), &seen, now_ms);
                }
            }
            _ => {}
        }
        let right = lease::decide(&distorted, &asked, &seen, now_ms);
        self.falsify(&distorted, command, right)
    }

    fn apply(&self, state: &mut State, entry: &Entry) {
        let before = state.clone();
        state.apply(entry);
        let Event::Lease(event) = &entry.event else { return };
        let Some(old) = before.leases.get(event.lease()).cloned() else {
            return self.lose(state, event);
        };
        let id = event.lease().clone();
        match (self, event) {
            (LeaseMutant::TokenReused, LeaseEvent::Granted(_)) => {
                if let Some(lease) = state.leases.get_mut(&id) {
                    lease.token = old.token;
                }
            }
            (LeaseMutant::IndexKeepsClosed, LeaseEvent::Closed { .. })
            | (LeaseMutant::IndexKeepsCrashed, LeaseEvent::Crashed(_)) => {
                old.writes.iter().for_each(|pattern| state.writes.insert(pattern, id.clone()));
            }
            _ => self.lose(state, event),
        }
    }

    fn forget(&self, state: &mut State, now_ms: TimeMs) -> Vec<(LeaseId, Lease)> {
        match self {
            LeaseMutant::ForgetsEarly => state.forget(now_ms + REMEMBER_MS),
            LeaseMutant::ForgetsCrashed => {
                let crashed = |lease: &Lease| lease.word() == "crashed";
                let mut gone = state.forget(now_ms);
                gone.extend(state.leases.extract_if(.., |_, lease| crashed(lease)));
                gone
            }
            LeaseMutant::ForgetsSilently => {
                state.forget(now_ms);
                Vec::new()
            }
            _ => state.forget(now_ms),
        }
    }
}

impl LeaseMutant {
    fn lose(self, state: &mut State, event: &LeaseEvent) {
        if let (LeaseMutant::IndexLacksGranted, LeaseEvent::Granted(granted)) = (self, event) {
            granted.writes.iter().for_each(|pattern| state.writes.remove(pattern, &granted.lease));
        }
    }
}

/// The command under another id.
fn named(mut command: Command, id: LeaseId) -> Command {
    match &mut command {
        Command::Grant { lease, .. }
        | Command::Close { lease, .. }
        | Command::Crash { lease, .. }
        | Command::Clear { lease, .. }
        | Command::Reap { lease, .. } => *lease = id,
    }
    command
}
