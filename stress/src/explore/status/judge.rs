//! What must hold of every transition, written once more, on its own: beside the oracle's word.

use fencehold_model::status::{Command, Decision, Value, Vocabulary};

/// A transition.
pub(super) struct Step<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) before: Option<&'a Value>,
    pub(super) after: Option<&'a Value>,
    pub(super) command: &'a Command,
    pub(super) decision: &'a Decision,
}

/// The machine's own invariants.
///
/// # Errors
/// The one that does not hold.
pub(super) fn invariants(step: &Step<'_>) -> Result<(), String> {
    let Step { vocabulary, before, after, command, decision } = step;
    if !matches!(decision, Decision::Record(_)) {
        return if before == after { Ok(()) } else { Err("what was not recorded changed the task".into()) };
    }
    let Some(after) = after else { return Err("a task was left without a status".into()) };
    let rank = vocabulary.check(after.statuses.keys())?;
    let Some(before) = before else { return Ok(()) };
    let below = vocabulary.check(before.statuses.keys())?;
    let (was, is) = ((before.epoch, below, before.turn), (after.epoch, rank, after.turn));
    if is < was {
        return Err(format!("the task was moved from {was:?} down to {is:?}"));
    }
    let keeps = |(status, detail)| after.statuses.get(status).is_some_and(|kept| kept >= detail);
    if is == was && !before.statuses.iter().all(keeps) {
        return Err("something was overwritten within one turn".into());
    }
    let terminal =
        before.statuses.keys().any(|status| vocabulary.rung(status).is_some_and(|rung| rung.terminal));
    match command {
        Command::Set { to, .. } if terminal && !before.statuses.contains_key(to) => {
            Err("a set left a terminal status".into())
        }
        Command::Set { epoch, .. } if *epoch != before.epoch => {
            Err("a set of another epoch was recorded".into())
        }
        Command::Reopen { .. } if after.epoch <= before.epoch => Err("a reopen began no new epoch".into()),
        Command::Reopen { epoch: Some(epoch), .. } if *epoch != before.epoch => {
            Err("a reopen of another epoch was recorded".into())
        }
        _ => Ok(()),
    }
}

/// A command that was recorded changes nothing more when it is asked again at once, but for a reopen.
///
/// # Errors
/// If it does.
pub(super) fn again(command: &Command, second: &Decision) -> Result<(), String> {
    match (command, second) {
        (Command::Reopen { .. }, _) | (_, Decision::Already(_)) => Ok(()),
        _ => Err(format!("asked again at once it is answered {second:?}")),
    }
}
