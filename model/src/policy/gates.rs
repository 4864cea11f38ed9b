//! Done-gates: what must be so before a task enters a status.
//!
//! Invariants:
//! - a [`Gate`] is within its bounds, and names a status of the vocabulary beside it: [`super::decide`] sees to that, and
//!   who reads a journal refuses what is otherwise;
//! - a path of a gate is relative to the top of a worktree and cannot leave it by its spelling, whatever the id is that
//!   takes the place of `{task}`;
//! - what is not looked at by a gate is not asked for: nothing here has a default but *no*.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Fields, Malformed, Tree, Writer, write_list, write_text};
use crate::pattern::Pattern;
use crate::status::Vocabulary;
use crate::{Status, TaskId};

/// The most gates that a policy has.
pub const GATES_MAX: usize = 32;
/// The most conditions that one gate has: files that it requires.
pub const REQUIRED_MAX: usize = 16;
/// The most paths of one `when`, and of one `newer_than`.
pub const PATHS_MAX: usize = 16;
/// The longest path of a gate in bytes, before an id takes the place of `{task}`.
pub const PATH_BYTES_MAX: usize = 256;
/// The longest path of a gate in bytes, an id in the place of `{task}`.
pub const FULL_PATH_BYTES_MAX: usize = 1024;
/// The most logs that the gates of a policy leave entries in.
pub const LOGS_MAX: usize = 4;
/// The longest pattern over task ids in bytes.
pub const TASKS_BYTES_MAX: usize = 256;
/// The longest `max_age`: 366 days, in milliseconds.
pub const AGE_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;

/// What stands for the task's canonical id in a path.
pub const TASK: &str = "{task}";

/// What must be so before a task enters a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The status.
    pub to: Status,
    /// The tasks; none: every one.
    pub tasks: Option<Tasks>,
    /// It counts only where all of these exist.
    pub when: Vec<GatePath>,
    /// What it requires; never empty.
    pub require: Vec<Require>,
    /// The log that a step by force leaves an entry in.
    pub on_override: Option<GatePath>,
}

/// What a gate requires of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// The file, which must exist.
    pub file: GatePath,
    /// It counts only where all of these exist.
    pub when: Vec<GatePath>,
    /// It holds a byte that is no white space.
    pub not_empty: bool,
    /// It stands in the last commit as it stands in the worktree.
    pub committed: bool,
    /// Its last commit is the last one of the work, or a descendant of that.
    pub newer_than: Work,
    /// Its last commit is no older than this, in milliseconds.
    pub max_age_ms: Option<u64>,
}

/// The work that a file must be newer than.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Work {
    /// Nothing is asked.
    #[default]
    None,
    /// These files, and these folders with all below them; never empty.
    Paths(Vec<GatePath>),
    /// The write set of the lease with the task's id.
    Lease,
}

/// A pattern over task ids: `*` is any text, any other character is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tasks(String);

/// A path of a gate, in which `{task}` stands for the task's canonical id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatePath(String);

