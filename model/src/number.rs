//! Numbers as serde_json hands them on, whatever features its build has.

use alloc::string::String;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::tree::{Tree, TreeVisitor};

/// Under serde_json's feature `arbitrary_precision`, which any crate of a build turns on for all of them, a number that
/// 64 bits do not hold as a whole one comes as a map of this one key and its digits (serde_json, `number.rs`, `TOKEN`).
pub(crate) const NUMBER_IN_A_MAP: &str = "$serde_json::private::Number";

/// The number of these digits, as a build without that feature reads it.
pub(crate) fn number_of<E: Error>(digits: &str) -> Result<Number, E> {
    let number = digits.parse().map_err(|_| E::custom("invalid number"))?;
    plain(&number).ok_or_else(|| E::custom("number out of range"))
}

/// The same number as every build holds and writes it: whole in 64 bits, else a float; none where it is beyond those.
pub(crate) fn plain(number: &Number) -> Option<Number> {
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    // -0 is a float.
    match number.as_i64() {
        Some(whole) if whole < 0 => Some(whole.into()),
        _ => Number::from_f64(number.as_f64()?),
    }
}

/// What stands under [`NUMBER_IN_A_MAP`]. The digits come as a `String`; a text of somebody's object, who may name a
/// member so, never does: the reader of JSON lends its texts.
pub(crate) enum MaybeNumber<'t> {
    Digits(String),
    Other(Tree<'t>),
}

impl<'de> Deserialize<'de> for MaybeNumber<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(MaybeNumberVisitor)
    }
}

struct MaybeNumberVisitor;

impl<'de> Visitor<'de> for MaybeNumberVisitor {
    type Value = MaybeNumber<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TreeVisitor.expecting(f)
    }

    fn visit_string<E>(self, digits: String) -> Result<Self::Value, E> {
        Ok(MaybeNumber::Digits(digits))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        TreeVisitor.visit_unit().map(MaybeNumber::Other)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        TreeVisitor.visit_bool(flag).map(MaybeNumber::Other)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        TreeVisitor.visit_u64(number).map(MaybeNumber::Other)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        TreeVisitor.visit_i64(number).map(MaybeNumber::Other)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        TreeVisitor.visit_f64(number).map(MaybeNumber::Other)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        TreeVisitor.visit_borrowed_str(text).map(MaybeNumber::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TreeVisitor.visit_str(text).map(MaybeNumber::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        TreeVisitor.visit_seq(elements).map(MaybeNumber::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        TreeVisitor.visit_map(members).map(MaybeNumber::Other)
    }
}
