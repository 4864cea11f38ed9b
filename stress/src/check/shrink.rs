//! From a history that breaks a rule to a short one that still does.
//!
//! Leaving out a grant but not the refusal that names it would break a rule that the target did not break. So only
//! parts are left out whose absence explains nothing away and makes nothing inexplicable: whole locks and files, what
//! was sent later, answers that changed nothing, all that ever mentions one token, one record with its place in every
//! read. And a shorter history counts only if the same operation still breaks the same rule, and no other is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fencehold_model::history::{Ask, Call, Fence, History, Id, Operation, Outcome, Token};
use fencehold_model::spec::Breach;
use serde_json::Value;

use super::report::{Verdict, Violation};
use super::{Report, check};

/// The longest that one attempt may be judged.
const ATTEMPT: Duration = Duration::from_secs(2);

/// A shorter history, and what it breaks.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The history; [`History::text`] gives it as NDJSON.
    pub history: History,
    /// What it breaks.
    pub violation: Violation,
    /// How many histories were judged on the way.
    pub attempts: usize,
}

/// Shortens a history that breaks a rule, for at most about `budget`; `None` if it breaks none.
#[must_use]
pub fn shrink(history: &History, budget: Duration) -> Option<Shrunk> {
    let report = check(history, budget);
    let Verdict::Violation(violation) = &report.verdict else { return None };
    let mut shrinker = Shrinker {
        goal: Goal::of(history, violation, &report),
        best: history.clone(),
        violation: violation.clone(),
        attempts: 1,
        end: Instant::now() + budget,
    };
    shrinker.run();
    Some(Shrunk { history: shrinker.best, violation: shrinker.violation, attempts: shrinker.attempts })
}

/// What a shorter history must still show.
struct Goal {
    breach: Breach,
    culprit: (u64, u64),
    allowed: BTreeSet<Breach>,
}

impl Goal {
    fn of(history: &History, violation: &Violation, report: &Report) -> Self {
        Goal {
            breach: violation.breach,
            culprit: culprit(history, violation),
            allowed: report.violations.iter().map(|violation| violation.breach).collect(),
        }
    }

    fn met(&self, history: &History, report: &Report) -> Option<Violation> {
        if report.violations.iter().any(|violation| !self.allowed.contains(&violation.breach)) {
            return None;
        }
        let same = |violation: &&Violation| {
            violation.breach == self.breach && culprit(history, violation) == self.culprit
        };
        report.violations.iter().find(same).cloned()
    }
}

/// Process and id of the operation that cannot be explained.
fn culprit(history: &History, violation: &Violation) -> (u64, u64) {
    let op = violation.ops.last().map(|op| &history.ops[*op]);
    op.map_or((0, 0), |op| (history.processes[op.process].number, op.id))
}

struct Shrinker {
    goal: Goal,
    best: History,
    violation: Violation,
    attempts: usize,
    end: Instant,
}

impl Shrinker {
    fn run(&mut self) {
        self.drop_nemesis();
        self.keep_only_subject();
        self.cut_after_culprit();
        loop {
            let before = self.best.text().len();
            self.minimise(records);
            self.minimise(units);
            if self.best.text().len() == before || Instant::now() >= self.end {
                break;
            }
        }
    }

    /// Takes `text` over if it still shows the violation.
    fn attempt(&mut self, text: &str) -> bool {
        let now = Instant::now();
        if text.len() >= self.best.text().len() || now >= self.end {
            return false;
        }
        let Ok(history) = History::parse(text) else { return false };
        self.attempts += 1;
        let report = check(&history, ATTEMPT.min(self.end - now));
        let Some(violation) = self.goal.met(&history, &report) else { return false };
        (self.best, self.violation) = (history, violation);
        true
    }

    fn drop_nemesis(&mut self) {
        let text = self.best.select(|_| true, false);
        self.attempt(&text);
    }

    fn keep_only_subject(&mut self) {
        let subjects: BTreeSet<Id> =
            self.violation.ops.iter().flat_map(|op| objects(&self.best.ops[*op])).collect();
        let keep = |op: usize| objects(&self.best.ops[op]).any(|object| subjects.contains(&object));
        let text = self.best.select(keep, true);
        self.attempt(&text);
    }

    fn cut_after_culprit(&mut self) {
        let last = self.violation.ops.iter().map(|op| self.best.ops[*op].ended_us).max().unwrap_or(u64::MAX);
        let text = self.best.select(|op| self.best.ops[op].invoked_us <= last, true);
        self.attempt(&text);
    }

