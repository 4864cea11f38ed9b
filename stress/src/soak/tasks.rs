//! What a client does with the statuses of tasks: steps up, down and aside, by what it saw last or by nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::rng::Rng;

/// The words of the default vocabulary.
const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];
/// How many tasks are moved at a time.
const AT_ONCE: u64 = 4;
/// Operations on tasks before the next ones are begun: what is done is reopened a few times, not for ever.
const OPS_PER_BATCH: u64 = 240;

/// What one client saw of the tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    seen: BTreeMap<String, Value>,
}

impl Tasks {
    /// The next operation on a task; `begun` counts those of all clients.
    pub(super) fn next(&mut self, rng: &mut Rng, begun: &AtomicU64) -> (&'static str, Value) {
        let batch = begun.fetch_add(1, Ordering::Relaxed) / OPS_PER_BATCH;
        let task = spelled(batch * AT_ONCE + rng.below(AT_ONCE), rng.one_in(5));
        let seen = self.seen.get(&task).cloned().unwrap_or(Value::Null);
        let (mut to, epoch) = (*rng.pick(&STATUSES), seen["epoch"].as_u64().unwrap_or(0));
        // Ends are rarer than steps.
        if matches!(to, "done" | "cancelled") && rng.one_in(2) {
            to = if rng.one_in(2) { "blocked" } else { "in_progress" };
        }
        match rng.below(100) {
            0..8 => ("status.get", json!({ "task": task })),
            8..16 => ("status.reopen", json!({ "task": task, "to": to, "reason": "the soak says so" })),
            16..17 => ("status.reopen", json!({ "task": task, "to": to, "reason": " " })),
            17..24 => {
                let turn = rng.below(3);
                ("status.merge", json!({ "task": task, "epoch": epoch, "turn": turn, "statuses": [to] }))
            }
            _ => ("status.set", set(rng, &task, to, &seen)),
        }
    }

    /// Learns from an answer: what stands, whether it was done or refused.
    pub(super) fn learn(&mut self, args: &Value, answer: &Value) {
        if let (Some(task), true) = (args["task"].as_str(), answer["value"]["statuses"].is_array()) {
            self.seen.insert(task.to_owned(), answer["value"].clone());
        }
    }

    /// What a fresh process reads at the end of a run.
    pub(super) fn last_looks(begun: &AtomicU64) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let tasks = (begun.load(Ordering::Relaxed) / OPS_PER_BATCH + 1) * AT_ONCE;
        let spellings = (0..tasks).flat_map(|number| [spelled(number, false), spelled(number, true)]);
        spellings.map(|task| ("status.get", json!({ "task": task })))
    }
}

/// Where ids are numbers both spellings are one task.
fn spelled(number: u64, long: bool) -> String {
    if long { format!("0{number}") } else { number.to_string() }
}

fn set(rng: &mut Rng, task: &str, to: &str, seen: &Value) -> Value {
    let mut args = json!({ "task": task, "to": to });
    let stands = seen["statuses"].as_array().map_or(&[][..], Vec::as_slice);
    if !seen.is_null() && !rng.one_in(12) {
        args["epoch"] = seen["epoch"].clone();
    }
    match stands {
        [_, _, ..] if rng.one_in(2) => {
            args["to"] = rng.pick(stands).clone();
            args["resolve"] = json!(true);
        }
        [from] if !rng.one_in(3) => args["from"] = from.clone(),
        _ => {}
    }
    if rng.one_in(8) {
        args["detail"] = json!({ "question": format!("which of {}?", rng.below(3)) });
    }
    args
}
