//! Statuses: each task on its own, under every spelling of its id.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{
    Call, History, Id, Operation, Outcome, Reason, StatusAsk as Asked, StatusSeen, Told,
};
use fencehold_model::policy::IdForm;
use fencehold_model::spec::StatusSpec;
use fencehold_model::spec::status::{
    AtGate, Cell, Rung, Shown, Side, Sides, StatusAsk, StatusGiven, StatusOp, StatusReason, Word, canonical,
};

use super::limit::Limit;
use super::object::{Judge, Object, last_before};
use super::points::Point;
use super::report::Report;

/// All tasks of a history.
pub(super) struct Tasks {
    spec: StatusSpec,
    objects: Vec<Object<StatusOp>>,
}

/// Words and details as the oracle's numbers.
struct Reader<'a> {
    history: &'a History,
    words: BTreeMap<&'a str, Word>,
    details: BTreeMap<&'a str, u32>,
}

impl Tasks {
    /// Reads the operations on tasks.
    pub(super) fn of(history: &History) -> Self {
        let policy = &history.header.hello.policy;
        let rungs = policy.vocabulary.rungs();
        let words =
            rungs.iter().zip(0u8..).map(|(rung, place)| (rung.status.as_str(), Word(place))).collect();
        let reader = Reader { history, words, details: details(history) };
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut objects: Vec<Object<StatusOp>> = Vec::new();
        for (at, op) in history.ops.iter().enumerate() {
            let Call::Status(task, ask) = &op.call else { continue };
            let Some(read) = reader.op(op, ask) else { continue };
            let text = history.names.text(*task);
            let task = if policy.task_ids == IdForm::Numbers { canonical(text) } else { text.to_owned() };
            let place = *places.entry(task).or_insert_with_key(|task| {
                objects.push(Object::new(format!("task {task:?}")));
                objects.len() - 1
            });
            objects[place].push(at, op, read);
        }
        let rungs = rungs.iter().map(|rung| Rung { rank: rung.rank, terminal: rung.terminal }).collect();
        Tasks { spec: StatusSpec { rungs, exact: false, gated: Vec::new() }, objects }
    }

    /// Where each answer says that it was decided.
    pub(super) fn points<'a>(&'a self, points: &mut Vec<Point<'a>>) {
        for object in &self.objects {
            Point::of(object, points, |op, _| (if moves(op) { 0 } else { 2 }, false));
        }
    }

    /// Judges every task.
    pub(super) fn check(&self, history: &History, ranks: &[u32], limit: &mut Limit, report: &mut Report) {
        let related = |object: &Object<StatusOp>, culprit: usize| last_before(object, culprit, moves);
        let judge = Judge { history, spec: &self.spec, ranks, related };
        for (place, object) in self.objects.iter().enumerate() {
            object.ops.iter().for_each(|timed| count(&timed.op, report));
            judge.judge(object, &mut limit.share(self.objects.len() - place), report);
        }
    }
}

/// Whether it was answered as having moved the task.
fn moves(op: &StatusOp) -> bool {
    op.ask != StatusAsk::Get && op.given == StatusGiven::Ok && op.already != Some(true)
}

/// The details of a history, in their order.
fn details(history: &History) -> BTreeMap<&str, u32> {
    let mut all: BTreeSet<Id> = BTreeSet::new();
    for op in &history.ops {
        let Call::Status(_, ask) = &op.call else { continue };
        match ask {
            Asked::Set { detail, .. } => all.extend(detail),
            Asked::Merge(seen) => all.extend(seen.details.iter().map(|(_, detail)| *detail)),
            Asked::Reopen { .. } | Asked::Get => {}
        }
        if let Outcome::Ok(answer) | Outcome::Refused(_, answer) = &op.outcome
            && let Told::Status(seen) = &answer.told
        {
            all.extend(seen.details.iter().map(|(_, detail)| *detail));
        }
    }
    let texts: BTreeSet<&str> = all.into_iter().map(|id| history.names.text(id)).collect();
    texts.into_iter().zip(0u32..).collect()
}

