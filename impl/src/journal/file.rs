//! The journal in files: its handle, its readers, and what both remember between calls.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use fencehold_model::{Revision, State, TimeMs, WorkspaceId};

use super::tail::{Rest, Tail};
use super::time::{self, Now};
use super::{Asking, Committed, Durability, Journal, Options, Seen, layout};
use crate::error::{Error, Result};
use crate::fs::{File as _, FileId, Fs, How, LockMode};
use crate::host::Host;

/// How often a reader or writer starts over because the files moved under it: every time somebody else rotated.
pub(super) const ROUNDS_MAX: usize = 64;

/// Something that a person should know of: a torn tail that was set aside, a copy that was adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(pub String);

/// A journal kept in the files of a workspace folder. One handle may be used by many threads.
#[derive(Debug)]
pub struct FileJournal<F: Fs, H: Host> {
    pub(super) fs: F,
    pub(super) host: H,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    /// A mutex stands before the OS lock: a second flock(2) on one open file is granted at once.
    inner: Mutex<Inner<F>>,
}

/// What is remembered between calls.
#[derive(Debug)]
pub(super) struct Inner<F: Fs> {
    pub(super) lock: Option<(F::File, FileId)>,
    pub(super) tail: Option<Tail<F>>,
    /// Revisions below this may be used; 0 where it is not known.
    pub(super) floor: Revision,
    /// Which workspace this was when it was last seen, and how far its revisions had come.
    pub(super) known: Option<(WorkspaceId, Revision)>,
    /// The boot and the time of the last tail, for who asks for the time while there is none.
    clock: State,
    /// The journal file whose directory entry this process has synced.
    pub(super) dir_synced: Option<u64>,
    pub(super) notes: Vec<Note>,
}

impl<F: Fs> Inner<F> {
    /// Remembers what its tail has come to beyond the tail's own life.
    pub(super) fn remember(&mut self) {
        let Some(tail) = &self.tail else { return };
        self.known = Some((tail.workspace.clone(), tail.state.revision));
        let (boot, time_ms) = (tail.state.boot.clone(), tail.state.time_ms);
        self.clock = State { boot, time_ms, ..State::default() };
    }
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// A handle on the workspace folder `dir`; nothing is opened yet.
    pub fn new(fs: F, host: H, dir: &Path, options: Options) -> Self {
        let inner = Inner {
            lock: None,
            tail: None,
            floor: 0,
            known: None,
            clock: State::default(),
            dir_synced: None,
            notes: Vec::new(),
        };
        FileJournal { fs, host, dir: dir.to_owned(), options, inner: Mutex::new(inner) }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What people should know of since the last call; each is told once.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.inner().notes)
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner<F>> {
        // A thread that panicked between two calls left at worst an old tail, and every call verifies it.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn relaxed(&self) -> bool {
        self.options.durability == Durability::Relaxed
    }

