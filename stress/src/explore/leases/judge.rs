//! What must hold of every transition of leases.

use std::collections::BTreeSet;

use fencehold_model::lease::{Already, Command, Decision, End, How, Lease, Refusal};
use fencehold_model::pattern::Index;
use fencehold_model::spec::lease::{Answer, Ask, Bind, Given, LeaseSpec, Leases, Op, canonical};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{LeaseId, Pattern, State, TimeMs};

use super::super::subject::Fate;
use super::answer::{holder_of, name_of, set_of, state_of};
use super::node::{LEASES_MAX, NOW_MS, Texts, World};
use super::subject::{LeaseSubject, decide_looking};

/// The oracle's state of a world, made anew.
pub(super) fn oracle_of(spec: &LeaseSpec, world: &World, texts: &Texts) -> Leases {
    let mut oracle = Leases::default();
    for (index, id) in texts.leases.iter().enumerate() {
        let Some(lease) = world.state.leases.get(id) else { continue };
        let fate = world.fates[index];
        let ask = Ask::Grant {
            holder: holder_of(lease.holder.as_str()),
            ttl_us: lease.ttl_ms,
            writes: set_of(&lease.writes, &texts.sets),
            bind: match fate {
                Fate::Timed => Bind::No,
                Fate::Unknowable => Bind::Unseen,
                Fate::Alive | Fate::Dead | Fate::BootEnded => Bind::Process,
            },
        };
        let answer = Answer { token: Some(lease.token), ..Answer::default() };
        let mut grant = Op::at(lease.since_ms, name_of(id.as_str()), ask, Given::Ok(answer));
        if matches!(fate, Fate::Dead | Fate::BootEnded) {
            (grant.alive_us, grant.died_us) = (lease.since_ms, lease.since_ms);
        }
        let end = lease.end.as_ref();
        oracle.put(spec, &grant, state_of(end.map(|end| &end.how)), end.map_or(0, |end| end.at_ms));
    }
    oracle.raise_floor(world.state.revision);
    oracle
}

/// The oracle and the machine know the same grants, in the same states.
pub(super) fn agree(oracle: &Leases, world: &World, texts: &Texts) -> Result<(), String> {
    for id in &texts.leases {
        let ours = world.state.leases.get(id).map(|lease| {
            let state = state_of(lease.end.as_ref().map(|end| &end.how));
            (holder_of(lease.holder.as_str()), Some(lease.token), Some(state))
        });
        let theirs = oracle.known(name_of(id.as_str()));
        if ours != theirs {
            return Err(format!("of lease {id} the machine knows {ours:?}, the oracle {theirs:?}"));
        }
    }
    Ok(())
}

/// Whether a lease is open and has not lapsed. Written here once more, on its own.
fn is_live(lease: &Lease, fate: Fate) -> bool {
    lease.is_open() && fate.is_live(NOW_MS, lease.ttl_ms.map_or(u64::MAX, |ttl_ms| lease.since_ms + ttl_ms))
}

/// No two leases differ in the spelling of their ids alone, and the index is that of the open ones.
pub(super) fn ids_and_index(state: &State) -> Result<(), String> {
    let ids: BTreeSet<String> = state.leases.keys().map(|id| canonical(id.as_str(), true)).collect();
    if ids.len() != state.leases.len() {
        return Err("two leases differ in the spelling of their ids alone".into());
    }
    let mut index: Index<LeaseId> = Index::default();
    for (id, lease) in state.leases.iter().filter(|(_, lease)| lease.is_open()) {
        lease.writes.iter().for_each(|pattern| index.insert(pattern, id.clone()));
    }
    if index != state.writes {
        return Err("the index of write sets is not that of the open leases".into());
    }
    Ok(())
}

