//! `fencehold task get|list|show`: looks, which change nothing.

use fencehold_model::{TaskId, TimeMs};
use serde_json::{Value, json};

use super::super::args::Common;
use super::super::locks::Locks;
use super::super::out::{DAMAGED, Ended, REFUSED};
use super::super::session::Session;
use super::super::{describe, gate, history, span};
use super::render;
use crate::ledger::TaskView;

/// The status alone, one a line where there are several.
pub(super) fn get(common: &Common, task: &TaskId) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return unknown(&session, task) };
    let seen = locks.ledger().show_task(task)?;
    locks.tell_notes(session.out);
    let Some(view) = seen.value else { return unknown(&session, task) };
    let value = &view.cell.value;
    let mut object = render::value_object(value);
    object["task"] = view.id.as_str().into();
    object["revision"] = seen.revision.into();
    let text: String = value.statuses.keys().map(|status| format!("{status}\n")).collect();
    session.out.answer(&object, &text)?;
    if value.statuses.len() == 1 {
        return Ok(0);
    }
    session.out.say(&render::conflict(&view.id, value));
    Ok(REFUSED)
}

fn unknown(session: &Session, task: &TaskId) -> Ended {
    session.out.say(&format!("task {task} has no status yet"));
    session.out.answer(&json!({ "outcome": "refused", "reason": "not_found" }), "")?;
    Ok(REFUSED)
}

/// One line for each task.
pub(super) fn list(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let seen = locks.ledger().tasks()?;
    let mut text = String::new();
    for view in &seen.value {
        if session.out.json {
            let mut object = standing_object(view, seen.at_ms);
            object["revision"] = seen.revision.into();
            text.push_str(&format!("{object}\n"));
        } else {
            text.push_str(&one_line(view, seen.at_ms));
        }
    }
    session.out.data(&text)?;
    locks.tell_notes(session.out);
    Ok(0)
}

/// All that is known of one task, and what happened to it.
pub(super) fn show(common: &Common, task: &TaskId) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return unknown(&session, task) };
    let seen = locks.ledger().show_task(task)?;
    locks.tell_notes(session.out);
    let Some(view) = seen.value else { return unknown(&session, task) };
    let policy = locks.policy()?.value;
    let (mut lines, mut objects) = (String::new(), Vec::new());
    let name = format!("task/{}", view.id);
    let notes = locks.journal().history(|entry| {
        if history::concerns(&entry.event, &name, &policy) {
            lines.push_str(&format!("{}\n", describe::line(entry)));
            objects.push(history::object(entry));
        }
    })?;
    let mut object = standing_object(&view, seen.at_ms);
    object["revision"] = seen.revision.into();
    object["history"] = objects.into();
    let mut owes = locks.ledger().owed()?.value;
    owes.retain(|_, owed| owed.task == view.id);
    object["overrides_owed"] = gate::owed_objects(&owes);
    let owed = gate::owed_lines(&owes);
    session.out.answer(&object, &format!("{}{owed}{lines}", in_full(&view, seen.at_ms)))?;
    for note in &notes {
        session.out.say(note);
    }
    Ok(if notes.is_empty() { 0 } else { DAMAGED })
}

/// A task in one line, newline included.
pub(in super::super) fn one_line(view: &TaskView, now_ms: TimeMs) -> String {
    let cell = &view.cell;
    let conflict = if cell.value.statuses.len() > 1 { " in conflict" } else { "" };
    let epoch = match cell.value.epoch {
        0 => String::new(),
        epoch => format!("; epoch {epoch}"),
    };
    format!(
        "task {}: {}{conflict}, since {}, by {}{epoch}\n",
        view.id,
        render::names(&cell.value),
        span::show(now_ms.saturating_sub(cell.at_ms)),
        cell.actor
    )
}

/// All that is known, one thing a line.
fn in_full(view: &TaskView, now_ms: TimeMs) -> String {
    let cell = &view.cell;
    let ago = span::show(now_ms.saturating_sub(cell.at_ms));
    let mut text = format!("task {}: {}\n", view.id, render::names(&cell.value));
    let mut line = |what: &str, value: &str| text.push_str(&format!("{what:<7} {value}\n"));
    line("epoch", &cell.value.epoch.to_string());
    line("turn", &cell.value.turn.to_string());
    line("since", &format!("{} ({ago} ago)", describe::utc(cell.at_ms)));
    line("by", cell.actor.as_str());
    for (status, detail) in &cell.value.statuses {
        if let Some(detail) = detail {
            line("detail", &format!("{status} {}", detail.as_str()));
        }
    }
    text
}

/// A task for machines.
pub(in super::super) fn standing_object(view: &TaskView, now_ms: TimeMs) -> Value {
    let cell = &view.cell;
    let mut object = render::value_object(&cell.value);
    object["task"] = view.id.as_str().into();
    object["by"] = cell.actor.as_str().into();
    object["set_at_revision"] = cell.revision.into();
    object["for_ms"] = now_ms.saturating_sub(cell.at_ms).into();
    object
}
