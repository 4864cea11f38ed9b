//! `fencehold log search`: which records say it, which say the same again, which are like one.
//!
//! A log may have a million records: a line is read as JSON only once the terms were seen in its text, or could stand
//! there in other letters.

use std::collections::{BTreeSet, HashMap};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::super::args::Search;
use super::super::locks::Locks;
use super::super::out::{Ended, REFUSED};
use super::super::session::Session;
use super::tell;
use crate::error::{Error, Result};
use crate::log::{Log, Passed, look};
use crate::mark::Last;

type Record = Map<String, Value>;

/// The most related records that are named.
const RELATED_MAX: usize = 20;
/// From how much of their words in common two records are called alike.
const ALIKE_FROM: f64 = 0.25;
/// Shorter words say nothing.
const WORD_CHARS_MIN: usize = 3;

/// `fencehold log search FILE TERM…`.
pub(super) fn search(session: &Session, asked: &Search) -> Ended {
    let query = Query::new(&asked.terms, &asked.field)?;
    let (values, passed) = match (&asked.related, &asked.recurring) {
        (Some(id), _) => match related(session, asked, &query, id)? {
            Some(found) => found,
            None => {
                session.out.answer(&json!({ "outcome": "refused", "reason": "not_found" }), "")?;
                session.out.say(&format!("{}: no record has the id {id:?}", asked.file.display()));
                return Ok(REFUSED);
            }
        },
        (None, Some(field)) => recurring(session, asked, &query, field)?,
        (None, None) => through(
            session,
            asked,
            |line| query.may_match(line),
            |found: &mut Vec<Value>, record| {
                if query.matches(&record) {
                    found.push(Value::Object(record));
                }
            },
        )?,
    };
    let text: String = values.iter().map(|value| format!("{value}\n")).collect();
    let value = json!({ "found": values, "damaged": passed.damaged_count });
    session.out.answer(&json!({ "outcome": "ok", "value": value }), &text)?;
    Ok(tell(session.out, &asked.file, &passed.damaged, passed.damaged_count))
}

fn through<T: Default>(
    session: &Session,
    asked: &Search,
    wanted: impl Fn(&str) -> bool,
    take_in: impl FnMut(&mut T, Record),
) -> Result<(T, Passed)> {
    let (rooted, file) = (session.rooted()?, session.file(&asked.file)?);
    let place = rooted.locate(&session.fs, &file, Last::Refuse)?;
    match Locks::open(session)? {
        Some(locks) => Log::open(session.fs, locks.folder()?, &rooted, &file, None)?.look(wanted, take_in),
        None => look(&session.fs, &place, wanted, take_in),
    }
}

/// What a record must say.
struct Query<'a> {
    terms: Vec<Regex>,
    /// Whether a line in which the terms do not stand as they are typed can be passed over.
    is_plain: bool,
    fields: &'a [String],
}

impl<'a> Query<'a> {
    fn new(terms: &[String], fields: &'a [String]) -> Result<Self> {
        if terms.iter().any(|term| term.trim().is_empty()) {
            return Err(Error::usage("a blank term stands everywhere; say what to look for"));
        }
        let compiled = terms.iter().map(|term| {
            let term = RegexBuilder::new(&regex::escape(term)).case_insensitive(true).build();
            term.map_err(|error| Error::usage(format!("a term cannot be looked for: {error}")))
        });
        // JSON writes these in other letters than they are typed.
        let escaped = |letter: char| matches!(letter, '"' | '\\' | '/') || letter.is_control();
        Ok(Query {
            terms: compiled.collect::<Result<_>>()?,
            is_plain: !terms.iter().any(|term| term.contains(escaped)),
            fields,
        })
    }

    /// Whether the record of this line can be one. A letter may stand in it as `\u00e9`.
    fn may_match(&self, line: &str) -> bool {
        !self.is_plain || self.terms.iter().all(|term| term.is_match(line)) || line.contains("\\u")
    }

    fn matches(&self, record: &Record) -> bool {
        self.terms.iter().all(|term| {
            let says = |value: &Value| any_text(value, &mut |text| term.is_match(text));
            match self.fields {
                [] => record.values().any(says),
                fields => fields.iter().filter_map(|field| record.get(field)).any(says),
            }
        })
    }
}

