//! The one source of choice of the simulated worlds.
//!
//! Whatever could go one way or the other in a run is asked of a [`Source`]: who goes next, whether a process is killed
//! here, after how many bytes a write is cut. The source records every answer; the answers are the run's *schedule*, and
//! the same body run again on [`Source::replay`] of it is the same run. A question with one possible answer is not asked
//! and not recorded.
//!
//! Four ways to answer: every answer there is, one run after the other ([`Explorer`]); drawn, all alike
//! ([`Source::random`]); drawn so that bugs of a small depth are hit with a known probability ([`Source::pct`]); as
//! recorded ([`Source::replay`]).

mod explorer;
mod pct;
mod random;
mod reduced;
mod schedule;
mod touched;

pub use explorer::{Explored, Explorer, Reduction};
pub use random::Random;
pub use schedule::{Answer, BadSchedule, Schedule};
pub use touched::{Relation, Thing, Touched};

use pct::Pct;
use reduced::{Fork, Reduced, Sleeper};

/// Where the answers come from, and those given so far.
#[derive(Debug, Clone)]
pub struct Source {
    kind: Kind,
    answers: Vec<Answer>,
    diverged: Option<String>,
    steps: u64,
    quiet: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    /// These answers first, then always the first possible one: the exhaustive search is a series of such runs.
    Prefix(Vec<u32>),
    /// The same, without the runs that differ only in the order of what commutes.
    Reduced(Box<Reduced>),
    /// Drawn from a seed.
    Random(Random),
    /// These answers first, then drawn from a seed.
    Begun(Vec<u32>, Random),
    /// Drawn from a seed; who goes next by priorities.
    Pct(Box<Pct>),
    /// Recorded answers, whose questions must be the same; past their end, the first possible answer.
    Replay(Vec<Answer>),
    /// To each question the next recorded answer under the same label, as far as it is possible.
    ByLabel(Vec<Answer>),
}

impl Source {
    /// Always the first possible answer: nobody is preempted, nothing fails.
    #[must_use]
    pub fn first() -> Self {
        Self::of(Kind::Prefix(Vec::new()))
    }

