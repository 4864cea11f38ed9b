//! JSON as it was read, borrowing its texts from the line that it was read from.
//!
//! Every line of a journal is read by every process, so reading one is most of what a process does. Names and texts
//! without an escape are not copied, and an object keeps its members in the order in which they stand, in one piece.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::number::{MaybeNumber, NUMBER_IN_A_MAP, number_of};

/// A piece of JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'t, str>),
    /// An array.
    List(Vec<Tree<'t>>),
    /// An object. Of two members of one name the last one counts.
    Object(Vec<Member<'t>>),
}

/// A member of an object: its name and what it is.
pub type Member<'t> = (Cow<'t, str>, Tree<'t>);

impl<'t> Tree<'t> {
    /// The same as `value`, without copying its texts.
    #[must_use]
    pub fn of(value: &'t Value) -> Self {
        match value {
            Value::Null => Tree::Null,
            Value::Bool(flag) => Tree::Bool(*flag),
            Value::Number(number) => Tree::Number(number.clone()),
            Value::String(text) => Tree::Text(Cow::Borrowed(text)),
            Value::Array(items) => Tree::List(items.iter().map(Tree::of).collect()),
            Value::Object(map) => Tree::Object(
                map.iter().map(|(key, value)| (Cow::Borrowed(&**key), Tree::of(value))).collect(),
            ),
        }
    }

    /// The same with texts of its own.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Tree::Null => Value::Null,
            Tree::Bool(flag) => Value::Bool(*flag),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.as_ref().to_owned()),
            Tree::List(items) => items.iter().map(Tree::to_value).collect(),
            Tree::Object(members) => {
                Value::Object(members.iter().map(|(key, tree)| (key.to_string(), tree.to_value())).collect())
            }
        }
    }

    /// The member of this name; none where this is no object, or has no such member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Tree<'t>> {
        let Tree::Object(members) = self else { return None };
        member(members, key)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Tree::Null)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number from 0, if it is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        if let Tree::Number(number) = self { number.as_u64() } else { None }
    }

    /// The whole number, if it is one that 64 bits hold.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Tree::Number(number) = self { number.as_i64() } else { None }
    }
}

/// The member of this name, the last one where there are more.
pub(crate) fn member<'a, 't>(members: &'a [Member<'t>], key: &str) -> Option<&'a Tree<'t>> {
    members.iter().rev().find(|(name, _)| name == key).map(|(_, tree)| tree)
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

pub(crate) struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(number).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut object = Vec::with_capacity(MEMBERS_USUAL);
        while let Some(Key(key)) = members.next_key()? {
            if object.is_empty() && key == NUMBER_IN_A_MAP {
                match members.next_value()? {
                    MaybeNumber::Digits(digits) => return number_of(&digits).map(Tree::Number),
                    MaybeNumber::Other(tree) => object.push((key, tree)),
                }
            } else {
                object.push((key, members.next_value()?));
            }
        }
        Ok(Tree::Object(object))
    }
}

/// No event, and no line around one, has more.
const MEMBERS_USUAL: usize = 10;

/// A member's name.
pub(crate) struct Key<'t>(pub(crate) Cow<'t, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(String::from(text))))
    }
}
