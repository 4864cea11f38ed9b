//! Was every answer of a run allowed, and does the journal keep what was promised?
//!
//! - nobody was told what nobody may be told;
//! - the history, as the clients recorded it, is judged by the checker of the soak ([`check`]);
//! - at a guarded document no older token passes behind a newer one;
//! - the journal, read after a last power cut, is a legal fold ([`Fold`]), its revisions grow, and it has no gap; unless a
//!   sync of it failed, or nobody waited for one;
//! - what was answered as done stands in it at the revision that was said, what was not done never does, and nothing
//!   stands there twice.

use std::time::Duration;

use fencehold_model::history::History;
use fencehold_model::{Entry, Event, Revision};

use super::plan::Plan;
use super::reached::Reached;
use super::record::{Passed, Recorder, Told};
use crate::check::{Verdict, check};
use crate::fold::Fold;
use crate::sim::workspace::Client;
use crate::sim::world::{Ended, Plan as Faults, World};

/// More than a run was ever seen to take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A history of so many lines is told with what is wrong.
const TOLD_LINES_MAX: usize = 60;

pub(super) fn judge(
    world: &World,
    plan: &Plan,
    recorder: &Recorder,
    reached: &mut Reached,
) -> Result<(), String> {
    judged(world, plan, recorder, reached).map_err(|why| {
        let record = recorder.lock();
        let text = record.texts.concat();
        if text.lines().count() > TOLD_LINES_MAX { why } else { format!("{why}\n{text}") }
    })
}

fn judged(world: &World, plan: &Plan, recorder: &Recorder, reached: &mut Reached) -> Result<(), String> {
    let record = recorder.lock();
    if let Some(wrong) = &record.wrong {
        return Err(wrong.clone());
    }
    reached.operations += record.told.len() as u64;
    reached.stale += record.stale;
    record.passed.iter().try_for_each(|(file, passed)| never_older(file, passed))?;
    record.texts.iter().try_for_each(|text| history(text, reached))?;
    let (entries, gaps) = read(world)?;
    reached.journal(&entries);
    // A file of which a sync failed may have lost its last lines, and the next one begins with what they came to; whoever
    // was relaxed synced none.
    let may_lose = reached.condemned > 0 || !plan.users.durable;
    match gaps.first() {
        Some(gap) if !may_lose => return Err(format!("the history has a gap: {gap}")),
        None if !may_lose => Fold::default().all(&entries)?,
        _ => {}
    }
    promises(&entries, &record.told, record.kept_from).map_err(|why| match gaps.first() {
        None => why,
        Some(gap) => format!("{why}; the history has a gap: {gap}"),
    })
}

/// At a document nothing older passes once a token was seen there: each increment is one higher than the one before.
fn never_older(file: &str, passed: &[Passed]) -> Result<(), String> {
    let mut passed = passed.to_vec();
    passed.sort_unstable();
    match passed.windows(2).find(|two| two[0].token > two[1].token) {
        None => Ok(()),
        Some(two) => Err(format!(
            "{file}: token {} passed at value {}, after token {} at value {}",
            two[1].token, two[1].value, two[0].token, two[0].value
        )),
    }
}

fn history(text: &str, reached: &mut Reached) -> Result<(), String> {
    let history = History::parse(text).map_err(|bad| format!("the recorded history: {bad}"))?;
    let report = check(&history, DEADLINE);
    reached.judged(&report);
    match report.verdict {
        Verdict::Ok => Ok(()),
        Verdict::Violation(violation) => Err(violation.why),
        // Nobody was answered.
        Verdict::Unknown(_) if report.counts.objects == 0 => Ok(()),
        Verdict::Unknown(why) => Err(format!("it cannot be told: {why}")),
    }
}

/// The whole history, once somebody has written: what nobody acknowledged still stands at the end of the file until then,
/// and is told as a gap.
fn read(world: &World) -> Result<(Vec<Entry>, Vec<String>), String> {
    let read = |fs, host| {
        let judge = Client::new(fs, host, "judge");
        judge.acquire("judge", "judge", 1).and_then(|_| judge.history())
    };
    match world.alone(Faults::NONE, read) {
        Ended::Returned(Ok(read)) => Ok(read),
        Ended::Returned(Err(error)) => Err(format!("who reads the history is told: {error}")),
        Ended::Killed => Err("a reader that nobody killed is dead".to_owned()),
        Ended::Panicked(text) => Err(format!("a reader panicked: {text}")),
    }
}

/// What was told against the events; of operations before `kept_from` they may be lost.
fn promises(entries: &[Entry], told: &[Told], kept_from: usize) -> Result<(), String> {
    let mut stands: Vec<Option<Revision>> = vec![None; told.len()];
    for entry in entries.iter().filter(|entry| !matches!(entry.event, Event::Boot { .. })) {
        let number = entry.op.as_str().strip_prefix('o').and_then(|number| number.parse::<usize>().ok());
        let Some(place) = number.and_then(|number| stands.get_mut(number)) else { continue };
        if let Some(before) = place.replace(entry.revision) {
            let op = entry.op.as_str();
            return Err(format!(
                "operation {op} stands in the journal at {before} and at {}",
                entry.revision
            ));
        }
    }
    let granted = |at: Revision| {
        let place = entries.binary_search_by_key(&at, |entry| entry.revision);
        place.is_ok_and(|place| matches!(entries[place].event, Event::LockGranted { .. }))
    };
    for (number, (told, stands)) in told.iter().zip(&stands).enumerate() {
        match told {
            Told::Not if stands.is_some() => {
                return Err(format!(
                    "operation o{number} was answered as not done, and stands at {stands:?}"
                ));
            }
            Told::Done(at) if at != stands && (number >= kept_from || stands.is_some()) => {
                return Err(format!(
                    "operation o{number} was answered as done at {at:?}, and the journal has it at {stands:?}"
                ));
            }
            Told::Granted(token) if number >= kept_from && !granted(*token) => {
                return Err(format!(
                    "operation o{number} was answered token {token}, which the journal has not"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
