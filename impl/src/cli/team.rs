//! `fencehold.toml`: what a team agrees on, tracked with the sources. It counts once it is applied; nothing in it is run.

mod gates;
mod guarded;

use std::path::Path;

use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::status::{Rung, Vocabulary};
use fencehold_model::{Policy, Status};
use toml::de::{DeTable, DeValue};

use super::session::Session;
use super::whole;
use crate::error::{Error, Result};

/// Its name, at the top of a worktree.
pub(super) const FILE: &str = "fencehold.toml";
/// The longest one that is read.
const BYTES_MAX: usize = 256 * 1024;

/// What a `fencehold.toml` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Team {
    pub(super) policy: Policy,
    /// The keys that it does not give, whose defaults count.
    pub(super) left_out: Vec<&'static str>,
}

impl Team {
    /// Reads the file; every key that is unknown or malformed is an error that names file, line and key.
    pub(super) fn of(session: &Session, path: &Path) -> Result<Self> {
        let bytes = whole::read(session.fs, path, BYTES_MAX)?;
        let wrong = |what: &str| {
            Error::usage(format!(
                "{} {what}; nothing was applied. Mend it and apply it again",
                path.display()
            ))
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8"))?;
        Team::parse(text).map_err(|what| wrong(&what))
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let at = At(text);
        let table = DeTable::parse(text)
            .map_err(|error| at.line(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut team = Team { policy: Policy::default(), left_out: Vec::new() };
        let policy = &mut team.policy;
        let mut given: Vec<String> = Vec::new();
        for (table_name, value) in table.get_ref() {
            let (name, start) = (table_name.get_ref().as_ref(), table_name.span().start);
            if name == gates::KEY {
                policy.gates = gates::read(value)
                    .map_err(|Wrong(place, what)| at.line(place.unwrap_or(start), &what))?;
                continue;
            }
            if name == "guarded" {
                let read = guarded::read(value.get_ref());
                policy.guarded = read.map_err(|Wrong(place, what)| at.line(place.unwrap_or(start), &what))?;
                continue;
            }
            let (DeValue::Table(keys), "tasks" | "leases") = (value.get_ref(), name) else {
                return Err(at.line(
                    start,
                    &match name {
                        "tasks" | "leases" => shaped(name, value.get_ref(), "a table"),
                        _ => unknown(name, "`tasks`, `leases`, `guarded` and `gates`"),
                    },
                ));
            };
            for (key, value) in keys {
                let (key, start) = (key.get_ref().as_ref(), key.span().start);
                let (path, value) = (format!("{name}.{key}"), value.get_ref());
                let read = match path.as_str() {
                    "tasks.ids" => form(&path, value).map(|form| policy.task_ids = form),
                    "tasks.statuses" => statuses(value).map(|statuses| policy.vocabulary = statuses),
                    "leases.ids" => form(&path, value).map(|form| policy.lease_ids = form),
                    "leases.overlap" => overlap(value).map(|overlap| policy.overlap = overlap),
                    _ if name == "tasks" => Err(unknown(&path, "`tasks.ids` and `tasks.statuses`").into()),
                    _ => Err(unknown(&path, "`leases.ids` and `leases.overlap`").into()),
                };
                read.map_err(|Wrong(place, what)| at.line(place.unwrap_or(start), &what))?;
                given.push(path);
            }
        }
        // The words that a gate stands before are known once the whole file is read.
        gates::check(policy).map_err(|what| at.line(gates::place(&table), &what))?;
        let keys = ["tasks.ids", "tasks.statuses", "leases.ids", "leases.overlap"];
        team.left_out = keys.into_iter().filter(|key| !given.iter().any(|given| given == key)).collect();
        Ok(team)
    }
}

/// The keys in which two policies differ.
pub(super) fn difference(one: &Policy, other: &Policy) -> Vec<&'static str> {
    let same = [
        ("tasks.ids", one.task_ids == other.task_ids),
        ("tasks.statuses", one.vocabulary == other.vocabulary),
        ("leases.ids", one.lease_ids == other.lease_ids),
        ("leases.overlap", one.overlap == other.overlap),
        (gates::KEY, one.gates == other.gates),
        ("guarded", one.guarded == other.guarded),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

/// What there is to say where this worktree's file is not what counts; none where there is none, or it is.
pub(super) fn note(session: &Session, applied: &Policy) -> Result<Option<String>> {
    let path = session.place.root.join(FILE);
    let looked = crate::fs::Fs::stat(&session.fs, &path);
    if looked.map_err(|error| Error::environment("looking at", &path, error))?.is_none() {
        return Ok(None);
    }
    let differs = difference(&Team::of(session, &path)?.policy, applied);
    Ok((!differs.is_empty()).then(|| {
        format!(
            "{} says otherwise than what is applied ({}), and the applied counts; `fencehold config apply` applies it",
            path.display(),
            differs.join(", ")
        )
    }))
}

/// A policy as a `fencehold.toml`.
pub(super) fn render(policy: &Policy) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let statuses: String = policy
        .vocabulary
        .rungs()
        .iter()
        .map(|rung| {
            let terminal = if rung.terminal { ", terminal = true" } else { "" };
            format!("  {{ name = {}, rank = {}{terminal} }},\n", quoted(rung.status.as_str()), rung.rank)
        })
        .collect();
    format!(
        "[tasks]\nids = {}\nstatuses = [\n{statuses}]\n\n[leases]\nids = {}\noverlap = {}\n{}",
        quoted(policy.task_ids.word()),
        quoted(policy.lease_ids.word()),
        quoted(policy.overlap.word()),
        guarded::render(&policy.guarded, quoted) + &gates::render(&policy.gates)
    )
}

/// What is wrong, and where in the text if that is known better than by the key.
struct Wrong(Option<usize>, String);

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Wrong(None, what)
    }
}

/// The text that is read.
struct At<'a>(&'a str);