    /// Leaves out as many parts as possible: first halves of them, in the end single ones.
    fn minimise(&mut self, parts: fn(&History) -> Vec<Part>) {
        let mut left = parts(&self.best);
        let mut size = left.len().div_ceil(2).max(1);
        while !left.is_empty() && Instant::now() < self.end {
            let mut kept = Vec::new();
            for chunk in left.chunks(size) {
                let text = without(&self.best, chunk);
                if !self.attempt(&text) {
                    kept.extend_from_slice(chunk);
                }
            }
            left = kept;
            if size == 1 {
                break;
            }
            size = size.div_ceil(2).max(1);
        }
    }
}

/// The lock or file that an operation is about, and the lock that guards it.
fn objects(op: &Operation) -> impl Iterator<Item = Id> + use<> {
    let (object, fence) = match &op.call {
        Call::Lock(name, _) => (Some(*name), &None),
        Call::Append { file, fence, .. }
        | Call::Increment { file, fence, .. }
        | Call::DocRead { file, fence }
        | Call::Merge { file, fence, .. } => (Some(*file), fence),
        Call::LogRead { file, .. } => (Some(*file), &None),
        Call::Invalid(_) | Call::Other(_) => (None, &None),
    };
    object.into_iter().chain(fence.map(|fence: Fence| fence.lock))
}

/// What is left out together.
#[derive(Debug, Clone)]
enum Part {
    /// These operations, by process and id.
    Ops(Vec<(u64, u64)>),
    /// This record, with its appends and its place in every read.
    Record(String),
}

/// Single operations that changed nothing or are not known to have changed anything, and all that mentions a token;
/// those of one process stand together.
fn units(history: &History) -> Vec<Part> {
    let mut eras: BTreeMap<(Id, Token), Vec<usize>> = BTreeMap::new();
    let mut single = Vec::new();
    for (index, op) in history.ops.iter().enumerate() {
        let tokens = mentioned(op);
        for token in &tokens {
            eras.entry(*token).or_default().push(index);
        }
        let changes = op.ok().is_some_and(|_| match &op.call {
            Call::Lock(_, ask) => !matches!(ask, Ask::Show),
            Call::Append { .. } | Call::Increment { .. } | Call::Merge { .. } => true,
            _ => false,
        });
        if !changes {
            single.push(index);
        }
    }
    let key = |index: &usize| (history.processes[history.ops[*index].process].number, history.ops[*index].id);
    single.sort_by_key(key);
    let eras = eras.into_values().map(|ops| Part::Ops(ops.iter().map(key).collect()));
    eras.chain(single.iter().map(|index| Part::Ops(vec![key(index)]))).collect()
}

/// The tokens that an operation's request or answer names.
fn mentioned(op: &Operation) -> Vec<(Id, Token)> {
    let mut tokens = Vec::new();
    if let Call::Lock(name, ask) = &op.call {
        if let Ask::Renew { token, .. } | Ask::Release { token, .. } = ask {
            tokens.push((*name, *token));
        }
        if let Outcome::Ok(answer) | Outcome::Refused(_, answer) = &op.outcome {
            tokens.push((*name, answer.token));
        }
    }
    tokens.retain(|(_, token)| *token != Token::Absent);
    tokens
}

fn records(history: &History) -> Vec<Part> {
    let ids = history.ops.iter().filter_map(|op| match &op.call {
        Call::Append { id, .. } => Some(*id),
        _ => None,
    });
    let ids: BTreeSet<Id> = ids.collect();
    ids.into_iter().map(|id| Part::Record(history.names.text(id).to_owned())).collect()
}

fn without(history: &History, parts: &[Part]) -> String {
    let (mut ops, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for part in parts {
        match part {
            Part::Ops(keys) => ops.extend(keys.iter().copied()),
            Part::Record(id) => {
                gone.insert(id.as_str());
            }
        }
    }
    let keep = |index: usize| {
        let op = &history.ops[index];
        let record = match &op.call {
            Call::Append { id, .. } => gone.contains(history.names.text(*id)),
            _ => false,
        };
        !record && !ops.contains(&(history.processes[op.process].number, op.id))
    };
    let text = history.select(keep, true);
    if gone.is_empty() { text } else { text.lines().map(|line| read_without(line, &gone)).collect() }
}

/// A line of a history without these records in what was read.
fn read_without(line: &str, gone: &BTreeSet<&str>) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap_or_default();
    let is_gone = |id: &Value| id.as_str().is_some_and(|id| gone.contains(id));
    let Some(records) = value["value"]["records"].as_array_mut() else { return format!("{line}\n") };
    records.retain(|record| !is_gone(&record["id"]));
    if let Some(duplicates) = value["value"]["duplicates"].as_array_mut() {
        duplicates.retain(|id| !is_gone(id));
    }
    format!("{value}\n")
}
