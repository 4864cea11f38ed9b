//! The steps of [`crate::plan::sync`], on the disk, in git, and in the journal.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fencehold_model::status::{Command, Value};
use fencehold_model::{Holder, Policy, Status, TaskId};

use super::super::gate;
use super::super::locks::Locks;
use super::super::session::Session;
use super::super::task::refused;
use super::elsewhere::{Elsewhere, is_unknown};
use super::git::{self, At, FileState, Repo};
use super::memory::Kept;
use super::seen::{Board, Seen};
use crate::document::{Version, Was, replace};
use crate::error::{Error, Happened, Result};
use crate::fs::{File as _, Fs as _, How, RealFile, RealFs, read_from};
use crate::host::Host as _;
use crate::journal::Journal as _;
use crate::ledger::{REASON_BYTES_MAX, TaskVerdict};
use crate::mark::{Held, temp_name};
use crate::plan::{Barred, Change, Committed, Effects, FileMemory, Moved, PLAN_BYTES_MAX, Sight, Step, Task};

/// What was before: what git says of commits, asked once for each, and what is remembered in other files.
#[derive(Debug)]
pub(super) struct Past<'a> {
    pub(super) repo: Option<&'a Repo>,
    known: RefCell<BTreeMap<String, bool>>,
    session: &'a Session,
    policy: &'a Policy,
    elsewhere: OnceCell<Elsewhere>,
}

impl<'a> Past<'a> {
    pub(super) fn new(repo: Option<&'a Repo>, session: &'a Session, policy: &'a Policy) -> Self {
        Past { repo, known: RefCell::default(), session, policy, elsewhere: OnceCell::new() }
    }

    /// What is remembered of a file that has these tasks.
    fn memory(&self, kept: &Kept, file: &str, tasks: &[Task]) -> Result<FileMemory> {
        let mut memory = kept.read()?;
        let canonical = |id: &TaskId| self.policy.task(id);
        let tasks: Vec<TaskId> = tasks.iter().map(|task| canonical(&task.id)).collect();
        if !tasks.iter().any(|task| is_unknown(&memory, task)) {
            return Ok(memory);
        }
        if self.elsewhere.get().is_none() {
            let _ = self.elsewhere.set(Elsewhere::of(self.session)?);
        }
        if let Some(elsewhere) = self.elsewhere.get() {
            elsewhere.add_to(&mut memory, file, &tasks, self.session, canonical)?;
        }
        Ok(memory)
    }

    fn descends(&self, commit: &str) -> Result<bool> {
        if let Some(known) = self.known.borrow().get(commit) {
            return Ok(*known);
        }
        let descends = self.repo.map_or(Ok(false), |repo| repo.descends(commit))?;
        self.known.borrow_mut().insert(commit.to_owned(), descends);
        Ok(descends)
    }

    fn is_of_here(&self, commit: Option<&str>) -> Result<bool> {
        commit.map_or(Ok(self.repo.is_none()), |commit| self.descends(commit))
    }
}

/// For who only looks.
pub(super) struct Looking<'a> {
    pub(super) board: &'a Board,
    pub(super) past: &'a Past<'a>,
    pub(super) kept: Kept,
    pub(super) seen: &'a Seen,
}

impl Sight for Looking<'_> {
    fn memory(&mut self) -> Result<FileMemory> {
        self.past.memory(&self.kept, &self.seen.file.name, &self.seen.read.tasks)
    }

    fn identity(&mut self) -> Result<String> {
        identity(&self.seen.file.place.path())
    }

    fn board(&mut self, tasks: &[TaskId]) -> Result<Vec<Option<Value>>> {
        Ok(tasks.iter().map(|task| self.board.values.get(task).cloned()).collect())
    }

    fn descends(&mut self, commit: &str) -> Result<bool> {
        self.past.descends(commit)
    }

    fn is_of_here(&mut self, commit: Option<&str>) -> Result<bool> {
        self.past.is_of_here(commit)
    }
}

/// A worktree of git that a fix may write to, and how far it has written.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) repo: Repo,
    pub(super) at: At,
    /// How many commits of ours wait to be pushed.
    pub(super) unpushed: u64,
}

