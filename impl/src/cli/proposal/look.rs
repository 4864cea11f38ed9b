//! `fencehold proposal list|show|check`: looks, which change nothing.

use std::path::Path;

use fencehold_model::ProposalId;
use fencehold_model::proposal::{Refusal, Standing, Told};

use super::super::describe::utc;
use super::super::front::plain;
use super::super::out::{Ended, REFUSED};
use super::super::session::Session;
use super::{diff, known, render, typed, with_prose};
use crate::error::Result;
use crate::journal::Seen;
use crate::prose::View;

/// Whether a proposal waits for somebody.
pub(super) fn is_pending(view: &View) -> bool {
    matches!(view.told, Told::Proposed | Told::InDoubt)
}

/// One line each: those that wait for somebody, or all.
pub(super) fn list(session: &Session, target: Option<&Path>, all: bool) -> Ended {
    look(session, target, |seen| {
        let (mut text, mut of) = (String::new(), None);
        for view in seen.value.iter().filter(|view| all || is_pending(view)) {
            if session.out.json {
                text.push_str(&format!("{}\n", render::object(view, seen.revision)));
                continue;
            }
            if of != Some(&view.target) {
                text.push_str(&format!("{}\n", plain(view.target.as_str())));
                of = Some(&view.target);
            }
            text.push_str(&line(view));
        }
        session.out.data(&text)?;
        Ok(0)
    })
}

/// One proposal as a line for people.
pub(super) fn line(view: &View) -> String {
    let proposal = &view.proposal;
    let says = match &proposal.standing {
        Standing::Open(content) => {
            let first = content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let cut: String = first.chars().take(60).collect();
            if cut.len() < first.len() { format!("{cut}…") } else { cut }
        }
        Standing::Ended(end) => {
            let why = end.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
            format!("by {} at {}{why}", end.by, utc(end.at_ms))
        }
    };
    let (number, told, at) = (proposal.number, view.told.word(), utc(proposal.at_ms));
    format!("{}\n", plain(&format!("{number:>4}  {told:<8}  {}  {}  {at}  {says}", view.id, proposal.by)))
}

/// One proposal, with its content and what that would change in the file.
pub(super) fn show(session: &Session, target: &Path, id: &ProposalId) -> Ended {
    with_prose(session, |found| {
        let target = known(session, found.map(|(locks, _)| locks), target, std::slice::from_ref(id))?;
        let Some((locks, prose)) = found else {
            return render::refused(session, &target, id, &Refusal::NotFound);
        };
        let seen = prose.list(Some(&target))?;
        let Some(view) = seen.value.iter().find(|view| view.id == *id) else {
            return render::refused(session, &target, id, &Refusal::NotFound);
        };
        let mut object = render::object(view, seen.revision);
        let mut text = line(view);
        if let Some(content) = view.proposal.content() {
            object["content"] = content.into();
        }
        match prose.preview(view)? {
            Some(Ok((before, after))) => {
                let diff = diff::appended(&target, &before, &after);
                text.push_str(&diff::shown(session.out, &diff));
                object["diff"] = diff.into();
            }
            Some(Err(why)) => {
                text.push_str(&diff::shown(session.out, view.proposal.content().unwrap_or_default()));
                object["unfit"] = why.as_str().into();
                session.out.say(&why);
            }
            None => {}
        }
        if let (Told::InDoubt, Some(intent)) = (view.told, &view.begun) {
            session.out.say(&plain(&render::doubt(&target, id, intent)));
        }
        session.out.answer(&object, &text)?;
        locks.tell_notes(session.out);
        Ok(0)
    })
}

/// Whether nothing waits for anybody.
pub(super) fn check(session: &Session, target: Option<&Path>) -> Ended {
    look(session, target, |seen| {
        let pending: Vec<&View> = seen.value.iter().filter(|view| is_pending(view)).collect();
        let doubts = pending.iter().filter(|view| view.told == Told::InDoubt).count();
        let object = serde_json::json!({
            "outcome": "ok",
            "revision": seen.revision,
            "value": { "proposed": pending.len() - doubts, "in_doubt": doubts },
        });
        let text = format!("{} proposed, {doubts} in doubt\n", pending.len() - doubts);
        session.out.answer(&object, &text)?;
        for view in &pending {
            if let (Told::InDoubt, Some(intent)) = (view.told, &view.begun) {
                session.out.say(&plain(&render::doubt(&view.target, &view.id, intent)));
            }
        }
        Ok(if pending.is_empty() { 0 } else { REFUSED })
    })
}

/// The proposals of a file, or of all; none where there is no workspace.
fn look(session: &Session, target: Option<&Path>, then: impl FnOnce(&Seen<Vec<View>>) -> Ended) -> Ended {
    with_prose(session, |found| match found {
        None => {
            target.map(|target| typed(session, target)).transpose()?;
            then(&Seen { revision: 0, at_ms: 0, value: Vec::new() })
        }
        Some((locks, prose)) => {
            let target = target.map(|target| known(session, Some(locks), target, &[])).transpose()?;
            let seen: Result<_> = prose.list(target.as_ref());
            let ended = then(&seen?)?;
            locks.tell_notes(session.out);
            Ok(ended)
        }
    })
}
