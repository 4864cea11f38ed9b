//! What bringing a file in step asks for: each thing that is looked at, each step that is seen from outside.

use fencehold_model::status::Value;
use fencehold_model::{Status, TaskId};

use super::decide::Step;
use super::memory::FileMemory;
use crate::error::Result;

/// What a board came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// This stands now.
    Stands(Value),
    /// It was not what was judged any more; nothing was changed.
    Meanwhile,
    /// The rules refuse it, and why.
    Refused(Barred),
}

/// What a commit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is there, or there is nothing to commit to.
    Done,
    /// It surely is not there, and why.
    Failed(String),
}

/// A task, its old status and its new one.
pub type Change = (TaskId, String, String);

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barred {
    /// Its code: one condition, one code.
    pub code: &'static str,
    /// Why, as a sentence.
    pub why: String,
}

/// What is looked at to judge a file.
pub trait Sight {
    /// What is remembered of the file.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn memory(&mut self) -> Result<FileMemory>;
    /// Which file stands there: another after each write by anybody, also where the bytes are the same again.
    ///
    /// # Errors
    /// Where it cannot be looked at.
    fn identity(&mut self) -> Result<String>;
    /// What stands on the board, for each of these.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn board(&mut self, tasks: &[TaskId]) -> Result<Vec<Option<Value>>>;
    /// Whether what is checked out has `commit` in its history.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn descends(&mut self, commit: &str) -> Result<bool>;
    /// Whether what was remembered with this commit, or outside of git, counts here without a doubt.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn is_of_here(&mut self, commit: Option<&str>) -> Result<bool>;
}

/// Each step that is seen from outside. An error ends the run where it is, as a kill would.
pub trait Effects: Sight {
    /// Remembers this, durably.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn remember(&mut self, memory: &FileMemory) -> Result<()>;
    /// The bytes of the file.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn file(&mut self) -> Result<Vec<u8>>;
    /// Moves the board, which must hold `seen`.
    ///
    /// # Errors
    /// Where it cannot be moved, or that cannot be known.
    fn step(&mut self, task: &TaskId, seen: Option<&Value>, step: Step, to: &Status) -> Result<Moved>;
    /// Why the file cannot be taken at its word, and nothing may rest on it: it has changes that are not committed, or the
    /// branch is another by now; none where all is well, and outside of git.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn barred(&mut self) -> Result<Option<Barred>>;
    /// Whether the file is as it was committed; true outside of git.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn is_committed(&mut self) -> Result<bool>;
    /// The commit that is checked out; none outside of git.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn head(&mut self) -> Result<Option<String>>;
    /// Puts `new` in the place of the bytes `was`; false where others stand there by now.
    ///
    /// # Errors
    /// Where it cannot be written, or that cannot be known.
    fn replace(&mut self, was: &[u8], new: &[u8]) -> Result<bool>;
    /// Commits the file, which holds the bytes `new`; the changes are a task, its old and its new status.
    ///
    /// # Errors
    /// Where it cannot be known whether it was committed.
    fn commit(&mut self, new: &[u8], changes: &[Change]) -> Result<Committed>;
}