/// For who brings a file in step, under its lock.
pub(super) struct Fixing<'a, 'l> {
    pub(super) session: &'a Session,
    pub(super) locks: &'a Locks,
    pub(super) holder: &'a Holder,
    pub(super) past: &'a Past<'a>,
    pub(super) branch: Option<&'a mut Branch>,
    pub(super) seen: &'a Seen,
    pub(super) held: &'a Held<'l, RealFs>,
    pub(super) kept: Kept,
    /// What people should know of what was done.
    pub(super) notes: &'a mut Vec<String>,
    /// Whether this run has begun to change a board or a file: an error says that nothing was changed until then.
    pub(super) has_begun: &'a mut bool,
}

impl Sight for Fixing<'_, '_> {
    fn memory(&mut self) -> Result<FileMemory> {
        self.past.memory(&self.kept, &self.seen.file.name, &self.seen.read.tasks)
    }

    fn identity(&mut self) -> Result<String> {
        identity(&self.seen.file.place.path())
    }

    fn board(&mut self, tasks: &[TaskId]) -> Result<Vec<Option<Value>>> {
        let seen = self.locks.journal().read(|state, _| {
            tasks.iter().map(|task| state.tasks.get(task).map(|cell| cell.value.clone())).collect()
        })?;
        Ok(seen.value)
    }

    fn descends(&mut self, commit: &str) -> Result<bool> {
        self.past.descends(commit)
    }

    fn is_of_here(&mut self, commit: Option<&str>) -> Result<bool> {
        self.past.is_of_here(commit)
    }
}

impl Effects for Fixing<'_, '_> {
    fn remember(&mut self, memory: &FileMemory) -> Result<()> {
        self.kept.write(memory, self.locks.host())
    }

    fn file(&mut self) -> Result<Vec<u8>> {
        let path = self.path();
        let file = self.open()?;
        read_from(&file, 0, PLAN_BYTES_MAX).map_err(|error| Error::environment("reading", &path, error))
    }

    fn step(&mut self, task: &TaskId, seen: Option<&Value>, step: Step, to: &Status) -> Result<Moved> {
        let from = seen.and_then(|seen| seen.statuses.keys().next().cloned());
        let epoch = seen.map_or(0, |seen| seen.epoch);
        let (task, to) = (task.clone(), to.clone());
        let command = match step {
            Step::Reopen => Command::Reopen { task, reason: self.reason(&to), to, from, epoch: Some(epoch) },
            Step::First | Step::Up | Step::Beside => {
                Command::Set { task, to, from, epoch, detail: None, resolve: false }
            }
        };
        let asking = self.locks.asking(self.holder);
        let look = |looking| gate::look(&self.session.place, looking);
        *self.has_begun = true;
        let Some(answer) = self.locks.ledger().task_as_seen(&asking, &command, seen, look)? else {
            return Ok(Moved::Meanwhile);
        };
        Ok(match answer.verdict {
            TaskVerdict::Stands { value, .. } => Moved::Stands(value),
            TaskVerdict::Refused(refusal) => {
                Moved::Refused(Barred { code: refusal.word(), why: refused(&command, &refusal) })
            }
        })
    }

    fn barred(&mut self) -> Result<Option<Barred>> {
        let Some(branch) = &self.branch else { return Ok(None) };
        if let Some(why) = branch.repo.moved(&branch.at)? {
            return Ok(Some(Barred { code: "moved", why: format!("{why}; run it again") }));
        }
        Ok(match self.state()? {
            FileState::Clean => None,
            state @ (FileState::Unstaged | FileState::Staged) => {
                Some(Barred { code: "dirty", why: format!("{state}; commit them first") })
            }
            state => Some(Barred { code: state.word(), why: state.to_string() }),
        })
    }

    fn is_committed(&mut self) -> Result<bool> {
        match &self.branch {
            None => Ok(true),
            Some(_) => Ok(!matches!(self.state()?, FileState::Unstaged | FileState::Staged)),
        }
    }

