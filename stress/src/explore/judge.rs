//! What must hold of every transition.

use fencehold_model::lock::{Already, Command, Decision, Lock, Refusal};
use fencehold_model::spec::{self, LockSpec, Spec as _};
use fencehold_model::{Event, LockName, State, TimeMs};

use super::answer::{ask_of, op_of};
use super::node::{NOW_MS, World};
use super::relation::{agree, oracle_of};
use super::subject::{Fate, Subject, decide_looking};

/// A decided command, before anything is applied.
pub(super) struct Decided<'a> {
    pub(super) command: &'a Command,
    pub(super) decision: Decision,
    pub(super) seen_alive: bool,
    pub(super) fate: Fate,
}

/// The machine's own invariants, on the decision alone.
pub(super) fn decision(lock: Option<&Lock>, decided: &Decided<'_>) -> Result<(), String> {
    let grant = lock.and_then(|lock| lock.grant.as_ref());
    let live = grant.is_some_and(|grant| decided.fate.is_live(NOW_MS, grant.expires_ms));
    // Who shows a bound grant within its TTL need not prove that its process lives.
    let in_time =
        grant.is_some_and(|grant| live || (decided.fate == Fate::Dead && NOW_MS < grant.expires_ms));
    match &decided.decision {
        Decision::Record(Event::LockGranted { .. }) if live => {
            Err("a lock is granted while a grant of it is live".into())
        }
        Decision::Record(Event::LockRenewed { .. } | Event::LockReleased { .. }) if !in_time => {
            Err("a lapsed grant is nobody's, and was renewed or released".into())
        }
        Decision::Already(Already::Granted { .. }) if !in_time => Err("a lapsed grant was kept".into()),
        Decision::Record(Event::LockBroken { .. }) if !live => {
            Err("a lock was broken that nobody holds".into())
        }
        Decision::Refuse(Refusal::Held(_)) if !live => Err("a lock is called held that nobody holds".into()),
        Decision::Refuse(_) if is_own_repeat(lock, decided.command) && live => {
            Err("a claim was refused its own live grant".into())
        }
        Decision::Record(Event::Boot { .. } | Event::Repaired { .. }) => {
            Err("a command recorded an event of the journal's own".into())
        }
        _ => Ok(()),
    }
}

fn is_own_repeat(lock: Option<&Lock>, command: &Command) -> bool {
    let Command::Acquire { holder, claim: Some(claim), .. } = command else { return false };
    let grant = lock.and_then(|lock| lock.grant.as_ref());
    grant.is_some_and(|grant| grant.holder == *holder && grant.claim.as_ref() == Some(claim))
}

/// The machine's own invariants on one lock, from before to after.
pub(super) fn change(before: Option<&Lock>, after: Option<&Lock>, revision: u64) -> Result<(), String> {
    let old = before.and_then(|lock| lock.grant.as_ref());
    let Some(new) = after.and_then(|lock| lock.grant.as_ref()) else { return Ok(()) };
    match old {
        Some(old) if old.token == new.token => {
            if new.expires_ms < old.expires_ms {
                return Err(format!("the expiry moved from {} to {}", old.expires_ms, new.expires_ms));
            }
            let same = old.holder == new.holder && old.claim == new.claim && old.bound == new.bound;
            if same { Ok(()) } else { Err("a grant changed hands and kept its token".into()) }
        }
        _ if new.token > revision => Ok(()),
        _ => Err(format!("the new grant's token {} is not above revision {revision}", new.token)),
    }
}

/// What is remembered of a name's newest token never goes back, and is forgotten only into the common mark.
pub(super) fn memory(before: &State, after: &State, name: &LockName) -> Result<(), String> {
    let newest = |state: &State| state.locks.get(name).and_then(Lock::newest_token);
    match (newest(before), newest(after)) {
        (Some(was), None) if after.forgotten >= was => Ok(()),
        (Some(was), None) => Err(format!("token {was} is forgotten, and the mark is at {}", after.forgotten)),
        (Some(was), Some(is)) if is < was => {
            Err(format!("the newest token remembered went from {was} back to {is}"))
        }
        _ => Ok(()),
    }
}

/// The oracle's word on the transition.
pub(super) fn by_oracle(
    spec: &LockSpec,
    oracle: &spec::Lock,
    floor: u64,
    decided: &Decided<'_>,
    after: (Option<&Lock>, Fate, u64),
) -> Result<(), String> {
    let (lock, fate, revision) = after;
    let ask = ask_of(decided.command, true);
    let op = op_of(NOW_MS, ask, &decided.decision, revision, decided.seen_alive);
    let known = spec::Lock { floor, ..*oracle };
    let stepped = spec.step(&known, &op).map_err(|breach| format!("{}: {}", breach.word(), breach.why()))?;
    if matches!(decided.decision, Decision::Refuse(_)) {
        return Ok(());
    }
    let machine = oracle_of(spec, lock, fate)?;
    let expires_ms = lock.and_then(|lock| lock.grant.as_ref()).map_or(0, |grant| grant.expires_ms);
    let binds = matches!(decided.command, Command::Acquire { bound: Some(_), .. });
    let stepped = spec::Lock { floor: machine.floor, ..stepped };
    agree(spec, &stepped, &machine, expires_ms, binds || fate != Fate::Timed)
}

/// The same command asked again at once changes nothing more.
pub(super) fn again(
    subject: &impl Subject,
    world: &World,
    decided: &Decided<'_>,
    fate: Fate,
) -> Result<(), String> {
    let (second, _) = decide_looking(subject, &world.state, decided.command, fate, NOW_MS)?;
    let name = decided.command.name();
    let token = world.state.locks.get(name).and_then(|lock| lock.grant.as_ref()).map(|grant| grant.token);
    let fine = match (decided.command, &decided.decision, &second) {
        (Command::Acquire { claim: None, .. }, _, Decision::Refuse(Refusal::Held(_))) => true,
        (Command::Acquire { claim: None, .. }, ..) => false,
        (
            Command::Acquire { .. } | Command::Renew { .. },
            Decision::Record(_),
            Decision::Already(Already::Granted { token: kept, .. }),
        ) => Some(*kept) == token,
        (Command::Release { .. }, Decision::Record(_), Decision::Already(Already::Released { .. })) => true,
        (Command::Break { .. }, Decision::Record(_), Decision::Refuse(Refusal::NotFound)) => true,
        _ => false,
    };
    if fine { Ok(()) } else { Err(format!("asked again at once it is answered {second:?}")) }
}

/// A rotation forgets nothing that is live or ended within memory.
pub(super) fn forgetting(before: &World, after: &World, index: usize, name: &LockName) -> Result<(), String> {
    memory(&before.state, &after.state, name)?;
    let old = |at_ms: TimeMs| at_ms + fencehold_model::state::REMEMBER_MS <= NOW_MS;
    let (was, is) = (before.state.locks.get(name), after.state.locks.get(name));
    let grant = was.and_then(|lock| lock.grant.as_ref());
    let keep = grant.filter(|grant| before.fates[index] != Fate::Timed || !old(grant.expires_ms));
    if keep.is_some() && keep != is.and_then(|lock| lock.grant.as_ref()) {
        return Err("a grant was forgotten that is live, bound, or ended within memory".into());
    }
    let release = was.and_then(|lock| lock.released.as_ref()).filter(|last| !old(last.at_ms));
    if release.is_some() && release != is.and_then(|lock| lock.released.as_ref()) {
        return Err("a release within memory was forgotten".into());
    }
    Ok(())
}
