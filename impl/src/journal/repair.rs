//! `repair`: the explicit way on where bytes that had been acknowledged are damaged.
//!
//! Invariants: no byte before the last valid line is changed; what follows it is copied to quarantine whole, durably,
//! before anything else; work goes on in a new file at the floor; killed at any step and run again, it comes to the
//! same.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fencehold_model::{Revision, State, WorkspaceId};

use super::file::{FileJournal, Inner};
use super::floor::{Floor, STEP};
use super::layout::{self, ARCHIVE, LOCK};
use super::tail::{NoTail, Rest, Tail};
use crate::error::{Error, Result};
use crate::fs::{Fs, How, read_from};
use crate::host::Host;
use crate::quarantine;

/// What a repair found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What was found and done, a sentence each; empty where nothing was wrong.
    pub done: Vec<String>,
    /// The copies in quarantine.
    pub kept: Vec<PathBuf>,
    /// Locks whose last event may be among what was set aside.
    pub concerned: Vec<String>,
}

/// Longest part of a damaged file that is searched for names.
const SEARCHED_BYTES_MAX: usize = 128 * 1024 * 1024;

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Mends what can be mended: a missing lock, a missing or damaged floor, a broken journal.
    ///
    /// # Errors
    /// Where the disk does not let it. It can be run again.
    pub fn repair(&self) -> Result<Report> {
        let mut report = Report::default();
        self.mend_lock(&mut report)?;
        self.locked(&mut self.inner(), |journal, inner| {
            journal.mend_folders(&mut report)?;
            let rest = journal.mend_head(inner, &mut report)?;
            journal.mend_floor(inner, &mut report)?;
            if let Err(error) = journal.refuse_damage(inner, &rest) {
                let Error::Damaged { path, line: Some(line), what, .. } = error else { return Err(error) };
                let why = format!("line {line} of {}: {what}", path.display());
                return journal.set_rest_aside(inner, &rest, &why, &mut report);
            }
            journal.settle(inner)?;
            // Looked at anew: a copy whose journal was mended is a copy still.
            inner.floor = 0;
            journal.adopt_copy(inner)
        })?;
        let notes = self.notes();
        report.done.extend(notes.into_iter().map(|note| note.0));
        Ok(report)
    }

    fn mend_lock(&self, report: &mut Report) -> Result<()> {
        let path = self.dir.join(LOCK);
        let Some(folder) = self.stat(&self.dir)? else { return self.newest_number().map(|_| ()) };
        if self.stat(&path)?.is_none() {
            // The inode differs from the floor's then, so what follows makes it a workspace of its own.
            self.fs
                .open(&path, How::CreateNew { mode: folder.mode & 0o666 | 0o600 })
                .map_err(|error| Error::environment("creating", &path, error))?;
            report.done.push(format!("{} was missing and is there again", path.display()));
        }
        // A repair that was killed may owe this one.
        self.fs.sync_dir(&self.dir).map_err(|error| Error::environment("syncing", &self.dir, error))
    }

    /// What copies a folder may leave out empty ones.
    fn mend_folders(&self, report: &mut Report) -> Result<()> {
        for name in layout::FOLDERS {
            let path = self.dir.join(name);
            if self.stat(&path)?.is_none() {
                let mode = self.stat(&self.dir)?.map_or(0o700, |stat| stat.mode);
                let made = self.fs.make_dir(&path, mode).and_then(|()| self.fs.sync_dir(&self.dir));
                made.map_err(|error| Error::environment("creating", &path, error))?;
                report.done.push(format!("{} was missing and is there again", path.display()));
            }
        }
        Ok(())
    }

    /// Opens the newest file; where its line one is damaged, sets it aside and goes on from the file before it.
    fn mend_head(&self, inner: &mut Inner<F>, report: &mut Report) -> Result<Rest> {
        let Some(n) = self.numbers(&self.dir)?.last().copied() else {
            let n = self.numbers(&self.dir.join(ARCHIVE))?.last().map_or(1, |last| last + 1);
            return self.go_on_without(inner, n, "it is missing", report);
        };
        match Tail::open(&self.fs, &self.dir, n, true, self.host.boot()) {
            Ok((tail, rest)) => {
                inner.tail = Some(tail);
                Ok(rest)
            }
            Err(NoTail::Error(error)) => Err(error),
            Err(NoTail::Headless(what)) => {
                let path = layout::journal_path(&self.dir, n);
                self.keep(&path, &layout::journal_name(n), 0, report)?;
                self.go_on_without(inner, n, &what, report)
            }
        }
    }

    /// Goes on from the file before `n`, which is lost.
    fn go_on_without(&self, inner: &mut Inner<F>, n: u64, what: &str, report: &mut Report) -> Result<Rest> {
        let path = layout::journal_path(&self.dir, n);
        let why = format!("{}: {what}; its events are lost or set aside", path.display());
        let (workspace, state) = self.state_before(n)?;
        let floor = self.any_floor(&workspace, &state, inner)?;
        self.restart(inner, n, state, &floor, &why)?;
        report.done.push(why);
        Ok(Rest::Clean)
    }

    /// What the file before `n` came to; nothing where there is none.
    fn state_before(&self, n: u64) -> Result<(WorkspaceId, State)> {
        let mut older = Vec::new();
        // A rotator that was killed left it beside the new one.
        for dir in [self.dir.clone(), self.dir.join(ARCHIVE)] {
            let numbers = self.numbers(&dir)?.into_iter().filter(|old| *old < n);
            older.extend(numbers.map(|old| (old, layout::journal_path(&dir, old))));
        }
        older.sort_unstable();
        for (old, path) in older.into_iter().rev() {
            if let Ok((tail, _)) = Tail::<F>::open_at(&self.fs, path, old, false, self.host.boot(), None) {
                return Ok((tail.workspace, tail.state));
            }
        }
        Ok((self.new_workspace_id(), State::default()))
    }

    fn restart(
        &self,
        inner: &mut Inner<F>,
        damaged: u64,
        state: State,
        floor: &Floor,
        why: &str,
    ) -> Result<()> {
        // The floor's: the file before may be of the workspace that this one is a copy of.
        let workspace = floor.workspace.clone();
        let raised = floor.raised()?;
        raised.write(&self.fs, &self.host, &self.dir)?;
        inner.floor = raised.floor;
        let entry = fencehold_model::Entry {
            revision: floor.floor,
            at_ms: state.time_ms,
            actor: fencehold_model::Holder::new("fencehold").expect("a word is a holder"),
            op: fencehold_model::OpId::new(&format!("{:032x}", self.host.random()))
                .expect("digits are an id"),
            event: fencehold_model::Event::Repaired { reason: why.to_owned() },
        };
        let next = super::rotate::Successor { workspace, n: damaged + 1, state, entry: Some(entry) };
        self.begin_file(inner, next)
    }

    /// The floor as it stands, or, where it is lost, one above everything that may have been handed out.
    fn any_floor(&self, workspace: &WorkspaceId, state: &State, inner: &Inner<F>) -> Result<Floor> {
        match Floor::read(&self.fs, &self.dir) {
            Ok(floor) if floor.floor > state.revision => Ok(floor),
            Ok(floor) => Ok(Floor { floor: above(state.revision), ..floor }),
            Err(error @ (Error::Newer { .. } | Error::Environment { .. })) => Err(error),
            Err(_) => {
                let (_, lock) = inner.lock.as_ref().expect("the section holds the lock");
                Ok(Floor {
                    workspace: workspace.clone(),
                    lock: lock.to_string(),
                    floor: above(state.revision),
                })
            }
        }
    }

    fn mend_floor(&self, inner: &Inner<F>, report: &mut Report) -> Result<()> {
        let path = self.dir.join(layout::FLOOR);
        let tail = inner.tail.as_ref().expect("mending the head leaves a tail");
        let (_, lock) = inner.lock.as_ref().expect("the section holds the lock");
        let foreign = match Floor::read(&self.fs, &self.dir) {
            // One of another workspace, and no copy's, came from elsewhere.
            Ok(floor) if floor.workspace != tail.workspace && floor.lock == lock.to_string() => {
                Some(floor.floor)
            }
            Ok(floor) if floor.floor > tail.state.revision => return Ok(()),
            Ok(_) | Err(Error::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        if self.stat(&path)?.is_some() {
            self.keep(&path, layout::FLOOR, 0, report)?;
        }
        let floor = Floor {
            workspace: tail.workspace.clone(),
            lock: lock.to_string(),
            floor: above(tail.state.revision).max(foreign.unwrap_or(0)),
        };
        floor.write(&self.fs, &self.host, &self.dir)?;
        report.done.push(format!("{} was lost; it is now {}", path.display(), floor.floor));
        Ok(())
    }

    fn set_rest_aside(
        &self,
        inner: &mut Inner<F>,
        rest: &Rest,
        why: &str,
        report: &mut Report,
    ) -> Result<()> {
        let tail = inner.tail.as_ref().expect("the caller read a tail");
        let (path, name, end) = (tail.path.clone(), layout::journal_name(tail.n), tail.end);
        let workspace = tail.workspace.clone();
        if *rest != Rest::Clean {
            self.keep(&path, &name, end, report)?;
        }
        self.go_on_at_the_floor(inner, &workspace, why)?;
        report.done.push(format!("{why}; what follows is set aside, work goes on in a new file"));
        Ok(())
    }

    fn keep(&self, path: &std::path::Path, key: &str, offset: u64, report: &mut Report) -> Result<()> {
        let failed = |error| Error::environment("reading", path, error);
        let file = self.fs.open(path, How::Read).map_err(failed)?;
        let kept = quarantine::keep(&self.fs, &self.host, &self.dir, key, &file, offset)?;
        let bytes = read_from(&file, offset, SEARCHED_BYTES_MAX).map_err(failed)?;
        let mut names: BTreeSet<String> = report.concerned.drain(..).collect();
        names.extend(names_in(&bytes));
        report.concerned = names.into_iter().collect();
        report.kept.push(kept.path);
        Ok(())
    }
}

/// A floor above all that was handed out, where the floor itself is lost: it had been raised by one step at a time,
/// each before an event that is itself lost at the worst; a file holds fewer than these.
fn above(revision: Revision) -> Revision {
    const STEPS: u64 = 1 << 16;
    (revision / STEP + STEPS) * STEP
}

/// The locks, leases and tasks that damaged lines still show.
fn names_in(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let kinds = [("\"name\":\"", ""), ("\"lease\":\"", "lease/"), ("\"task\":\"", "task/")];
    let names = kinds.iter().flat_map(|(field, kind)| {
        let shown = text.split(field).skip(1).filter_map(|rest| rest.split('"').next());
        shown.map(move |name| format!("{kind}{name}"))
    });
    names.collect()
}
