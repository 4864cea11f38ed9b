//! `fencehold lock acquire|renew|release|break|show|list`.

use fencehold_model::lock::{Command, Grant, Proof, Refusal};
use fencehold_model::{Holder, LockName};
use serde_json::{Value, json};

use super::acquire::{Ask, acquire, who};
use super::args::{Common, Lock, Shown};
use super::identity::{self, holder};
use super::locks::{Locks, Told};
use super::out::{Ended, Out, REFUSED};
use super::session::Session;
use crate::error::{Error, Result};

/// Enters a lock command; `run` has a room of its own.
pub(super) fn lock(command: &Lock, common: &Common) -> Ended {
    match command {
        Lock::Acquire { name, who, grant, claim, pid } => {
            let (holder, _) = holder(who)?;
            let claim = identity::claim(claim.as_ref())?;
            let session = Session::begin(common)?;
            let locks = Locks::open_or_create(&session)?;
            let bound = pid.map(|pid| locks.host().process(pid)).transpose()?;
            let claim = claim.unwrap_or_else(|| identity::fresh_claim(locks.host()));
            let ask = Ask { name: name.clone(), holder, claim, ttl: grant.ttl, bound, wait: grant.wait };
            let told = acquire(&locks, &ask, session.out)?;
            answer(session.out, name, &told, Some(ask.claim.as_str()))
        }
        Lock::Renew { name, shown, ttl } => {
            let (holder, proof) = (holder(&shown.who)?.0, proof(name, shown)?);
            let ttl_ms = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
            let command = Command::Renew { name: name.clone(), holder: holder.clone(), proof, ttl_ms };
            submit(common, &holder, name, &command)
        }
        Lock::Release { name, shown } => {
            let (holder, proof) = (holder(&shown.who)?.0, proof(name, shown)?);
            let command = Command::Release { name: name.clone(), holder: holder.clone(), proof };
            submit(common, &holder, name, &command)
        }
        Lock::Break { name, reason, who } => {
            let (holder, _) = holder(who)?;
            submit(common, &holder, name, &Command::Break { name: name.clone(), reason: reason.clone() })
        }
        Lock::Show { name } => show(common, name),
        Lock::List => list(common),
        Lock::Run(_) => unreachable!("`lock run` is entered before, its exit codes are its own"),
    }
}

/// Which grant is meant: by token, else by claim, else by what `lock run` has set.
fn proof(name: &LockName, shown: &Shown) -> Result<Proof> {
    if let Some(token) = shown.token {
        return Ok(Proof::Token(token));
    }
    match identity::claim(shown.claim.as_ref())? {
        Some(claim) => Ok(Proof::Claim(claim)),
        None => Err(Error::usage(format!(
            "which grant of {name} is meant? Give --token with the number that acquire printed, or --claim"
        ))),
    }
}

/// Submits a command that can only be refused where there is no workspace.
fn submit(common: &Common, holder: &Holder, name: &LockName, command: &Command) -> Ended {
    let session = Session::begin(common)?;
    let told = match Locks::open(&session)? {
        Some(locks) => locks.submit(holder, command)?,
        None => Told::Refused {
            refusal: if matches!(command, Command::Break { .. }) {
                Refusal::NotFound
            } else {
                Refusal::NotHolder
            },
            now_ms: 0,
            revision: 0,
        },
    };
    answer(session.out, name, &told, None)
}

/// Prints what was told: the token of a grant alone on stdout, who is in the way on stderr.
pub(super) fn answer(out: Out, name: &LockName, told: &Told, claim: Option<&str>) -> Ended {
    let mut object = object(told);
    if let (Some(claim), Told::Granted { .. }) = (claim, told) {
        object["value"]["claim"] = claim.into();
    }
    match told {
        Told::Granted { token, .. } => {
            out.done(&object, &format!("{token}\n"), &format!("{name} is granted with token {token}"))?;
            Ok(0)
        }
        Told::Ended { token, .. } => {
            out.done(&object, "", &format!("token {token} of {name} has ended"))?;
            Ok(0)
        }
        Told::Refused { refusal, now_ms, .. } => {
            out.say(&refused(name, refusal, *now_ms));
            out.answer(&object, "")?;
            Ok(REFUSED)
        }
    }
}