/// The invariants of every state.
pub(super) fn state(spec: &LeaseSpec, world: &World, texts: &Texts) -> Result<(), String> {
    let state = &world.state;
    ids_and_index(state)?;
    let live: Vec<&Lease> = (0..texts.leases.len())
        .filter_map(|at| Some((state.leases.get(&texts.leases[at])?, world.fates[at])))
        .filter(|(lease, fate)| is_live(lease, *fate))
        .map(|(lease, _)| lease)
        .collect();
    let set = |writes: &[Pattern]| set_of(writes, &texts.sets);
    for (at, lease) in live.iter().enumerate().filter(|_| !spec.rules.advises) {
        for other in &live[at + 1..] {
            if spec.touch.touches(set(&lease.writes), set(&other.writes)) {
                return Err("two live leases write what both write".into());
            }
        }
    }
    Ok(())
}

/// From before to after: a grant stays as it was made, a new one has a new token, what ended stays ended.
pub(super) fn change(before: &World, after: &World, texts: &Texts) -> Result<(), String> {
    for id in &texts.leases {
        let (old, new) = (before.state.leases.get(id), after.state.leases.get(id));
        match (old, new) {
            (Some(old), Some(new)) if old.token == new.token => {
                let ended = Lease { end: new.end.clone(), ..old.clone() };
                if ended != *new {
                    return Err(format!("a grant of {id} changed and kept its token"));
                }
                let put_aside = new.end.as_ref().is_some_and(|end| matches!(end.how, How::Cleared(_)));
                if old.end.is_some() && old.end != new.end && !put_aside {
                    return Err(format!("{id} had ended, and ended otherwise"));
                }
            }
            (_, Some(new)) if new.token <= before.state.revision => {
                return Err(format!("a new grant of {id} has the token {}", new.token));
            }
            (_, Some(new)) if new.since_ms != NOW_MS => return Err(format!("a new grant of {id} is old")),
            (Some(_), None) => return Err(format!("{id} is gone")),
            _ => {}
        }
    }
    Ok(())
}

/// The same command asked again at once changes nothing more.
pub(super) fn again(subject: &impl LeaseSubject, world: &World, command: &Command) -> Result<(), String> {
    let second = decide_looking(subject, world, command, NOW_MS)?;
    let fine = match (command, &second) {
        // A grant with a TTL of nothing left cannot be: it is live in its first instant.
        (Command::Grant { .. }, Decision::Refuse(Refusal::AlreadyOpen(_)))
        | (Command::Crash { .. }, Decision::Refuse(Refusal::NotOpen(..)))
        | (Command::Clear { .. }, Decision::Refuse(Refusal::NotFound))
        | (Command::Reap { .. }, Decision::Already(Already::Standing)) => true,
        (Command::Close { proof, .. }, Decision::Already(Already::Closed { token })) => {
            *proof == fencehold_model::lease::Proof::Token(*token)
        }
        (Command::Close { proof, .. }, Decision::Refuse(Refusal::NotOpen(..))) => {
            matches!(proof, fencehold_model::lease::Proof::Holder(_))
        }
        _ => false,
    };
    if fine { Ok(()) } else { Err(format!("asked again at once it is answered {second:?}")) }
}

/// A rotation forgets what was closed or cleared and is old, gives it up, and nothing else.
pub(super) fn forgetting(
    before: &State,
    after: &State,
    gone: &[(LeaseId, Lease)],
    now_ms: TimeMs,
) -> Result<(), String> {
    let old = |at_ms: TimeMs| at_ms + REMEMBER_MS <= now_ms;
    let leaves = |lease: &Lease| match &lease.end {
        Some(End { at_ms, how: How::Closed | How::Cleared(_) }) => old(*at_ms),
        _ => false,
    };
    let expected: Vec<(LeaseId, Lease)> = before
        .leases
        .iter()
        .filter(|(_, lease)| leaves(lease))
        .map(|(id, lease)| (id.clone(), lease.clone()))
        .collect();
    if gone != expected || gone.len() + after.leases.len() != before.leases.len() {
        return Err(format!("a rotation gave up {gone:?}"));
    }
    if gone.iter().any(|(id, lease)| after.leases.contains_key(id) || after.forgotten < lease.token) {
        return Err("what was given up is there still, or its token is not remembered".into());
    }
    Ok(())
}

/// Fates as they are after a new boot.
pub(super) fn booted(fates: [Fate; LEASES_MAX]) -> [Fate; LEASES_MAX] {
    fates.map(|fate| if fate == Fate::Timed { fate } else { Fate::BootEnded })
}
