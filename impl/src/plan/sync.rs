//! One plan file brought in step with the board: the order of the steps, each asked for by [`Effects`].
//!
//! ```text
//! memory, file, board ─► what was begun is finished ─► C-11: begun, board, done ─► C-13: begun, file, commit, done
//! ```
//!
//! Invariants:
//! - the caller holds the file's lock, so no other of ours is between two steps of this file;
//! - the board is moved only from the very value that was judged; a task that moved meanwhile is judged anew;
//! - the file is written only over the very bytes that were judged, and a commit that fails is taken back;
//! - of a file with uncommitted changes nothing is taken over and nothing is written;
//! - killed between any two steps and run again, it ends where it would have ended.

use std::collections::BTreeMap;

use fencehold_model::{Status, TaskId};

use super::block::Task;
use super::decide::{Base, Step, Verdict};
use super::edit::{Edited, edit};
use super::effects::{Change, Committed, Effects, Moved};
use super::judge::{Happening, Judged, Left, Options, judge};
use super::memory::{FileMemory, Pending, PendingFile, Remembered};
use super::read::read;
use crate::document::Version;
use crate::error::Result;

/// How often tasks that move while they are looked at are judged anew.
const ROUNDS_MAX: usize = 8;

/// Brings one file in step, as far as it may.
///
/// # Errors
/// Those of the effects; run again, it goes on.
pub fn sync<E: Effects>(
    effects: &mut E,
    options: &Options,
    canonical: impl Fn(&TaskId) -> TaskId,
) -> Result<Vec<Happening>> {
    let stored = effects.memory()?;
    let bytes = effects.file()?;
    let mut run =
        Run { memory: stored.clone(), stored, effects, options, bytes, stands: None, done: Vec::new() };
    run.finish(&canonical)?;
    let tasks = read(&run.bytes).tasks;
    let mut judged = judge(run.effects, options, &run.memory, &tasks, &canonical)?;
    for _ in 0..ROUNDS_MAX {
        if !run.forward(&judged)? {
            break;
        }
        judged = judge(run.effects, options, &run.memory, &tasks, &canonical)?;
    }
    run.back(&judged)?;
    run.settle(&judged)?;
    let mut done = run.done;
    let told = judged.iter().filter(|judged| !done.iter().any(|done| done.task == judged.id));
    let told: Vec<Happening> = told.map(|judged| judged.told(Some(Left::Told))).collect();
    done.extend(told);
    done.sort_by_key(|happening| happening.line);
    Ok(done)
}

struct Run<'e, E> {
    effects: &'e mut E,
    options: &'e Options,
    /// What is remembered on disk.
    stored: FileMemory,
    memory: FileMemory,
    /// The file, as it was read.
    bytes: Vec<u8>,
    /// Why the file cannot be taken at its word, once that was asked.
    stands: Option<Option<Left>>,
    done: Vec<Happening>,
}

/// A task that a killed run wrote: as it stands in the file, its canonical id, and what the file said before.
type Written<'a> = (&'a Task, TaskId, &'a str);

fn written<'a>(
    tasks: &'a [Task],
    writing: &'a PendingFile,
    canonical: &impl Fn(&TaskId) -> TaskId,
) -> Vec<Written<'a>> {
    let of_it = |task: &'a Task| {
        let id = canonical(&task.id);
        let (old, _) = writing.tasks.get(&id)?;
        Some((task, id, old.as_str()))
    };
    tasks.iter().filter_map(of_it).collect()
}

