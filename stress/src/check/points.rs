//! The order that the revisions claim, over all locks, leases and tasks together, against real time.

use fencehold_model::history::History;
use fencehold_model::spec::Breach;

use super::object::Object;
use super::report::Report;

/// Where one answer says that it was decided.
pub(super) struct Point<'a> {
    /// None where it was answered without one.
    revision: Option<u64>,
    /// Whether the operation may be the one that made the event of its revision: 0 likely, 1 perhaps, 2 no.
    class: u8,
    /// Whether it granted a token that is its revision.
    is_new: bool,
    start_us: u64,
    end_us: u64,
    at: usize,
    subject: &'a str,
}

impl<'a> Point<'a> {
    /// Those of the answered operations of an object; `class` gives [`Point::class`] and [`Point::is_new`].
    pub(super) fn of<O>(
        object: &'a Object<O>,
        points: &mut Vec<Self>,
        class: impl Fn(&O, u64) -> (u8, bool),
    ) {
        for (timed, at) in object.ops.iter().zip(&object.at).filter(|(timed, _)| timed.answered) {
            let (class, is_new) = timed.revision.map_or((2, false), |revision| class(&timed.op, revision));
            points.push(Point {
                revision: timed.revision,
                class,
                is_new,
                start_us: timed.start_us,
                end_us: timed.end_us,
                at: *at,
                subject: &object.subject,
            });
        }
    }
}

/// Reports answers without a revision and revisions against real time. Gives, for each operation of the history, its
/// place in the order that the revisions claim.
pub(super) fn check(history: &History, mut points: Vec<Point<'_>>, report: &mut Report) -> Vec<u32> {
    for point in points.iter().filter(|point| point.revision.is_none()) {
        report.broken(history, Breach::RevisionMissing, point.subject, vec![point.at]);
    }
    points.retain(|point| point.revision.is_some());
    points.sort_by_key(|point| (point.revision, point.start_us, point.at));
    // The same answer of a list is decided once, whatever the number of objects that it tells of.
    let mut ranks = vec![u32::MAX; history.ops.len()];
    let mut rank = 0;
    let mut latest: Option<&Point<'_>> = None;
    for group in points.chunk_by(|left, right| left.revision == right.revision) {
        let first_end = group.iter().map(|point| point.end_us).min().unwrap_or(0);
        let maker = group.iter().filter(|point| point.class < 2 && point.start_us <= first_end);
        let maker = maker.min_by_key(|point| (point.class, point.start_us)).map(|point| point.at);
        if let Some(maker) = maker {
            ranks[maker] = rank;
            rank += 1;
        }
        for point in group {
            if Some(point.at) != maker {
                ranks[point.at] = rank;
                rank += 1;
            }
            if let Some(before) = latest.filter(|before| point.end_us < before.start_us) {
                report.broken(history, Breach::RevisionOrder, point.subject, vec![point.at, before.at]);
            }
        }
        one_grant(history, group, report);
        let last = group.last().filter(|last| latest.is_none_or(|before| before.start_us < last.start_us));
        latest = last.or(latest);
    }
    ranks
}

/// One point of the journal holds one event: the grants that stand there are one and the same.
fn one_grant(history: &History, group: &[Point<'_>], report: &mut Report) {
    let mut grants = group.iter().filter(|point| point.is_new);
    let Some(first) = grants.next() else { return };
    for other in grants.filter(|other| other.subject != first.subject) {
        report.broken(history, Breach::TokenRepeated, other.subject, vec![first.at, other.at]);
    }
}
