//! What a task holds: for each status whether it stands, and its detail.

use super::op::{Shown, Word};

/// The most statuses of a vocabulary.
pub const WORDS_MAX: usize = 32;

/// How one status stands in a cell; in the order in which the greater stays when two boards are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Side(u32);

/// How each status stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sides(pub [Side; WORDS_MAX]);

/// What a task with a status holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Which reopen it follows.
    pub epoch: u64,
    /// How often it moved within its rank, knowing what it left.
    pub turn: u64,
    /// Its statuses.
    pub sides: Sides,
}

impl Side {
    /// A status that does not stand.
    pub const ABSENT: Side = Side(0);
    /// One that stands without a detail.
    pub const PLAIN: Side = Side(1);

    /// One that stands with a detail: a number that stands for a text, in the order of the texts, and below 2^32 - 2.
    #[must_use]
    pub fn with(detail: u32) -> Self {
        Side(detail + 2)
    }

    /// One that stands, with or without a detail.
    #[must_use]
    pub fn of(detail: Option<u32>) -> Self {
        detail.map_or(Side::PLAIN, Side::with)
    }
}

impl Sides {
    /// One status alone.
    #[must_use]
    pub fn only(word: Word, side: Side) -> Self {
        Sides::default().with(word, side)
    }

    /// The same, but for how one status stands.
    #[must_use]
    pub fn with(mut self, word: Word, side: Side) -> Self {
        self.0[usize::from(word.0)] = side;
        self
    }

    /// How a status stands.
    #[must_use]
    pub fn side(&self, word: Word) -> Side {
        self.0.get(usize::from(word.0)).copied().unwrap_or_default()
    }

    /// The statuses that stand.
    pub fn words(&self) -> impl Iterator<Item = Word> + use<'_> {
        let standing = self.0.iter().enumerate().filter(|(_, side)| **side != Side::ABSENT);
        standing.map(|(index, _)| Word(index as u8))
    }

    /// The one status that stands, if it is one.
    #[must_use]
    pub fn alone(&self) -> Option<Word> {
        let mut words = self.words();
        words.next().filter(|_| words.next().is_none())
    }

    /// What stands in either; of two details the greater.
    #[must_use]
    pub fn united(&self, other: &Sides) -> Sides {
        let mut sides = *self;
        for (mine, theirs) in sides.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(theirs);
        }
        sides
    }
}

impl Cell {
    /// The same as an answer names it.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown { epoch: self.epoch, turn: self.turn, sides: self.sides, details: true }
    }

    /// Whether an answer names it.
    #[must_use]
    pub fn is_shown(&self, shown: &Shown) -> bool {
        let same = |(mine, theirs): (&Side, &Side)| {
            if shown.details { mine == theirs } else { (*mine == Side::ABSENT) == (*theirs == Side::ABSENT) }
        };
        (self.epoch, self.turn) == (shown.epoch, shown.turn)
            && self.sides.0.iter().zip(&shown.sides.0).all(same)
    }
}
