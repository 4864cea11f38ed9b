//! The decisions of the lease machine.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{
    Already, Cause, Command, Crash, Decision, Granted, How, Lease, LeaseEvent, OVER_MAX, Proof, Refusal,
};
use crate::event::{Evidence, Process};
use crate::lock::{Liveness, Sighting};
use crate::policy::Overlap;
use crate::{Event, LeaseId, State, TimeMs, Token};

/// Decides `command` on `state` at `now_ms`. Pure; may be asked any number of times.
///
/// `seen` is what was found out for an earlier [`Decision::Probe`]; what is of another grant is not looked at.
#[must_use]
pub fn decide(state: &State, command: &Command, seen: &[Sighting], now_ms: TimeMs) -> Decision {
    let seen = seen.iter().map(|sighting| (sighting.token, sighting.liveness)).collect();
    let at = Moment { state, seen, now_ms };
    let lease = state.policy.lease(command.lease());
    let last = state.leases.get(&lease);
    match command {
        Command::Grant { .. } => at.grant(lease, last, command),
        Command::Close { proof, .. } => close(lease, last, proof),
        Command::Crash { token, reason, .. } => crash(lease, last, *token, reason),
        Command::Clear { force, reason, .. } => clear(lease, last, *force, reason.as_deref()),
        Command::Reap { token, .. } => at.reap(lease, last, *token),
    }
}

/// Whether an open lease still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Live,
    /// It does not, and why.
    Lapsed(Cause),
    /// It depends on a process that nobody has looked at.
    Unseen(Process),
}

/// How an open lease stands at `now_ms`, by what was seen of its process.
#[must_use]
pub fn standing(state: &State, lease: &Lease, seen: &[Sighting], now_ms: TimeMs) -> Standing {
    let seen = seen.iter().find(|sighting| sighting.token == lease.token);
    stands(state, lease, seen.map(|sighting| sighting.liveness), now_ms)
}

fn stands(state: &State, lease: &Lease, seen: Option<Liveness>, now_ms: TimeMs) -> Standing {
    let by_ttl = || match lease.expires_ms() {
        Some(expires_ms) if now_ms >= expires_ms => Standing::Lapsed(Cause::TtlPassed),
        _ => Standing::Live,
    };
    let Some(process) = &lease.bound else { return by_ttl() };
    if state.ended_boots.contains(&process.boot) {
        return Standing::Lapsed(Cause::Dead(Evidence::EarlierBoot));
    }
    match seen {
        Some(Liveness::Alive) => Standing::Live,
        Some(Liveness::Dead(evidence)) => Standing::Lapsed(Cause::Dead(evidence)),
        Some(Liveness::Unknowable) => by_ttl(),
        None => Standing::Unseen(process.clone()),
    }
}

struct Moment<'a> {
    state: &'a State,
    /// By token: a grant may have thousands of leases in its way.
    seen: BTreeMap<Token, Liveness>,
    now_ms: TimeMs,
}

/// What stands in the way of a grant.
#[derive(Default)]
struct InTheWay {
    live: Vec<super::Party>,
    lapsed: Vec<Crash>,
    unseen: Vec<(Token, Process)>,
}

