//! The checker: was every answer of a recorded run allowed?
//!
//! Each lock, task, proposal, log and counter is judged on its own, and so is each set of leases whose write sets touch. What a
//! target that declares revisions orders by them is judged by them first
//! (the witness check, O(n log n)); only where that does not explain it does the search run, with a deadline that
//! holds. There are three verdicts; `Unknown` is never a pass, and neither is a history in which nothing happened.

mod counters;
mod leases;
mod levels;
mod limit;
mod locks;
mod logs;
mod object;
mod points;
mod proposals;
mod prose;
mod report;
mod search;
mod shrink;
mod tasks;
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
    prose::check(history, &mut report);
    granted(history, &mut limit, &mut report);
    report.conclude();
    report.elapsed = begun.elapsed();
    report
}

/// Locks, leases, tasks and proposals: one journal orders them all.
fn granted(history: &History, limit: &mut Limit, report: &mut Report) {
    let locks = locks::objects(history);
    let leases = leases::Leases::of(history, report);
    let tasks = tasks::Tasks::of(history);
    let proposals = proposals::Proposals::of(history, report);
    let mut ranks = Vec::new();
    if history.header.hello.revisions {
        let mut points = Vec::new();
        locks::points(&locks, &mut points);
        leases.points(&mut points);
        tasks.points(&mut points);
        proposals.points(&mut points);
        ranks = points::check(history, points, report);
    }
    locks::check(history, &locks, &ranks, &mut limit.share(4), report);
    leases.check(history, &ranks, &mut limit.share(3), report);
    tasks.check(history, &ranks, &mut limit.share(2), report);
    proposals.check(history, &ranks, limit, report);
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
