//! The tasks of a file, each beside what stands on the board and what is remembered.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{Status, TaskId};

use super::block::Task;
use super::decide::{Base, Verdict, decide_any};
use super::effects::{Barred, Sight};
use super::memory::{FileMemory, Remembered, candidates};
use crate::document::Version;
use crate::error::Result;

/// What counts for all files of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The statuses.
    pub vocabulary: Vocabulary,
    /// Why the file may not be written, where it may not.
    pub no_writeback: Option<Left>,
    /// The tasks, by canonical id, that stand in several blocks: they are left alone.
    pub doubled: BTreeSet<TaskId>,
}

/// What became of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// The task, by canonical id.
    pub task: TaskId,
    /// The line of its status.
    pub line: u64,
    /// What the file said.
    pub file: String,
    /// What stood on the board.
    pub board: Option<Value>,
    /// What was asked for.
    pub verdict: Verdict,
    /// Why it was left; none where it was done, or there was nothing to do.
    pub left: Option<Left>,
}

/// Why something was left undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// It was only looked at, or there is nothing that could be done.
    Told,
    /// Nothing is written to files in this run.
    NoWriteback,
    /// Something stands in the way.
    Barred(Barred),
    /// The file was written by another meanwhile.
    Meanwhile,
    /// The status cannot be written where the old one stands.
    Unwritable,
    /// The file is as it was, because it could not be committed.
    NotCommitted(String),
    /// It could not be committed, and the file was written by another before it was taken back.
    NotTakenBack(String),
}

/// One task as it is judged.
pub(super) struct Judged<'a> {
    pub(super) task: &'a Task,
    pub(super) id: TaskId,
    pub(super) board: Option<Value>,
    pub(super) verdict: Verdict,
}

/// Judges the tasks of a file, whose bytes have this version, and changes nothing. `canonical` gives the one form of an id.
///
/// # Errors
/// Those of the effects.
pub fn look<E: Sight>(
    effects: &mut E,
    options: &Options,
    tasks: &[Task],
    version: &Version,
    canonical: impl Fn(&TaskId) -> TaskId,
) -> Result<Vec<Happening>> {
    let mut memory = effects.memory()?;
    let identity = if memory.writing.is_some() { effects.identity()? } else { String::new() };
    memory.settle(version.as_str(), &identity, None);
    let judged = judge(effects, options, &memory, tasks, &canonical)?;
    Ok(judged.iter().map(|judged| judged.told(Some(Left::Told))).collect())
}

/// Whether there is nothing to do for a file whose bytes have this version: all is in step, and that is remembered.
///
/// # Errors
/// Those of the effects.
pub fn is_settled<E: Sight>(
    effects: &mut E,
    options: &Options,
    tasks: &[Task],
    canonical: impl Fn(&TaskId) -> TaskId,
) -> Result<bool> {
    let memory = effects.memory()?;
    if memory.writing.is_some() {
        return Ok(false);
    }
    for judged in judge(effects, options, &memory, tasks, &canonical)? {
        let base = judged.board.as_ref().and_then(Base::of);
        let Some(remembered) = memory.tasks.get(&judged.id) else { return Ok(false) };
        let is_settled = remembered.moving.is_none() && remembered.doubt.is_none();
        if judged.verdict != Verdict::InStep || remembered.base != base || !is_settled {
            return Ok(false);
        }
        if !effects.is_of_here(remembered.commit.as_deref())? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Judged<'_> {
    pub(super) fn told(&self, left: Option<Left>) -> Happening {
        let left = if self.verdict == Verdict::InStep { None } else { left };
        let (task, file) = (self.id.clone(), self.task.status.clone());
        Happening {
            task,
            line: self.task.status_line,
            file,
            board: self.board.clone(),
            verdict: self.verdict,
            left,
        }
    }
}

pub(super) fn judge<'a, E: Sight>(
    effects: &mut E,
    options: &Options,
    memory: &FileMemory,
    tasks: &'a [Task],
    canonical: &impl Fn(&TaskId) -> TaskId,
) -> Result<Vec<Judged<'a>>> {
    let mut seen = BTreeMap::<TaskId, usize>::new();
    for task in tasks {
        *seen.entry(canonical(&task.id)).or_default() += 1;
    }
    let is_alone = |id: &TaskId| seen[id] == 1 && !options.doubled.contains(id);
    let tasks: Vec<(TaskId, &Task)> =
        tasks.iter().map(|task| (canonical(&task.id), task)).filter(|(id, _)| is_alone(id)).collect();
    let ids: Vec<TaskId> = tasks.iter().map(|(id, _)| id.clone()).collect();
    let boards = effects.board(&ids)?;
    let none = Remembered::default();
    let mut judged = Vec::with_capacity(tasks.len());
    for ((id, task), board) in tasks.into_iter().zip(boards) {
        let remembered = memory.tasks.get(&id).unwrap_or(&none);
        let is_same =
            board.as_ref().and_then(Base::of).is_some_and(|base| base.status.as_str() == task.status);
        // Git is asked only where it makes a difference.
        let descends = match &remembered.commit {
            Some(commit) if !is_same => effects.descends(commit)?,
            _ => true,
        };
        let bases = candidates(remembered, board.as_ref(), descends);
        let verdict = decide_any(&options.vocabulary, &bases, &task.status, board.as_ref());
        judged.push(Judged { task, id, board, verdict });
    }
    Ok(judged)
}

impl Judged<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The status of the file, which is one of the vocabulary.
    pub(super) fn said(&self) -> Status {
        Status::new(&self.task.status).expect("it is of the vocabulary")
    }

    /// The one status of the board.
    pub(super) fn stands(&self) -> &str {
        let board = self.board.as_ref().expect("the file follows a board");
        board.statuses.keys().next().expect("a value has a status").as_str()
    }
}
