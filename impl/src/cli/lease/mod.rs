//! `fencehold lease grant|close|crash|clear|show|list|reap|closeout`.

pub(super) mod args;
mod closeout;
mod grant;
mod look;
mod render;

use std::collections::BTreeMap;

use fencehold_model::lease::{self, Command, Decision, Lease as Grants, Proof, Refusal};
use fencehold_model::{Holder, LeaseId, State};

use self::args::Lease;
use super::args::{Common, Who};
use super::describe;
use super::identity::holder;
use super::locks::Locks;
use super::out::{Ended, Out, REFUSED};
use super::session::Session;
use crate::error::Result;
use crate::ledger::{Answer, LeaseVerdict, check_lease};

pub(super) use look::{how, one_line, standing_object};
pub(super) use render::{in_the_way, some};

/// Enters a lease command.
pub(super) fn lease(command: &Lease, common: &Common) -> Ended {
    match command {
        Lease::Grant(asked) => {
            let (holder, _) = holder(&asked.who)?;
            let session = Session::begin(common)?;
            let command = grant::command(&session, asked, holder.clone())?;
            grant::advise(session.out, &command);
            submit(&session, &holder, &command)
        }
        Lease::Close { id, token, who } => {
            let (holder, _) = holder(who)?;
            let proof = token.map_or_else(|| Proof::Holder(holder.clone()), Proof::Token);
            submit(&Session::begin(common)?, &holder, &Command::Close { lease: id.clone(), proof })
        }
        Lease::Crash { id, reason, token, who } => {
            let command = Command::Crash { lease: id.clone(), token: *token, reason: reason.clone() };
            submit(&Session::begin(common)?, &holder(who)?.0, &command)
        }
        Lease::Clear { id, force, reason, who } => {
            let command = Command::Clear { lease: id.clone(), force: *force, reason: reason.clone() };
            submit(&Session::begin(common)?, &holder(who)?.0, &command)
        }
        Lease::Show { id } => look::show(common, id),
        Lease::List { state, all } => look::list(common, *state, *all),
        Lease::Closeout { id, who } => closeout::closeout(common, id.as_ref(), who),
        Lease::Reap { who } => reap(common, who),
    }
}

/// Submits a command; where there is no workspace only one that would be recorded makes one.
fn submit(session: &Session, holder: &Holder, command: &Command) -> Ended {
    check_lease(command)?;
    let locks = match Locks::open(session)? {
        Some(locks) => locks,
        None => match lease::decide(&State::default(), command, &[], 0) {
            Decision::Refuse(refusal) => {
                let verdict = LeaseVerdict::Refused(refusal);
                let answer = Answer { revision: 0, at_ms: 0, now_ms: 0, durable: true, verdict };
                return tell(session.out, command, &answer, &BTreeMap::new(), false);
            }
            _ => Locks::open_or_create(session)?,
        },
    };
    let answer = locks.ledger().lease(&locks.asking(holder), command)?;
    locks.tell_notes(session.out);
    // What stands beside a grant, or in its way, is named with what it writes.
    let others = match &answer.verdict {
        LeaseVerdict::Granted { beside, .. } if !beside.is_empty() => known(&locks)?,
        LeaseVerdict::Refused(Refusal::Overlap(_)) => known(&locks)?,
        _ => BTreeMap::new(),
    };
    let watched = matches!(command, Command::Grant { bound: Some(process), .. } if locks.sees(process));
    tell(session.out, command, &answer, &others, watched)
}

/// The last grant of each lease that the state knows.
fn known(locks: &Locks) -> Result<BTreeMap<LeaseId, Grants>> {
    let views = locks.ledger().leases()?.value;
    Ok(views.into_iter().map(|view| (view.id, view.lease)).collect())
}

/// Prints an answer: the token of a grant alone on stdout, what is to be known beside it on stderr.
fn tell(
    out: Out,
    command: &Command,
    answer: &Answer<LeaseVerdict>,
    others: &BTreeMap<LeaseId, Grants>,
    watched: bool,
) -> Ended {
    let object = render::object(command, answer, watched);
    if !answer.durable {
        out.tell_who_watches("relaxed: this outlives the kill of any process, not a power cut");
    }
    match &answer.verdict {
        LeaseVerdict::Granted { lease, token, over, beside, .. } => {
            for crash in over {
                out.say(&format!("{}, in the way of {lease}", describe::crashed(crash)));
            }
            if !beside.is_empty() {
                out.say(&render::beside(command, lease, beside, others));
            }
            out.done(
                &object,
                &format!("{token}\n"),
                &format!("lease {lease} is granted with token {token}"),
            )?;
            Ok(0)
        }
        LeaseVerdict::Refused(refusal) => {
            out.say(&render::refused(command, refusal, others));
            out.answer(&object, "")?;
            Ok(REFUSED)
        }
        ended => {
            out.done(&object, "", &format!("lease {} is {}", command.lease(), render::state(ended)))?;
            Ok(0)
        }
    }
}

/// Every lapsed lease, one line each.
fn reap(common: &Common, who: &Who) -> Ended {
    let (holder, _) = holder(who)?;
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let mut text = String::new();
    let crashes = locks.ledger().reap(|| locks.asking(&holder))?;
    for crash in &crashes {
        if session.out.json {
            text.push_str(&format!("{}\n", render::crash_object(crash)));
        } else {
            text.push_str(&format!("{}\n", describe::crashed(crash)));
        }
    }
    let what = format!("{} leases are crashed now", crashes.len());
    session.out.printed(&text, &what)?;
    if crashes.is_empty() {
        session.out.tell_who_watches("no open lease has lapsed");
    }
    locks.tell_notes(session.out);
    Ok(0)
}
