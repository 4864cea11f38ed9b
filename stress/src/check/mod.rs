//! The checker: was every answer of a recorded run allowed?
//!
//! Each lock, log and counter is judged on its own. A lock whose target declares revisions is judged by them first
//! (the witness check, O(n log n)); only where that does not explain it does the search run, with a deadline that
//! holds. There are three verdicts; `Unknown` is never a pass, and neither is a history in which nothing happened.

mod counters;
mod levels;
mod limit;
mod locks;
mod logs;
mod points;
mod report;
mod search;
mod shrink;
mod tokens;
mod witness;

pub use limit::{CONFIGURATIONS_MAX, Limit};
pub use report::{Counts, Report, VIOLATIONS_MAX, Verdict, Violation, describe};
pub use search::{Found, Timed, search};
pub use shrink::{Shrunk, shrink};

use std::time::{Duration, Instant};

use fencehold_model::history::{Call, History, Operation, Outcome};
use fencehold_model::spec::Breach;

/// Judges a history; gives `Unknown` where `deadline` does not suffice.
#[must_use]
pub fn check(history: &History, deadline: Duration) -> Report {
    let begun = Instant::now();
    let mut limit = Limit::new(deadline);
    let mut report = Report::new();
    requests(history, &mut report);
    tokens::check(history, &mut report);
    logs::check(history, &mut limit, &mut report);
    counters::check(history, &mut limit, &mut report);
    locks::check(history, &mut limit, &mut report);
    report.conclude();
    report.elapsed = begun.elapsed();
    report
}

/// The operations of a history by kind, and requests that had to be answered `fail`.
fn requests(history: &History, report: &mut Report) {
    report.counts.ops = history.ops.len();
    report.counts.infos = history.ops.iter().filter(|op| op.is_info()).count();
    report.counts.others = history.ops.iter().filter(|op| matches!(op.call, Call::Other(_))).count();
    let invalid =
        |op: &Operation| matches!(op.call, Call::Invalid(_)) && matches!(op.outcome, Outcome::Ok(_));
    for (at, _) in history.ops.iter().enumerate().filter(|(_, op)| invalid(op)) {
        report.broken(history, Breach::InvalidOk, "a request", vec![at]);
    }
}
