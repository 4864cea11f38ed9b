//! What a compaction makes of records that say one thing: one record, which counts them.
//!
//! Invariants:
//! - two records say one thing when they agree in every field but those of [`COUNTED`];
//! - a record counts ids: its own, and those in its `folded`, each with how often it was seen; to join two records is to
//!   take the higher count of each id, the earlier `timestamp`, the later `last_seen`. So it does not matter in what order
//!   records are joined, nor how often: what two branches compacted each on its own, or a merge brought back, is never
//!   counted twice;
//! - what cannot be counted (an `occurrences` that is no number, a `folded` that is no object of numbers) is joined with
//!   its equals only;
//! - no record grows longer than a line may be: past [`FOLDED_BYTES_MAX`] bytes of ids another record goes on.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::LINE_BYTES_MAX;

type Record = Map<String, Value>;

/// The fields in which records that say one thing may differ.
const COUNTED: [&str; 5] = ["id", "timestamp", "last_seen", "occurrences", "folded"];
/// How many bytes of ids a record takes up before another one goes on.
const FOLDED_BYTES_MAX: usize = 64 * 1024;

/// What records have to agree in to say one thing, as a text; none where a record stays by itself: a number that is no
/// whole number of 64 bits may be another one than it is read as.
#[must_use]
pub(super) fn saying(record: &Record) -> Option<String> {
    if record.values().any(is_inexact) {
        return None;
    }
    if Counted::of(record).is_none() {
        // No text of the other kind begins like this.
        return Some(format!("={}", Value::Object(record.clone())));
    }
    let rest = record.iter().filter(|(key, _)| !COUNTED.contains(&key.as_str()));
    Some(Value::Object(rest.map(|(key, value)| (key.clone(), value.clone())).collect()).to_string())
}

fn is_inexact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(is_inexact),
        Value::Object(fields) => fields.values().any(is_inexact),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// What a record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counted {
    /// How often each id was seen, the record's own among them.
    seen: BTreeMap<String, u64>,
    timestamp: Option<String>,
    last_seen: Option<String>,
}

impl Counted {
    /// None where it cannot be counted.
    fn of(record: &Record) -> Option<Self> {
        let text = |name: &str| match record.get(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text.clone())),
            Some(_) => None,
        };
        let id = record.get("id").and_then(Value::as_str)?;
        let mut seen = BTreeMap::new();
        if let Some(folded) = record.get("folded") {
            for (id, count) in folded.as_object()? {
                seen.insert(id.clone(), number(count)?);
            }
        }
        seen.remove(id);
        let folded: u64 = seen.values().sum();
        let all = record.get("occurrences").map_or(Some(folded + 1), number)?;
        seen.insert(id.to_owned(), all.saturating_sub(folded).max(1));
        let (timestamp, last_seen) = (text("timestamp")?, text("last_seen")?);
        Some(Counted { seen, last_seen: last_seen.max(timestamp.clone()), timestamp })
    }

    fn join(&mut self, other: &Counted) {
        for (id, count) in &other.seen {
            let seen = self.seen.entry(id.clone()).or_default();
            *seen = (*seen).max(*count);
        }
        self.timestamp = match (self.timestamp.take(), &other.timestamp) {
            (Some(one), Some(other)) => Some(one.min(other.clone())),
            (one, other) => one.or_else(|| other.clone()),
        };
        self.last_seen = self.last_seen.take().max(other.last_seen.clone());
    }

    /// Whether joining `other` would change nothing.
    fn covers(&self, other: &Counted) -> bool {
        let mut joined = self.clone();
        joined.join(other);
        joined == *self
    }

    fn bytes(&self) -> usize {
        self.seen.keys().map(|id| id.len() + 8).sum()
    }

    /// The record that counts this, in the words of `first`.
    fn write(&self, first: &Record) -> Record {
        let mut record = first.clone();
        let own = first.get("id").and_then(Value::as_str).unwrap_or_default();
        let all: u64 = self.seen.values().sum();
        if all > 1 || first.contains_key("occurrences") {
            record.insert("occurrences".to_owned(), all.into());
        }
        if let Some(timestamp) = &self.timestamp {
            record.insert("timestamp".to_owned(), timestamp.as_str().into());
        }
        if let Some(last_seen) = self.last_seen.as_ref().filter(|last| {
            first.contains_key("last_seen") || self.timestamp.as_ref().is_none_or(|first| first < last)
        }) {
            record.insert("last_seen".to_owned(), last_seen.as_str().into());
        }
        let folded = self.seen.iter().filter(|(id, _)| *id != own);
        let folded: Record = folded.map(|(id, count)| (id.clone(), (*count).into())).collect();
        if !folded.is_empty() {
            record.insert("folded".to_owned(), Value::Object(folded));
        }
        record
    }
}

/// Whether `record` says all that `other` does: it is equal, or says the same thing and counts it.
pub(super) fn covers(record: &Record, other: &Record) -> bool {
    let counts = || match (Counted::of(record), Counted::of(other)) {
        (Some(counted), Some(other)) => counted.covers(&other),
        _ => false,
    };
    record == other || saying(record).is_some_and(|says| saying(other) == Some(says)) && counts()
}

fn number(value: &Value) -> Option<u64> {
    // A sum of as many as fit in a line is below 2^53.
    value.as_u64().filter(|number| (1..=u64::from(u32::MAX)).contains(number))
}

/// The records that say one thing, joined: as few as a line's length allows.
#[derive(Debug, Default)]
pub(super) struct Group {
    pieces: Vec<Piece>,
    /// In which piece an id is counted.
    at: HashMap<String, usize>,
}

/// One record that comes of it.
#[derive(Debug)]
struct Piece {
    first: Record,
    counted: Option<Counted>,
}

/// Where a record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// It is the first of those that become the record of this number.
    First(usize),
    /// It is counted in the record of this number.
    Into(usize),
}

impl Group {
    /// Takes in a record that says what the others say.
    pub(super) fn add(&mut self, record: Record) -> Went {
        let Some(counted) = Counted::of(&record) else {
            // All of these are equal: that is what they agree in.
            if self.pieces.is_empty() {
                self.pieces.push(Piece { first: record, counted: None });
                return Went::First(0);
            }
            return Went::Into(0);
        };
        let known = counted.seen.keys().find_map(|id| self.at.get(id).copied());
        let fits = |piece: &Piece, bytes_max: usize| {
            piece.counted.as_ref().is_some_and(|into| into.bytes() + counted.bytes() <= bytes_max)
        };
        let into = match known {
            Some(at) if self.pieces.get(at).is_some_and(|piece| fits(piece, LINE_BYTES_MAX / 4)) => Some(at),
            Some(_) => None,
            None => self.pieces.iter().rposition(|piece| fits(piece, FOLDED_BYTES_MAX)),
        };
        let at = into.unwrap_or(self.pieces.len());
        for id in counted.seen.keys() {
            self.at.insert(id.clone(), at);
        }
        match self.pieces.get_mut(at) {
            Some(piece) => {
                if let Some(into) = &mut piece.counted {
                    into.join(&counted);
                }
                Went::Into(at)
            }
            None => {
                self.pieces.push(Piece { first: record, counted: Some(counted) });
                Went::First(at)
            }
        }
    }

    /// The record of this number as a line without its newline, where it is not the first one as it stood.
    #[must_use]
    pub(super) fn line(&self, number: usize) -> Option<String> {
        let piece = &self.pieces[number];
        let record = piece.counted.as_ref()?.write(&piece.first);
        (record != piece.first).then(|| Value::Object(record).to_string())
    }
}
