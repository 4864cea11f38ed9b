//! What other files remember of a task whose block is no longer in them: a plan that was renamed, a block that was moved.
//!
//! Invariants: what a file remembers itself stands; a file that still has the block gives nothing away; where two files
//! remember different things both stay possible.

use std::collections::BTreeMap;

use fencehold_model::TaskId;

use super::super::session::Session;
use super::memory::{FOLDER, Kept, is_name};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, read_file};
use crate::plan::{FileMemory, PLAN_BYTES_MAX, Remembered, read};

/// What is remembered in this worktree, by task: the file and what it remembers.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(BTreeMap<TaskId, Vec<(String, Remembered)>>);

impl Elsewhere {
    /// All of it. What is damaged is named by the file that it is of, and left out here.
    pub(super) fn of(session: &Session) -> Result<Self> {
        let dir = session.place.dir.join(FOLDER);
        let names = match RealFs.list(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Elsewhere::default()),
            listed => listed.map_err(|error| Error::environment("listing", &dir, error))?,
        };
        let mut all = Elsewhere::default();
        for name in names.iter().filter(|name| is_name(name)) {
            let Some((file, mut memory)) = Kept::found(session, name)? else { continue };
            // A write that was begun and whose file is another one by now: both are possible.
            memory.settle("", "", None);
            for (task, remembered) in memory.tasks {
                all.0.entry(task).or_default().push((file.clone(), remembered));
            }
        }
        Ok(all)
    }

    /// Adds to the memory of `file` what others remember of those of its tasks that it knows nothing of.
    pub(super) fn add_to(
        &self,
        memory: &mut FileMemory,
        file: &str,
        tasks: &[TaskId],
        session: &Session,
        canonical: impl Fn(&TaskId) -> TaskId,
    ) -> Result<()> {
        for task in tasks.iter().filter(|task| is_unknown(memory, task)).collect::<Vec<_>>() {
            let mut known: Option<Remembered> = None;
            for (other, remembered) in self.0.get(task).into_iter().flatten() {
                if other == file || has(session, other, task, &canonical)? {
                    continue;
                }
                match &mut known {
                    None => known = Some(remembered.clone()),
                    Some(known) if known.base != remembered.base => {
                        known.doubt = remembered.base.clone().or(known.doubt.take());
                    }
                    Some(_) => {}
                }
            }
            if let Some(known) = known {
                memory.tasks.insert(task.clone(), known);
            }
        }
        Ok(())
    }
}

/// Whether the memory knows nothing of a task.
pub(super) fn is_unknown(memory: &FileMemory, task: &TaskId) -> bool {
    !memory.tasks.contains_key(task)
}

/// Whether the block of a task is in a file now.
fn has(session: &Session, file: &str, task: &TaskId, canonical: impl Fn(&TaskId) -> TaskId) -> Result<bool> {
    let path = session.place.root.join(file);
    match read_file(&RealFs, &path, PLAN_BYTES_MAX) {
        Ok(None) => Ok(false),
        Ok(Some(bytes)) => Ok(read(&bytes).tasks.iter().any(|one| canonical(&one.id) == *task)),
        // A folder, or a file of another kind, where the plan was.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Error::environment("reading", &path, error)),
    }
}