    /// The newest file's tail, opened anew where the one at hand is not the newest.
    pub(super) fn newest<'a>(
        &self,
        inner: &'a mut Inner<F>,
        writable: bool,
    ) -> Result<(&'a mut Tail<F>, Rest)> {
        if let Some(tail) = inner.tail.take_if(|tail| tail.writable >= writable)
            && self.is_newest(&tail)?
        {
            let tail = inner.tail.insert(tail);
            let rest = tail.catch_up()?;
            return Ok((tail, rest));
        }
        inner.tail = None;
        let (tail, rest) = self.open_newest(inner, writable)?;
        inner.tail = Some(tail);
        inner.remember();
        Ok((inner.tail.as_mut().expect("it was put there above"), rest))
    }

    /// Whether `tail` is the file at its path, whole, with no later one.
    pub(super) fn is_newest(&self, tail: &Tail<F>) -> Result<bool> {
        let stat = self.stat(&tail.path)?;
        let same = match stat {
            Some(stat) if stat.id == tail.id && stat.len < tail.end => {
                return Err(Error::Damaged {
                    path: tail.path.clone(),
                    line: None,
                    what: format!("it shrank from {} to {} bytes under this process", tail.end, stat.len),
                    advice: super::tail::REPAIR.to_owned(),
                });
            }
            Some(stat) => stat.id == tail.id,
            None => false,
        };
        Ok(same && self.stat(&layout::journal_path(&self.dir, tail.n + 1))?.is_none())
    }

    pub(super) fn stat(&self, path: &Path) -> Result<Option<crate::fs::Stat>> {
        self.fs.stat(path).map_err(|error| Error::environment("looking at", path, error))
    }

    fn open_newest(&self, inner: &Inner<F>, writable: bool) -> Result<(Tail<F>, Rest)> {
        let (path, tail, rest) = self.open_listed(writable)?;
        if let Some((workspace, revision)) = &inner.known
            && (*workspace != tail.workspace || *revision > tail.state.revision)
        {
            return Err(Error::Damaged {
                path,
                line: None,
                what: format!(
                    "the workspace was replaced under this process: it had revision {revision} of {workspace}, there \
                     is {} of {}",
                    tail.state.revision, tail.workspace
                ),
                advice: "End this process; a new one goes on with what is there".to_owned(),
            });
        }
        Ok((tail, rest))
    }

    /// Opens the file that is listed as the newest, and lists again where it was archived in between.
    fn open_listed(&self, writable: bool) -> Result<(PathBuf, Tail<F>, Rest)> {
        for _ in 0..ROUNDS_MAX {
            let n = self.newest_number()?;
            let path = layout::journal_path(&self.dir, n);
            match Tail::open(&self.fs, &self.dir, n, writable) {
                Ok((tail, rest)) => return Ok((path, tail, rest)),
                Err(none) if none.is_absent() => {}
                Err(none) => return Err(none.into_error(&path)),
            }
        }
        Err(self.moved_on())
    }

    fn moved_on(&self) -> Error {
        Error::usage(format!("{}: the journal moved on {ROUNDS_MAX} times meanwhile", self.dir.display()))
    }

    pub(super) fn newest_number(&self) -> Result<u64> {
        let missing = |what: &str| {
            Error::Damaged {
            path: self.dir.clone(),
            line: None,
            what: what.to_owned(),
            advice: "If it was deleted on purpose, end every process that uses it; the next write creates a new one"
                .to_owned(),
        }
        };
        match layout::journal_numbers(&self.fs, &self.dir) {
            Ok(numbers) => numbers.last().copied().ok_or_else(|| {
                let mut error = missing("its journal is missing");
                if let Error::Damaged { advice, .. } = &mut error {
                    super::tail::REPAIR.clone_into(advice);
                }
                error
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(missing("the workspace is gone"))
            }
            Err(error) => Err(Error::environment("listing", &self.dir, error)),
        }
    }

    /// Syncs what this process read but did not sync itself, and the directory once for each file.
    pub(super) fn pay_debts(&self, inner: &mut Inner<F>) -> Result<()> {
        if self.relaxed() {
            return Ok(());
        }
        let Some(tail) = &mut inner.tail else { return Ok(()) };
        if tail.unsynced {
            if let Err(error) = tail.file.sync() {
                self.condemn(tail.n);
                return Err(Error::environment("syncing", &tail.path, error));
            }
            tail.unsynced = false;
            tail.durable = tail.state.revision;
        }
        self.pay_entries(inner)
    }

    /// Pays what a killed rotator, or the killed creator of the workspace, may still owe: once for each file.
    pub(super) fn pay_entries(&self, inner: &mut Inner<F>) -> Result<()> {
        let Some(n) = inner.tail.as_ref().map(|tail| tail.n).filter(|n| inner.dir_synced != Some(*n)) else {
            return Ok(());
        };
        if n == 1 {
            self.sync_parent()?;
        }
        self.fs.sync_dir(&self.dir).map_err(|error| Error::environment("syncing", &self.dir, error))?;
        inner.dir_synced = Some(n);
        Ok(())
    }

    /// Makes the entry of the folder durable. Who may not open the folder above it created nothing in there.
    pub(super) fn sync_parent(&self) -> Result<()> {
        let Some(parent) = self.dir.parent() else { return Ok(()) };
        match self.fs.sync_dir(parent) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced.map_err(|error| Error::environment("syncing", parent, error)),
        }
    }

    /// Leaves the mark that makes the next holder of the lock begin a new file.
    pub(super) fn condemn(&self, n: u64) {
        // Need not be durable, and where it cannot be left, the disk is in a state that the next sync meets as well.
        let _ = self.fs.open(&layout::condemned_path(&self.dir, n), How::CreateNew { mode: 0o600 });
    }

    /// Whether what follows the chain is damage, looked at again under a brief shared lock: a write in progress is
    /// none (readers do see half of it).
    fn look_again(&self, inner: &mut Inner<F>) -> Result<Rest> {
        let path = self.dir.join(layout::LOCK);
        let lock =
            self.fs.open(&path, How::Read).map_err(|error| Error::environment("opening", &path, error))?;
        self.take(&lock, &path, LockMode::Shared)?;
        let rest = self.newest(inner, false).map(|(_, rest)| rest);
        let _ = lock.unlock();
        rest
    }

    fn read_once<A>(
        &self,
        inner: &mut Inner<F>,
        look: &mut Option<impl FnOnce(&State, TimeMs) -> A>,
    ) -> Result<Option<Seen<A>>> {
        // The clock first, then the tail: who is held up in between must not find a lock lapsed that was renewed.
        let before = self.host.reading();
        let (_, rest) = self.newest(inner, false)?;
        let rest = if matches!(rest, Rest::Broken { .. }) { self.look_again(inner)? } else { rest };
        if let (Rest::Broken { why, claimed_durable }, Some(tail)) = (&rest, &inner.tail)
            && !self.is_unacked(tail, *claimed_durable)?
        {
            return Err(tail.damaged(why));
        }
        let newest = inner.tail.as_ref().map_or(Ok(false), |tail| self.is_newest(tail))?;
        if !newest {
            return Ok(None);
        }
        self.pay_debts(inner)?;
        // After its own sync: whoever saw one fail before that says so.
        if inner.tail.as_ref().map_or(Ok(false), |tail| self.is_condemned(tail.n))? {
            return Ok(None);
        }
        inner.remember();
        let Some(tail) = &inner.tail else { return Ok(None) };
        let look = look.take().expect("a look that succeeded ends the loop");
        let (at_ms, value) = match time::seen(&self.host, &tail.state, before)? {
            Now::At(now_ms) => (now_ms, look(&tail.state, now_ms)),
            Now::NewBoot(event) => {
                let (state, now_ms) = time::in_new_boot(&tail.state, &event);
                (now_ms, look(&state, now_ms))
            }
        };
        Ok(Some(Seen { revision: tail.state.revision, at_ms, value }))
    }
}