impl At<'_> {
    fn line(&self, offset: usize, what: &str) -> String {
        let before = &self.0.as_bytes()[..offset.min(self.0.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: {}", what.trim_end().replace('\n', " "))
    }
}

fn form(key: &str, value: &DeValue<'_>) -> std::result::Result<IdForm, Wrong> {
    let form = value.as_str().and_then(IdForm::parse);
    form.ok_or_else(|| shaped(key, value, "\"text\" or \"numbers\"").into())
}

fn overlap(value: &DeValue<'_>) -> std::result::Result<Overlap, Wrong> {
    let overlap = value.as_str().and_then(Overlap::parse);
    overlap.ok_or_else(|| shaped("leases.overlap", value, "\"refuse\" or \"advise\"").into())
}

const LIST: &str = "a list of { name = \"…\", rank = 0 }, the final ones with terminal = true";

fn statuses(value: &DeValue<'_>) -> std::result::Result<Vocabulary, Wrong> {
    let Some(list) = value.as_array() else { return Err(shaped("tasks.statuses", value, LIST).into()) };
    let mut rungs = Vec::new();
    for item in list {
        let place = Some(item.span().start);
        let Some(table) = item.get_ref().as_table() else {
            return Err(Wrong(place, shaped("tasks.statuses", item.get_ref(), LIST)));
        };
        let (mut name, mut rank, mut terminal) = (None, None, false);
        for (key, value) in table {
            let place = Some(key.span().start);
            let value = value.get_ref();
            let wrong = |what: String| Wrong(place, what);
            match key.get_ref().as_ref() {
                "name" => {
                    let text = value.as_str().ok_or_else(|| wrong(shaped("name", value, "a text")))?;
                    name = Some(Status::new(text).map_err(|bad| wrong(bad.to_string()))?);
                }
                "rank" => {
                    let number = value.as_integer();
                    let number =
                        number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
                    rank = Some(number.ok_or_else(|| wrong(shaped("rank", value, "a whole number from 0")))?);
                }
                "terminal" => {
                    terminal =
                        value.as_bool().ok_or_else(|| wrong(shaped("terminal", value, "true or false")))?;
                }
                other => return Err(wrong(unknown(other, "`name`, `rank` and `terminal`"))),
            }
        }
        let needs = |key: &str| Wrong(place, format!("a status of `tasks.statuses` has no `{key}`"));
        rungs.push(Rung {
            status: name.ok_or_else(|| needs("name"))?,
            rank: rank.ok_or_else(|| needs("rank"))?,
            terminal,
        });
    }
    Vocabulary::new(rungs).map_err(|why| Wrong(None, format!("`tasks.statuses`: {why}")))
}

fn unknown(key: &str, known: &str) -> String {
    format!("the key `{key}` is unknown; known are {known}")
}

fn shaped(key: &str, value: &DeValue<'_>, want: &str) -> String {
    match value.as_str() {
        Some(text) => format!("`{key}` is {text:?}; it must be {want}"),
        None => format!("`{key}` is of type {}; it must be {want}", value.type_str()),
    }
}
