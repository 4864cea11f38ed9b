//! The done-gates of a `fencehold.toml`: `[[gates]]`.

use std::fmt::Write as _;

use fencehold_model::Status;
use fencehold_model::policy::Policy;
use fencehold_model::policy::gates::{self, Gate, GatePath, Require, Tasks, Work};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Wrong, shaped, unknown};
use crate::cli::span;

/// Its key.
pub(super) const KEY: &str = "gates";
const LIST: &str = "a list of tables: [[gates]] with `to` and `require`";
const REQUIRE: &str =
    "a list of { file = \"…\" } with `not_empty`, `committed`, `newer_than`, `max_age` or `when`";
const PATHS: &str = "a list of paths, relative to the top of the tree";
const WHEN: &str = "\"PATH exists\", or a list of such";

type Read<T> = std::result::Result<T, Wrong>;
type Item<'a, 'b> = &'a Spanned<DeValue<'b>>;

/// Reads the gates.
pub(super) fn read(value: Item<'_, '_>) -> Read<Vec<Gate>> {
    each(KEY, value, LIST, gate)
}

/// Says what is wrong with the gates of a policy that was read.
pub(super) fn check(policy: &Policy) -> std::result::Result<(), String> {
    gates::check(&policy.gates, &policy.vocabulary).map_err(|what| format!("`{KEY}`: {what}"))
}

/// Where the gates stand in the text.
pub(super) fn place(table: &Spanned<DeTable<'_>>) -> usize {
    let found = table.get_ref().iter().find(|(key, _)| key.get_ref() == KEY);
    found.map_or(0, |(key, _)| key.span().start)
}

fn gate(item: Item<'_, '_>) -> Read<Gate> {
    let (mut to, mut tasks, mut when, mut require, mut on_override) =
        (None, None, Vec::new(), Vec::new(), None);
    for (key, value) in table(KEY, item, LIST)? {
        match key.get_ref().as_ref() {
            "to" => {
                let status = Status::new(text("to", value, "a status")?);
                to = Some(status.map_err(|bad| at(value, bad.to_string()))?);
            }
            "tasks" => {
                let pattern = text("tasks", value, "a text, `*` for any part of an id")?;
                tasks = Some(Tasks::new(pattern).map_err(|bad| at(value, bad))?);
            }
            "when" => when = whens(value)?,
            "require" => require = each("require", value, REQUIRE, required)?,
            "on_override" => on_override = Some(appended(value)?),
            other => {
                let known = "`to`, `tasks`, `when`, `require` and `on_override`";
                return Err(Wrong(Some(key.span().start), unknown(&format!("{KEY}.{other}"), known)));
            }
        }
    }
    let to = to.ok_or_else(|| at(item, format!("a gate of `{KEY}` has no `to`")))?;
    if require.is_empty() {
        return Err(at(item, format!("the gate before {to} requires nothing; give it `require`")));
    }
    Ok(Gate { to, tasks, when, require, on_override })
}

