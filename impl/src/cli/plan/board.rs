//! `--board FILE`: the board is exchanged through a file, as `task export` writes it.
//!
//! Invariants:
//! - the file is read whole, or nothing is done; what it says is joined before anything is judged;
//! - it is written last, under its lock, over bytes that are joined; where it says the same already it stays as it is.

use std::path::{Path, PathBuf};

use fencehold_model::status::{Command, Value};
use fencehold_model::{Holder, Policy};

use super::super::gate;
use super::super::locks::Locks;
use super::super::session::{Session, cwd};
use super::super::task::refused;
use super::super::whole;
use super::report::{Finding, Level};
use super::seen;
use crate::board::{BEGINS, BOARD_BYTES_MAX, Board};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::ledger::TaskVerdict;
use crate::mark::{Place, ResourceLock};

/// A board in a file.
#[derive(Debug)]
pub(super) struct Exchanged {
    /// As it was typed.
    typed: PathBuf,
    path: PathBuf,
    /// What the file says; none where there is no file.
    board: Option<Board>,
}

impl Exchanged {
    /// Reads it, against the policy of the workspace.
    pub(super) fn read(session: &Session, typed: &Path, policy: &Policy) -> Result<Self> {
        let path = cwd()?.join(typed);
        let board = match whole::read(session.fs, &path, BOARD_BYTES_MAX) {
            Ok(bytes) => Some(Board::read(typed, &bytes, policy)?),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        Ok(Exchanged { typed: typed.to_owned(), path, board })
    }

    /// What people should know of it.
    pub(super) fn tell(&self, findings: &mut Vec<Finding>) {
        if self.board.is_none() {
            let what = format!("{} is not there yet: nothing is joined from it", self.typed.display());
            findings.push(Finding::of_all("no-board", Level::Info, what));
        }
    }

    /// Joins it with a board in memory.
    pub(super) fn join_into(&self, board: &mut seen::Board) {
        for (task, value) in self.board.iter().flat_map(|board| &board.cells) {
            let joined = match board.values.get(task) {
                Some(stands) => stands.join(value, &board.policy.vocabulary),
                None => value.clone(),
            };
            board.values.insert(task.clone(), joined);
        }
    }

    /// Joins it with what stands in the workspace, a commit for each task that changes.
    pub(super) fn join(
        &self,
        session: &Session,
        locks: &Locks,
        holder: &Holder,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let Some(board) = &self.board else { return Ok(()) };
        let stands = seen::board(Some(locks))?;
        for (task, value) in &board.cells {
            let is_known = |stood: &Value| stood.join(value, &stands.policy.vocabulary) == *stood;
            if stands.values.get(task).is_some_and(is_known) {
                continue;
            }
            let command = Command::Merge { task: task.clone(), value: value.clone() };
            let look = |looking| gate::look(&session.place, looking);
            let answer = locks.ledger().task_through(&locks.asking(holder), &command, None, look)?;
            if let TaskVerdict::Refused(refusal) = answer.verdict {
                let what = format!("{}: {}", self.typed.display(), refused(&command, &refusal));
                let mut finding = Finding::of_all(refusal.word(), Level::Open, what);
                finding.task = Some(task.clone());
                findings.push(finding);
            }
        }
        Ok(())
    }

    /// Writes what stands in the workspace to the file.
    pub(super) fn write(
        &self,
        session: &Session,
        locks: &Locks,
        holder: &Holder,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let lock = ResourceLock::new(session.fs, locks.folder()?, &place(&self.path)?);
        let _held = lock.take(session.settings.patience)?;
        let policy = locks.policy()?.value;
        // Another may have written it since it was read.
        let now = Exchanged::read(session, &self.typed, &policy)?;
        if now.board != self.board {
            now.join(session, locks, holder, findings)?;
        }
        let stands = seen::board(Some(locks))?;
        let ours = Board {
            workspace: locks.ledger().workspace()?,
            task_ids: stands.policy.task_ids,
            vocabulary: stands.policy.vocabulary.clone(),
            cells: stands.values,
        };
        let is_same = now.board.as_ref().is_some_and(|theirs| {
            // Whose it is changes nothing: two workspaces would write it by turns.
            (theirs.task_ids, &theirs.vocabulary, &theirs.cells)
                == (ours.task_ids, &ours.vocabulary, &ours.cells)
        });
        if is_same {
            return Ok(());
        }
        whole::replace(session, locks.host(), &self.path, ours.write().as_bytes(), BEGINS)
    }
}

/// The place of a file that may lie anywhere, also outside of the tree.
fn place(path: &Path) -> Result<Place> {
    let failed = |error| Error::environment("looking at", path, error);
    let real = match RealFs.resolve(path) {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    let (Some(dir), Some(name)) = (real.parent(), real.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::usage(format!("{} names no file; nothing was changed", path.display())));
    };
    let dir = RealFs.resolve(dir).map_err(failed)?;
    let stat = RealFs.stat(&dir).map_err(failed)?;
    let stat = stat.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    Ok(Place { dir_id: stat.id, name: name.to_owned(), dir })
}
