//! `fencehold plan check|fix|init`: task blocks in markdown against the board.
//!
//! Invariants:
//! - `check` writes nothing; `fix` writes nothing while the branch may lack what others pushed;
//! - every condition has a code of its own, and what was left undone is never told by exit code 0.

pub(super) mod args;
mod board;
mod effects;
mod elsewhere;
mod fix;
mod git;
mod init;
mod memory;
mod paths;
mod report;
mod seen;

use std::time::Duration;

use self::args::{Check, Plan};
use self::board::Exchanged;
use self::effects::{Looking, Past};
use self::git::Repo;
use self::memory::Kept;
use self::report::{Finding, Level};
use self::seen::{Board, Looked};
use super::args::Common;
use super::locks::Locks;
use super::out::Ended;
use super::session::Session;
use crate::error::{Error, Result};
use crate::host::Deadline;
use crate::plan::{Left, Options};

pub(super) use memory::{FOLDER, is_name};

/// After this long, and then again, a person who watches is told how far it is.
const SILENCE: Duration = Duration::from_secs(1);

/// Enters a plan command.
pub(super) fn plan(command: &Plan, common: &Common) -> Ended {
    match command {
        Plan::Check(asked) => check(asked, common),
        Plan::Fix(asked) => fix::fix(asked, common),
        Plan::Init { file, who } => init::init(file.as_deref(), who, common),
    }
}

fn check(asked: &Check, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let locks = Locks::open(&session)?;
    let mut board = seen::board(locks.as_ref())?;
    let mut findings = Vec::new();
    if let Some(file) = &asked.which.board {
        let exchanged = Exchanged::read(&session, file, &board.policy)?;
        exchanged.tell(&mut findings);
        exchanged.join_into(&mut board);
    }
    let looked = seen::look(&session, &asked.which.paths, &board.policy)?;
    let repo = repo(&session)?;
    if let Some(repo) = &repo {
        let upstream = repo.upstream(true, Deadline::after(asked.which.fetch_timeout))?.upstream;
        if !upstream.may_write() {
            findings.push(Finding::of_all(upstream.code(), Level::Info, upstream.to_string()));
        }
    }
    judge(&session, &board, &looked, repo.as_ref(), &mut findings)?;
    if let Some(locks) = &locks {
        locks.tell_notes(session.out);
    }
    report::tell(session.out, looked.files.len(), looked.tasks, &findings)
}

/// The worktree of git that the files are in; none outside of git. Where there is a repository that git itself does not
/// take for the one of these files, nobody can say what is committed: that is no folder without git.
fn repo(session: &Session) -> Result<Option<Repo>> {
    let place = &session.place;
    let repo = Repo::at(&place.root)?;
    match (&repo, &place.git_dir) {
        (None, Some(git_dir)) => Err(Error::usage(format!(
            "{} is the repository of {}, and git sees no worktree there: is it damaged, bare, or set to another one by \
             `core.worktree`? `git -C {} status` says more; nothing was changed",
            git_dir.display(),
            place.root.display(),
            place.root.display()
        ))),
        _ => Ok(repo),
    }
}

/// What is in step and what is not, file by file, without a step.
fn judge(
    session: &Session,
    board: &Board,
    looked: &Looked,
    repo: Option<&Repo>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let options = Options {
        vocabulary: board.policy.vocabulary.clone(),
        no_writeback: Some(Left::NoWriteback),
        doubled: looked.doubled.clone(),
    };
    findings.extend(looked.findings.iter().cloned());
    let past = Past::new(repo, session, &board.policy);
    for seen in &looked.files {
        let name = &seen.file.name;
        let mut effects = Looking { board, past: &past, kept: Kept::of(session, name), seen };
        let tasks = &seen.read.tasks;
        let judged =
            crate::plan::look(&mut effects, &options, tasks, &seen.version, |id| board.policy.task(id))?;
        findings.extend(judged.iter().filter_map(|happening| Finding::of(name, happening)));
    }
    sort(findings);
    Ok(())
}

/// By file and line; what is about all of them first.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
}
