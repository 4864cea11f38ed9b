//! The decisions of the status machine.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::iter;

use super::gate::{self, Shown};
use super::{Command, Decision, Detail, How, Refusal, StatusEvent, Value, Vocabulary};
use crate::{Event, NUMBER_BOUND, Revision, State, Status, TaskId};

/// Decides `command` on `state` where nothing is shown. Pure; may be asked any number of times.
#[must_use]
pub fn decide(state: &State, command: &Command) -> Decision {
    decide_shown(state, command, &Shown::default())
}

/// Decides `command` on `state`, with what was found at its gates or why they are to be passed by force. Pure.
#[must_use]
pub fn decide_shown(state: &State, command: &Command, shown: &Shown) -> Decision {
    match (ungated(state, command), &shown.force) {
        (invalid @ Decision::Invalid(_), _) => invalid,
        (_, Some(reason)) if gate::is_blank(reason) => Decision::Refuse(Refusal::NeedsReason),
        (Decision::Record(Event::Status(event)), _) => gate::pass(state, event, shown),
        (decision, _) => decision,
    }
}

/// What the order of statuses alone makes of a command.
fn ungated(state: &State, command: &Command) -> Decision {
    let vocabulary = &state.policy.vocabulary;
    let task = state.policy.task(command.task());
    let stands = state.tasks.get(&task).map(|cell| &cell.value);
    match command {
        Command::Set { to, from, epoch, detail, resolve, .. } => {
            let step =
                Step { to, from: from.as_ref(), epoch: *epoch, detail: detail.as_ref(), resolve: *resolve };
            for status in iter::once(to).chain(from) {
                if vocabulary.rung(status).is_none() {
                    return Decision::Invalid(vocabulary.unknown(status));
                }
            }
            match stands {
                None => first(task, step),
                Some(stands) => set(vocabulary, task, stands, step),
            }
        }
        Command::Reopen { to, from, epoch, reason, .. } => {
            let seen = Seen { from: from.as_ref(), epoch: *epoch };
            reopen(vocabulary, task, stands, to, seen, reason)
        }
        Command::Merge { value, .. } => merge(vocabulary, task, stands, value),
    }
}

#[derive(Clone, Copy)]
struct Step<'a> {
    to: &'a Status,
    from: Option<&'a Status>,
    epoch: Revision,
    detail: Option<&'a Detail>,
    resolve: bool,
}

fn first(task: TaskId, step: Step<'_>) -> Decision {
    if step.epoch != 0 {
        return Decision::Invalid(format!("epoch {} is unknown: task {task} was never reopened", step.epoch));
    }
    if step.from.is_some() {
        return Decision::Refuse(Refusal::Conflict(None));
    }
    record(task, How::Set, Value::of(0, 0, step.to.clone(), step.detail.cloned()))
}

fn set(vocabulary: &Vocabulary, task: TaskId, stands: &Value, step: Step<'_>) -> Decision {
    if step.epoch < stands.epoch {
        return Decision::Refuse(Refusal::StaleEpoch(stands.clone()));
    }
    if step.epoch > stands.epoch {
        return Decision::Invalid(unknown_epoch(&task, step.epoch, stands));
    }
    if let Some(held) = stands.statuses.get(step.to) {
        return stay(task, stands, held.as_ref(), step);
    }
    let terminal =
        stands.statuses.keys().any(|status| vocabulary.rung(status).is_some_and(|rung| rung.terminal));
    let (from, to) = (stands.rank(vocabulary), vocabulary.rung(step.to).expect("it was looked up").rank);
    if terminal || to < from {
        return Decision::Refuse(Refusal::Regression(stands.clone()));
    }
    if to > from {
        return record(task, How::Set, Value::of(stands.epoch, 0, step.to.clone(), step.detail.cloned()));
    }
    match step.from {
        Some(seen) if stands.is(seen) => turn(task, How::Set, stands, step, step.detail),
        Some(_) => Decision::Refuse(Refusal::Conflict(Some(stands.clone()))),
        // Whoever resolves takes `to` for a side of a conflict. Put beside what stands it would become one, and the same
        // command asked again would overwrite the other side.
        None if step.resolve => Decision::Refuse(Refusal::Conflict(Some(stands.clone()))),
        None => {
            let mut value = stands.clone();
            value.statuses.insert(step.to.clone(), step.detail.cloned());
            record(task, How::Set, value)
        }
    }
}

