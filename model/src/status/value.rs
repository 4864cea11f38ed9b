//! What a cell holds, and how two of them are joined.
//!
//! Invariant: [`Value::join`] is commutative, associative and idempotent over values of one vocabulary, so that boards
//! which diverged meet whatever the order and number of merges.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};

use serde_json::Value as Json;

use super::Vocabulary;
use crate::json::{Fields, Malformed, Writer};
use crate::{Revision, Status, number};

/// The longest detail, in bytes of JSON.
pub const DETAIL_BYTES_MAX: usize = 4096;
/// How deep objects and arrays of a detail may stand in each other. A line holds it some levels down, and what is
/// deeper than 128 in all is read by no parser that bounds its stack.
pub const DETAIL_DEPTH_MAX: usize = 32;

/// A small JSON object that goes with a status: a question, a URL. Held as text without white space, its keys in order,
/// so that two details are the same where their texts are, and of two the same one is greater everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detail(String);

impl Detail {
    /// Takes a JSON object.
    ///
    /// # Errors
    /// Where it is no object, deeper than [`DETAIL_DEPTH_MAX`] or longer than [`DETAIL_BYTES_MAX`], or has a number
    /// that no float of 64 bits comes near.
    pub fn new(json: &Json) -> Result<Self, Malformed> {
        if !json.is_object() {
            return Err(Malformed("a detail is a JSON object".to_owned()));
        }
        if is_deeper(json, DETAIL_DEPTH_MAX) {
            return Err(Malformed(format!(
                "a detail of more than {DETAIL_DEPTH_MAX} objects and arrays in each other"
            )));
        }
        let text = plain_numbers(json)?.to_string();
        if text.len() > DETAIL_BYTES_MAX {
            return Err(Malformed(format!(
                "a detail of {} bytes; the most is {DETAIL_BYTES_MAX}",
                text.len()
            )));
        }
        Ok(Detail(text))
    }

    /// Its JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The same, every number as every build of serde_json writes it: one detail is one text for all of them.
fn plain_numbers(json: &Json) -> Result<Json, Malformed> {
    Ok(match json {
        Json::Number(number) => {
            let plain = number::plain(number);
            Json::Number(plain.ok_or_else(|| Malformed(format!("the number {number} is out of range")))?)
        }
        Json::Array(items) => Json::Array(items.iter().map(plain_numbers).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let members = map.iter().map(|(key, json)| Ok((key.clone(), plain_numbers(json)?)));
            Json::Object(members.collect::<Result<_, Malformed>>()?)
        }
        other => other.clone(),
    })
}

fn is_deeper(json: &Json, levels: usize) -> bool {
    match json {
        Json::Object(map) => levels == 0 || map.values().any(|json| is_deeper(json, levels - 1)),
        Json::Array(items) => levels == 0 || items.iter().any(|json| is_deeper(json, levels - 1)),
        _ => false,
    }
}

/// What a cell holds. Compared by epoch, rank, turn; the statuses united where all three are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The reopen that it follows; 0 before any.
    pub epoch: Revision,
    /// How often it moved within its rank, knowing what it left.
    pub turn: u64,
    /// The statuses, of one rank, each with its detail. More than one is a conflict.
    pub statuses: BTreeMap<Status, Option<Detail>>,
}

impl Value {
    /// One status.
    #[must_use]
    pub fn of(epoch: Revision, turn: u64, status: Status, detail: Option<Detail>) -> Self {
        Value { epoch, turn, statuses: BTreeMap::from([(status, detail)]) }
    }

    /// Whether it is `status` and nothing else.
    #[must_use]
    pub fn is(&self, status: &Status) -> bool {
        self.statuses.len() == 1 && self.statuses.contains_key(status)
    }

    /// The rank of its statuses.
    ///
    /// # Panics
    /// If they are not of this vocabulary, or not of one rank: whoever took the value in must have refused it.
    #[must_use]
    pub fn rank(&self, vocabulary: &Vocabulary) -> u64 {
        vocabulary
            .check(self.statuses.keys())
            .unwrap_or_else(|why| panic!("a cell outside the vocabulary: {why}"))
    }

    /// The least value that is at or above both. Of two details of one status the greater text stays.
    ///
    /// # Panics
    /// As [`Value::rank`].
    #[must_use]
    pub fn join(&self, other: &Value, vocabulary: &Vocabulary) -> Value {
        let key = |value: &Value| (value.epoch, value.rank(vocabulary), value.turn);
        match key(self).cmp(&key(other)) {
            core::cmp::Ordering::Greater => self.clone(),
            core::cmp::Ordering::Less => other.clone(),
            core::cmp::Ordering::Equal => {
                let mut statuses = self.statuses.clone();
                for (status, detail) in &other.statuses {
                    let mine = statuses.entry(status.clone()).or_default();
                    if *detail > *mine {
                        mine.clone_from(detail);
                    }
                }
                Value { statuses, ..*self }
            }
        }
    }

    /// Adds its fields to a JSON object: `epoch`, `turn`, `statuses`.
    pub fn write(&self, to: &mut Writer<'_>) {
        to.number("epoch", self.epoch).number("turn", self.turn);
        to.value("statuses", |out| {
            let mut to = Writer::new(out);
            for (status, detail) in &self.statuses {
                to.value(status.as_str(), |out| out.push_str(detail.as_ref().map_or("null", Detail::as_str)));
            }
            to.end();
        });
    }

    /// Reads what [`Value::write`] wrote.
    pub fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let statuses = fields.object("statuses")?.entries().map(|(status, detail)| {
            let status = Status::new(status).map_err(|bad| Malformed(bad.to_string()))?;
            let detail = if detail.is_null() { None } else { Some(Detail::new(&detail.to_value())?) };
            Ok((status, detail))
        });
        let statuses: BTreeMap<_, _> = statuses.collect::<Result<_, Malformed>>()?;
        if statuses.is_empty() {
            return Err(Malformed("field `statuses` holds no status".to_owned()));
        }
        Ok(Value { epoch: fields.number("epoch")?, turn: fields.number("turn")?, statuses })
    }
}
