//! `fencehold plan fix`: the gate, then the board, then file by file.
//!
//! Invariants: where the gate is closed nothing is written, and it is told what is out of step all the same; a file is
//! judged and written under its own lock; what was done is told, even where the run ends early.

use fencehold_model::Holder;

use super::super::args::Common;
use super::super::gate;
use super::super::guarded::lock_of_document;
use super::super::identity::holder;
use super::super::locks::Locks;
use super::super::out::{Ended, REFUSED, Stop};
use super::super::session::Session;
use super::args::Fix;
use super::board::Exchanged;
use super::effects::{Branch, Fixing, Looking, Past};
use super::git::{Pulled, Repo, UNPUSHED_MAX};
use super::memory::Kept;
use super::report::{self, Finding, Level};
use super::seen::{self, Board, Looked, Seen};
use super::{SILENCE, judge, repo, sort};
use crate::error::{Error, Result};
use crate::host::Deadline;
use crate::mark::{Access, ResourceLock, Shown, obey, sweep};
use crate::plan::{Barred, Left, Options, is_settled, sync};

/// `fencehold plan fix PATH…`.
pub(super) fn fix(asked: &Fix, common: &Common) -> Ended {
    let (holder, _) = holder(&asked.who)?;
    let session = Session::begin(common)?;
    let repo = repo(&session)?;
    let mut findings = Vec::new();
    let passed = pass(asked, repo.as_ref(), &mut findings)?;
    let Passed::Through(branch) = passed else { return only_look(asked, &session, repo.as_ref(), findings) };
    let found = Locks::open(&session)?;
    let policy = match &found {
        Some(locks) => locks.policy()?.value,
        None => fencehold_model::Policy::default(),
    };
    let exchanged =
        asked.which.board.as_ref().map(|file| Exchanged::read(&session, file, &policy)).transpose()?;
    let looked = seen::look(&session, &asked.which.paths, &policy)?;
    let locks = match found {
        Some(locks) => locks,
        None if looked.tasks == 0 && exchanged.is_none() => {
            findings.extend(looked.findings);
            sort(&mut findings);
            return report::tell(session.out, looked.files.len(), 0, &findings);
        }
        None => Locks::open_or_create(&session)?,
    };
    let mut run = Run {
        asked,
        session: &session,
        locks: &locks,
        holder: &holder,
        past: Past::new(repo.as_ref(), &session, &policy),
        branch,
        notes: Vec::new(),
        has_begun: false,
    };
    let ended = run.all(exchanged.as_ref(), &looked, &mut findings).map_err(|error| run.cut_short(error));
    if let Err(error) = &ended {
        let what = format!("the run ended before its end, so not all is told: {error}");
        findings.push(Finding::of_all("ended-early", Level::Open, what));
    }
    gate::settle_after(&session.place, locks.ledger(), &holder);
    locks.tell_notes(session.out);
    for note in &run.notes {
        session.out.say(note);
    }
    sort(&mut findings);
    let code = report::tell(session.out, looked.files.len(), looked.tasks, &findings)?;
    ended.map(|()| code).map_err(Stop::Error)
}

/// Whether anything may be written.
enum Passed {
    /// Yes; no branch outside of git.
    Through(Option<Branch>),
    /// No, and it was told why.
    Closed,
}

fn pass(asked: &Fix, repo: Option<&Repo>, findings: &mut Vec<Finding>) -> Result<Passed> {
    let Some(repo) = repo else {
        if asked.pull {
            return Err(Error::usage("--pull: this is no worktree of git; nothing was changed"));
        }
        return Ok(Passed::Through(None));
    };
    if asked.pull {
        match repo.pull_ff(Deadline::after(asked.which.fetch_timeout))? {
            Pulled::Nothing => {}
            Pulled::Forward { commits } => {
                findings.push(Finding::of_all(
                    "pulled",
                    Level::Info,
                    format!("{commits} commits were pulled"),
                ));
            }
            Pulled::Failed { why } => {
                let what = format!("nothing was pulled, so nothing was changed: {why}");
                findings.push(Finding::of_all("pull-failed", Level::Open, what));
                return Ok(Passed::Closed);
            }
        }
    }
    let gate = repo.upstream(!asked.pull, Deadline::after(asked.which.fetch_timeout))?;
    let Some(at) = gate.at else {
        let what = format!("{}; nothing was changed", gate.upstream);
        findings.push(Finding::of_all(gate.upstream.code(), Level::Open, what));
        return Ok(Passed::Closed);
    };
    if let Err(not) = repo.ready()? {
        findings.push(Finding::of_all(not.code(), Level::Open, format!("{not}; nothing was changed")));
        return Ok(Passed::Closed);
    }
    let unpushed = repo.unpushed_automatic(&at)?;
    Ok(Passed::Through(Some(Branch { repo: repo.clone(), at, unpushed })))
}

