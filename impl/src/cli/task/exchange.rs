//! `fencehold task export|merge`: what every task is, carried from clone to clone.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::status::{Command, Refusal, Value};
use fencehold_model::{Holder, Policy, TaskId};
use serde_json::json;

use super::super::args::{Common, Who};
use super::super::gate;
use super::super::identity::holder;
use super::super::locks::Locks;
use super::super::out::{Ended, REFUSED};
use super::super::session::{Session, cwd};
use super::super::whole;
use super::render;
use crate::board::{BEGINS, BOARD_BYTES_MAX, Board};
use crate::error::{Error, Result};
use crate::host::Deadline;
use crate::journal::Journal as _;
use crate::ledger::TaskVerdict;

/// After this long, and then again, a person who watches is told how far it is.
const SILENCE: Duration = Duration::from_secs(1);

/// Writes the board to a file or to stdout. The workspace is only read.
pub(super) fn export(common: &Common, file: Option<&Path>) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else {
        session.out.say("there is no workspace yet, so there is nothing to export; nothing was written");
        session.out.answer(&json!({ "outcome": "refused", "reason": "not_found" }), "")?;
        return Ok(REFUSED);
    };
    let workspace = locks.ledger().workspace()?;
    let seen = locks.journal().read(|state, _| Board {
        workspace,
        task_ids: state.policy.task_ids,
        vocabulary: state.policy.vocabulary.clone(),
        cells: state.tasks.iter().map(|(task, cell)| (task.clone(), cell.value.clone())).collect(),
    })?;
    let text = seen.value.write();
    locks.tell_notes(session.out);
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        session.out.data(&text)?;
        return Ok(0);
    };
    let path = cwd()?.join(file);
    whole::replace(&session, locks.host(), &path, text.as_bytes(), BEGINS)?;
    let tasks = seen.value.cells.len();
    let object = json!({ "outcome": "ok", "revision": seen.revision, "value": { "tasks": tasks } });
    let what = format!("{} holds {tasks} tasks", file.display());
    session.out.done(&object, "", &what)?;
    session.out.tell_who_watches(&what);
    Ok(0)
}

/// Joins a board with what stands here: the whole file is looked at first, then one commit for each task that changes.
pub(super) fn merge(common: &Common, file: &Path, force: Option<&str>, who: &Who) -> Ended {
    let (holder, _) = holder(who)?;
    let session = Session::begin(common)?;
    let (name, bytes) = bytes_of(&session, file)?;
    let found = Locks::open(&session)?;
    let policy = match &found {
        Some(locks) => locks.policy()?.value,
        None => Policy::default(),
    };
    let board = Board::read(&name, &bytes, &policy)?;
    let locks = match found {
        Some(locks) => Some(locks),
        None if board.cells.is_empty() => None,
        None => Some(Locks::open_or_create(&session)?),
    };
    let done = match &locks {
        Some(locks) => {
            let done = join(&session, locks, &holder, force, &board)?;
            gate::settle_after(&session.place, locks.ledger(), &holder);
            done
        }
        None => Done::default(),
    };
    let mut object = json!({
        "outcome": "ok",
        "value": { "workspace": board.workspace.as_str(), "tasks": board.cells.len(), "changed": done.changed,
            "conflicts": done.conflicts },
    });
    if !done.refused.is_empty() {
        object["outcome"] = "refused".into();
        object["reason"] = done.refused[0]["reason"].clone();
        object["value"]["refused"] = done.refused.clone().into();
    }
    if done.relaxed {
        object["durable"] = false.into();
    }
    let (changed, tasks) = (done.changed.len(), board.cells.len());
    session.out.done(&object, &done.lines.concat(), &format!("{changed} of {tasks} tasks changed"))?;
    tell(&session, locks.as_ref(), &board, &done)?;
    Ok(if done.conflicts.is_empty() && done.refused.is_empty() { 0 } else { REFUSED })
}

/// What a merge came to.
#[derive(Debug, Default)]
struct Done {
    changed: Vec<String>,
    lines: Vec<String>,
    conflicts: Vec<String>,
    /// The tasks that stay as they are, each with the reason.
    refused: Vec<serde_json::Value>,
    sentences: Vec<String>,
    relaxed: bool,
}

impl Done {
    fn stands(&mut self, task: &TaskId, value: &Value, changed: bool) {
        if changed {
            self.changed.push(task.as_str().to_owned());
            self.lines.push(format!("task {task}: {}\n", render::names(value)));
        }
        if value.statuses.len() > 1 {
            self.conflicts.push(task.as_str().to_owned());
            self.sentences.push(render::conflict(task, value));
        }
    }
}

impl Done {
    fn stays(&mut self, command: &Command, refusal: &Refusal) {
        let mut object = json!({ "task": command.task().as_str(), "reason": refusal.word() });
        if let Refusal::Gate(held) = refusal {
            object["unmet"] = render::unmet(held);
        }
        self.refused.push(object);
        self.sentences.push(render::refused(command, refusal));
    }
}

fn join(
    session: &Session,
    locks: &Locks,
    holder: &Holder,
    force: Option<&str>,
    board: &Board,
) -> Result<Done> {
    let mut done = Done::default();
    let mut silence = Deadline::after(SILENCE);
    for (index, (task, value)) in board.cells.iter().enumerate() {
        if silence.left().is_zero() {
            silence = Deadline::after(SILENCE);
            session.out.tell_who_watches(&format!("{index} of {} tasks are merged", board.cells.len()));
        }
        let command = Command::Merge { task: task.clone(), value: value.clone() };
        let look = |looking| gate::look(&session.place, looking);
        let asking = locks.asking(holder);
        let answer = locks.ledger().task_through(&asking, &command, force, look).inspect_err(|_| {
            session.out.say(&format!(
                "{index} of {} tasks are merged, those before {task}; the same merge again goes on from there",
                board.cells.len()
            ));
        })?;
        done.relaxed |= !answer.durable;
        match answer.verdict {
            TaskVerdict::Stands { value, already, .. } => done.stands(task, &value, !already),
            TaskVerdict::Refused(refusal @ (Refusal::Gate(_) | Refusal::NeedsReason)) => {
                done.stays(&command, &refusal);
            }
            TaskVerdict::Refused(refusal) => panic!("a merge was refused: {refusal:?}"),
        }
    }
    Ok(done)
}

fn tell(session: &Session, locks: Option<&Locks>, board: &Board, done: &Done) -> Result<()> {
    let ours = locks.map(|locks| locks.ledger().workspace()).transpose()?;
    if ours.as_ref() != Some(&board.workspace) {
        session.out.say(&format!("the board is of another workspace, {}", board.workspace));
    }
    for sentence in &done.sentences {
        session.out.say(sentence);
    }
    let (changed, tasks) = (done.changed.len(), board.cells.len());
    session.out.tell_who_watches(&format!("{changed} of {tasks} tasks changed"));
    if let Some(locks) = locks {
        locks.tell_notes(session.out);
    }
    Ok(())
}

/// The bytes of a board, and what errors call it.
fn bytes_of(session: &Session, file: &Path) -> Result<(PathBuf, Vec<u8>)> {
    if file != Path::new("-") {
        return Ok((file.to_owned(), whole::read(session.fs, file, BOARD_BYTES_MAX)?));
    }
    let stdin = Path::new("stdin");
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(BOARD_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::environment("reading", stdin, error))?;
    if bytes.len() > BOARD_BYTES_MAX {
        return Err(Error::usage(format!(
            "a board has {BOARD_BYTES_MAX} bytes at the most; nothing was merged"
        )));
    }
    Ok((stdin.to_owned(), bytes))
}