impl Tasks {
    /// Takes a pattern.
    ///
    /// # Errors
    /// Where it is blank, too long, or holds a control character.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.len() > TASKS_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(format!(
                "{text:?} is no pattern over task ids: 1 to {TASKS_BYTES_MAX} bytes, `*` for any text"
            ));
        }
        Ok(Tasks(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names the task. Of at most `n · m` steps.
    #[must_use]
    pub fn matches(&self, task: &TaskId) -> bool {
        let (mut rest, mut pieces) = (task.as_str(), self.0.split('*'));
        let Some(after) = pieces.next().and_then(|first| rest.strip_prefix(first)) else { return false };
        rest = after;
        let mut last = None;
        for piece in pieces {
            if let Some(middle) = last.replace(piece) {
                // The first place that fits leaves the most for what follows.
                let Some(at) = rest.find(middle) else { return false };
                rest = &rest[at + middle.len()..];
            }
        }
        last.map_or(rest.is_empty(), |last| rest.ends_with(last))
    }
}

impl GatePath {
    /// Takes a path, relative to the top of a worktree.
    ///
    /// # Errors
    /// Where it is not that, or too long.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATH_BYTES_MAX {
            return Err(format!("a path of {} bytes; the most is {PATH_BYTES_MAX}", text.len()));
        }
        let path = GatePath(text.to_owned());
        path.of(&any_task()).map(|_| path)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of this task, whose id is canonical.
    ///
    /// # Errors
    /// Where the id makes it one that is not relative, or has a `.`, `..` or empty component.
    pub fn of(&self, task: &TaskId) -> Result<String, String> {
        let path = self.0.strip_suffix('/').unwrap_or(&self.0).replace(TASK, task.as_str());
        if path.len() > FULL_PATH_BYTES_MAX {
            return Err(format!("a path of {} bytes; the most is {FULL_PATH_BYTES_MAX}", path.len()));
        }
        let literal = Pattern::literal(&path).map_err(|bad| format!("no path of a gate: {bad}"))?;
        if literal.is_folder() && self.0.contains(TASK) {
            return Err(format!("no path of a gate: task {task} makes it the top of the tree"));
        }
        Ok(path)
    }

    /// The path of this task's log, whose id is canonical.
    ///
    /// # Errors
    /// As [`GatePath::of`], and where it names a folder, or what is git's own: git runs and obeys what stands there.
    pub fn log_of(&self, task: &TaskId) -> Result<String, String> {
        let path = self.of(task)?;
        check_log(if self.0.ends_with('/') { &self.0 } else { &path })?;
        Ok(path)
    }
}

impl Gate {
    /// Whether it stands before this status of this task.
    #[must_use]
    pub fn covers(&self, task: &TaskId, to: &Status) -> bool {
        self.to == *to && self.tasks.as_ref().is_none_or(|tasks| tasks.matches(task))
    }

    fn check(&self, vocabulary: &Vocabulary) -> Result<(), String> {
        if vocabulary.rung(&self.to).is_none() {
            return Err(format!("a gate before {}: {}", self.to, vocabulary.unknown(&self.to)));
        }
        let before = |what: &str| Err(format!("a gate before {} {what}", self.to));
        let log = self.on_override.as_ref().map(|log| log.log_of(&any_task())).transpose();
        if let Err(why) = log {
            return before(&format!("has an `on_override` that cannot be: {why}"));
        }
        if self.require.is_empty() {
            return before("requires nothing");
        }
        if self.require.len() > REQUIRED_MAX {
            return before(&format!("requires {} files; the most is {REQUIRED_MAX}", self.require.len()));
        }
        let works = self.require.iter().map(|require| match &require.newer_than {
            Work::Paths(paths) => paths.len(),
            Work::None | Work::Lease => 1,
        });
        if works.clone().any(|paths| paths == 0) {
            return before("has a `newer_than` without a path");
        }
        let whens = self.require.iter().map(|require| require.when.len()).chain([self.when.len()]);
        if whens.chain(works).any(|paths| paths > PATHS_MAX) {
            return before(&format!("has more than {PATHS_MAX} paths in a `when` or a `newer_than`"));
        }
        let mut ages = self.require.iter().filter_map(|require| require.max_age_ms);
        match ages.find(|age| !(1..=AGE_MS_MAX).contains(age)) {
            Some(age_ms) => before(&format!(
                "has a max_age of {age_ms} ms; it must be 1 ms to {AGE_MS_MAX} ms (366 days)"
            )),
            None => Ok(()),
        }
    }

    fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.text("to", self.to.as_str()).text_if("tasks", self.tasks.as_ref().map(Tasks::as_str));
        write_paths(&mut to, "when", &self.when);
        to.value("require", |out| write_list(out, &self.require, |out, require| require.write(out)));
        to.text_if("append", self.on_override.as_ref().map(GatePath::as_str)).end();
    }

    fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Gate {
            to: fields.id("to")?,
            tasks: fields.text_or_none("tasks")?.map(Tasks::new).transpose().map_err(Malformed)?,
            when: read_paths(fields, "when")?,
            require: read_each(fields.array("require")?, Require::read)?,
            on_override: fields.text_or_none("append")?.map(GatePath::new).transpose().map_err(Malformed)?,
        })
    }
}

