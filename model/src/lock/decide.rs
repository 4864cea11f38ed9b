//! The decisions of the lock machine.

use alloc::string::String;

use super::{Already, Command, Decision, Grant, Liveness, Lock, Proof, Refusal, Sighting};
use crate::event::{Evidence, Process};
use crate::{Claim, Event, Holder, LockName, State, TimeMs};

/// Decides `command` on `state` at `now_ms`. Pure; may be asked any number of times.
///
/// `sighting` is what was found out for an earlier [`Decision::Probe`]; one of another grant is not looked at.
#[must_use]
pub fn decide(state: &State, command: &Command, sighting: Option<Sighting>, now_ms: TimeMs) -> Decision {
    static FREE: Lock = Lock { grant: None, released: None, broken: None };
    let lock = state.locks.get(command.name()).unwrap_or(&FREE);
    let at = Moment { state, sighting, now_ms };
    match command {
        Command::Acquire { name, holder, claim, ttl_ms, bound, asked_by } => {
            at.acquire(lock, Ask { name, holder, claim: claim.as_ref(), ttl_ms: *ttl_ms, bound, asked_by })
        }
        Command::Renew { name, holder, proof, ttl_ms } => at.renew(lock, name, holder, proof, *ttl_ms),
        Command::Release { name, holder, proof } => at.release(lock, name, holder, proof),
        Command::Break { name, reason } => at.end_by_hand(lock, name, reason),
    }
}

/// Whether `grant` is live at `now_ms`, and if so when it lapses (none: not while its process lives). A bound grant
/// without a sighting counts by its TTL.
#[must_use]
pub fn standing(
    state: &State,
    grant: &Grant,
    sighting: Option<Sighting>,
    now_ms: TimeMs,
) -> Option<Option<TimeMs>> {
    match (Moment { state, sighting, now_ms }).standing(grant) {
        Standing::Live { expires_ms } => Some(expires_ms),
        Standing::Lapsed(_) => None,
        Standing::Unseen(_) => (now_ms < grant.expires_ms).then_some(Some(grant.expires_ms)),
    }
}

/// Whether a grant still holds.
enum Standing {
    /// It does; its expiry counts unless it is bound to a process that was seen alive.
    Live {
        expires_ms: Option<TimeMs>,
    },
    Lapsed(Option<Evidence>),
    /// It depends on a process that nobody has looked at.
    Unseen(Process),
}

struct Moment<'a> {
    state: &'a State,
    sighting: Option<Sighting>,
    now_ms: TimeMs,
}

#[derive(Clone, Copy)]
struct Ask<'a> {
    name: &'a LockName,
    holder: &'a Holder,
    claim: Option<&'a Claim>,
    ttl_ms: u64,
    bound: &'a Option<Process>,
    asked_by: &'a Option<(u64, String)>,
}

