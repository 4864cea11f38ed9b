//! From a history that breaks a rule to a short one that still does.
//!
//! Leaving out a grant but not the refusal that names it would break a rule that the target did not break. So only
//! parts are left out whose absence explains nothing away and makes nothing inexplicable: whole locks and files, what
//! was sent later, answers that changed nothing, all that ever mentions one token, one record or proposal with its place in every
//! read. And a shorter history counts only if the same operation still breaks the same rule, and no other is broken.

mod parts;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fencehold_model::history::{History, Id};
use fencehold_model::spec::Breach;

use super::report::{Verdict, Violation};
use super::{Report, check};
use parts::{Part, objects, proposals, records, units, without};

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
        // What was torn may have been needed to explain another object.
        self.drop_nemesis();
        loop {
            let before = self.best.text().len();
            self.minimise(records);
            self.minimise(proposals);
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
                // To leave a part out of a long history takes its time as well.
                if Instant::now() >= self.end {
                    return;
                }
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
