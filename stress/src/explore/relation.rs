//! What the oracle must know of a state, and whether it agrees with what it came to.
//!
//! The search checks a *forward simulation*: of each state the oracle's own state is made anew, its one step is
//! taken with the machine's answer, and what it then knows must agree with the machine's next state: same grant,
//! same release, and the same instants at which it calls the lock held and free.

use fencehold_model::TimeMs;
use fencehold_model::history::{Ask, Bind, Token};
use fencehold_model::lock;
use fencehold_model::spec::{Given, Lock, LockOp, LockSpec, Spec as _};

use super::answer::id_of;
use super::subject::Fate;

/// The oracle's state of one lock of the machine.
///
/// # Errors
/// If the oracle refuses the steps that lead there.
pub(super) fn oracle_of(spec: &LockSpec, lock: Option<&lock::Lock>, fate: Fate) -> Result<Lock, String> {
    let mut oracle = spec.initial();
    let Some(lock) = lock else { return Ok(oracle) };
    if let Some(last) = &lock.released {
        let (holder, claim) = (id_of(last.holder.as_str()), last.claim.as_ref().map(|c| id_of(c.as_str())));
        let token = Token::Number(last.token);
        let mut grant =
            LockOp::at(last.at_ms, Ask::Acquire { holder, claim, ttl_us: 1, bind: Bind::No }, Given::Ok);
        grant.token = token;
        oracle = step(spec, &oracle, &grant)?;
        let release = Ask::Release { holder, token, claim: None };
        oracle = step(spec, &oracle, &LockOp::at(last.at_ms, release, Given::Ok))?;
    }
    if let Some(grant) = &lock.grant {
        let watched = matches!(fate, Fate::Alive | Fate::Dead | Fate::BootEnded);
        let ask = Ask::Acquire {
            holder: id_of(grant.holder.as_str()),
            claim: grant.claim.as_ref().map(|claim| id_of(claim.as_str())),
            ttl_us: grant.ttl_ms,
            bind: if watched { Bind::Process } else { Bind::No },
        };
        let mut op = LockOp::at(grant.expires_ms - grant.ttl_ms, ask, Given::Ok);
        op.token = Token::Number(grant.token);
        if fate != Fate::Alive && watched {
            (op.alive_us, op.died_us) = (op.start_us, op.start_us);
        }
        oracle.floor = 0;
        oracle = step(spec, &oracle, &op)?;
    }
    Ok(oracle)
}

fn step(spec: &LockSpec, state: &Lock, op: &LockOp) -> Result<Lock, String> {
    spec.step(state, op).map_err(|breach| format!("the oracle knows no such state: {breach}"))
}

/// Whether the oracle's state after its step agrees with what it should know of the machine's next one. `loose` says
/// that the oracle leaves open when the grant ends (a repeated acquire that asks to be bound).
///
/// # Errors
/// What they disagree in.
pub(super) fn agree(
    spec: &LockSpec,
    stepped: &Lock,
    machine: &Lock,
    expires_ms: TimeMs,
    loose: bool,
) -> Result<(), String> {
    if stepped == machine {
        return Ok(());
    }
    let grant = |lock: &Lock| lock.grant.map(|grant| (grant.holder, grant.claim, grant.token));
    if grant(stepped) != grant(machine) {
        return Err(format!(
            "the oracle knows the grant {:?}, the machine {:?}",
            stepped.grant, machine.grant
        ));
    }
    let last = |lock: &Lock| lock.released.map(|last| (last.holder, last.claim, last.token));
    if last(stepped) != last(machine) {
        return Err(format!(
            "the oracle knows the release {:?}, the machine {:?}",
            stepped.released, machine.released
        ));
    }
    let Some(grant) = machine.grant else { return Ok(()) };
    for at_ms in [expires_ms.saturating_sub(1), expires_ms] {
        for held in [false, true] {
            let mut show = LockOp::at(at_ms, Ask::Show, Given::Ok);
            if held {
                (show.holder, show.token) = (Some(grant.holder), grant.token.unwrap_or(Token::Absent));
            }
            let (oracle, ours) = (spec.step(stepped, &show).is_ok(), spec.step(machine, &show).is_ok());
            if ours && !oracle || oracle && !ours && !loose {
                let said = if held { "held" } else { "free" };
                return Err(format!("is it {said} at {at_ms}? the machine: {ours}, the oracle: {oracle}"));
            }
        }
    }
    Ok(())
}
