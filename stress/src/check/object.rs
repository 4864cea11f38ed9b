//! One object and its judgement: by its revisions where there are any, else by search.

use fencehold_model::history::{History, NEVER, Operation};
use fencehold_model::spec::{Breach, Spec};

use super::limit::Limit;
use super::report::Report;
use super::search::{Found, Timed, search};
use super::witness::witness;

/// The operations on one object that may have happened.
#[derive(Debug)]
pub(super) struct Object<O> {
    /// What it is, for people.
    pub(super) subject: String,
    /// Indices into the history's operations.
    pub(super) at: Vec<usize>,
    pub(super) ops: Vec<Timed<O>>,
}

impl<O> Object<O> {
    pub(super) fn new(subject: String) -> Self {
        Object { subject, at: Vec::new(), ops: Vec::new() }
    }

    /// Adds an operation of the history, as its specification sees it.
    pub(super) fn push(&mut self, at: usize, op: &Operation, seen: O) {
        self.push_until(at, op, op.ended_us, seen);
    }

    /// Adds an operation that may have happened until `ended_us`, where it was not answered.
    pub(super) fn push_until(&mut self, at: usize, op: &Operation, ended_us: u64, seen: O) {
        let answered = op.is_answered();
        let end_us = if answered { op.ended_us.min(NEVER - 1) } else { ended_us };
        let revision = op.revision.filter(|_| answered);
        self.at.push(at);
        self.ops.push(Timed { start_us: op.invoked_us, end_us, answered, revision, op: seen });
    }

    pub(super) fn was_answered(&self) -> bool {
        self.ops.iter().any(|timed| timed.answered)
    }
}

/// How one object is judged.
pub(super) struct Judge<'a, S: Spec> {
    pub(super) history: &'a History,
    pub(super) spec: &'a S,
    /// For each operation of the history its place in the order that the revisions claim, if it has one.
    pub(super) ranks: &'a [u32],
    /// The operation that tells most about the one that cannot be explained, by index.
    pub(super) related: fn(&Object<S::Op>, usize) -> Option<usize>,
}

impl<S: Spec> Judge<'_, S> {
    pub(super) fn judge(&self, object: &Object<S::Op>, limit: &mut Limit, report: &mut Report) {
        report.counts.objects += usize::from(object.was_answered());
        let by_revision = self.history.header.hello.revisions
            && object.ops.iter().all(|timed| !timed.answered || timed.revision.is_some());
        if by_revision && witness(self.spec, object, self.ranks, limit).is_ok() {
            report.counts.witnessed += 1;
        } else {
            self.by_search(object, by_revision, limit, report);
        }
    }

    fn by_search(&self, object: &Object<S::Op>, by_revision: bool, limit: &mut Limit, report: &mut Report) {
        report.counts.searched += 1;
        let mut transitions = 0;
        let mut found = search(self.spec, &object.ops, by_revision, limit, &mut transitions);
        if let (true, Found::Nothing { op, .. }) = (by_revision, &found) {
            // No order by revision explains it: a violation already. Is it the revisions, or the answers?
            let (op, free) = (*op, search(self.spec, &object.ops, false, limit, &mut transitions));
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
                let related = (self.related)(object, op).filter(|related| *related != op);
                let ops = related.into_iter().chain([op]).map(|op| object.at[op]).collect();
                report.broken(self.history, breach, &object.subject, ops);
            }
            Found::Stopped => {
                let why = limit.over().unwrap_or("the search stopped");
                report.unknown.push(format!("{}: {why} after {transitions} transitions", object.subject));
            }
        }
    }
}

/// Of the operations that `tells` and that began before `culprit` ended, the one that was answered last before it.
pub(super) fn last_before<O>(
    object: &Object<O>,
    culprit: usize,
    tells: impl Fn(&O) -> bool,
) -> Option<usize> {
    let end_us = object.ops[culprit].end_us;
    let before = object
        .ops
        .iter()
        .enumerate()
        .filter(|(index, timed)| *index != culprit && timed.start_us <= end_us && tells(&timed.op));
    before.max_by_key(|(_, timed)| timed.end_us.min(end_us)).map(|(index, _)| index)
}
