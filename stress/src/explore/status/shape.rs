//! The vocabularies that are different, whatever their statuses are called.
//!
//! A decision compares ranks and asks whether a status is terminal. So a vocabulary is known by how many statuses of
//! either kind stand at each rank, lowest first; the ranks themselves are spread as far as they may be.

use std::fmt;

use fencehold_model::Status;
use fencehold_model::status::{RANK_MAX, Rung, Vocabulary};

/// One vocabulary: of each rank, how many statuses are not terminal, and how many are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// From the lowest rank up; none is empty.
    pub levels: Vec<(usize, usize)>,
}

/// The ranks that levels get.
const RANKS: [u64; 3] = [0, 1, RANK_MAX];

/// Every vocabulary of `least` to `most` statuses and one to three ranks.
#[must_use]
pub fn shapes(least: usize, most: usize) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for count in least..=most {
        for ranks in 1..=RANKS.len().min(count) {
            grow(&mut Vec::new(), count, ranks, &mut shapes);
        }
    }
    shapes
}

fn grow(levels: &mut Vec<(usize, usize)>, left: usize, ranks: usize, shapes: &mut Vec<Shape>) {
    if ranks == 0 {
        shapes.push(Shape { levels: levels.clone() });
        return;
    }
    let sizes = if ranks == 1 { left..=left } else { 1..=left + 1 - ranks };
    for size in sizes {
        for terminal in 0..=size {
            levels.push((size - terminal, terminal));
            grow(levels, left - size, ranks - 1, shapes);
            levels.pop();
        }
    }
}

impl Shape {
    /// How many statuses it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels.iter().map(|(plain, terminal)| plain + terminal).sum()
    }

    /// Never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The level and the kind of each status, in the order of their names.
    pub(super) fn places(&self) -> Vec<(usize, bool)> {
        let levels = self.levels.iter().enumerate();
        let place = |(level, (plain, terminal)): (usize, &(usize, usize))| {
            [vec![(level, false); *plain], vec![(level, true); *terminal]].concat()
        };
        levels.flat_map(place).collect()
    }

    /// The vocabulary; its statuses are `a`, `b`, ….
    ///
    /// # Panics
    /// Never: its own statuses are a vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> Vocabulary {
        let rung = |(index, (level, terminal)): (usize, (usize, bool))| Rung {
            status: status(index),
            rank: RANKS[level],
            terminal,
        };
        Vocabulary::new(self.places().into_iter().enumerate().map(rung).collect())
            .expect("a few letters are a vocabulary")
    }
}

/// The status of an index; the one past the last is unknown to the vocabulary.
pub(super) fn status(index: usize) -> Status {
    let letter = char::from(b'a' + index as u8);
    Status::new(letter.encode_utf8(&mut [0; 4])).expect("one letter is an id")
}

impl fmt::Display for Shape {
    /// `2 < 1+1t`: two statuses, below them one that is not terminal and one that is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (plain, terminal)) in self.levels.iter().enumerate() {
            let apart = if index > 0 { " < " } else { "" };
            match (plain, terminal) {
                (plain, 0) => write!(f, "{apart}{plain}")?,
                (0, terminal) => write!(f, "{apart}{terminal}t")?,
                (plain, terminal) => write!(f, "{apart}{plain}+{terminal}t")?,
            }
        }
        Ok(())
    }
}