fn unknown_epoch(task: &TaskId, epoch: Revision, stands: &Value) -> String {
    format!("epoch {epoch} is unknown: task {task} stands in epoch {}", stands.epoch)
}

/// The status asked for is there already, alone or as one side of a conflict. A detail that stands is replaced only by
/// who names the status that it goes with: two parties that ask two questions do not overwrite each other's.
fn stay(task: TaskId, stands: &Value, held: Option<&Detail>, step: Step<'_>) -> Decision {
    let alone = stands.is(step.to);
    if step.resolve && !alone {
        return turn(task, How::Resolved, stands, step, step.detail.or(held));
    }
    if step.detail.is_none() || step.detail == held {
        return Decision::Already(stands.clone());
    }
    if alone && (held.is_none() || step.from == Some(step.to)) {
        return turn(task, How::Set, stands, step, step.detail);
    }
    Decision::Refuse(Refusal::Conflict(Some(stands.clone())))
}

/// A step within the rank that knows what it leaves.
fn turn(task: TaskId, how: How, stands: &Value, step: Step<'_>, detail: Option<&Detail>) -> Decision {
    if stands.turn + 1 >= NUMBER_BOUND {
        return Decision::Invalid(exhausted(&task, "turn"));
    }
    record(task, how, Value::of(stands.epoch, stands.turn + 1, step.to.clone(), detail.cloned()))
}

/// What a reopen says that it saw.
#[derive(Clone, Copy)]
struct Seen<'a> {
    from: Option<&'a Status>,
    epoch: Option<Revision>,
}

fn reopen(
    vocabulary: &Vocabulary,
    task: TaskId,
    stands: Option<&Value>,
    to: &Status,
    seen: Seen<'_>,
    reason: &str,
) -> Decision {
    for status in iter::once(to).chain(seen.from) {
        if vocabulary.rung(status).is_none() {
            return Decision::Invalid(vocabulary.unknown(status));
        }
    }
    if reason.trim().is_empty() {
        return Decision::Refuse(Refusal::NeedsReason);
    }
    let Some(stands) = stands else { return Decision::Refuse(Refusal::NotFound) };
    if seen.epoch.is_some_and(|epoch| epoch < stands.epoch) {
        return Decision::Refuse(Refusal::StaleEpoch(stands.clone()));
    }
    if let Some(epoch) = seen.epoch.filter(|epoch| *epoch > stands.epoch) {
        return Decision::Invalid(unknown_epoch(&task, epoch, stands));
    }
    if seen.from.is_some_and(|from| !stands.is(from)) {
        return Decision::Refuse(Refusal::Conflict(Some(stands.clone())));
    }
    if stands.epoch + 1 >= NUMBER_BOUND {
        return Decision::Invalid(exhausted(&task, "epoch"));
    }
    Decision::Record(Event::Status(StatusEvent::Reopened {
        task,
        to: to.clone(),
        over: stands.epoch,
        reason: reason.trim().into(),
        forced: None,
    }))
}

fn merge(vocabulary: &Vocabulary, task: TaskId, stands: Option<&Value>, value: &Value) -> Decision {
    if let Err(why) = vocabulary.check(value.statuses.keys()) {
        return Decision::Invalid(why);
    }
    let (epoch, turn) = (value.epoch, value.turn);
    if epoch.max(turn) >= NUMBER_BOUND {
        return Decision::Invalid(format!(
            "epoch {epoch} and turn {turn}: both are whole numbers from 0 to 2^53-1"
        ));
    }
    let joined = stands.map_or_else(|| value.clone(), |stands| stands.join(value, vocabulary));
    if stands == Some(&joined) {
        return Decision::Already(joined);
    }
    record(task, How::Merged, joined)
}

fn record(task: TaskId, how: How, value: Value) -> Decision {
    debug_assert_ne!(value.statuses, BTreeMap::new());
    Decision::Record(Event::Status(StatusEvent::Set { task, how, value, forced: None }))
}

fn exhausted(task: &TaskId, what: &str) -> String {
    format!("task {task} stands in the last {what} there is; a merged board brought it there")
}
