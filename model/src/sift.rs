//! Reading a long JSON object without holding all of it: what is in its long lists is handed on element by element.
//!
//! Line one of a journal file holds the folded state. Read as one tree it takes many times its length in memory.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::json::{Malformed, Tree};
use crate::tree::Key;

/// Takes one element of the list under a key.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&str, Tree<'_>) -> Result<(), Malformed>;

/// Reads an object whose member `holder` is an object with the long lists named `lists`. What comes back has no such
/// lists; their elements went to `sink`, in their order.
///
/// # Errors
/// Where the text is no JSON object, a key of either object stands twice, or the sink refuses an element.
pub(crate) fn sift<'t>(
    text: &'t str,
    holder: &str,
    lists: &[&str],
    sink: Sink<'_>,
) -> Result<Tree<'t>, String> {
    let mut from = serde_json::Deserializer::from_str(text);
    let outer = Object { holder: Some(holder), lists, sink };
    let object = outer.deserialize(&mut from).and_then(|object| from.end().map(|()| object));
    object.map_err(|error| error.to_string())
}

/// An object; `holder` names the member that has the lists, none where this is that member.
struct Object<'a> {
    holder: Option<&'a str>,
    lists: &'a [&'a str],
    sink: Sink<'a>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut read, mut names) = (Vec::new(), BTreeSet::new());
        while let Some(Key(key)) = members.next_key()? {
            let value = if self.holder == Some(&*key) {
                let inner = Object { holder: None, lists: self.lists, sink: &mut *self.sink };
                members.next_value_seed(inner)?
            } else if self.holder.is_none() && self.lists.contains(&&*key) {
                members.next_value_seed(List { key: &key, sink: &mut *self.sink })?;
                Tree::Null
            } else {
                members.next_value()?
            };
            if !names.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("field `{key}` stands twice")));
            }
            read.push((key, value));
        }
        Ok(Tree::Object(read))
    }
}

struct List<'a> {
    key: &'a str,
    sink: Sink<'a>,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&("a list under `".to_owned() + self.key + "`"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<Tree<'de>>()? {
            (self.sink)(self.key, element).map_err(|bad| A::Error::custom(bad.0))?;
        }
        Ok(())
    }
}
