//! Counters: every key of a document that is incremented.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{Call, History, Id, Outcome};
use fencehold_model::spec::{Breach, CounterOp, CounterSpec};
use serde_json::Value;

use super::levels::{Levels, explain};
use super::limit::Limit;
use super::report::Report;
use super::search::{Found, Timed, search};

/// The operations on one counter that may have happened.
#[derive(Default)]
struct Counter {
    at: Vec<usize>,
    ops: Vec<Timed<CounterOp>>,
}

/// Judges every counter.
pub(super) fn check(history: &History, limit: &mut Limit, report: &mut Report) {
    let mut counters = incremented(history);
    gather(history, &mut counters, report);
    let all = counters.len();
    for (place, ((file, key), counter)) in counters.into_iter().enumerate() {
        let subject = format!("counter {:?} of {:?}", history.names.text(key), history.names.text(file));
        report.counts.objects += usize::from(counter.ops.iter().any(|timed| timed.answered));
        let mut share = limit.share(all - place);
        match explain(&counter.ops) {
            Levels::Explained => {}
            Levels::Impossible { breach, ops } => {
                report.broken(history, breach, &subject, ops.into_iter().map(|op| counter.at[op]).collect());
            }
            Levels::NotApplicable => by_search(history, &subject, &counter, &mut share, report),
        }
    }
}

fn by_search(history: &History, subject: &str, counter: &Counter, limit: &mut Limit, report: &mut Report) {
    let mut transitions = 0;
    report.counts.searched += 1;
    match search(&CounterSpec, &counter.ops, false, limit, &mut transitions) {
        Found::Order(_) => {}
        Found::Nothing { op, breach } => report.broken(history, breach, subject, vec![counter.at[op]]),
        Found::Stopped => {
            let why = limit.over().unwrap_or("the search stopped");
            report.unknown.push(format!("{subject}: {why} after {transitions} transitions"));
        }
    }
    report.counts.transitions += transitions;
}

/// The keys that are incremented and never set to what is no number.
fn incremented(history: &History) -> BTreeMap<(Id, Id), Counter> {
    let mut keys = BTreeMap::new();
    for op in &history.ops {
        if let Call::Increment { file, key, .. } = &op.call {
            keys.insert((*file, *key), Counter::default());
        }
    }
    let mut others = BTreeSet::new();
    for op in &history.ops {
        let Call::Merge { file, patch, .. } = &op.call else { continue };
        let not_numbers = keys.keys().filter(|(counted, key)| {
            let value = &patch[history.names.text(*key)];
            counted == file && !value.is_null() && value.as_i64().is_none()
        });
        others.extend(not_numbers.copied());
    }
    keys.retain(|key, _| !others.contains(key));
    keys
}

fn gather(history: &History, counters: &mut BTreeMap<(Id, Id), Counter>, report: &mut Report) {
    for (at, op) in history.ops.iter().enumerate() {
        let answered = matches!(op.outcome, Outcome::Ok(_));
        if !answered && !op.is_info() {
            continue;
        }
        let add = |counter: &mut Counter, counter_op: CounterOp| {
            counter.at.push(at);
            let (start_us, end_us) = (op.invoked_us, op.ended_us);
            counter.ops.push(Timed { start_us, end_us, answered, revision: None, op: counter_op });
        };
        match &op.call {
            Call::Increment { file, key, by, .. } => {
                report.counts.increments += usize::from(answered);
                if let Some(counter) = counters.get_mut(&(*file, *key)) {
                    add(counter, CounterOp::Add(*by, op.ok().and_then(|answer| answer.number)));
                }
            }
            Call::Merge { file, patch, .. } => {
                for ((_, key), counter) in counters.iter_mut().filter(|((counted, _), _)| counted == file) {
                    if let Some(value) = patch.get(history.names.text(*key)) {
                        add(counter, CounterOp::Set(value.as_i64().unwrap_or(0)));
                    }
                }
            }
            Call::DocRead { file, .. } if answered => {
                let document = op.ok().map_or(&Value::Null, |answer| &answer.body["document"]);
                for ((_, key), counter) in counters.iter_mut().filter(|((counted, _), _)| counted == file) {
                    match document.get(history.names.text(*key)) {
                        None if document.is_object() || document.is_null() => {
                            add(counter, CounterOp::Read(0));
                        }
                        Some(value) if value.is_i64() || value.is_u64() => {
                            add(counter, CounterOp::Read(value.as_i64().unwrap_or(i64::MAX)));
                        }
                        _ => {
                            let subject = format!("document {:?}", history.names.text(*file));
                            report.broken(history, Breach::CounterTorn, &subject, vec![at]);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
