//! The order that the revisions claim, over all locks together, against real time.

use fencehold_model::history::{Ask, History, Token};
use fencehold_model::spec::{Breach, Given, LockOp};

use super::locks::OneLock;
use super::report::Report;
use super::search::Timed;

struct Point<'a> {
    revision: u64,
    /// Whether the operation may be the one that made the event of its revision: 0 likely, 1 perhaps, 2 no.
    class: u8,
    timed: &'a Timed<LockOp>,
    at: usize,
    lock: usize,
}

/// Reports answers without a revision and revisions against real time. Gives, for each operation of the history, its
/// place in the order that the revisions claim.
pub(super) fn check(history: &History, locks: &[OneLock], report: &mut Report) -> Vec<u32> {
    let mut points = Vec::new();
    for (place, lock) in locks.iter().enumerate() {
        for (timed, at) in lock.ops.iter().zip(&lock.at) {
            match timed.revision {
                Some(revision) => {
                    points.push(Point {
                        revision,
                        class: class(timed, revision),
                        timed,
                        at: *at,
                        lock: place,
                    });
                }
                None if timed.answered => {
                    report.broken(history, Breach::RevisionMissing, &name(history, lock), vec![*at]);
                }
                None => {}
            }
        }
    }
    points.sort_by_key(|point| (point.revision, point.timed.start_us));
    let mut ranks = vec![u32::MAX; history.ops.len()];
    let mut rank = 0;
    let mut latest: Option<&Point<'_>> = None;
    for group in points.chunk_by(|left, right| left.revision == right.revision) {
        let first_end = group.iter().map(|point| point.timed.end_us).min().unwrap_or(0);
        let maker = group.iter().filter(|point| point.class < 2 && point.timed.start_us <= first_end);
        let maker = maker.min_by_key(|point| (point.class, point.timed.start_us)).map(|point| point.at);
        if let Some(maker) = maker {
            ranks[maker] = rank;
            rank += 1;
        }
        for point in group {
            if Some(point.at) != maker {
                ranks[point.at] = rank;
                rank += 1;
            }
            if let Some(before) = latest.filter(|before| point.timed.end_us < before.timed.start_us) {
                let subject = name(history, &locks[point.lock]);
                report.broken(history, Breach::RevisionOrder, &subject, vec![point.at, before.at]);
            }
        }
        one_grant(history, locks, group, report);
        let last = group
            .last()
            .filter(|last| latest.is_none_or(|before| before.timed.start_us < last.timed.start_us));
        latest = last.or(latest);
    }
    ranks
}

/// One point of the journal holds one event: the grants that stand there are one and the same.
fn one_grant(history: &History, locks: &[OneLock], group: &[Point<'_>], report: &mut Report) {
    let mut grants = group.iter().filter(|point| {
        matches!(point.timed.op.ask, Ask::Acquire { .. })
            && point.timed.op.given == Given::Ok
            && point.timed.op.token == Token::Number(point.revision)
    });
    let Some(first) = grants.next() else { return };
    for other in grants.filter(|other| other.lock != first.lock) {
        let subject = name(history, &locks[other.lock]);
        report.broken(history, Breach::TokenRepeated, &subject, vec![first.at, other.at]);
    }
}

fn class(timed: &Timed<LockOp>, revision: u64) -> u8 {
    let op = &timed.op;
    match (op.ask, op.given) {
        (Ask::Acquire { .. }, Given::Ok) if op.token == Token::Number(revision) => 0,
        (Ask::Release { .. }, Given::Ok) if op.already != Some(true) => 0,
        (Ask::Break { .. }, Given::Ok) => 0,
        (Ask::Acquire { .. } | Ask::Renew { .. }, Given::Ok) => 1,
        _ => 2,
    }
}

fn name(history: &History, lock: &OneLock) -> String {
    format!("lock {:?}", history.names.text(lock.name))
}