impl<E: Effects> Run<'_, E> {
    fn remember(&mut self) -> Result<()> {
        if self.memory != self.stored {
            self.effects.remember(&self.memory)?;
            self.stored = self.memory.clone();
        }
        Ok(())
    }

    /// None where what was read is what is committed.
    fn in_the_way(&mut self) -> Result<Option<Left>> {
        if self.stands.is_none() {
            let barred = self.effects.barred()?;
            self.stands = Some(match barred {
                Some(barred) => Some(Left::Barred(barred)),
                // It may have been dirty when it was read.
                None if self.effects.file()? != self.bytes => Some(Left::Meanwhile),
                None => None,
            });
        }
        Ok(self.stands.clone().flatten())
    }

    fn is_done(&self, task: &TaskId) -> bool {
        self.done.iter().any(|done| done.task == *task)
    }

    /// Finishes the write that a killed run began: where the file is as it left it and is not committed, that is done now,
    /// or taken back. Where nothing is to be written back neither is done, and it stays begun.
    fn finish(&mut self, canonical: &impl Fn(&TaskId) -> TaskId) -> Result<()> {
        let Some(writing) = self.memory.writing.clone() else { return Ok(()) };
        if Version::of(&self.bytes).as_str() == writing.after && !self.effects.is_committed()? {
            let tasks = read(&self.bytes).tasks;
            let written = written(&tasks, &writing, canonical);
            if self.options.no_writeback == Some(Left::NoWriteback) {
                self.leave_written(&written, &Left::NoWriteback);
                return Ok(());
            }
            self.finish_commit(&writing, &written)?;
        }
        let commit = self.effects.head()?;
        let identity = self.effects.identity()?;
        self.memory.settle(Version::of(&self.bytes).as_str(), &identity, commit.as_deref());
        Ok(())
    }

    fn finish_commit(&mut self, writing: &PendingFile, written: &[Written<'_>]) -> Result<()> {
        let changes: Vec<Change> = written
            .iter()
            .map(|(task, id, old)| (id.clone(), (*old).to_owned(), task.status.clone()))
            .collect();
        let Committed::Failed(why) = self.effects.commit(&self.bytes, &changes)? else { return Ok(()) };
        let back: Vec<(&Task, &str)> = written.iter().map(|(task, _, old)| (*task, *old)).collect();
        let left = match edit(&self.bytes, &back) {
            Edited::Bytes(before)
                if Version::of(&before).as_str() == writing.before
                    && self.effects.replace(&self.bytes, &before)? =>
            {
                self.bytes = before;
                Left::NotCommitted(why)
            }
            _ => Left::NotTakenBack(why),
        };
        self.leave_written(written, &left);
        Ok(())
    }

    fn leave_written(&mut self, written: &[Written<'_>], left: &Left) {
        self.done.extend(written.iter().map(|(task, id, old)| Happening {
            task: id.clone(),
            line: task.status_line,
            file: (*old).to_owned(),
            board: None,
            verdict: Verdict::Back,
            left: Some(left.clone()),
        }));
    }

    /// C-11. Whether some have moved meanwhile and are to be judged anew.
    fn forward(&mut self, judged: &[Judged<'_>]) -> Result<bool> {
        let is_open = |judged: &&Judged<'_>| !self.is_done(&judged.id);
        let step_of = |judged| match Judged::verdict(judged) {
            Verdict::Forward(step) => Some((judged, step, judged.said())),
            _ => None,
        };
        let steps: Vec<(&Judged<'_>, Step, Status)> =
            judged.iter().filter(is_open).filter_map(step_of).collect();
        if steps.is_empty() {
            return Ok(false);
        }
        if let Some(left) = self.in_the_way()? {
            self.leave(steps.iter().map(|(judged, ..)| *judged), &left);
            return Ok(false);
        }
        for (judged, step, to) in &steps {
            let before = judged.board.as_ref().and_then(Base::of);
            let pending = Pending { before, step: *step, to: to.clone() };
            self.memory.tasks.entry(judged.id.clone()).or_default().moving = Some(pending);
        }
        self.remember()?;
        let commit = self.effects.head()?;
        let mut again = false;
        for (judged, step, to) in steps {
            let moved = self.effects.step(&judged.id, judged.board.as_ref(), step, &to)?;
            let remembered = self.memory.tasks.entry(judged.id.clone()).or_default();
            remembered.moving = None;
            match moved {
                Moved::Stands(value) => {
                    *remembered = Remembered {
                        base: Base::of(&value),
                        commit: commit.clone(),
                        ..Remembered::default()
                    };
                    self.done.push(judged.told(None));
                }
                Moved::Meanwhile => again = true,
                Moved::Refused(barred) => self.done.push(judged.told(Some(Left::Barred(barred)))),
            }
        }
        self.remember()?;
        Ok(again)
    }

    /// C-13.
    fn back(&mut self, judged: &[Judged<'_>]) -> Result<()> {
        let is_open = |judged: &&Judged<'_>| judged.verdict == Verdict::Back && !self.is_done(&judged.id);
        let mut backs: Vec<&Judged<'_>> = judged.iter().filter(is_open).collect();
        if backs.is_empty() {
            return Ok(());
        }
        let left = match &self.options.no_writeback {
            None => self.in_the_way()?,
            left => left.clone(),
        };
        if let Some(left) = left {
            self.leave(backs, &left);
            return Ok(());
        }
        while !backs.is_empty() {
            let changes: Vec<(&Task, &str)> =
                backs.iter().map(|judged| (judged.task, judged.stands())).collect();
            match edit(&self.bytes, &changes) {
                Edited::Bytes(new) => return self.write(&backs, &new),
                Edited::Unwritable(at) => {
                    let judged = backs.remove(at);
                    self.leave([judged], &Left::Unwritable);
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, backs: &[&Judged<'_>], new: &[u8]) -> Result<()> {
        let version = |bytes: &[u8]| Version::of(bytes).as_str().to_owned();
        let (mut tasks, mut changes) = (BTreeMap::new(), Vec::new());
        for judged in backs {
            let base = judged.board.as_ref().and_then(Base::of).expect("the file follows one status");
            let old = judged.task.status.clone();
            changes.push((judged.id.clone(), old.clone(), base.status.as_str().to_owned()));
            tasks.insert(judged.id.clone(), (old, base));
        }
        let bytes = std::mem::take(&mut self.bytes);
        let before = self.memory.clone();
        let identity = self.effects.identity()?;
        self.memory.writing =
            Some(PendingFile { before: version(&bytes), identity, after: version(new), tasks });
        self.remember()?;
        if !self.effects.replace(&bytes, new)? {
            self.memory = before;
            self.leave(backs.iter().copied(), &Left::Meanwhile);
            return self.remember();
        }
        match self.effects.commit(new, &changes)? {
            Committed::Done => {
                let commit = self.effects.head()?;
                self.memory.settle(&version(new), "", commit.as_deref());
                self.done.extend(backs.iter().map(|judged| judged.told(None)));
                self.remember()
            }
            Committed::Failed(why) if self.effects.replace(new, &bytes)? => {
                self.memory = before;
                self.leave(backs.iter().copied(), &Left::NotCommitted(why));
                self.remember()
            }
            Committed::Failed(why) => {
                // What another wrote there may rest on ours: that it was begun stays remembered.
                self.leave(backs.iter().copied(), &Left::NotTakenBack(why));
                self.stands = Some(Some(Left::Meanwhile));
                Ok(())
            }
        }
    }

    fn leave<'j>(&mut self, judged: impl IntoIterator<Item = &'j Judged<'j>>, left: &Left) {
        self.done.extend(judged.into_iter().map(|judged| judged.told(Some(left.clone()))));
    }

    /// Remembers what is in step.
    fn settle(&mut self, judged: &[Judged<'_>]) -> Result<()> {
        let mut memory = self.memory.clone();
        for judged in judged.iter().filter(|judged| judged.verdict == Verdict::InStep) {
            let base = judged.board.as_ref().and_then(Base::of);
            let remembered = memory.tasks.entry(judged.id.clone()).or_default();
            let is_of_here = self.effects.is_of_here(remembered.commit.as_deref())?;
            let is_settled = remembered.moving.is_none() && remembered.doubt.is_none();
            if remembered.base != base || !is_of_here || !is_settled {
                *remembered = Remembered { base, commit: self.effects.head()?, ..Remembered::default() };
            }
        }
        // What is not committed may yet be taken back.
        if memory == self.stored || self.in_the_way()?.is_some() {
            return Ok(());
        }
        self.memory = memory;
        self.remember()
    }
}
