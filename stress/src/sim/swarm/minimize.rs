//! A run that is judged wrong, made shorter: first whole stretches of operations are left out, then the other choices.
//!
//! The operations of a run are drawn before it begins, so leaving one out moves none of the others; but it moves every
//! choice that comes after, and with them the faults. So a shorter run is tried with the choices that are left, and then
//! with a few that are drawn anew.

use super::Swarm;
use super::plan::Plan;
use crate::sim::choice::{Answer, Source};
use crate::sim::scenario::{Counterexample, Scenario as _, counterexample, shrunk};

/// How often the choices behind the operations are drawn anew for one shorter run.
const REDRAWN: u64 = 6;

/// A shorter counterexample, or the same; about `calls_max` calls are spent on it.
#[must_use]
pub fn minimized(swarm: &Swarm, found: Counterexample, calls_max: u64) -> Counterexample {
    let mut shortening =
        Shortening { swarm, shortest: found.schedule.answers, calls_left: calls_max, seeds: 0 };
    shortening.shorten();
    let ran = swarm.run(Source::lenient(chosen(&shortening.shortest)));
    let shorter = counterexample(swarm, ran).expect("the same answers make the same run");
    // The general way runs a few hundred times.
    if shortening.calls_left > 600 * shorter.trace.len() as u64 { shrunk(swarm, shorter) } else { shorter }
}

struct Shortening<'a> {
    swarm: &'a Swarm,
    shortest: Vec<Answer>,
    calls_left: u64,
    seeds: u64,
}

impl Shortening<'_> {
    fn shorten(&mut self) {
        loop {
            let before = operations(&self.shortest);
            self.leave_out();
            if self.calls_left == 0 || operations(&self.shortest) >= before {
                return;
            }
        }
    }

    /// Leaves out operations, half of them at first.
    fn leave_out(&mut self) {
        let mut piece = operations(&self.shortest).div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < operations(&self.shortest) && self.calls_left > 0 {
                // What is left out makes room for the next.
                if !self.try_without(at, piece) {
                    at += piece;
                }
            }
            if piece == 1 || self.calls_left == 0 {
                return;
            }
            piece = piece.div_ceil(2);
        }
    }

    /// Without `piece` operations from the one that is `from`th of those that are there.
    fn try_without(&mut self, from: usize, piece: usize) -> bool {
        let plan = self.plan();
        let mut answers = chosen(&self.shortest);
        let there: Vec<usize> = places(&self.shortest).skip(from).take(piece).collect();
        there.into_iter().for_each(|place| answers[place] = 0);
        answers.resize(answers.len().max(plan), 0);
        let begun = answers[..plan].to_vec();
        let left = self.shortest.iter().enumerate();
        let by_label = left.map(|(place, answer)| Answer { chosen: answers[place], ..answer.clone() });
        let by_label = Source::by_label(by_label.collect());
        if self.violates(Source::lenient(answers)) || self.violates(by_label) {
            return true;
        }
        (0..REDRAWN).any(|_| {
            self.seeds += 1;
            self.violates(Source::begun(begun.clone(), self.seeds))
        })
    }

    /// How many answers say what is done.
    fn plan(&self) -> usize {
        Plan::draw(&mut Source::lenient(chosen(&self.shortest)), self.swarm.size).answers
    }

    fn violates(&mut self, source: Source) -> bool {
        if self.calls_left == 0 {
            return false;
        }
        let (ran, reached) = self.swarm.play(source.quiet());
        self.calls_left = self.calls_left.saturating_sub(reached.calls.max(1));
        if ran.violation.is_some() {
            self.shortest = ran.source.schedule(&self.swarm.name()).trimmed().answers;
        }
        ran.violation.is_some()
    }
}

fn chosen(answers: &[Answer]) -> Vec<u32> {
    answers.iter().map(|answer| answer.chosen).collect()
}

/// Where the operations are that are there.
fn places(answers: &[Answer]) -> impl Iterator<Item = usize> {
    let there = answers.iter().enumerate();
    there.filter(|(_, answer)| answer.label.starts_with("op") && answer.chosen > 0).map(|(place, _)| place)
}

fn operations(answers: &[Answer]) -> usize {
    places(answers).count()
}
