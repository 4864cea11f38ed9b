//! Reading a long JSON object without holding all of it: what is in its long lists is handed on element by element.
//!
//! Line one of a journal file holds the folded state. Read as one tree it takes many times its length in memory.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use core::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::Malformed;

/// Takes one element of the list under a key.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&str, Value) -> Result<(), Malformed>;

/// Reads an object whose member `holder` is an object with the long lists named `lists`. What comes back has no such
/// lists; their elements went to `sink`, in their order.
///
/// # Errors
/// Where the text is no JSON object, a key of either object stands twice, or the sink refuses an element.
pub(crate) fn sift(
    text: &str,
    holder: &str,
    lists: &[&str],
    sink: Sink<'_>,
) -> Result<Map<String, Value>, String> {
    let mut from = serde_json::Deserializer::from_str(text);
    let outer = Object { holder: Some(holder), lists, sink };
    let map = outer.deserialize(&mut from).and_then(|map| from.end().map(|()| map));
    map.map_err(|error| error.to_string())
}

/// An object; `holder` names the member that has the lists, none where this is that member.
struct Object<'a> {
    holder: Option<&'a str>,
    lists: &'a [&'a str],
    sink: Sink<'a>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = if self.holder == Some(key.as_str()) {
                let inner = Object { holder: None, lists: self.lists, sink: &mut *self.sink };
                Value::Object(members.next_value_seed(inner)?)
            } else if self.holder.is_none() && self.lists.contains(&key.as_str()) {
                members.next_value_seed(List { key: &key, sink: &mut *self.sink })?;
                Value::Null
            } else {
                members.next_value()?
            };
            if read.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("field `{key}` stands twice")));
            }
        }
        Ok(read)
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
        while let Some(element) = elements.next_element::<Value>()? {
            (self.sink)(self.key, element).map_err(|bad| A::Error::custom(bad.0))?;
        }
        Ok(())
    }
}
