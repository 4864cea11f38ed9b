//! Interned strings, so that an oracle's state is small and can be copied.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// An interned string: equal ids of one [`Names`] are equal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// The strings behind [`Id`]s.
#[derive(Debug, Clone, Default)]
pub struct Names {
    ids: BTreeMap<String, Id>,
    texts: Vec<String>,
}

impl Names {
    /// The id of `text`, a new one if it was not seen before.
    ///
    /// # Panics
    /// If there are more than 2^32 different strings.
    pub fn intern(&mut self, text: &str) -> Id {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id =
            Id(u32::try_from(self.texts.len()).expect("a history has fewer than 2^32 different strings"));
        self.ids.insert(text.to_owned(), id);
        self.texts.push(text.to_owned());
        id
    }

    /// The string of an id that [`Names::intern`] gave.
    #[must_use]
    pub fn text(&self, id: Id) -> &str {
        self.texts.get(id.0 as usize).map_or("?", String::as_str)
    }

    /// The id of a string that was seen.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Id> {
        self.ids.get(text).copied()
    }
}
