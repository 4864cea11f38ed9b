//! The one source of choice of the simulated worlds.
//!
//! Whatever could go one way or the other in a run is asked of a [`Source`]: who goes next, whether a process is killed
//! here, after how many bytes a write is cut. The source records every answer; the answers are the run's *schedule*, and
//! the same body run again on [`Source::replay`] of it is the same run. A question with one possible answer is not asked
//! and not recorded.

mod explorer;
mod schedule;

pub use explorer::{Explored, Explorer};
pub use schedule::{Answer, BadSchedule, Schedule};

/// Where the answers come from, and those given so far.
#[derive(Debug, Clone)]
pub struct Source {
    kind: Kind,
    answers: Vec<Answer>,
    diverged: Option<String>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// These answers first, then always the first possible one: the exhaustive search is a series of such runs.
    Prefix(Vec<u32>),
    /// Drawn from a seed.
    Random(Random),
    /// Recorded answers, whose questions must be the same; past their end, the first possible answer.
    Replay(Vec<Answer>),
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

    /// The answers of an earlier run.
    #[must_use]
    pub fn replay(schedule: &Schedule) -> Self {
        Self::of(Kind::Replay(schedule.answers.clone()))
    }

    /// These answers as far as they are possible, then always the first one.
    pub(super) fn lenient(answers: Vec<u32>) -> Self {
        Self::of(Kind::Prefix(answers))
    }

    fn of(kind: Kind) -> Self {
        Source { kind, answers: Vec::new(), diverged: None }
    }

    /// Which of `of` possibilities is taken, counted from 0.
    ///
    /// # Panics
    /// If there is none to choose from.
    pub fn choose(&mut self, label: &'static str, of: usize) -> usize {
        assert!(of > 0, "{label}: a choice among nothing");
        if of == 1 {
            return 0;
        }
        let of = u32::try_from(of).expect("a simulated choice has fewer than 2^32 possibilities");
        let step = self.answers.len();
        let chosen = match &mut self.kind {
            Kind::Prefix(prefix) => prefix.get(step).map_or(0, |chosen| (*chosen).min(of - 1)),
            Kind::Random(random) => random.below(of),
            Kind::Replay(recorded) => match recorded.get(step) {
                None => 0,
                Some(answer) if answer.label == label && answer.of == of => answer.chosen,
                Some(answer) => {
                    self.diverged.get_or_insert_with(|| {
                        format!(
                            "step {step} asks {label} of {of}, recorded is {} of {}",
                            answer.label, answer.of
                        )
                    });
                    0
                }
            },
        };
        self.answers.push(Answer { label: label.into(), of, chosen });
        chosen as usize
    }

    /// Whether something rare happens: drawn once in `one_in` times, and both ways by the exhaustive search.
    pub fn flip(&mut self, label: &'static str, one_in: u32) -> bool {
        if let Kind::Random(random) = &mut self.kind {
            let chosen = u32::from(random.below(one_in.max(1)) == 0);
            self.answers.push(Answer { label: label.into(), of: 2, chosen });
            return chosen == 1;
        }
        self.choose(label, 2) == 1
    }

    /// The answers given so far.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
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

/// A small deterministic generator (SplitMix64): the same numbers on every machine and in every version.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `of`, which is not 0 (multiply and shift; the bias is below 2^-32).
    pub fn below(&mut self, of: u32) -> u32 {
        assert!(of > 0, "a number below nothing");
        u32::try_from((u128::from(self.bits()) * u128::from(of)) >> 64).expect("the product is below `of`")
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
        let draw = |seed| {
            let mut source = Source::random(seed);
            (0..50).map(|_| source.choose("next", 7)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
