//! Who has an entry that overlaps a given one, without reading all entries.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use core::ops::Bound;

use super::Pattern;

/// Entries of many write sets, each with the key of whose it is, by their literal prefix.
///
/// Two patterns can only overlap if the literal prefix of one is that of the other or lies above it. So a query reads
/// the entries at the prefixes above its own, and those at and below it. An entry without a literal prefix (`**/x`,
/// `.`) is read by every query; a query without one reads every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index<K>(BTreeMap<Box<str>, BTreeSet<(Pattern, K)>>);

/// What separates the names of a prefix: smaller than every character in one, so that what lies below a prefix stands
/// right after it.
const SEPARATOR: &str = "\0";

impl<K> Default for Index<K> {
    fn default() -> Self {
        Index(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Index<K> {
    /// Adds an entry of `key`; one that is there already stays.
    pub fn insert(&mut self, pattern: &Pattern, key: K) {
        self.0.entry(place(pattern)).or_default().insert((pattern.clone(), key));
    }

    /// Takes an entry of `key` away, if it is there.
    pub fn remove(&mut self, pattern: &Pattern, key: &K) {
        let place = place(pattern);
        if let Some(entries) = self.0.get_mut(&place) {
            entries.remove(&(pattern.clone(), key.clone()));
            if entries.is_empty() {
                self.0.remove(&place);
            }
        }
    }

    /// The keys with an entry that overlaps `pattern`.
    #[must_use]
    pub fn overlapping(&self, pattern: &Pattern) -> BTreeSet<K> {
        let meets = self.candidates(pattern).filter(|(entry, _)| entry.overlaps(pattern));
        meets.map(|(_, key)| key.clone()).collect()
    }

    /// The entries that [`Index::overlapping`] reads: all that overlap are among them.
    pub fn candidates<'a>(&'a self, pattern: &Pattern) -> impl Iterator<Item = (&'a Pattern, &'a K)> {
        let place = place(pattern);
        let above: BTreeSet<Box<str>> = place
            .match_indices(SEPARATOR)
            .map(|(end, _)| &place[..end])
            .chain((!place.is_empty()).then_some(""))
            .map(Box::from)
            .collect();
        let above = above.into_iter().filter_map(|place| self.0.get(&place));
        let from = (Bound::Included(place.clone()), Bound::Unbounded);
        let below = self.0.range::<Box<str>, _>(from);
        let below = below.take_while(move |(there, _)| lies_below(there, &place)).map(|(_, entries)| entries);
        above.chain(below).flat_map(|entries| entries.iter().map(|(pattern, key)| (pattern, key)))
    }

    /// All entries, those of one prefix together.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, &K)> {
        self.0.values().flat_map(|entries| entries.iter().map(|(pattern, key)| (pattern, key)))
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn place(pattern: &Pattern) -> Box<str> {
    pattern.prefix().replace('/', SEPARATOR).into()
}

fn lies_below(place: &str, above: &str) -> bool {
    let rest = place.strip_prefix(above);
    rest.is_some_and(|rest| above.is_empty() || rest.is_empty() || rest.starts_with(SEPARATOR))
}
