//! Every run there is, one after the other, depth first.

use super::{Answer, Source};

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
    next: Option<Vec<u32>>,
    runs: u64,
}

/// How much of a space was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// How many runs there were.
    pub runs: u64,
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
        Explorer { next: Some(Vec::new()), runs: 0 }
    }

    /// The source of the next run, or none once all have been seen.
    ///
    /// # Panics
    /// If the run before was not given to [`Explorer::ran`].
    #[must_use]
    pub fn next_run(&mut self) -> Option<Source> {
        self.next.as_ref().map(|prefix| Source::lenient(prefix.clone()))
    }

    /// Takes note of what the run asked.
    pub fn ran(&mut self, source: &Source) {
        self.runs += 1;
        self.next = successor(source.answers());
    }

    /// How much has been seen so far.
    #[must_use]
    pub fn explored(&self) -> Explored {
        Explored { runs: self.runs, complete: self.next.is_none() }
    }
}

/// The first answers of the next run: the last choice that had another possibility takes it.
fn successor(answers: &[Answer]) -> Option<Vec<u32>> {
    let turned = answers.iter().rposition(|answer| answer.chosen + 1 < answer.of)?;
    let mut prefix: Vec<u32> = answers[..=turned].iter().map(|answer| answer.chosen).collect();
    prefix[turned] += 1;
    Some(prefix)
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
        assert_eq!(explorer.explored(), Explored { runs: 7, complete: true });
    }
}
