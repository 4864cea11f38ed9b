//! Locks: each name on its own.

use std::collections::BTreeMap;

use fencehold_model::history::{Ask, Call, History, Id, Reason, Token};
use fencehold_model::spec::{Given, LockOp, LockSpec, Rules};

use super::limit::Limit;
use super::object::{Judge, Object, last_before};
use super::points::Point;
use super::report::Report;
use super::search::Timed;

/// The history of each lock, in the order of first appearance.
pub(super) fn objects(history: &History) -> Vec<Object<LockOp>> {
    let mut places: BTreeMap<Id, usize> = BTreeMap::new();
    let mut locks: Vec<Object<LockOp>> = Vec::new();
    for (index, op) in history.ops.iter().enumerate() {
        let Call::Lock(name, _) = op.call else { continue };
        let Some(lock_op) = LockOp::of(history, op) else { continue };
        let place = *places.entry(name).or_insert_with(|| {
            locks.push(Object::new(format!("lock {:?}", history.names.text(name))));
            locks.len() - 1
        });
        locks[place].push(index, op, lock_op);
    }
    locks
}

/// Where each answer says that it was decided.
pub(super) fn points<'a>(locks: &'a [Object<LockOp>], points: &mut Vec<Point<'a>>) {
    for lock in locks {
        Point::of(lock, points, |op, revision| {
            let is_new = is_grant(op) && op.token == Token::Number(revision);
            (class(op, is_new), is_new)
        });
    }
}

/// Whether the operation may be the one that made the event of its revision: 0 likely, 1 perhaps, 2 no.
fn class(op: &LockOp, is_new: bool) -> u8 {
    match (op.ask, op.given) {
        _ if is_new => 0,
        (Ask::Release { .. }, Given::Ok) if op.already != Some(true) => 0,
        (Ask::Break { .. }, Given::Ok) => 0,
        (Ask::Acquire { .. } | Ask::Renew { .. }, Given::Ok) => 1,
        _ => 2,
    }
}

/// Judges all locks.
pub(super) fn check(
    history: &History,
    locks: &[Object<LockOp>],
    ranks: &[u32],
    limit: &mut Limit,
    report: &mut Report,
) {
    let spec = LockSpec { rules: Rules::of(&history.header) };
    let related = |lock: &Object<LockOp>, culprit: usize| {
        let token = lock.ops[culprit].op.token;
        last_before(lock, culprit, |op| is_grant(op) && op.token != token)
    };
    let judge = Judge { history, spec: &spec, ranks, related };
    for (place, lock) in locks.iter().enumerate() {
        count(lock, report);
        judge.judge(lock, &mut limit.share(locks.len() - place), report);
    }
}

fn is_grant(op: &LockOp) -> bool {
    matches!(op.ask, Ask::Acquire { .. }) && op.given == Given::Ok
}

/// Counts what was reached, by the order of the answers; a lost release is taken to have happened.
fn count(lock: &Object<LockOp>, report: &mut Report) {
    let counts = &mut report.counts;
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
