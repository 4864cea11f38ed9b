//! What a task is, in words and as JSON.

use fencehold_model::status::{Command, Held, Refusal, Unmet, Value};
use fencehold_model::{Status, TaskId};
use serde_json::{Value as Json, json};

use crate::ledger::{Answer, TaskVerdict};

/// An answer as the target protocol has it; one that a power cut can undo says so.
pub(super) fn object(answer: &Answer<TaskVerdict>) -> Json {
    let mut object = json!({ "outcome": "ok", "revision": answer.revision });
    match &answer.verdict {
        TaskVerdict::Stands { value, already, forced } => {
            object["value"] = value_object(value);
            if *forced {
                object["value"]["forced"] = true.into();
            }
            if *already {
                object["value"]["already"] = true.into();
            }
        }
        TaskVerdict::Refused(refusal) => {
            object["outcome"] = "refused".into();
            object["reason"] = refusal.word().into();
            if let Some(value) = refusal.stands() {
                object["value"] = value_object(value);
            }
            if let Refusal::Gate(held) = refusal {
                object["unmet"] = unmet(held);
            }
        }
    }
    if !answer.durable {
        object["durable"] = false.into();
    }
    object
}

/// A value for machines: `statuses`, `epoch`, `turn`, and the `details` of those statuses that have one.
pub(in super::super) fn value_object(value: &Value) -> Json {
    let statuses: Vec<&str> = value.statuses.keys().map(Status::as_str).collect();
    let mut object = json!({ "statuses": statuses, "epoch": value.epoch, "turn": value.turn });
    for (status, detail) in &value.statuses {
        if let Some(detail) = detail {
            let json = serde_json::from_str(detail.as_str()).expect("a detail is JSON");
            object["details"][status.as_str()] = json;
        }
    }
    object
}

/// The statuses, as in "blocked and in_progress".
pub(super) fn names(value: &Value) -> String {
    let names: Vec<&str> = value.statuses.keys().map(Status::as_str).collect();
    names.join(" and ")
}

/// Says that several statuses stand, and how to end it.
pub(super) fn conflict(task: &TaskId, value: &Value) -> String {
    let first = value.statuses.keys().next().expect("a value has a status");
    format!(
        "task {task} is in conflict: {} stand beside each other, all recorded. Choose one with `fencehold task set \
         {task} {first} --resolve{}`",
        names(value),
        epoch(value)
    )
}

/// A refusal in one line, with what can be done.
pub(in super::super) fn refused(command: &Command, refusal: &Refusal) -> String {
    let task = command.task();
    match (refusal, command) {
        (Refusal::Regression(value), Command::Set { to, .. }) => format!(
            "task {task} is {}, from where {to} is no step forward; to begin it anew: `fencehold task reopen {task} {to} \
             --reason TEXT`",
            names(value)
        ),
        (Refusal::Conflict(None), Command::Set { from: Some(from), .. }) => {
            format!("task {task} has no status yet, so it is not {from}; set it without --from")
        }
        (Refusal::Conflict(Some(value)), Command::Set { to, .. }) if value.statuses.contains_key(to) => {
            conflict(task, value)
        }
        (
            Refusal::Conflict(Some(value)),
            Command::Set { from: Some(from), .. } | Command::Reopen { from: Some(from), .. },
        ) => {
            format!("task {task} is {}, not {from}: it has moved since you looked; look again", names(value))
        }
        (Refusal::StaleEpoch(value), _) => format!(
            "task {task} was reopened since what you saw: it is {} in epoch {}. If your step still holds, say that \
             you know: --epoch {}",
            names(value),
            value.epoch,
            value.epoch
        ),
        (Refusal::NotFound, _) => {
            format!("task {task} has no status yet; give it one with `fencehold task set`")
        }
        (Refusal::NeedsReason, _) => {
            "the reason is blank; say why, in words, for whoever finds it reopened or forced".to_owned()
        }
        (Refusal::Gate(held), _) => gate(task, held),
        (Refusal::Regression(_) | Refusal::Conflict(_), _) => unreachable!("{refusal:?} of {command:?}"),
    }
}

/// What a gate asks for and is not so, each in one line.
fn gate(task: &TaskId, held: &Held) -> String {
    let gates: Vec<&str> = held.looking.gates.iter().map(|gate| gate.to.as_str()).collect();
    let to = gates.first().copied().unwrap_or_default();
    let Some(unmet) = &held.unmet else {
        return format!(
            "what stands before {to} of task {task} keeps changing while it is looked at; nothing was changed"
        );
    };
    let lines: String = unmet
        .iter()
        .map(|Unmet { file, condition, why }| format!("\n  {file}: {condition}: {why}"))
        .collect();
    format!(
        "task {task} is not ready to be {to}; nothing was changed. Not met:{lines}\nWhoever must go on all the same says \
         why, for the record: --force --reason TEXT"
    )
}

/// The conditions that are not met, for machines.
pub(in super::super) fn unmet(held: &Held) -> Json {
    let unmet = held.unmet.iter().flatten();
    unmet
        .map(|Unmet { file, condition, why }| json!({ "file": file, "condition": condition, "why": why }))
        .collect()
}

/// The flag that names the epoch, where one is needed.
fn epoch(value: &Value) -> String {
    if value.epoch == 0 { String::new() } else { format!(" --epoch {}", value.epoch) }
}
