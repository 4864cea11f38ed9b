//! `fencehold history`.

use fencehold_model::event::{Entry, Event};
use fencehold_model::{LeaseId, Policy, TaskId};
use serde_json::{Value, json};

use super::args::Common;
use super::describe;
use super::locks::Locks;
use super::out::{DAMAGED, Ended};
use super::session::Session;

/// `fencehold history [NAME]`: every event that is still kept, the oldest first; with a name, those of the lock, the lease
/// the task and the proposal that are called so, and of the file; or of what `lock/NAME`, `lease/ID`, `task/ID` or
/// `proposal/ID` says.
pub(super) fn history(name: Option<&str>, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let mut text = String::new();
    let policy = locks.policy()?.value;
    let notes = locks.journal().history(|entry| {
        if name.is_none_or(|name| concerns(&entry.event, name, &policy)) {
            text.push_str(&if session.out.json { object(entry).to_string() } else { describe::line(entry) });
            text.push('\n');
        }
    })?;
    session.out.data(&text)?;
    for note in &notes {
        session.out.say(note);
    }
    // What could be read is shown; where the journal is damaged, this says so and ends with its code.
    locks.check()?;
    locks.tell_notes(session.out);
    Ok(if notes.is_empty() { 0 } else { DAMAGED })
}

/// Whether an event is of what `name` says, whatever the spelling of an id was then and is now.
pub(super) fn concerns(event: &Event, name: &str, policy: &Policy) -> bool {
    let asked = |kind: &str| [Some(name), name.strip_prefix(kind)].into_iter().flatten();
    let lease = |id: &LeaseId| {
        asked("lease/")
            .any(|name| LeaseId::new(name).is_ok_and(|name| policy.lease(&name) == policy.lease(id)))
    };
    let task = |id: &TaskId| {
        asked("task/").any(|name| TaskId::new(name).is_ok_and(|name| policy.task(&name) == policy.task(id)))
    };
    event.lock().is_some_and(|lock| asked("lock/").any(|name| name == lock.as_str()))
        || event.leases().any(lease)
        || event.task().is_some_and(task)
        || event.proposal().is_some_and(|(target, id)| {
            name == target.as_str() || asked("proposal/").any(|name| name == id.as_str())
        })
}

/// As the journal has it, without its checksums.
pub(super) fn object(entry: &Entry) -> Value {
    let mut event = String::new();
    entry.event.write(&mut event);
    let event: Value = serde_json::from_str(&event).expect("what the model writes as JSON is JSON");
    json!({
        "revision": entry.revision,
        "at_ms": entry.at_ms,
        "actor": entry.actor.as_str(),
        "op": entry.op.as_str(),
        "event": event,
    })
}
