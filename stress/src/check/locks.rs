//! Locks: each name on its own, by its revisions where there are any, else by search.

use std::collections::BTreeMap;

use fencehold_model::history::{Ask, Call, History, Id, NEVER, Reason, Token};
use fencehold_model::spec::{Breach, Given, LockOp, LockSpec, Rules};

use super::limit::Limit;
use super::points;
use super::report::Report;
use super::search::{Found, Timed, search};
use super::witness::witness;

/// The operations on one lock that may have happened.
pub(super) struct OneLock {
    pub(super) name: Id,
    /// Indices into the history's operations.
    pub(super) at: Vec<usize>,
    pub(super) ops: Vec<Timed<LockOp>>,
}

/// The history of each lock, in the order of first appearance.
pub(super) fn by_name(history: &History) -> Vec<OneLock> {
    let mut places: BTreeMap<Id, usize> = BTreeMap::new();
    let mut locks: Vec<OneLock> = Vec::new();
    for (index, op) in history.ops.iter().enumerate() {
        let Call::Lock(name, _) = op.call else { continue };
        let Some(lock_op) = LockOp::of(history, op) else { continue };
        let place = *places.entry(name).or_insert_with(|| {
            locks.push(OneLock { name, at: Vec::new(), ops: Vec::new() });
            locks.len() - 1
        });
        let answered = op.is_answered();
        let end_us = if answered { op.ended_us.min(NEVER - 1) } else { op.ended_us };
        let revision = op.revision.filter(|_| answered);
        locks[place].at.push(index);
        locks[place].ops.push(Timed { start_us: op.invoked_us, end_us, answered, revision, op: lock_op });
    }
    locks
}

/// Judges all locks.
pub(super) fn check(history: &History, limit: &mut Limit, report: &mut Report) {
    let locks = by_name(history);
    let spec = LockSpec { rules: Rules::of(&history.header) };
    let revisions = history.header.hello.revisions;
    let ranks = if revisions { points::check(history, &locks, report) } else { Vec::new() };
    for (place, lock) in locks.iter().enumerate() {
        count(lock, report);
        let mut share = limit.share(locks.len() - place);
        let by_revision =
            revisions && lock.ops.iter().all(|timed| !timed.answered || timed.revision.is_some());
        if by_revision && witness(&spec, lock, &ranks, &mut share).is_ok() {
            report.counts.witnessed += 1;
        } else {
            by_search(history, &spec, lock, by_revision, &mut share, report);
        }
    }
}

fn by_search(
    history: &History,
    spec: &LockSpec,
    lock: &OneLock,
    by_revision: bool,
    limit: &mut Limit,
    report: &mut Report,
) {
    let subject = format!("lock {:?}", history.names.text(lock.name));
    report.counts.searched += 1;
    let mut transitions = 0;
    let mut found = search(spec, &lock.ops, by_revision, limit, &mut transitions);
    if let (true, Found::Nothing { op, .. }) = (by_revision, &found) {
        // No order by revision explains it: a violation already. Is it the revisions, or the answers?
        let (op, free) = (*op, search(spec, &lock.ops, false, limit, &mut transitions));
        found = match free {
            Found::Order(_) => Found::Nothing { op, breach: Breach::RevisionOrder },
            Found::Stopped => found,
            Found::Nothing { .. } => free,
        };
    }
    report.counts.transitions += transitions;
    match found {
        Found::Order(_) => {}
        Found::Nothing { op, breach } => {
            report.broken(history, breach, &subject, related(lock, op));
        }
        Found::Stopped => {
            let why = limit.over().unwrap_or("the search stopped");
            report.unknown.push(format!("{subject}: {why} after {transitions} transitions"));
        }
    }
}

/// The operation that cannot be explained, after the grant that was last answered before it.
fn related(lock: &OneLock, op: usize) -> Vec<usize> {
    let culprit = &lock.ops[op];
    let grant = lock.ops.iter().enumerate().filter(|(index, timed)| {
        *index != op
            && is_grant(&timed.op)
            && timed.start_us <= culprit.end_us
            && timed.op.token != culprit.op.token
    });
    let grant =
        grant.max_by_key(|(_, timed)| timed.end_us.min(culprit.end_us)).map(|(index, _)| lock.at[index]);
    grant.into_iter().chain([lock.at[op]]).collect()
}

pub(super) fn is_grant(op: &LockOp) -> bool {
    matches!(op.ask, Ask::Acquire { .. }) && op.given == Given::Ok
}

/// Counts what was reached, by the order of the answers; a lost release is taken to have happened.
fn count(lock: &OneLock, report: &mut Report) {
    let counts = &mut report.counts;
    counts.objects += usize::from(lock.ops.iter().any(|timed| timed.answered));
    let mut order: Vec<&Timed<LockOp>> = lock.ops.iter().collect();
    order.sort_by_key(|timed| if timed.answered { timed.end_us } else { timed.start_us });
    let mut live: Option<(Id, Token)> = None;
    for timed in order {
        let op = &timed.op;
        match (op.ask, op.given) {
            (Ask::Acquire { holder, .. }, Given::Ok) => {
                counts.grants += 1;
                counts.takeovers += usize::from(live.is_some_and(|(last, token)| {
                    last != holder && (token != op.token || token == Token::Absent)
                }));
                live = Some((holder, op.token));
            }
            (Ask::Acquire { .. }, Given::Refused(Reason::Held)) => counts.contended += 1,
            (Ask::Release { .. }, Given::Ok | Given::Info) if op.already != Some(true) => live = None,
            (Ask::Break { .. }, Given::Ok | Given::Info) => live = None,
            _ => {}
        }
    }
}
