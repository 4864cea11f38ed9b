//! What a lease writes: paths and globs (a stand-in until the real ones land).
#![allow(missing_docs)]
use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    string::String,
};
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern(pub String);
impl core::fmt::Display for BadPattern {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
impl Pattern {
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        Ok(Pattern(text.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index<K>(BTreeMap<K, BTreeSet<Pattern>>);
impl<K> Default for Index<K> {
    fn default() -> Self {
        Index(BTreeMap::new())
    }
}
impl<K: Ord + Clone> Index<K> {
    pub fn insert(&mut self, pattern: &Pattern, key: K) {
        self.0.entry(key).or_default().insert(pattern.clone());
    }
    pub fn remove(&mut self, pattern: &Pattern, key: &K) {
        if let Some(set) = self.0.get_mut(key) {
            set.remove(pattern);
            if set.is_empty() {
                self.0.remove(key);
            }
        }
    }
    pub fn overlapping(&self, pattern: &Pattern) -> BTreeSet<K> {
        self.0.iter().filter(|(_, set)| set.contains(pattern)).map(|(key, _)| key.clone()).collect()
    }
}
pub fn check_set(_set: &[Pattern]) -> Result<(), BadPattern> {
    Ok(())
}