impl<F: Fs, H: Host> Journal for FileJournal<F, H> {
    fn commit<A>(
        &self,
        asking: &Asking,
        decide: impl FnMut(&State, TimeMs) -> std::result::Result<fencehold_model::Event, A>,
    ) -> Result<Committed<A>> {
        self.commit_under_lock(asking, decide)
    }

    fn read<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>> {
        let mut inner = self.inner();
        let mut look = Some(look);
        for _ in 0..ROUNDS_MAX {
            if let Some(seen) = self.read_once(&mut inner, &mut look)? {
                return Ok(seen);
            }
            // A sync of this file failed, and the next one would say nothing of it: only a new file can be relied on.
            let newest = inner.tail.as_ref().map(|tail| tail.n);
            if newest.map_or(Ok(false), |n| self.is_condemned(n))? {
                drop(inner);
                self.locked(|journal, inner| journal.ready(inner))?;
                inner = self.inner();
            }
        }
        Err(self.moved_on())
    }

    fn now_ms(&self) -> Result<TimeMs> {
        let inner = self.inner();
        let state = inner.tail.as_ref().map_or(&inner.clock, |tail| &tail.state);
        match time::now(&self.host, state)? {
            Now::At(now_ms) => Ok(now_ms),
            Now::NewBoot(fencehold_model::Event::Boot { anchor_ms, .. }) => Ok(anchor_ms),
            Now::NewBoot(_) => unreachable!("a new boot begins with a boot event"),
        }
    }

    fn workspace(&self) -> Result<WorkspaceId> {
        if let Some((workspace, _)) = &self.inner().known {
            return Ok(workspace.clone());
        }
        if self.is_copy()? {
            // A mark under the id of the original would bind nobody once the copy has its own. Who cannot give it one
            // can write no mark either.
            let _ = self.locked(|journal, inner| journal.ready(inner));
        }
        self.read(|_, _| ())?;
        let inner = self.inner();
        Ok(inner.known.as_ref().expect("a read remembers the workspace").0.clone())
    }

    fn durability(&self) -> Durability {
        self.options.durability
    }
}