impl Moment<'_> {
    fn standing(&self, grant: &Grant) -> Standing {
        let by_ttl = if self.now_ms >= grant.expires_ms {
            Standing::Lapsed(None)
        } else {
            Standing::Live { expires_ms: Some(grant.expires_ms) }
        };
        let Some(process) = &grant.bound else { return by_ttl };
        if self.state.ended_boots.contains(&process.boot) {
            return Standing::Lapsed(Some(Evidence::EarlierBoot));
        }
        match self.sighting.filter(|sighting| sighting.token == grant.token).map(|sighting| sighting.liveness)
        {
            Some(Liveness::Alive) => Standing::Live { expires_ms: None },
            Some(Liveness::Dead(evidence)) => Standing::Lapsed(Some(evidence)),
            Some(Liveness::Unknowable) => by_ttl,
            None => Standing::Unseen(process.clone()),
        }
    }

    fn acquire(&self, lock: &Lock, ask: Ask<'_>) -> Decision {
        let Some(grant) = &lock.grant else { return self.grant(ask, None) };
        match self.standing(grant) {
            Standing::Unseen(process) => Decision::Probe(grant.token, process),
            Standing::Lapsed(evidence) => self.grant(ask, evidence),
            Standing::Live { expires_ms } => {
                let same =
                    grant.holder == *ask.holder && grant.claim.as_ref() == ask.claim && ask.claim.is_some();
                if same {
                    self.extend(ask.name, grant, expires_ms, ask.ttl_ms)
                } else {
                    held(grant, expires_ms)
                }
            }
        }
    }

    fn grant(&self, ask: Ask<'_>, over: Option<Evidence>) -> Decision {
        Decision::Record(Event::LockGranted {
            name: ask.name.clone(),
            holder: ask.holder.clone(),
            claim: ask.claim.cloned(),
            ttl_ms: ask.ttl_ms,
            expires_ms: self.now_ms + ask.ttl_ms,
            bound: ask.bound.clone(),
            asked_by: ask.asked_by.clone(),
            over,
        })
    }

    /// Moves the expiry later, or leaves it where it is: never earlier.
    fn extend(&self, name: &LockName, grant: &Grant, expires_ms: Option<TimeMs>, ttl_ms: u64) -> Decision {
        let later_ms = self.now_ms + ttl_ms;
        if later_ms <= grant.expires_ms {
            return Decision::Already(Already::Granted { token: grant.token, expires_ms });
        }
        Decision::Record(Event::LockRenewed {
            name: name.clone(),
            token: grant.token,
            ttl_ms,
            expires_ms: later_ms,
        })
    }

    fn renew(
        &self,
        lock: &Lock,
        name: &LockName,
        holder: &Holder,
        proof: &Proof,
        ttl_ms: Option<u64>,
    ) -> Decision {
        let Some(grant) = lock.grant.as_ref().filter(|grant| shows(grant, holder, proof)) else {
            return Decision::Refuse(Refusal::NotHolder);
        };
        match self.standing_for_holder(grant) {
            Standing::Unseen(process) => Decision::Probe(grant.token, process),
            Standing::Lapsed(_) => Decision::Refuse(Refusal::Expired),
            Standing::Live { expires_ms } => {
                self.extend(name, grant, expires_ms, ttl_ms.unwrap_or(grant.ttl_ms))
            }
        }
    }

    fn release(&self, lock: &Lock, name: &LockName, holder: &Holder, proof: &Proof) -> Decision {
        if let Some(grant) = lock.grant.as_ref().filter(|grant| shows(grant, holder, proof)) {
            return match self.standing_for_holder(grant) {
                Standing::Unseen(process) => Decision::Probe(grant.token, process),
                Standing::Lapsed(_) => Decision::Refuse(Refusal::Expired),
                Standing::Live { .. } => {
                    Decision::Record(Event::LockReleased { name: name.clone(), token: grant.token })
                }
            };
        }
        match &lock.released {
            Some(last) if last.holder == *holder && proves(proof, last.token, last.claim.as_ref()) => {
                Decision::Already(Already::Released { token: last.token })
            }
            _ => Decision::Refuse(Refusal::NotHolder),
        }
    }

    /// A holder that shows its grant in time needs no proof that its own process lives.
    fn standing_for_holder(&self, grant: &Grant) -> Standing {
        match self.standing(grant) {
            Standing::Unseen(_) if self.now_ms < grant.expires_ms => {
                Standing::Live { expires_ms: Some(grant.expires_ms) }
            }
            other => other,
        }
    }

    fn end_by_hand(&self, lock: &Lock, name: &LockName, reason: &str) -> Decision {
        if reason.trim().is_empty() {
            return Decision::Refuse(Refusal::NeedsReason);
        }
        let Some(grant) = &lock.grant else { return Decision::Refuse(Refusal::NotFound) };
        match self.standing(grant) {
            Standing::Unseen(process) => Decision::Probe(grant.token, process),
            Standing::Lapsed(_) => Decision::Refuse(Refusal::NotFound),
            Standing::Live { .. } => Decision::Record(Event::LockBroken {
                name: name.clone(),
                token: grant.token,
                reason: reason.trim().into(),
            }),
        }
    }
}

fn held(grant: &Grant, expires_ms: Option<TimeMs>) -> Decision {
    let mut grant = grant.clone();
    if expires_ms.is_none() {
        grant.expires_ms = TimeMs::MAX;
    }
    Decision::Refuse(Refusal::Held(grant))
}

fn shows(grant: &Grant, holder: &Holder, proof: &Proof) -> bool {
    grant.holder == *holder && proves(proof, grant.token, grant.claim.as_ref())
}

fn proves(proof: &Proof, token: crate::Token, claim: Option<&Claim>) -> bool {
    match proof {
        Proof::Token(shown) => *shown == token,
        Proof::Claim(shown) => Some(shown) == claim,
    }
}
