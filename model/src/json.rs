//! Reading and writing the few JSON shapes of this crate by hand, so that every refusal names its field.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::fmt::Write as _;
use serde_json::Value;

use crate::NUMBER_BOUND;
use crate::tree::member;
pub use crate::tree::{Member, Tree};

/// What is wrong with a piece of JSON, naming the field. The caller knows the file and the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Malformed {}

/// The fields of one JSON object. Unknown fields are not looked at: fields are only ever added.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a [Member<'a>]);

impl<'a> Fields<'a> {
    /// Sees `tree` as an object.
    pub fn of(tree: &'a Tree<'a>) -> Result<Self, Malformed> {
        let Tree::Object(members) = tree else { return Err(Malformed("not a JSON object".to_owned())) };
        Ok(Fields(members))
    }

    /// The field as it stands; `null` counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Tree<'a>> {
        member(self.0, key).filter(|tree| !tree.is_null())
    }

    fn need(&self, key: &str) -> Result<&'a Tree<'a>, Malformed> {
        self.get(key).ok_or_else(|| Malformed(format!("field `{key}` is missing")))
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<&'a str, Malformed> {
        self.need(key)?.as_str().ok_or_else(|| Malformed(format!("field `{key}` is not a string")))
    }

    /// A text that may be absent.
    pub fn text_or_none(&self, key: &str) -> Result<Option<&'a str>, Malformed> {
        self.get(key).map_or(Ok(None), |_| self.text(key).map(Some))
    }

    /// A whole number, 0 to 2^53 - 1, that must be there.
    pub fn number(&self, key: &str) -> Result<u64, Malformed> {
        match self.need(key)?.as_u64() {
            Some(number) if number < NUMBER_BOUND => Ok(number),
            _ => Err(Malformed(format!("field `{key}` is not a whole number from 0 to 2^53-1"))),
        }
    }

    /// A whole number that may be absent.
    pub fn number_or_none(&self, key: &str) -> Result<Option<u64>, Malformed> {
        self.get(key).map_or(Ok(None), |_| self.number(key).map(Some))
    }

    /// An id that must be there and be well formed.
    pub fn id<T: core::str::FromStr<Err = crate::id::BadId>>(&self, key: &str) -> Result<T, Malformed> {
        self.text(key)?.parse().map_err(|bad| Malformed(format!("field `{key}`: {bad}")))
    }

    /// An id that may be absent.
    pub fn id_or_none<T: core::str::FromStr<Err = crate::id::BadId>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, Malformed> {
        self.get(key).map_or(Ok(None), |_| self.id(key).map(Some))
    }

    /// An object that must be there.
    pub fn object(&self, key: &str) -> Result<Fields<'a>, Malformed> {
        Fields::of(self.need(key)?).map_err(|_| Malformed(format!("field `{key}` is not an object")))
    }

    /// An object that may be absent.
    pub fn object_or_none(&self, key: &str) -> Result<Option<Fields<'a>>, Malformed> {
        self.get(key).map_or(Ok(None), |_| self.object(key).map(Some))
    }

    /// All fields, in the order in which they stand; of two of one name the last one.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Tree<'a>)> + use<'a> {
        let last: BTreeMap<&str, usize> = match self.0 {
            [] | [_] => BTreeMap::new(),
            members => members.iter().enumerate().map(|(at, (key, _))| (&**key, at)).collect(),
        };
        let fields = self.0.iter().enumerate().map(|(at, (key, tree))| (at, &**key, tree));
        fields
            .filter(move |(at, key, _)| last.get(key).is_none_or(|last| last == at))
            .map(|(_, key, tree)| (key, tree))
    }

    /// An array; one that is absent is empty.
    pub fn array_or_empty(&self, key: &str) -> Result<&'a [Tree<'a>], Malformed> {
        self.get(key).map_or(Ok(&[]), |_| self.array(key))
    }

    /// An array that must be there.
    pub fn array(&self, key: &str) -> Result<&'a [Tree<'a>], Malformed> {
        let Tree::List(items) = self.need(key)? else {
            return Err(Malformed(format!("field `{key}` is not an array")));
        };
        Ok(items)
    }
}

/// Writes one JSON object, field by field, in the order of the calls.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Writer<'a> {
    /// Opens an object at the end of `out`; [`Writer::end`] closes it.
    pub fn new(out: &'a mut String) -> Self {
        out.push('{');
        Writer { out, first: true }
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !core::mem::take(&mut self.first) {
            self.out.push(',');
        }
        // A key may be a user's word: a status.
        write_text(self.out, key);
        self.out.push(':');
        self.out
    }

    /// Adds a text.
    pub fn text(&mut self, key: &str, text: &str) -> &mut Self {
        write_text(self.key(key), text);
        self
    }

    /// Adds a text if there is one.
    pub fn text_if(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(key, text);
        }
        self
    }

    /// Adds a number.
    pub fn number(&mut self, key: &str, number: u64) -> &mut Self {
        let out = self.key(key);
        write!(out, "{number}").expect("writing to a String");
        self
    }

    /// Adds a number if there is one.
    pub fn number_if(&mut self, key: &str, number: Option<u64>) -> &mut Self {
        if let Some(number) = number {
            self.number(key, number);
        }
        self
    }

    /// Adds a value that `write` puts at the end of the string.
    pub fn value(&mut self, key: &str, write: impl FnOnce(&mut String)) -> &mut Self {
        write(self.key(key));
        self
    }

    /// Closes the object.
    pub fn end(&mut self) {
        self.out.push('}');
    }
}

/// Writes one JSON array.
pub fn write_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// Writes one JSON text.
pub fn write_text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

use alloc::string::ToString as _;
