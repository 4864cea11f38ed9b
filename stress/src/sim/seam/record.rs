//! Which places were called from, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;

/// The places that called, and which came right after which in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The places, and how often they called.
    pub places: BTreeMap<Place, u64>,
    /// Two places, the second right after the first was done.
    pub pairs: BTreeSet<(Place, Place)>,
}

impl Record {
    /// A call from `place`, after one from `last` by the same process.
    pub(super) fn called(&mut self, last: Option<Place>, place: Place) {
        *self.places.entry(place).or_default() += 1;
        self.pairs.extend(last.map(|last| (last, place)));
    }

    /// The same without the places of the harness.
    #[must_use]
    pub fn shipped(mut self) -> Self {
        self.places.retain(|place, _| place.is_shipped());
        self.pairs.retain(|(first, second)| first.is_shipped() && second.is_shipped());
        self
    }

    /// What another one saw as well.
    pub fn join(&mut self, other: Record) {
        for (place, count) in other.places {
            *self.places.entry(place).or_default() += count;
        }
        self.pairs.extend(other.pairs);
    }
}
