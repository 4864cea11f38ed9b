//! What `plan` tells: a finding for each thing, for people by file, for machines one object a line.
//!
//! Invariant: one condition, one code.

use std::fmt::Write as _;

use fencehold_model::status::Value;
use fencehold_model::{Status, TaskId};
use serde_json::{Value as Json, json};

use super::super::front::plain;
use super::super::out::{Out, REFUSED, Stop};
use super::super::task::value_object;
use crate::plan::{Happening, Left, Side, Step, Verdict, Why};

/// What a finding means for how the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// To be known; no task is out of step by it.
    Info,
    /// It was done.
    Done,
    /// It was left because the user said so.
    Allowed,
    /// It is left.
    Open,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Done => "DONE",
            Level::Allowed | Level::Open => "WARN",
        }
    }
}

/// One thing that is told.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// The file from the top of the worktree; none where it is about all of them.
    pub(super) file: Option<String>,
    pub(super) line: Option<u64>,
    pub(super) task: Option<TaskId>,
    pub(super) code: &'static str,
    pub(super) level: Level,
    pub(super) what: String,
    /// The status in the file, and the value on the board.
    pub(super) sides: Option<(String, Option<Value>)>,
}

impl Finding {
    /// About all files.
    pub(super) fn of_all(code: &'static str, level: Level, what: impl Into<String>) -> Self {
        Finding { file: None, line: None, task: None, code, level, what: what.into(), sides: None }
    }

    /// About one file.
    pub(super) fn of_file(file: &str, line: u64, code: &'static str, what: impl Into<String>) -> Self {
        Finding { file: Some(file.to_owned()), line: Some(line), ..Finding::of_all(code, Level::Open, what) }
    }

    /// What became of one task; none where it is in step.
    pub(super) fn of(file: &str, happening: &Happening) -> Option<Self> {
        let Happening { task, line, file: says, board, verdict, left } = happening;
        let (code, what) = told(task, says, board.as_ref(), *verdict)?;
        let (code, level, why) = match left {
            None => (code, Level::Done, None),
            Some(Left::Told) => (code, Level::Open, None),
            Some(Left::NoWriteback) => {
                (code, Level::Allowed, Some("not written, as --no-writeback says".to_owned()))
            }
            Some(left) => {
                let (code, why) = because(left);
                (code, Level::Open, Some(why))
            }
        };
        let what = why.map_or(what.clone(), |why| format!("{what}: {why}"));
        let sides = Some((says.clone(), board.clone()));
        let (file, line, task) = (Some(file.to_owned()), Some(*line), Some(task.clone()));
        Some(Finding { file, line, task, code, level, what, sides })
    }

    fn json(&self) -> Json {
        let mut object = json!({ "code": self.code, "level": self.level.word(), "what": self.what });
        if let Some(file) = &self.file {
            object["file"] = file.as_str().into();
        }
        if let Some(line) = self.line {
            object["line"] = line.into();
        }
        if let Some(task) = &self.task {
            object["task"] = task.as_str().into();
        }
        if let Some((file, board)) = &self.sides {
            object["in_file"] = file.as_str().into();
            object["on_board"] = board.as_ref().map_or(Json::Null, value_object);
        }
        object
    }
}

/// What is to be done for a task, and its code.
fn told(
    task: &TaskId,
    file: &str,
    board: Option<&Value>,
    verdict: Verdict,
) -> Option<(&'static str, String)> {
    let names: Vec<&str> = board.iter().flat_map(|board| board.statuses.keys()).map(Status::as_str).collect();
    let on_board = if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") };
    Some(match verdict {
        Verdict::InStep => return None,
        Verdict::Forward(Step::Reopen) => (
            "C-11",
            format!("task {task}: the file went from {on_board} to {file}, so the board is reopened"),
        ),
        Verdict::Forward(_) => {
            ("C-11", format!("task {task}: the file is ahead of the board (file={file}, board={on_board})"))
        }
        Verdict::Back => {
            ("C-13", format!("task {task}: the board is ahead of the file (board={on_board}, file={file})"))
        }
        Verdict::Conflict(why) => {
            let end = match why {
                Why::Board => format!("choose one with `fencehold task set {task} STATUS --resolve`"),
                Why::Final(Side::File)
                | Why::BothMoved
                | Why::Tie
                | Why::Reopened
                | Why::InDoubt
                | Why::Final(_) => {
                    format!(
                        "make them the same: edit the file, or move the board by `fencehold task set {task}` or `task reopen {task}`"
                    )
                }
            };
            (
                "conflict",
                format!(
                    "task {task}: file={file}, board={on_board}: {why}; nothing was changed. To end it, {end}"
                ),
            )
        }
        Verdict::Unknown => (
            "unknown-status",
            format!("task {task}: {file} is no status of this workspace; write one that is"),
        ),
    })
}