impl Moment<'_> {
    fn grant(&self, lease: LeaseId, last: Option<&Lease>, command: &Command) -> Decision {
        let Command::Grant { holder, ttl_ms, writes, about, bound, asked_by, .. } = command else {
            unreachable!("it was matched for that");
        };
        let mut way = InTheWay::default();
        if let Some(last) = last.filter(|last| last.is_open()) {
            // Before anything else is looked at: a live lease is `already_open`, whoever else is in the way.
            match self.standing(last) {
                Standing::Live => return Decision::Refuse(Refusal::AlreadyOpen(last.party(&lease))),
                Standing::Unseen(process) => return Decision::Probe(vec![(last.token, process)]),
                Standing::Lapsed(cause) => {
                    way.lapsed.push(Crash { lease: lease.clone(), token: last.token, cause });
                }
            }
        }
        let overlapping: BTreeSet<LeaseId> =
            writes.iter().flat_map(|pattern| self.state.writes.overlapping(pattern)).collect();
        for other in overlapping.iter().filter(|other| **other != lease) {
            self.look_at(other, &self.state.leases[other], &mut way);
        }
        way.live.truncate(OVER_MAX);
        let refuses = self.state.policy.overlap == Overlap::Refuse;
        if refuses && !way.live.is_empty() {
            return Decision::Refuse(Refusal::Overlap(way.live));
        }
        if way.lapsed.len() > OVER_MAX {
            let first = way.lapsed.iter().take(OVER_MAX);
            let parties = first.map(|crash| self.state.leases[&crash.lease].party(&crash.lease));
            return Decision::Refuse(Refusal::Overlap(parties.collect()));
        }
        if refuses {
            // So many settle it, whatever comes out: one that lives refuses the grant, and so do so many that do not.
            way.unseen.truncate(OVER_MAX + 1 - way.lapsed.len());
        }
        if !way.unseen.is_empty() {
            return Decision::Probe(way.unseen);
        }
        Decision::Record(Event::Lease(LeaseEvent::Granted(Box::new(Granted {
            lease,
            holder: holder.clone(),
            ttl_ms: *ttl_ms,
            writes: writes.clone(),
            about: about.clone(),
            bound: bound.clone(),
            asked_by: asked_by.clone(),
            over: way.lapsed,
            beside: way.live.into_iter().map(|party| party.lease).collect(),
        }))))
    }

    fn standing(&self, lease: &Lease) -> Standing {
        stands(self.state, lease, self.seen.get(&lease.token).copied(), self.now_ms)
    }

    fn look_at(&self, id: &LeaseId, lease: &Lease, way: &mut InTheWay) {
        match self.standing(lease) {
            Standing::Live => way.live.push(lease.party(id)),
            Standing::Lapsed(cause) => {
                way.lapsed.push(Crash { lease: id.clone(), token: lease.token, cause });
            }
            Standing::Unseen(process) => way.unseen.push((lease.token, process)),
        }
    }

    fn reap(&self, id: LeaseId, last: Option<&Lease>, token: Token) -> Decision {
        let Some(lease) = last.filter(|last| last.is_open() && last.token == token) else {
            return Decision::Already(Already::Standing);
        };
        match self.standing(lease) {
            Standing::Live => Decision::Already(Already::Standing),
            Standing::Unseen(process) => Decision::Probe(vec![(token, process)]),
            Standing::Lapsed(cause) => {
                Decision::Record(Event::Lease(LeaseEvent::Crashed(Crash { lease: id, token, cause })))
            }
        }
    }
}

fn close(id: LeaseId, last: Option<&Lease>, proof: &Proof) -> Decision {
    let Some(lease) = last else { return Decision::Refuse(Refusal::NotFound) };
    let shown = match proof {
        Proof::Token(token) => *token == lease.token,
        Proof::Holder(holder) => *holder == lease.holder,
    };
    match &lease.end {
        None if shown => Decision::Record(Event::Lease(LeaseEvent::Closed { lease: id, token: lease.token })),
        None => Decision::Refuse(Refusal::NotHolder(lease.party(&id))),
        // Who repeats a close after an indefinite answer shows the token; a holder's name alone may be of another.
        Some(end) if end.how == How::Closed && *proof == Proof::Token(lease.token) => {
            Decision::Already(Already::Closed { token: lease.token })
        }
        Some(end) => Decision::Refuse(Refusal::NotOpen(lease.party(&id), end.how.clone())),
    }
}

fn crash(id: LeaseId, last: Option<&Lease>, token: Option<Token>, reason: &str) -> Decision {
    let Some(reason) = said(Some(reason)) else { return Decision::Refuse(Refusal::NeedsReason) };
    let Some(lease) = last else { return Decision::Refuse(Refusal::NotFound) };
    if let Some(end) = &lease.end {
        return Decision::Refuse(Refusal::NotOpen(lease.party(&id), end.how.clone()));
    }
    if token.is_some_and(|token| token != lease.token) {
        return Decision::Refuse(Refusal::NotHolder(lease.party(&id)));
    }
    let crash = Crash { lease: id, token: lease.token, cause: Cause::Reason(reason) };
    Decision::Record(Event::Lease(LeaseEvent::Crashed(crash)))
}

fn clear(id: LeaseId, last: Option<&Lease>, force: bool, reason: Option<&str>) -> Decision {
    let reason = said(reason);
    if force && reason.is_none() {
        return Decision::Refuse(Refusal::NeedsReason);
    }
    match last {
        None | Some(Lease { end: Some(super::End { how: How::Cleared(_), .. }), .. }) => {
            Decision::Refuse(Refusal::NotFound)
        }
        Some(lease) if lease.is_open() && !force => Decision::Refuse(Refusal::NeedsReason),
        Some(lease) => {
            Decision::Record(Event::Lease(LeaseEvent::Cleared { lease: id, token: lease.token, reason }))
        }
    }
}

/// A reason that says something.
fn said(reason: Option<&str>) -> Option<String> {
    reason.map(str::trim).filter(|reason| !reason.is_empty()).map(String::from)
}