    fn head(&mut self) -> Result<Option<String>> {
        self.past.repo.map_or(Ok(None), Repo::head)
    }

    fn replace(&mut self, was: &[u8], new: &[u8]) -> Result<bool> {
        let path = self.path();
        if !self.held.stands()? {
            let gone =
                std::io::Error::other("its lock was removed while it was held; is the workspace gone?");
            return Err(Error::environment("replacing", &path, gone));
        }
        let file = self.open()?;
        let failed = |error| Error::environment("looking at", &path, error);
        let was = Was { stat: file.stat().map_err(failed)?, version: Version::of(was) };
        let temp = temp_name(&self.seen.file.place.name, self.locks.host().random());
        *self.has_begun = true;
        Ok(replace(&RealFs, &self.seen.file.place, Some(&was), new, &temp)?.is_ok())
    }

    fn commit(&mut self, new: &[u8], changes: &[Change]) -> Result<Committed> {
        if self.branch.is_none() {
            return Ok(Committed::Done);
        }
        if self.file()? != new {
            return Ok(Committed::Failed("another program wrote the file meanwhile".to_owned()));
        }
        let (path, message) = (self.path(), message(changes));
        let branch = self.branch.as_mut().expect("it was looked at");
        // Where git cannot even be asked there is no commit, and the file is taken back as after any other refusal.
        let asked = branch.repo.commit_only(&path, &message, &mut branch.at);
        let committed = asked.or_else(|error| match error.happened() {
            Happened::No => Ok(git::Committed::Not { why: error.to_string() }),
            Happened::Unknown => Err(error),
        })?;
        match committed {
            git::Committed::Made { also, .. } => {
                branch.unpushed += u64::from(branch.at.remote.is_some());
                self.notes.extend(also.map(|also| format!("{}: {also}", self.seen.file.name)));
                Ok(Committed::Done)
            }
            git::Committed::Not { why } => Ok(Committed::Failed(why)),
            git::Committed::Unknown { why } => {
                Err(Error::indefinite(&path, format!("it was written, and the commit: {why}")))
            }
        }
    }
}

/// Inode and time of change: whoever writes a file changes one of them.
fn identity(path: &Path) -> Result<String> {
    let failed = |error| Error::environment("looking at", path, error);
    let (stat, at_ms) = (RealFs.stat(path).map_err(failed)?, RealFs.modified_ms(path).map_err(failed)?);
    Ok(stat.map_or_else(String::new, |stat| format!("{} {}", stat.id, at_ms.unwrap_or(0))))
}

impl Fixing<'_, '_> {
    fn path(&self) -> PathBuf {
        self.seen.file.place.path()
    }

    fn open(&self) -> Result<RealFile> {
        let path = self.path();
        RealFs.open(&path, How::Read).map_err(|error| Error::environment("opening", &path, error))
    }

    fn state(&self) -> Result<FileState> {
        let branch = self.branch.as_ref().expect("only git has states");
        let states = branch.repo.states(&[&self.path()])?;
        Ok(states.into_iter().next().expect("a state for each file"))
    }

    /// Why a task is reopened: the commit that brought the file to where it is.
    fn reason(&self, to: &Status) -> String {
        let name = &self.seen.file.name;
        let commit = self.past.repo.and_then(|repo| repo.last_commit_of(&self.path()));
        let mut reason = match commit {
            Some(commit) => format!("{name} says {to} since commit {}: {}", commit.id, commit.subject),
            None => format!("{name} says {to}"),
        };
        let end = (0..=REASON_BYTES_MAX.min(reason.len())).rfind(|end| reason.is_char_boundary(*end));
        reason.truncate(end.unwrap_or(0));
        reason
    }
}

/// The message of a commit, without the mark.
fn message(changes: &[Change]) -> String {
    let mut text =
        "chore(plan): sync task status from the board [auto]\n\nUpdated by `fencehold plan fix`:\n"
            .to_owned();
    for (task, old, new) in changes {
        let _ = writeln!(text, "- {task}: {old} → {new}");
    }
    text
}
