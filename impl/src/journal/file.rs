//! The journal in files: its handle, its readers, and what both remember between calls.

use std::io::ErrorKind;
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
    /// The journal file whose directory entry this process has synced.
    pub(super) dir_synced: Option<u64>,
    pub(super) notes: Vec<Note>,
    /// What journal time runs by, also while no tail is at hand: only its boot and its time are looked at.
    clock: Option<State>,
}

impl<F: Fs> Inner<F> {
    /// Keeps what the tail says of the time, and how far the workspace had come: an older copy in its place is told.
    pub(super) fn remember(&mut self) {
        if let Some(tail) = &self.tail {
            self.known = Some((tail.workspace.clone(), tail.state.revision));
            let (boot, time_ms) = (tail.state.boot.clone(), tail.state.time_ms);
            self.clock = Some(State { boot, time_ms, ..State::default() });
        }
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
            dir_synced: None,
            notes: Vec::new(),
            clock: None,
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
        inner.known = Some((tail.workspace.clone(), tail.state.revision));
        Ok((inner.tail.insert(tail), rest))
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

    #[track_caller]
    pub(super) fn stat(&self, path: &Path) -> Result<Option<crate::fs::Stat>> {
        self.fs.stat(path).map_err(|error| Error::environment("looking at", path, error))
    }

    fn open_newest(&self, inner: &Inner<F>, writable: bool) -> Result<(Tail<F>, Rest)> {
        let (tail, rest) = self.open_highest(writable)?;
        if let Some((workspace, revision)) = &inner.known
            && (*workspace != tail.workspace || *revision > tail.state.revision)
        {
            return Err(Error::Damaged {
                path: tail.path.clone(),
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

    /// Opens the file with the highest number. One that was listed may be in the archive by now: then a higher one
    /// stands, and it is listed again.
    fn open_highest(&self, writable: bool) -> Result<(Tail<F>, Rest)> {
        let mut gone = None;
        for _ in 0..ROUNDS_MAX {
            let n = self.newest_number()?;
            let path = layout::journal_path(&self.dir, n);
            match Tail::open(&self.fs, &self.dir, n, writable).map_err(|none| none.into_error(&path)) {
                Err(error) if error.is_not_found() => gone = Some(error),
                opened => return opened,
            }
        }
        Err(gone.expect("every round but an opened one ends with a file that is gone"))
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
            if self.is_condemned(tail.n)? {
                // Whoever saw a sync fail was told instead of us: ours proves nothing.
                let why = std::io::Error::other("a sync of it failed before");
                return Err(Error::environment("syncing", &tail.path, why));
            }
            let tail = inner.tail.as_mut().expect("it was there above");
            tail.unsynced = false;
            tail.durable = tail.state.revision;
        }
        self.pay_directory_debts(inner)
    }

    /// Syncs the directory once for each file: what a killed rotator or creator may still owe.
    pub(super) fn pay_directory_debts(&self, inner: &mut Inner<F>) -> Result<()> {
        let Some(tail) = inner.tail.as_ref().filter(|_| !self.relaxed()) else { return Ok(()) };
        if inner.dir_synced != Some(tail.n) {
            self.sync_entries(tail.n)?;
            inner.dir_synced = Some(tail.n);
        }
        Ok(())
    }

    fn sync_entries(&self, n: u64) -> Result<()> {
        let parent = self.dir.parent().filter(|_| n == 1);
        for dir in parent.into_iter().chain([self.dir.as_path()]) {
            match self.fs.sync_dir(dir) {
                // Who may not list the parent could not have made the entry there either; its creator synced it.
                Err(error) if error.kind() == ErrorKind::PermissionDenied && dir != self.dir => {}
                // Nobody owes anything on a disk that takes no writes.
                Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {}
                synced => synced.map_err(|error| Error::environment("syncing", dir, error))?,
            }
        }
        Ok(())
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
    ) -> Result<Look<A>> {
        // The clock first: with a time from after it, a tail from before a renewal would show a lock as free that
        // never was.
        let reading = self.host.reading();
        let (_, rest) = self.newest(inner, false)?;
        let rest = if matches!(rest, Rest::Broken { .. }) { self.look_again(inner)? } else { rest };
        if let (Rest::Broken { why, claimed_durable }, Some(tail)) = (&rest, &inner.tail)
            && !self.is_unacked(tail, *claimed_durable)?
        {
            return Err(tail.damaged(why));
        }
        let newest = inner.tail.as_ref().map_or(Ok(false), |tail| self.is_newest(tail))?;
        let Some(tail) = inner.tail.as_ref().filter(|_| newest) else { return Ok(Look::Moved) };
        let n = tail.n;
        if let Err(error) = self.pay_debts(inner) {
            return if self.is_condemned(n)? { Ok(Look::Condemned) } else { Err(error) };
        }
        inner.remember();
        let Some(tail) = &inner.tail else { return Ok(Look::Moved) };
        let look = look.take().expect("a look that succeeded ends the loop");
        let (at_ms, value) = match time::seen(&self.host, &tail.state, reading)? {
            Now::At(now_ms) => (now_ms, look(&tail.state, now_ms)),
            Now::NewBoot(event) => {
                let (state, now_ms) = time::in_new_boot(&tail.state, &event);
                (now_ms, look(&state, now_ms))
            }
        };
        Ok(Look::Seen(Seen { revision: tail.state.revision, at_ms, value }))
    }
}

/// What came of one try to read.
enum Look<A> {
    Seen(Seen<A>),
    /// A later file was begun meanwhile.
    Moved,
    /// A sync of the file failed, so nothing in it may be vouched for.
    Condemned,
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
            match self.read_once(&mut inner, &mut look)? {
                Look::Seen(seen) => return Ok(seen),
                Look::Moved => {}
                Look::Condemned => {
                    drop(inner);
                    self.locked(Self::ready)?;
                    inner = self.inner();
                }
            }
        }
        Err(Error::usage(format!(
            "{}: the journal moved on {ROUNDS_MAX} times while it was read",
            self.dir.display()
        )))
    }

    fn now_ms(&self) -> Result<TimeMs> {
        let inner = self.inner();
        let state = inner.tail.as_ref().map(|tail| &tail.state).or(inner.clock.as_ref());
        match state.map(|state| time::now(&self.host, state)) {
            Some(Ok(Now::At(now_ms))) => Ok(now_ms),
            Some(Err(error)) => Err(error),
            Some(Ok(Now::NewBoot(_))) | None => {
                drop(inner);
                self.read(|_, now_ms| now_ms).map(|seen| seen.value)
            }
        }
    }

    fn workspace(&self) -> Result<WorkspaceId> {
        if let Some((workspace, _)) = &self.inner().known {
            return Ok(workspace.clone());
        }
        if self.is_copy()? {
            // A mark under the id of the original would bind nobody once the copy has its own. Who cannot give it one
            // can write no mark either.
            let _ = self.locked(Self::ready);
        }
        self.read(|_, _| ())?;
        let inner = self.inner();
        Ok(inner.known.as_ref().expect("a read remembers the workspace").0.clone())
    }

    fn durability(&self) -> Durability {
        self.options.durability
    }
}