impl Reader<'_> {
    fn word(&self, status: Id) -> Word {
        self.words.get(self.history.names.text(status)).copied().unwrap_or(Word::UNKNOWN)
    }

    fn detail(&self, detail: Id) -> u32 {
        self.details[self.history.names.text(detail)]
    }

    /// The operation as the oracle sees it, if it may have happened.
    fn op(&self, op: &Operation, ask: &Asked) -> Option<StatusOp> {
        let (given, answer) = match &op.outcome {
            Outcome::Ok(answer) => (StatusGiven::Ok, Some(answer)),
            Outcome::Refused(reason, answer) => (StatusGiven::Refused(reason_of(*reason)), Some(answer)),
            Outcome::Info => (StatusGiven::Info, None),
            Outcome::Fail => return None,
        };
        let seen = answer.and_then(|answer| match &answer.told {
            Told::Status(seen) => Some(seen),
            _ => None,
        });
        Some(StatusOp {
            ask: self.ask(ask),
            given,
            shown: seen.and_then(|seen| self.shown(seen)),
            already: answer.and_then(|answer| answer.already),
            revision: op.revision,
            at_gate: AtGate::default(),
            forced: false,
        })
    }

    fn ask(&self, ask: &Asked) -> StatusAsk {
        match ask {
            Asked::Set { to, from, epoch, detail, resolve } => StatusAsk::Set {
                to: self.word(*to),
                from: from.map(|from| self.word(from)),
                epoch: *epoch,
                detail: detail.map(|detail| self.detail(detail)),
                resolve: *resolve,
            },
            Asked::Reopen { to, from, epoch, blank } => StatusAsk::Reopen {
                to: self.word(*to),
                from: from.map(|from| self.word(from)),
                epoch: *epoch,
                blank: *blank,
            },
            Asked::Get => StatusAsk::Get,
            Asked::Merge(seen) => StatusAsk::Merge(self.shown(seen).map(|shown| Cell {
                epoch: shown.epoch,
                turn: shown.turn,
                sides: shown.sides,
            })),
        }
    }

    /// None where it names a status that nobody knows.
    fn shown(&self, seen: &StatusSeen) -> Option<Shown> {
        let mut sides = Sides::default();
        for status in &seen.statuses {
            let detail = seen.details.iter().find(|(of, _)| of == status);
            let side = Side::of(detail.map(|(_, detail)| self.detail(*detail)));
            let word = Some(self.word(*status)).filter(|word| *word != Word::UNKNOWN)?;
            sides = sides.with(word, side);
        }
        let details = !seen.details.is_empty();
        Some(Shown { epoch: seen.epoch, turn: seen.turn, sides, details })
    }
}

fn reason_of(reason: Reason) -> StatusReason {
    match reason {
        Reason::Regression => StatusReason::Regression,
        Reason::Conflict => StatusReason::Conflict,
        Reason::StaleEpoch => StatusReason::StaleEpoch,
        Reason::NotFound => StatusReason::NotFound,
        Reason::NeedsReason => StatusReason::NeedsReason,
        Reason::Own => StatusReason::Own,
        _ => StatusReason::Other,
    }
}

/// Counts what was reached.
fn count(op: &StatusOp, report: &mut Report) {
    let counts = &mut report.counts;
    match (op.ask, op.given) {
        (StatusAsk::Get, _) => {}
        (_, StatusGiven::Refused(StatusReason::Regression)) => counts.regressions += 1,
        (_, StatusGiven::Refused(StatusReason::StaleEpoch)) => counts.stale_epochs += 1,
        (ask, StatusGiven::Ok) if moves(op) => {
            counts.moves += 1;
            let two = op.shown.is_some_and(|shown| shown.sides.alone().is_none());
            counts.conflicts += usize::from(two);
            counts.reopened += usize::from(matches!(ask, StatusAsk::Reopen { .. }));
            counts.resolved += usize::from(matches!(ask, StatusAsk::Set { resolve: true, .. }) && !two);
        }
        _ => {}
    }
}