fn because(left: &Left) -> (&'static str, String) {
    match left {
        Left::Told | Left::NoWriteback => unreachable!("they are told apart before"),
        Left::Barred(barred) => (barred.code, barred.why.clone()),
        Left::Meanwhile => {
            ("meanwhile", "it was written by another program meanwhile; run it again".to_owned())
        }
        Left::Unwritable => (
            "unwritable",
            "that status cannot be written where the old one stands; edit it by hand".to_owned(),
        ),
        Left::NotCommitted(why) => {
            ("not-committed", format!("the file is as it was, because git made no commit: {why}"))
        }
        Left::NotTakenBack(why) => (
            "not-taken-back",
            format!(
                "git made no commit ({why}), and another program wrote the file before it was put back; look at it, and commit it"
            ),
        ),
    }
}

/// Tells all findings and gives the exit code.
pub(super) fn tell(out: Out, files: usize, tasks: usize, findings: &[Finding]) -> Result<u8, Stop> {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (open, allowed, done) = (count(Level::Open), count(Level::Allowed), count(Level::Done));
    let code = if open > 0 { REFUSED } else { 0 };
    let mut text = String::new();
    if out.json {
        for finding in findings {
            let _ = writeln!(text, "{}", finding.json());
        }
        let mut codes = serde_json::Map::new();
        for finding in findings.iter().filter(|finding| finding.level != Level::Info) {
            let number = codes.get(finding.code).and_then(Json::as_u64).unwrap_or(0) + 1;
            codes.insert(finding.code.to_owned(), number.into());
        }
        let value = json!({ "files": files, "tasks": tasks, "done": done, "allowed": allowed, "open": open, "codes": codes });
        let mut summary = json!({ "outcome": "ok", "value": value });
        if open > 0 {
            summary["outcome"] = "refused".into();
            summary["reason"] = "not_in_step".into();
        }
        let _ = writeln!(text, "{summary}");
    } else {
        human(&mut text, findings);
        let _ = writeln!(text, "{}", summary(files, tasks, done, allowed, open));
    }
    let what = format!("{done} tasks were brought in step");
    if done > 0 {
        out.printed(&text, &what)?;
    } else {
        out.data(&text)?;
    }
    Ok(code)
}

fn human(text: &mut String, findings: &[Finding]) {
    let mut at: Option<&str> = None;
    for finding in findings {
        if finding.file.is_some() && finding.file.as_deref() != at {
            at = finding.file.as_deref();
            let _ = writeln!(text, "{}", plain(at.unwrap_or_default()));
        }
        let line = finding.line.map(|line| format!("  {line}: ")).unwrap_or_default();
        let _ = writeln!(text, "{line}{} {}: {}", finding.level.word(), finding.code, plain(&finding.what));
    }
}

fn summary(files: usize, tasks: usize, done: usize, allowed: usize, open: usize) -> String {
    let mut text = format!("{tasks} tasks in {files} files");
    for (count, what) in
        [(done, "brought in step"), (allowed, "left as --no-writeback says"), (open, "left undone")]
    {
        if count > 0 {
            let _ = write!(text, "; {count} {what}");
        }
    }
    if done + allowed + open == 0 {
        text.push_str("; all in step");
    }
    text
}
