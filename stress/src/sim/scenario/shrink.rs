//! A counterexample made smaller: operations first, then faults, then preemptions, then everything else.
//!
//! An operation is what a scenario asks for under a label that begins with `op`; its answer 0 is to do nothing. What is
//! tried: to give the first possible answer, in large pieces first; to leave answers out, so that those behind them
//! move up; and to keep each answer with the next question of its label, where leaving out one operation would shift
//! the answers of all others.

use super::{Counterexample, Scenario, counterexample};
use crate::sim::choice::{Answer, Source};

/// How many runs a counterexample may be shrunk by.
const SHRINK_RUNS_MAX: usize = 300;

/// What an answer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decides {
    Operation,
    Fault,
    Turn,
    Other,
}

const FAULTS: [&str; 10] =
    ["kill", "power cut", "error", "stop", "stall", "evict", "clock step", "suspend", "fork", "patience"];

fn decides(answer: &Answer) -> Decides {
    match &*answer.label {
        label if label.starts_with("op") => Decides::Operation,
        label if FAULTS.contains(&label) => Decides::Fault,
        "next" | "preempt" => Decides::Turn,
        _ => Decides::Other,
    }
}

pub(super) fn shrink(scenario: &dyn Scenario, found: Counterexample) -> Counterexample {
    let mut shrinking = Shrinking { scenario, shortest: found, runs_left: SHRINK_RUNS_MAX };
    loop {
        let before = cost(&shrinking.shortest);
        for what in [Decides::Operation, Decides::Fault, Decides::Turn] {
            shrinking.first_answers(|answer| decides(answer) == what);
        }
        shrinking.first_answers(|_| true);
        shrinking.leave_out();
        if shrinking.runs_left == 0 || cost(&shrinking.shortest) >= before {
            return shrinking.shortest;
        }
    }
}

struct Shrinking<'a> {
    scenario: &'a dyn Scenario,
    shortest: Counterexample,
    runs_left: usize,
}

impl Shrinking<'_> {
    /// Whether a run on this source is a simpler counterexample, which is then the one.
    fn try_it(&mut self, source: Source) -> bool {
        if self.runs_left == 0 {
            return false;
        }
        self.runs_left -= 1;
        let shorter = counterexample(self.scenario, self.scenario.run(source));
        let shorter = shorter.filter(|it| cost(it) < cost(&self.shortest));
        shorter.map(|shorter| self.shortest = shorter).is_some()
    }

    fn try_answers(&mut self, answers: &[Answer]) -> bool {
        let chosen = answers.iter().map(|answer| answer.chosen).collect();
        // Without operations nothing shifts so far that the labels would help.
        let has_operations = answers.iter().any(|answer| decides(answer) == Decides::Operation);
        self.try_it(Source::lenient(chosen))
            || has_operations && self.try_it(Source::by_label(answers.to_vec()))
    }

    /// Takes the first possible answer wherever the violation stays, in large pieces first.
    fn first_answers(&mut self, which: impl Fn(&Answer) -> bool) {
        let mut piece = self.shortest.schedule.answers.len().max(1);
        loop {
            let (mut at, mut shrunk) = (0, false);
            while at < self.shortest.schedule.answers.len() && self.runs_left > 0 {
                let mut answers = self.shortest.schedule.answers.clone();
                let end = answers.len().min(at + piece);
                let turned = answers[at..end].iter_mut().filter(|answer| answer.chosen > 0 && which(answer));
                let turned = turned.map(|answer| answer.chosen = 0).count();
                shrunk |= turned > 0 && self.try_answers(&answers);
                at = end;
            }
            if self.runs_left == 0 || piece == 1 && !shrunk {
                return;
            }
            piece = piece.div_ceil(2);
        }
    }

    /// Leaves out one answer, so that all behind it move up.
    fn leave_out(&mut self) {
        let mut at = self.shortest.schedule.answers.len();
        while at > 0 && self.runs_left > 0 {
            at = (at - 1).min(self.shortest.schedule.answers.len());
            let mut answers = self.shortest.schedule.answers.clone();
            if at < answers.len() {
                answers.remove(at);
                self.try_it(Source::lenient(answers.iter().map(|answer| answer.chosen).collect()));
            }
        }
    }
}

/// What makes one counterexample simpler than another: fewer operations, then faults, then turns, then other answers
/// than the first, then calls.
fn cost(counterexample: &Counterexample) -> [usize; 5] {
    let answers = &counterexample.schedule.answers;
    let count = |what| answers.iter().filter(|answer| answer.chosen > 0 && decides(answer) == what).count();
    [
        count(Decides::Operation),
        count(Decides::Fault),
        count(Decides::Turn),
        count(Decides::Other),
        counterexample.trace.len(),
    ]
}
