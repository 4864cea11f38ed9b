//! The file that a bug log was before it had a line for each record: one JSON array, or an object with the array `bugs`.
//!
//! Invariants: all of it is looked at before any of it counts; an entry keeps the letters that it is written in, but for
//! white space between them, so that no number and no order of fields is another one afterwards; whatever is wrong is
//! named with file and line.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use serde_json::{Map, Value};

use super::LINE_BYTES_MAX;
use crate::document::pieces;
use crate::error::{Error, Result};

/// The longest file that is read: 64 MiB. It is held in memory a few times over.
pub const LEGACY_BYTES_MAX: usize = 64 << 20;
/// The version of the form that is known.
const VERSION: u64 = 1;
const STAYS: &str = "Nothing was imported, and the file stays as it is";

/// What such a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Legacy {
    /// In the order of the file, each id once.
    pub(super) entries: Vec<Entry>,
    /// Fields beside the array that no record can hold.
    pub other_fields: Vec<String>,
    /// How many entries were equal to one before.
    pub repeated: u64,
}

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) record: Map<String, Value>,
    /// As a line, without its newline.
    pub(super) line: String,
    /// On which line of the file it begins, counted from 1.
    at: usize,
}

impl Legacy {
    /// Reads the bytes of the file that is called `path` in what is said of it.
    ///
    /// # Errors
    /// [`Error::Damaged`] where they are no whole JSON; [`Error::Usage`] where they are no list of entries that each have
    /// an id of their own.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |line: usize, what: String| {
            Error::Damaged {
            path: path.to_owned(),
            line: Some(line as u64),
            what,
            advice: "Nothing was imported. If a program is writing it just now, try again; if not, mend it by hand".to_owned(),
        }
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            damaged(
                line_of(bytes, error.valid_up_to()),
                format!("not UTF-8 after {} bytes", error.valid_up_to()),
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let what = if error.is_eof() { "it ends in the middle" } else { "no JSON" };
            damaged(error.line().max(1), format!("{what}: {error}"))
        })?;
        let wrong = |at: usize, what: &str| {
            Error::usage(format!("{} line {}: {what}. {STAYS}", path.display(), line_of(text.as_bytes(), at)))
        };
        let mut legacy = Legacy::default();
        let array = legacy.array(text, &value, &wrong)?;
        let mut at_id: HashMap<String, usize> = HashMap::new();
        let mut counted = (1, 0);
        for element in elements(text, array) {
            let mut entry = entry(text, &element, &wrong)?;
            counted.0 += line_of(&text.as_bytes()[counted.1..element.start], usize::MAX) - 1;
            counted.1 = element.start;
            entry.at = counted.0;
            match at_id.get(&entry.id).map(|&at| &legacy.entries[at]) {
                None => {
                    at_id.insert(entry.id.clone(), legacy.entries.len());
                    legacy.entries.push(entry);
                }
                Some(before) if before.record == entry.record => legacy.repeated += 1,
                Some(before) => {
                    return Err(wrong(
                        element.start,
                        &format!(
                            "the id {:?} stands on line {} already, with other content; give one of the two another id",
                            entry.id, before.at
                        ),
                    ));
                }
            }
        }
        Ok(legacy)
    }

    /// How many entries there are, each id once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the array lies, its brackets included.
    fn array(
        &mut self,
        text: &str,
        value: &Value,
        wrong: &impl Fn(usize, &str) -> Error,
    ) -> Result<Range<usize>> {
        let begin = text.len() - text.trim_start().len();
        let whole = begin..text.trim_end().len();
        let object = match value {
            Value::Array(_) => return Ok(whole),
            Value::Object(object) => object,
            _ => return Err(wrong(begin, "neither an array nor an object with an array `bugs`")),
        };
        let body = whole.start + 1..whole.end - 1;
        let member = |name: &str| {
            // Of members with one name the last one counts.
            let members = pieces(&text[body.clone()]).into_iter().rev();
            let found = members.filter_map(|(range, colon)| Some((range.start, colon?, range.end))).find(
                |(from, colon, _)| {
                    serde_json::from_str::<String>(text[body.start + from..body.start + colon].trim())
                        .is_ok_and(|key| key == name)
                },
            );
            found.map(|(_, colon, end)| trimmed(text, body.start + colon + 1..body.start + end))
        };
        if let (Some(version), Some(at)) = (object.get("version"), member("version"))
            && version.as_u64() != Some(VERSION)
        {
            return Err(wrong(at.start, &format!("`version` is {version}, and only {VERSION} is known")));
        }
        let Some(bugs) = member("bugs") else {
            return Err(wrong(begin, "an object without an array `bugs`"));
        };
        if !object["bugs"].is_array() {
            return Err(wrong(bugs.start, "`bugs` is no array"));
        }
        let others = object.keys().filter(|key| !matches!(key.as_str(), "version" | "bugs"));
        self.other_fields = others.cloned().collect();
        Ok(bugs)
    }
}

fn entry(text: &str, element: &Range<usize>, wrong: &impl Fn(usize, &str) -> Error) -> Result<Entry> {
    let at = element.start;
    let written = &text[element.clone()];
    let Ok(Value::Object(record)) = serde_json::from_str(written) else {
        return Err(wrong(at, "an entry that is no object; take it out, or make it one with an `id`"));
    };
    let id = match record.get("id") {
        Some(Value::String(id)) if !id.trim().is_empty() => id.clone(),
        _ => return Err(wrong(at, "an entry without an `id` that is a text and not blank; give it one")),
    };
    let line = on_one_line(written);
    if line.len() > LINE_BYTES_MAX {
        let what = format!(
            "the entry {id:?} has {} bytes as a line, the most is {LINE_BYTES_MAX}; shorten it",
            line.len()
        );
        return Err(wrong(at, &what));
    }
    Ok(Entry { id, record, line, at: 0 })
}

/// Where the elements of an array lie.
fn elements(text: &str, array: Range<usize>) -> Vec<Range<usize>> {
    let body = array.start + 1..array.end - 1;
    let pieces = pieces(&text[body.clone()]).into_iter();
    let elements = pieces.map(|(range, _)| trimmed(text, body.start + range.start..body.start + range.end));
    elements.filter(|element| !element.is_empty()).collect()
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let start = range.start + piece.len() - piece.trim_start().len();
    start..(start + piece.trim().len())
}

/// JSON without the white space between its words.
fn on_one_line(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&letter| {
            match letter {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                _ => {}
            }
            in_string || !matches!(letter, ' ' | '\t' | '\n' | '\r')
        })
        .collect()
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at.min(bytes.len())].iter().filter(|&&byte| byte == b'\n').count()
}