impl Require {
    /// The mere existence of a file.
    #[must_use]
    pub fn exists(file: GatePath) -> Self {
        let (not_empty, committed, newer_than, max_age_ms) = (false, false, Work::None, None);
        Require { file, when: Vec::new(), not_empty, committed, newer_than, max_age_ms }
    }

    fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.text("file", self.file.as_str());
        write_paths(&mut to, "when", &self.when);
        for (key, asked) in [("not_empty", self.not_empty), ("committed", self.committed)] {
            if asked {
                to.value(key, |out| out.push_str("true"));
            }
        }
        match &self.newer_than {
            Work::None => {}
            Work::Lease => drop(to.text("newer_than", "lease")),
            Work::Paths(paths) => write_paths(&mut to, "newer_than", paths),
        }
        to.number_if("max_age_ms", self.max_age_ms).end();
    }

    fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let flag = |key: &str| match fields.get(key) {
            None => Ok(false),
            Some(Tree::Bool(asked)) => Ok(*asked),
            Some(_) => Err(Malformed(format!("field `{key}` is not true or false"))),
        };
        let newer_than = match fields.get("newer_than") {
            None => Work::None,
            Some(tree) if tree.as_str() == Some("lease") => Work::Lease,
            Some(_) => Work::Paths(read_paths(fields, "newer_than")?),
        };
        Ok(Require {
            file: GatePath::new(fields.text("file")?).map_err(Malformed)?,
            when: read_paths(fields, "when")?,
            not_empty: flag("not_empty")?,
            committed: flag("committed")?,
            newer_than,
            max_age_ms: fields.number_or_none("max_age_ms")?,
        })
    }
}

/// Checks the gates of a policy that has this vocabulary.
///
/// # Errors
/// What is wrong with them: too many, one before an unknown status, one out of its bounds.
pub fn check(gates: &[Gate], vocabulary: &Vocabulary) -> Result<(), String> {
    if gates.len() > GATES_MAX {
        return Err(format!("{} gates; the most is {GATES_MAX}", gates.len()));
    }
    let logs: BTreeSet<&str> =
        gates.iter().filter_map(|gate| Some(gate.on_override.as_ref()?.as_str())).collect();
    if logs.len() > LOGS_MAX {
        return Err(format!("{} logs for overrides; the most is {LOGS_MAX}", logs.len()));
    }
    gates.iter().try_for_each(|gate| gate.check(vocabulary))
}

/// Adds the gates to a policy's object; where there are none, nothing.
pub(super) fn write(to: &mut Writer<'_>, gates: &[Gate]) {
    if !gates.is_empty() {
        to.value("gates", |out| write_list(out, gates, |out, gate| gate.write(out)));
    }
}

/// Reads what [`write`] added.
pub(super) fn read(fields: Fields<'_>) -> Result<Vec<Gate>, Malformed> {
    read_each(fields.array_or_empty("gates")?, Gate::read)
}

/// Refuses what is no path of a log, relative to the top of a worktree.
pub(crate) fn check_log(path: &str) -> Result<(), String> {
    let literal = Pattern::literal(path).map_err(|bad| format!("no path of a log: {bad}"))?;
    if literal.is_folder() || path.ends_with('/') {
        return Err(format!("{path:?} is a folder, and a log is a file"));
    }
    match path.split('/').any(|name| name.eq_ignore_ascii_case(".git")) {
        true => Err(format!("{path:?} is git's own, and no place for a log")),
        false => Ok(()),
    }
}

fn any_task() -> TaskId {
    TaskId::new("task").expect("a word is an id")
}

fn read_each<T>(
    items: &[Tree<'_>],
    read: impl Fn(Fields<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    items.iter().map(|item| read(Fields::of(item)?)).collect()
}

fn write_paths(to: &mut Writer<'_>, key: &str, paths: &[GatePath]) {
    if !paths.is_empty() {
        to.value(key, |out| write_list(out, paths, |out, path| write_text(out, path.as_str())));
    }
}

fn read_paths(fields: Fields<'_>, key: &str) -> Result<Vec<GatePath>, Malformed> {
    let paths = fields.array_or_empty(key)?.iter().map(|path| match path.as_str() {
        Some(path) => GatePath::new(path).map_err(Malformed),
        None => Err(Malformed(format!("field `{key}` holds something that is no text"))),
    });
    paths.collect()
}
