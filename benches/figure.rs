//! Figures: the median of many samples, its quartiles, and the goal that it is held against.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// It is told for what it says; nothing is asked of it.
    None,
}

/// The middle of many samples, and a quarter of them from each end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartiles {
    /// A quarter of the samples lie below.
    pub low: f64,
    /// Half of them do.
    pub median: f64,
    /// A quarter of them lie above.
    pub high: f64,
    /// How many there are.
    pub count: usize,
}

impl Quartiles {
    /// Of these samples.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Self {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        assert!(!samples.is_empty(), "a figure needs samples");
        samples.sort_by(f64::total_cmp);
        let at = |quarter: usize| samples[(samples.len() - 1) * quarter / 4];
        Quartiles { low: at(1), median: at(2), high: at(3), count: samples.len() }
    }
}

/// What two things took, in turn.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// Seconds that each sample of ours took, and the one of theirs right after it.
    pub seconds: Vec<(f64, f64)>,
}

impl Pairs {
    /// Our time over theirs: below 1 where ours is faster.
    #[must_use]
    pub fn times(&self) -> Quartiles {
        Quartiles::of(self.seconds.iter().map(|(ours, theirs)| ours / theirs))
    }

    /// Our rate over theirs: above 1 where ours is faster.
    #[must_use]
    pub fn rates(&self) -> Quartiles {
        Quartiles::of(self.seconds.iter().map(|(ours, theirs)| theirs / ours))
    }

    /// Our rate over theirs by the sums, in which rare and long samples count in full.
    #[must_use]
    pub fn rate_of_sums(&self) -> f64 {
        let sum = |which: fn(&(f64, f64)) -> f64| self.seconds.iter().map(which).sum::<f64>();
        sum(|pair| pair.1) / sum(|pair| pair.0)
    }

    /// Microseconds that a sample of ours took, and of theirs.
    #[must_use]
    pub fn micros(&self) -> (Quartiles, Quartiles) {
        (
            Quartiles::of(self.seconds.iter().map(|pair| pair.0 * 1e6)),
            Quartiles::of(self.seconds.iter().map(|pair| pair.1 * 1e6)),
        )
    }
}

/// How long `times` calls took.
pub fn timed<T>(times: usize, mut call: impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    for _ in 0..times {
        black_box(call());
    }
    begun.elapsed()
}

/// Measures ours and theirs in turn, `count` times each, after one turn that warms up.
pub fn pairs(
    count: usize,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> Pairs {
    ours();
    theirs();
    Pairs { seconds: (0..count).map(|_| (ours().as_secs_f64(), theirs().as_secs_f64())).collect() }
}

/// Prints one figure, with what it is of and whether its goal was reached.
pub fn figure(name: &str, what: &str, value: Quartiles, goal: Goal) {
    let verdict = match goal {
        Goal::AtLeast(least) if value.median >= least => format!("; goal at least {}: reached", shown(least)),
        Goal::AtLeast(least) => format!("; goal at least {}: missed", shown(least)),
        Goal::AtMost(most) if value.median <= most => format!("; goal at most {}: reached", shown(most)),
        Goal::AtMost(most) => format!("; goal at most {}: missed", shown(most)),
        Goal::None => String::new(),
    };
    println!(
        "figure {name}: {} (quartiles {} to {}, {} samples){verdict}; {what}",
        shown(value.median),
        shown(value.low),
        shown(value.high),
        value.count
    );
}

/// Three digits after the point where that says something.
fn shown(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}
