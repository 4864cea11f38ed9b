//! `fencehold lock acquire|renew|release|break|show|list`.

use fencehold_model::lock::{Command, Proof};
use fencehold_model::{Holder, LockName};
use serde_json::json;

use super::acquire::{Ask, acquire};
use super::args::{Common, Lock, Shown};
use super::identity::{self, holder};
use super::locks::{Held, Locks, Told, What, without_workspace};
use super::out::{Ended, Out, REFUSED};
use super::render::{grant_object, object, refused, who};
use super::session::Session;
use crate::error::{Error, Result};
use crate::host::RealHost;

/// Enters a lock command; `run` has a room of its own.
pub(super) fn lock(command: &Lock, common: &Common) -> Ended {
    match command {
        Lock::Acquire { name, who, grant, claim, pid } => {
            let (holder, _) = holder(who)?;
            let claim = identity::claim(claim.as_ref())?;
            let session = Session::begin(common)?;
            let bound = pid.map(|pid| RealHost::new()?.process(pid)).transpose()?;
            let locks = Locks::open_or_create(&session)?;
            let claim = claim.unwrap_or_else(|| identity::fresh_claim(locks.host()));
            let ask = Ask { name: name.clone(), holder, claim, ttl: grant.ttl, bound, wait: grant.wait };
            let told = acquire(&locks, &ask, session.out)?;
            locks.tell_notes(session.out);
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
        Some(locks) => {
            let told = locks.submit(holder, command)?;
            locks.tell_notes(session.out);
            told
        }
        None => {
            let what = What::Refused(without_workspace(command));
            Told { revision: 0, now_ms: 0, durable: true, what }
        }
    };
    answer(session.out, name, &told, None)
}

/// Prints what was told: the token of a grant alone on stdout, who is in the way on stderr.
fn answer(out: Out, name: &LockName, told: &Told, claim: Option<&str>) -> Ended {
    let mut object = object(told);
    if !told.durable {
        out.tell_who_watches("relaxed: this outlives the kill of any process, not a power cut");
    }
    match &told.what {
        What::Granted { token, expires_in_ms: Some(0) } => {
            // The disk was slower than the TTL. Whoever goes on because of the exit code would go on unprotected.
            out.say(&format!(
                "{name} was granted with token {token} and lapsed while that was written; it is nobody's now. Acquire it \
                 again, under a new token and with a longer --ttl"
            ));
            out.answer(&object, "")?;
            Ok(REFUSED)
        }
        What::Granted { token, .. } => {
            if let Some(claim) = claim {
                object["value"]["claim"] = claim.into();
            }
            out.done(&object, &format!("{token}\n"), &format!("{name} is granted with token {token}"))?;
            Ok(0)
        }
        What::Ended { token, .. } => {
            out.done(&object, "", &format!("token {token} of {name} has ended"))?;
            Ok(0)
        }
        What::Refused(refusal) => {
            out.say(&refused(name, refusal, told.now_ms));
            out.answer(&object, "")?;
            Ok(REFUSED)
        }
    }
}

fn show(common: &Common, name: &LockName) -> Ended {
    let session = Session::begin(common)?;
    let seen = match Locks::open(&session)? {
        Some(locks) => locks.show(name)?,
        None => Held { grants: None, now_ms: 0, revision: 0 },
    };
    let (mut object, text) = match &seen.grants {
        Some(grant) => (grant_object(grant, seen.now_ms), who(grant, seen.now_ms)),
        None => (json!({ "holder": null }), "free".to_owned()),
    };
    object["name"] = name.as_str().into();
    object["revision"] = seen.revision.into();
    session.out.answer(&object, &format!("{name}: {text}\n"))?;
    Ok(0)
}

/// One line for each lock that is held.
fn list(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let held = locks.list()?;
    let mut text = String::new();
    for (name, grant) in &held.grants {
        if session.out.json {
            let mut object = grant_object(grant, held.now_ms);
            object["name"] = name.as_str().into();
            object["revision"] = held.revision.into();
            text.push_str(&format!("{object}\n"));
        } else {
            text.push_str(&format!("{name}: {}\n", who(grant, held.now_ms)));
        }
    }
    session.out.data(&text)?;
    locks.tell_notes(session.out);
    Ok(0)
}