/// Whether one of the texts in `value`, however deep, is one that `is` says yes to.
fn any_text(value: &Value, is: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Number(number) => is(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(fields) => fields.values().any(|item| any_text(item, is)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// What stands in one field of several records.
#[derive(Default)]
struct Recurring {
    /// By the JSON of the value.
    at: HashMap<String, usize>,
    groups: Vec<Group>,
}

struct Group {
    value: Value,
    count: u64,
    first: String,
    last: String,
}

fn recurring(
    session: &Session,
    asked: &Search,
    query: &Query<'_>,
    field: &str,
) -> Result<(Vec<Value>, Passed)> {
    let take_in = |seen: &mut Recurring, record: Record| {
        let (true, Some(value)) = (query.matches(&record), record.get(field)) else { return };
        let at = *seen.at.entry(value.to_string()).or_insert(seen.groups.len());
        let id = id_of(&record).to_owned();
        match seen.groups.get_mut(at) {
            None => seen.groups.push(Group { value: value.clone(), count: 1, first: id.clone(), last: id }),
            Some(group) => {
                group.count += 1;
                group.last = id;
            }
        }
    };
    let (seen, passed) = through(session, asked, |line| query.may_match(line), take_in)?;
    let mut groups: Vec<Group> = seen.groups.into_iter().filter(|group| group.count > 1).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let told = |group: Group| json!({ "count": group.count, "value": group.value, "first": group.first, "last": group.last });
    Ok((groups.into_iter().map(told).collect(), passed))
}

/// The records that are like the last one of this id, or name it, or are named by it; none where no record has the id.
fn related(
    session: &Session,
    asked: &Search,
    query: &Query<'_>,
    id: &str,
) -> Result<Option<(Vec<Value>, Passed)>> {
    let (to, _) = through(
        session,
        asked,
        |line| line.contains(id) || line.contains('\\'),
        |found: &mut Option<Record>, record| {
            if id_of(&record) == id {
                *found = Some(record);
            }
        },
    )?;
    let Some(to) = to else { return Ok(None) };
    let words = words(&to, query.fields);
    let take_in = |found: &mut Vec<(f64, Record)>, record: Record| {
        if id_of(&record) == id || !query.matches(&record) {
            return;
        }
        let is_named = names(&record, id) || names(&to, id_of(&record));
        let alike = if is_named { 1.0 } else { alike(&words, &self::words(&record, query.fields)) };
        if alike >= ALIKE_FROM {
            found.push((alike, record));
        }
    };
    let (mut found, passed) = through(session, asked, |_| true, take_in)?;
    // Of two that are as like, the newer one first.
    found.reverse();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.truncate(RELATED_MAX);
    Ok(Some((found.into_iter().map(|(_, record)| Value::Object(record)).collect(), passed)))
}

fn id_of(record: &Record) -> &str {
    record.get("id").and_then(Value::as_str).expect("the log gives records with a string id")
}

/// Whether a text of the record beside its id is this id.
fn names(record: &Record, id: &str) -> bool {
    let rest = record.iter().filter(|(key, _)| *key != "id");
    rest.into_iter().any(|(_, value)| any_text(value, &mut |text| text == id))
}

/// The words of a record's texts, in small letters; its id is none of them.
fn words(record: &Record, fields: &[String]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let counts = |key: &String| key != "id" && (fields.is_empty() || fields.contains(key));
    for (_, value) in record.iter().filter(|(key, _)| counts(key)) {
        any_text(value, &mut |text| {
            let split = text.split(|letter: char| !letter.is_alphanumeric());
            words.extend(split.filter(|word| word.chars().count() >= WORD_CHARS_MIN).map(str::to_lowercase));
            false
        });
    }
    words
}

/// How much of the words of both is in both: Jaccard's index, 0 to 1.
fn alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let both = one.intersection(other).count();
    let all = one.len() + other.len() - both;
    if all == 0 {
        0.0
    } else {
        f64::from(u32::try_from(both).unwrap_or(u32::MAX)) / f64::from(u32::try_from(all).unwrap_or(u32::MAX))
    }
}