    /// Answers drawn from `seed`, all possible ones alike.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self::of(Kind::Random(Random::new(seed)))
    }

    /// Answers drawn from `seed`; who goes next is drawn for bugs of this depth in runs of about so many steps
    /// ([`Source::steps`] of an earlier run).
    #[must_use]
    pub fn pct(seed: u64, depth: u32, steps: u64) -> Self {
        Self::of(Kind::Pct(Box::new(Pct::new(seed, depth, steps))))
    }

    /// The answers of an earlier run.
    #[must_use]
    pub fn replay(schedule: &Schedule) -> Self {
        Self::of(Kind::Replay(schedule.answers.clone()))
    }

    /// These answers as far as they are possible, then always the first one.
    pub(super) fn lenient(answers: Vec<u32>) -> Self {
        Self::of(Kind::Prefix(answers))
    }

    /// To each question the next of these answers that was given to the same question, then always the first one.
    pub(super) fn by_label(answers: Vec<Answer>) -> Self {
        Self::of(Kind::ByLabel(answers))
    }

    /// These answers as far as they are possible, then answers drawn from `seed`.
    pub(super) fn begun(answers: Vec<u32>, seed: u64) -> Self {
        Self::of(Kind::Begun(answers, Random::new(seed)))
    }

    fn reduced(prefix: Vec<u32>, from: Option<(usize, Vec<Sleeper>)>, commutes: Relation) -> Self {
        Self::of(Kind::Reduced(Box::new(Reduced::new(prefix, from, commutes))))
    }

    fn of(kind: Kind) -> Self {
        Source { kind, answers: Vec::new(), diverged: None, steps: 0, quiet: false }
    }

    /// The same, for a run of which nobody will look at the calls: a world need not write them down.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Whether nobody will look at the calls.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Which of `of` possibilities is taken, counted from 0.
    ///
    /// # Panics
    /// If there is none to choose from.
    pub fn choose(&mut self, label: &'static str, of: usize) -> usize {
        assert!(of > 0, "{label}: a choice among nothing");
        if of == 1 || self.is_redundant() {
            return 0;
        }
        let of = u32::try_from(of).expect("a simulated choice has fewer than 2^32 possibilities");
        let chosen = self.answer(label, of);
        self.answers.push(Answer { label: label.into(), of, chosen });
        chosen as usize
    }

    fn answer(&mut self, label: &'static str, of: u32) -> u32 {
        let step = self.answers.len();
        let prefix = |prefix: &[u32]| prefix.get(step).map_or(0, |chosen| (*chosen).min(of - 1));
        match &mut self.kind {
            Kind::Prefix(answers) => prefix(answers),
            Kind::Reduced(reduced) => prefix(&reduced.prefix),
            Kind::Random(random) => random.below(of),
            Kind::Begun(begun, random) if step >= begun.len() => random.below(of),
            Kind::Begun(begun, _) => prefix(begun),
            Kind::Pct(pct) => pct.random().below(of),
            Kind::ByLabel(recorded) => match recorded.iter().position(|answer| answer.label == label) {
                None => 0,
                Some(at) => recorded.remove(at).chosen.min(of - 1),
            },
            Kind::Replay(recorded) => match recorded.get(step) {
                None => 0,
                Some(answer) if answer.label == label && answer.of == of => answer.chosen,
                Some(answer) => {
                    let recorded = format!("{} of {}", answer.label, answer.of);
                    let asked = || format!("step {step} asks {label} of {of}, recorded is {recorded}");
                    self.diverged.get_or_insert_with(asked);
                    0
                }
            },
        }
    }

    /// Whether something rare happens: drawn once in `one_in` times, and both ways by the exhaustive search.
    pub fn flip(&mut self, label: &'static str, one_in: u32) -> bool {
        let random = match &mut self.kind {
            Kind::Random(random) => random,
            Kind::Begun(begun, random) if self.answers.len() >= begun.len() => random,
            Kind::Pct(pct) => pct.random(),
            _ => return self.choose(label, 2) == 1,
        };
        let chosen = random.below(one_in.max(1)) == 0;
        self.answers.push(Answer { label: label.into(), of: 2, chosen: u32::from(chosen) });
        chosen
    }

    /// Which of the processes `ready` goes next. `at_call`: the first of them is at a call and could go on, which it does
    /// unless it is preempted, drawn once in `one_in` times; an exhaustive search asks anew at every call where that is
    /// 1. None where every one of them leads to a world that the search has seen: the run ends here.
    ///
    /// # Panics
    /// If nobody is ready.
    pub fn next(&mut self, ready: &[usize], at_call: bool, one_in: u32) -> Option<usize> {
        self.steps += 1;
        if self.looks_at_touched() {
            return self.next_reduced(ready, at_call);
        }
        let sticky = at_call && one_in > 1 && ready.len() > 1;
        let Kind::Pct(pct) = &mut self.kind else {
            let stays = sticky && !self.flip("preempt", one_in);
            return Some(if stays { 0 } else { self.choose("next", ready.len()) });
        };
        if ready.len() == 1 {
            return Some(0);
        }
        let chosen = pct.next(ready, at_call);
        if sticky {
            self.answers.push(Answer { label: "preempt".into(), of: 2, chosen: u32::from(chosen > 0) });
        }
        if !sticky || chosen > 0 {
            self.note_next(ready.len(), chosen);
        }
        Some(chosen)
    }

    fn next_reduced(&mut self, ready: &[usize], at_call: bool) -> Option<usize> {
        let answer = self.answers.len();
        let Kind::Reduced(reduced) = &mut self.kind else { return None };
        reduced.step_ends();
        let chosen = match ready {
            [only] => (!reduced.is_asleep(*only)).then_some(0),
            _ => reduced.next(answer, ready, at_call),
        };
        reduced.redundant |= chosen.is_none();
        if ready.len() > 1
            && let Some(chosen) = chosen
        {
            self.note_next(ready.len(), chosen);
        }
        chosen
    }

    fn note_next(&mut self, of: usize, chosen: usize) {
        let number = |number: usize| u32::try_from(number).expect("few processes run together");
        self.answers.push(Answer { label: "next".into(), of: number(of), chosen: number(chosen) });
    }

    /// Notes what the running step reads or writes, where that is looked at.
    pub fn touch(&mut self, thing: Thing, written: bool) {
        if let Kind::Reduced(reduced) = &mut self.kind {
            reduced.touch().note(thing, written);
        }
    }

    /// Whether it is looked at what a step touches.
    #[must_use]
    pub fn looks_at_touched(&self) -> bool {
        matches!(self.kind, Kind::Reduced(_))
    }

    /// Whether the run was ended because its world has been seen: it is not to be judged.
    #[must_use]
    pub fn is_redundant(&self) -> bool {
        matches!(&self.kind, Kind::Reduced(reduced) if reduced.redundant)
    }

    /// How many times it was asked who goes next, or would have been if there had been a choice.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The answers given so far.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    fn forks(&self) -> &[Fork] {
        match &self.kind {
            Kind::Reduced(reduced) => &reduced.forks,
            _ => &[],
        }
    }

    /// Where a replayed run asked other questions than the recorded one: it is then not the same run.
    #[must_use]
    pub fn diverged(&self) -> Option<&str> {
        self.diverged.as_deref()
    }

    /// The run so far as a schedule of the scenario `scenario`.
    #[must_use]
    pub fn schedule(&self, scenario: &str) -> Schedule {
        Schedule { scenario: scenario.to_owned(), answers: self.answers.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_run_gets_the_recorded_answers_and_says_where_it_asks_others() {
        let mut drawn = Source::random(7);
        let answers: Vec<usize> = (0..20).map(|_| drawn.choose("next", 5)).collect();
        let schedule = drawn.schedule("test");
        let mut again = Source::replay(&schedule);
        assert_eq!(answers, (0..20).map(|_| again.choose("next", 5)).collect::<Vec<_>>());
        assert_eq!(again.diverged(), None);
        let mut other = Source::replay(&schedule);
        other.choose("next", 4);
        assert!(other.diverged().is_some());
    }

    #[test]
    fn the_seed_alone_fixes_the_answers() {
        let draw = |mut source: Source| {
            let ready = [0, 1, 2, 3, 4, 5, 6];
            (0..50).map(|_| source.next(&ready, true, 1)).collect::<Vec<_>>()
        };
        for make in [Source::random, |seed| Source::pct(seed, 3, 50)] {
            assert_eq!(draw(make(1)), draw(make(1)));
            assert_ne!(draw(make(1)), draw(make(2)));
        }
    }
}