/// A refusal in words, with what can be done.
pub(super) fn refused(name: &LockName, refusal: &Refusal, now_ms: u64) -> String {
    match refusal {
        Refusal::Held(grant) => format!("{name} is {}", who(grant, now_ms)),
        Refusal::NotHolder => format!(
            "this grant of {name} is not the current one: it was never yours, or has ended; see `fencehold lock show`"
        ),
        Refusal::Expired => {
            format!("{name} lapsed before this; it is nobody's now. Acquire it again, under a new token")
        }
        Refusal::NotFound => format!("nobody holds {name}"),
        Refusal::NeedsReason => "the reason is blank; say why, for whoever loses the lock".to_owned(),
    }
}

/// An answer as the target protocol has it.
pub(super) fn object(told: &Told) -> Value {
    match told {
        Told::Granted { token, expires_in_ms, revision } => json!({
            "outcome": "ok", "revision": revision, "value": { "token": token, "expires_in_ms": expires_in_ms },
        }),
        Told::Ended { token, already, revision } => {
            let mut object = json!({ "outcome": "ok", "revision": revision, "value": { "token": token } });
            if *already {
                object["value"]["already"] = true.into();
            }
            object
        }
        Told::Refused { refusal, now_ms, revision } => {
            let mut object = json!({ "outcome": "refused", "reason": refusal.word(), "revision": revision });
            if let Refusal::Held(grant) = refusal {
                object["value"] = grant_object(grant, *now_ms);
            }
            object
        }
    }
}

/// A grant for machines.
pub(super) fn grant_object(grant: &Grant, now_ms: u64) -> Value {
    let expires_in_ms = (grant.expires_ms != u64::MAX).then(|| grant.expires_ms.saturating_sub(now_ms));
    let mut object = json!({
        "holder": grant.holder.as_str(),
        "token": grant.token,
        "expires_in_ms": expires_in_ms,
        "held_for_ms": now_ms.saturating_sub(grant.since_ms),
    });
    if let Some((pid, host)) = &grant.asked_by {
        object["asked_by"] = json!({ "pid": pid, "host": host });
    }
    if let Some(process) = &grant.bound {
        object["bound"] = json!({ "pid": process.pid, "host": process.host });
    }
    object
}

fn show(common: &Common, name: &LockName) -> Ended {
    let session = Session::begin(common)?;
    let seen = Locks::open(&session)?.map(|locks| locks.show(name)).transpose()?;
    let (grant, now_ms, revision) =
        seen.map_or((None, 0, 0), |seen| (seen.grant, seen.now_ms, seen.revision));
    let mut object =
        grant.as_ref().map_or_else(|| json!({ "holder": null }), |grant| grant_object(grant, now_ms));
    object["name"] = name.as_str().into();
    object["revision"] = revision.into();
    let text = grant.as_ref().map_or_else(|| "free".to_owned(), |grant| who(grant, now_ms));
    session.out.answer(&object, &format!("{name}: {text}\n"))?;
    Ok(0)
}

fn list(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    print_held(&locks, session.out)?;
    Ok(0)
}

/// One line for each lock that is held.
pub(super) fn print_held(locks: &Locks, out: Out) -> std::result::Result<usize, super::out::Stop> {
    let held = locks.list()?;
    let mut text = String::new();
    for (name, grant) in &held.grants {
        if out.json {
            let mut object = grant_object(grant, held.now_ms);
            object["name"] = name.as_str().into();
            object["revision"] = held.revision.into();
            text.push_str(&format!("{object}\n"));
        } else {
            text.push_str(&format!("{name}: {}\n", who(grant, held.now_ms)));
        }
    }
    out.data(&text)?;
    Ok(held.grants.len())
}