/// What a check says, where nothing may be done.
fn only_look(asked: &Fix, session: &Session, repo: Option<&Repo>, mut findings: Vec<Finding>) -> Ended {
    let locks = Locks::open(session)?;
    let mut board = seen::board(locks.as_ref())?;
    if let Some(file) = &asked.which.board {
        Exchanged::read(session, file, &board.policy)?.join_into(&mut board);
    }
    let looked = seen::look(session, &asked.which.paths, &board.policy)?;
    judge(session, &board, &looked, repo, &mut findings)?;
    report::tell(session.out, looked.files.len(), looked.tasks, &findings)?;
    Ok(REFUSED)
}

struct Run<'a> {
    asked: &'a Fix,
    session: &'a Session,
    locks: &'a Locks,
    holder: &'a Holder,
    past: Past<'a>,
    branch: Option<Branch>,
    notes: Vec<String>,
    /// As [`Fixing::has_begun`].
    has_begun: bool,
}

impl Run<'_> {
    fn all(
        &mut self,
        exchanged: Option<&Exchanged>,
        looked: &Looked,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        findings.extend(looked.findings.iter().cloned());
        if let Some(exchanged) = exchanged {
            exchanged.tell(findings);
            exchanged.join(self.session, self.locks, self.holder, findings)?;
        }
        let board = seen::board(Some(self.locks))?;
        let mut silence = Deadline::after(SILENCE);
        for (index, seen) in looked.files.iter().enumerate() {
            if silence.left().is_zero() {
                silence = Deadline::after(SILENCE);
                self.session
                    .out
                    .tell_who_watches(&format!("{index} of {} files are done", looked.files.len()));
            }
            self.file(seen, &board, looked, findings)?;
        }
        if let Some(exchanged) = exchanged {
            exchanged.write(self.session, self.locks, self.holder, findings)?;
        }
        if let Some(branch) = self.branch.as_ref().filter(|branch| branch.unpushed > 0) {
            let what = format!("{} commits of `plan fix` are not pushed yet; push them", branch.unpushed);
            findings.push(Finding::of_all("unpushed", Level::Info, what));
        }
        Ok(())
    }

    /// The error that ended the run; one that says that nothing was changed says so of all that was done before.
    fn cut_short(&self, error: Error) -> Error {
        match error {
            Error::Damaged { .. } | Error::Indefinite { .. } => error,
            _ if !self.has_begun => error,
            _ => Error::indefinite(
                &self.session.place.root,
                format!(
                    "the run had begun to change boards and files, and then: {error}; run again it goes on"
                ),
            ),
        }
    }

    fn file(
        &mut self,
        seen: &Seen,
        board: &Board,
        looked: &Looked,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        if seen.read.tasks.is_empty() {
            return Ok(());
        }
        let name = &seen.file.name;
        let kept = Kept::of(self.session, name);
        let canonical = |id: &_| board.policy.task(id);
        let mut options = Options {
            vocabulary: board.policy.vocabulary.clone(),
            no_writeback: None,
            doubled: looked.doubled.clone(),
        };
        let mut looking = Looking { board, past: &self.past, kept: kept.clone(), seen };
        if is_settled(&mut looking, &options, &seen.read.tasks, canonical)? {
            return Ok(());
        }
        let place = &seen.file.place;
        let lock = ResourceLock::new(self.session.fs, self.locks.folder()?, place);
        let mut held = lock.take(self.session.settings.patience)?;
        sweep(&self.session.fs, &place.dir, &place.name)
            .map_err(|error| Error::environment("listing", &place.dir, error))?;
        let guard = lock_of_document(&self.session.place, &board.policy.guarded, &place.path())?;
        let nothing = Shown::nothing();
        let fenced = match obey(guard.as_ref(), &nothing, Access::Write) {
            Ok(()) => held.check(&nothing, Access::Write)?.err(),
            Err(refusal) => Some(refusal),
        };
        options.no_writeback = match (self.asked.no_writeback, fenced, self.branch.as_ref()) {
            (true, ..) => Some(Left::NoWriteback),
            (_, Some(refusal), _) => {
                Some(Left::Barred(Barred { code: refusal.word(), why: refusal.to_string() }))
            }
            (_, _, Some(branch)) if branch.unpushed >= UNPUSHED_MAX => {
                let why =
                    format!("{} commits of `plan fix` are not pushed; push them first", branch.unpushed);
                Some(Left::Barred(Barred { code: "unpushed", why }))
            }
            _ => None,
        };
        let mut fixing = Fixing {
            session: self.session,
            locks: self.locks,
            holder: self.holder,
            past: &self.past,
            branch: self.branch.as_mut(),
            seen,
            held: &held,
            kept,
            notes: &mut self.notes,
            has_begun: &mut self.has_begun,
        };
        let happened = sync(&mut fixing, &options, canonical)?;
        findings.extend(happened.iter().filter_map(|happening| Finding::of(name, happening)));
        Ok(())
    }
}