fn required(item: Item<'_, '_>) -> Read<Require> {
    let mut file = None;
    let mut read = Require::exists(GatePath::new(".").expect("the root is a path"));
    for (key, value) in table("require", item, REQUIRE)? {
        match key.get_ref().as_ref() {
            "file" => file = Some(path("file", value)?),
            "when" => read.when = whens(value)?,
            "not_empty" => read.not_empty = flag("not_empty", value)?,
            "committed" => read.committed = flag("committed", value)?,
            "newer_than" if value.get_ref().as_str() == Some("lease") => read.newer_than = Work::Lease,
            "newer_than" => {
                let paths = each("newer_than", value, &format!("{PATHS}, or \"lease\""), |item| {
                    path("newer_than", item)
                })?;
                if paths.is_empty() {
                    return Err(at(
                        value,
                        "`newer_than` names no path; leave it out, or name the work".to_owned(),
                    ));
                }
                read.newer_than = Work::Paths(paths);
            }
            "max_age" => {
                let age =
                    span::parse(text("max_age", value, "a duration: 7d")?).map_err(|bad| at(value, bad))?;
                read.max_age_ms = Some(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            }
            other => {
                let known = "`file`, `when`, `not_empty`, `committed`, `newer_than` and `max_age`";
                return Err(Wrong(Some(key.span().start), unknown(&format!("require.{other}"), known)));
            }
        }
    }
    read.file = file.ok_or_else(|| at(item, "a condition of `require` has no `file`".to_owned()))?;
    Ok(read)
}

/// `{ append = "FILE" }`.
fn appended(value: Item<'_, '_>) -> Read<GatePath> {
    let mut append = None;
    for (key, value) in table("on_override", value, "{ append = \"FILE\" }")? {
        match key.get_ref().as_ref() {
            "append" => append = Some(path("append", value)?),
            other => {
                return Err(Wrong(
                    Some(key.span().start),
                    unknown(&format!("on_override.{other}"), "`append`"),
                ));
            }
        }
    }
    append.ok_or_else(|| at(value, "`on_override` has no `append`".to_owned()))
}

fn whens(value: Item<'_, '_>) -> Read<Vec<GatePath>> {
    let one = |item: Item<'_, '_>| {
        let path = text("when", item, WHEN)?.strip_suffix(" exists").map(str::trim_end);
        let path = path.ok_or_else(|| at(item, shaped("when", item.get_ref(), WHEN)))?;
        GatePath::new(path).map_err(|bad| at(item, format!("`when`: {bad}")))
    };
    if value.get_ref().as_array().is_some() { each("when", value, WHEN, one) } else { Ok(vec![one(value)?]) }
}

fn each<T>(
    key: &str,
    value: Item<'_, '_>,
    want: &str,
    read: impl Fn(Item<'_, '_>) -> Read<T>,
) -> Read<Vec<T>> {
    let list = value.get_ref().as_array().ok_or_else(|| at(value, shaped(key, value.get_ref(), want)))?;
    list.iter().map(read).collect()
}

fn table<'a, 'b>(key: &str, item: Item<'a, 'b>, want: &str) -> Read<&'a DeTable<'b>> {
    item.get_ref().as_table().ok_or_else(|| at(item, shaped(key, item.get_ref(), want)))
}

fn path(key: &str, value: Item<'_, '_>) -> Read<GatePath> {
    GatePath::new(text(key, value, "a path, relative to the top of the tree")?)
        .map_err(|bad| at(value, format!("`{key}`: {bad}")))
}

fn text<'a>(key: &str, value: Item<'a, '_>, want: &str) -> Read<&'a str> {
    value.get_ref().as_str().ok_or_else(|| at(value, shaped(key, value.get_ref(), want)))
}

fn flag(key: &str, value: Item<'_, '_>) -> Read<bool> {
    value.get_ref().as_bool().ok_or_else(|| at(value, shaped(key, value.get_ref(), "true or false")))
}

fn at(value: Item<'_, '_>, what: String) -> Wrong {
    Wrong(Some(value.span().start), what)
}

/// The gates as they stand in a `fencehold.toml`; nothing where there are none.
pub(super) fn render(gates: &[Gate]) -> String {
    let mut out = String::new();
    for gate in gates {
        let _ = writeln!(out, "\n[[gates]]\nto = {}", quoted(gate.to.as_str()));
        if let Some(tasks) = &gate.tasks {
            let _ = writeln!(out, "tasks = {}", quoted(tasks.as_str()));
        }
        if !gate.when.is_empty() {
            let _ = writeln!(out, "when = {}", rendered_whens(&gate.when));
        }
        let _ = writeln!(out, "require = [");
        for require in &gate.require {
            let _ = writeln!(out, "  {{ {} }},", rendered(require));
        }
        let _ = writeln!(out, "]");
        if let Some(append) = &gate.on_override {
            let _ = writeln!(out, "on_override = {{ append = {} }}", quoted(append.as_str()));
        }
    }
    out
}

fn rendered(require: &Require) -> String {
    let mut keys = vec![format!("file = {}", quoted(require.file.as_str()))];
    if !require.when.is_empty() {
        keys.push(format!("when = {}", rendered_whens(&require.when)));
    }
    if require.not_empty {
        keys.push("not_empty = true".to_owned());
    }
    if require.committed {
        keys.push("committed = true".to_owned());
    }
    match &require.newer_than {
        Work::None => {}
        Work::Lease => keys.push("newer_than = \"lease\"".to_owned()),
        Work::Paths(paths) => keys.push(format!("newer_than = {}", list(paths, GatePath::as_str))),
    }
    if let Some(age_ms) = require.max_age_ms {
        keys.push(format!("max_age = {}", quoted(&span::exact(age_ms))));
    }
    keys.join(", ")
}

fn rendered_whens(paths: &[GatePath]) -> String {
    let said = |path: &GatePath| quoted(&format!("{} exists", path.as_str()));
    match paths {
        [one] => said(one),
        _ => format!("[{}]", paths.iter().map(said).collect::<Vec<_>>().join(", ")),
    }
}

fn list<T>(items: &[T], text: impl Fn(&T) -> &str) -> String {
    format!("[{}]", items.iter().map(|item| quoted(text(item))).collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
