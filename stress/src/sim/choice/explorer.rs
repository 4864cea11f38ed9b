//! Every run there is, one after the other, depth first.

use super::{Fork, Relation, Sleeper, Source};

/// Hands out a [`Source`] for each run of a space of choices until there is none left.
///
/// ```
/// use fencehold_stress::sim::choice::Explorer;
/// let mut explorer = Explorer::new();
/// let mut runs = 0;
/// while let Some(mut source) = explorer.next_run() {
///     let left = source.choose("left", 3);
///     if left > 0 {
///         source.choose("right", 2);
///     }
///     runs += 1;
///     explorer.ran(&source);
/// }
/// assert_eq!(runs, 1 + 2 * 2);
/// ```
#[derive(Debug, Clone)]
pub struct Explorer {
    /// Who may sleep; none for the search of every run.
    reduction: Option<(Reduction, Relation)>,
    /// The answers of the next run, as far as they are fixed.
    stack: Vec<Turn>,
    explored: Explored,
}

/// Which of the runs that differ only in the order of what commutes are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// All but one, where the number of preemptions is not bounded.
    Unbounded,
    /// Those which can be left out under a bound on the number of preemptions.
    Bounded,
}

/// An answer on the way that the search is on.
#[derive(Debug, Clone)]
struct Turn {
    of: u32,
    chosen: u32,
    /// Where it was asked who goes next, and it matters who did before.
    fork: Option<Fork>,
}

/// How much of a space was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// How many runs there were.
    pub runs: u64,
    /// How many more were begun and left, because they led to worlds that had been seen.
    pub redundant: u64,
    /// Whether no other run is possible (within the bounds of the scenario).
    pub complete: bool,
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

impl Explorer {
    /// Nothing has been run.
    #[must_use]
    pub fn new() -> Self {
        let explored = Explored { runs: 0, redundant: 0, complete: false };
        Explorer { reduction: None, stack: Vec::new(), explored }
    }

    /// Nothing has been run, and not everything will be. `commutes` is [`Touched::commutes`](super::Touched::commutes),
    /// except where a test asks what a wrong one would leave out.
    #[must_use]
    pub fn reduced(reduction: Reduction, commutes: Relation) -> Self {
        Explorer { reduction: Some((reduction, commutes)), ..Self::new() }
    }

    /// The source of the next run, or none once all have been seen.
    #[must_use]
    pub fn next_run(&mut self) -> Option<Source> {
        if self.explored.complete {
            return None;
        }
        let prefix = self.stack.iter().map(|turn| turn.chosen).collect();
        let Some((_, commutes)) = self.reduction else { return Some(Source::lenient(prefix)) };
        let mut forks =
            self.stack.iter().enumerate().filter_map(|(at, turn)| Some((at, turn.fork.as_ref()?)));
        Some(Source::reduced(prefix, forks.next_back().map(|(at, fork)| (at, fork.asleep.clone())), commutes))
    }

    /// Takes note of what the run asked.
    pub fn ran(&mut self, source: &Source) {
        match source.is_redundant() {
            true => self.explored.redundant += 1,
            false => self.explored.runs += 1,
        }
        let known = self.stack.len();
        let new = source.answers().iter().skip(known);
        self.stack.extend(new.map(|answer| Turn { of: answer.of, chosen: answer.chosen, fork: None }));
        for fork in source.forks() {
            match &mut self.stack[fork.answer].fork {
                Some(known) => known.step.join(&fork.step),
                new => *new = Some(fork.clone()),
            }
        }
        self.explored.complete = !self.turn();
    }

    /// How much has been seen so far.
    #[must_use]
    pub fn explored(&self) -> Explored {
        self.explored
    }

    /// The last choice that has another possibility takes it; whether there was one.
    fn turn(&mut self) -> bool {
        while let Some(turn) = self.stack.last_mut() {
            let bounded = matches!(self.reduction, Some((Reduction::Bounded, _)));
            if let Some(chosen) = turn.another(bounded) {
                turn.chosen = chosen;
                return true;
            }
            self.stack.pop();
        }
        false
    }
}

impl Turn {
    fn another(&mut self, bounded: bool) -> Option<u32> {
        let Some(fork) = &mut self.fork else {
            return (self.chosen + 1 < self.of).then_some(self.chosen + 1);
        };
        let step = std::mem::take(&mut fork.step);
        if !bounded || fork.at_call && self.chosen == 0 {
            fork.asleep.push(Sleeper { process: fork.ready[self.chosen as usize], step });
        }
        let sleeps = |at: &u32| fork.asleep.iter().any(|sleeper| sleeper.process == fork.ready[*at as usize]);
        (self.chosen + 1..self.of).find(|at| !sleeps(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_combination_is_seen_once() {
        let mut explorer = Explorer::new();
        let mut seen = BTreeSet::new();
        while let Some(mut source) = explorer.next_run() {
            let one = source.choose("one", 3);
            let rest: Vec<usize> = (0..one).map(|_| source.choose("rest", 2)).collect();
            assert!(seen.insert((one, rest)), "the same run twice");
            explorer.ran(&source);
        }
        assert_eq!(seen.len(), 1 + 2 + 4);
        assert_eq!(explorer.explored(), Explored { runs: 7, redundant: 0, complete: true });
    }
}
