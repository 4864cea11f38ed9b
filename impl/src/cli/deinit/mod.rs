//! `fencehold deinit`: takes the workspace away again.
//!
//! Invariants:
//! - unless it is forced, nothing is changed while anybody holds a lock or has a lease open, while an entry is owed to a
//!   log, a proposal waits or anything asks the guard, or where something would go that may be the only copy;
//! - the folder leaves its place by one rename, under the OS lock that every commit takes, so that nothing is granted in
//!   a folder that is going; a setting that leads to it goes before, so that no new one is made there unseen;
//! - what others wrote into git's files stays; killed at any step and run again, it comes to the same.

mod away;
mod ours;
mod setting;
mod undo;

use fencehold_model::lock::Refusal;
use serde_json::json;

use super::args::{Common, Deinit};
use super::locks::Locks;
use super::out::{Ended, REFUSED};
use super::proposal;
use super::render::who;
use super::session::Session;
use super::union_lines::added;
use super::{gate, hook, lease};
use crate::error::{Error, Result};
use crate::{journal, locate};

/// How many things in the way a sentence names.
const NAMED_MAX: usize = 8;

/// `fencehold deinit [--force --reason TEXT]`.
pub(super) fn deinit(asked: &Deinit, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let reason = asked.reason.as_deref().filter(|_| asked.force);
    if asked.reason.as_deref().is_some_and(|reason| reason.trim().is_empty()) {
        session.out.answer(&json!({ "outcome": "refused", "reason": Refusal::NeedsReason.word() }), "")?;
        session.out.say("the reason is blank; say why. Nothing was changed");
        return Ok(REFUSED);
    }
    let mut removed = Vec::new();
    if let Some(dir) = undo::pointed_at(&session)? {
        let place = locate::at_dir(&session.fs, &session.place, &dir)?;
        let killed = Session::at(session.fs, session.out, place)?;
        if let away::Came::Refused(in_the_way) = one(&killed, reason.is_some(), &mut removed)? {
            return refuse(&session, &in_the_way);
        }
    }
    let although = match one(&session, reason.is_some(), &mut removed)? {
        away::Came::Away(although) => although,
        away::Came::Refused(in_the_way) => return refuse(&session, &in_the_way),
    };
    undo::forget_pointer(&session)?;
    tell(&session, &removed, &although, reason)
}

/// Takes one folder away, and what it left; a run that was killed in it is finished.
fn one(session: &Session, is_forced: bool, removed: &mut Vec<String>) -> Result<away::Came> {
    let mut against = Vec::new();
    if session.place.exists {
        match away::take(session, is_forced, removed)? {
            away::Came::Away(although) => against = although,
            refused @ away::Came::Refused(_) => return Ok(refused),
        }
    }
    for gone in away::gone(&session.place.dir)? {
        let lines = undo::union_lines(session, &added(session.fs, &gone)?)?;
        removed.extend(lines.iter().map(|line| format!("the line `{line}` of git's info/attributes")));
        // What is kept of it last: a run that is killed here is finished by the next one.
        away::remove(&gone)?;
        removed.push(format!("the workspace folder {}", session.place.dir.display()));
    }
    // Where the folder was gone already.
    if undo::setting(session)? {
        removed.push("fencehold.dir of git's config".to_owned());
    }
    Ok(away::Came::Away(against))
}

fn refuse(session: &Session, in_the_way: &[String]) -> Ended {
    let object = json!({ "outcome": "refused", "reason": "in_use", "value": { "in_the_way": in_the_way } });
    session.out.answer(&object, "")?;
    let named = in_the_way.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = match in_the_way.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    session.out.say(&format!(
        "nothing was removed: {named}{more}. End that first, or say `fencehold deinit --force --reason TEXT`"
    ));
    Ok(REFUSED)
}

fn tell(session: &Session, removed: &[String], although: &[String], reason: Option<&str>) -> Ended {
    let mut object = json!({ "outcome": "ok", "value": { "removed": removed } });
    if let Some(reason) = reason {
        object["value"]["reason"] = reason.into();
        object["value"]["although"] = although.into();
    }
    let text: String = removed.iter().map(|what| format!("removed: {what}\n")).collect();
    session.out.done(&object, &text, "the workspace is removed")?;
    if removed.is_empty() {
        session.out.say("there is no workspace here, and nothing that one left; nothing was removed");
    } else if let Some(reason) = reason {
        let although = although.join("; ");
        let colon = if although.is_empty() { "" } else { ", although " };
        session.out.say(&format!("forced ({reason}){colon}{although}"));
    }
    if undo::setting_by_hand(session)? {
        session.out.say("fencehold.dir stands in git's config in words of somebody else; `git config --unset fencehold.dir` removes it");
    }
    Ok(0)
}

/// All that speaks against taking the workspace away, a clause each. An error is one more where it is forced: then
/// nobody can tell who holds what.
fn in_the_way(session: &Session, is_forced: bool) -> Result<Vec<String>> {
    let mut found = match held(session) {
        Err(error) if is_forced => vec![format!("who holds what cannot be told: {error}")],
        held => held?,
    };
    found.extend(ours::missed(&session.place.dir)?);
    // A hook that stays would bring the workspace back with the next call of an agent, and an agent that is asked no more
    // would not know that it is alone with its checkout. So whoever takes the workspace away ends the guard first,
    // knowingly: in files that may be a whole team's it is not done in passing.
    found.extend(hook::installed(session)?.iter().map(hook::Asking::told));
    if undo::setting_by_hand(session)? {
        found.push(
            "fencehold.dir stands in git's config in words of somebody else: `git config --unset fencehold.dir`"
                .to_owned(),
        );
    }
    Ok(found)
}

/// Who holds a lock or has a lease open, which entries are owed to logs, and what is proposed.
fn held(session: &Session) -> Result<Vec<String>> {
    if !is_workspace(session)? {
        return Ok(Vec::new());
    }
    let Some(locks) = Locks::open(session)? else { return Ok(Vec::new()) };
    let held = locks.list()?;
    let mut found: Vec<String> =
        held.grants.iter().map(|(name, grant)| format!("lock {name}: {}", who(grant, held.now_ms))).collect();
    let seen = locks.ledger().leases()?;
    let open = seen.value.iter().filter(|view| view.lease.is_open());
    found.extend(open.map(|view| lease::one_line(view, seen.at_ms).trim_end().to_owned()));
    // The journal that goes is all that knows of them.
    found.extend(gate::owed_lines(&locks.ledger().owed()?.value).lines().map(str::to_owned));
    let proposed = proposal::pending(session, &locks)?;
    found.extend(proposed.iter().map(|view| format!("{}: proposal {} waits", view.target, view.id)));
    Ok(found)
}

fn is_workspace(session: &Session) -> Result<bool> {
    let dir = &session.place.dir;
    journal::is_workspace(&session.fs, dir).map_err(|error| Error::environment("looking at", dir, error))
}
