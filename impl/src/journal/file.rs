//! The journal in files: its handle, its readers, and what both remember between calls.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use fencehold_model::{Revision, State, TimeMs, WorkspaceId};

use super::tail::{Before, Rest, Tail};
use super::time::{self, Now};
use super::{Asking, Committed, Durability, Journal, Options, Seen, layout};
use crate::error::{Error, Result};
use crate::fs::{FileId, Fs};
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
    /// What a tail came to that was followed by another file.
    pub(super) before: Option<Before>,
    /// Revisions below this may be used; 0 where it is not known.
    pub(super) floor: Revision,
    /// Which workspace this was when it was last seen, and a revision that it had come to for good.
    pub(super) known: Option<(WorkspaceId, Revision)>,
    pub(super) notes: Vec<Note>,
    /// What journal time runs by, also while no tail is at hand: only its boot and its time are looked at.
    clock: Option<State>,
}

impl<F: Fs> Inner<F> {
    /// Keeps what the tail says of the time, and how far the workspace had come: an older copy in its place is told.
    pub(super) fn remember(&mut self, relaxed: bool) {
        if let Some(tail) = &self.tail {
            // What is not durable yet may be lost by a failed sync, without anybody replacing anything.
            let revision = if relaxed { tail.state.revision } else { tail.durable() };
            match &mut self.known {
                Some((workspace, known)) if *workspace == tail.workspace => *known = revision,
                known => *known = Some((tail.workspace.clone(), revision)),
            }
            let clock = self.clock.get_or_insert_default();
            clock.time_ms = tail.state.time_ms;
            if clock.boot != tail.state.boot {
                clock.boot.clone_from(&tail.state.boot);
            }
        }
    }
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// A handle on the workspace folder `dir`; nothing is opened yet.
    pub fn new(fs: F, host: H, dir: &Path, options: Options) -> Self {
        let inner = Inner {
            lock: None,
            tail: None,
            before: None,
            floor: 0,
            known: None,
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
        self.newest_anew(inner, writable)
    }

    /// The newest file's tail, opened anew.
    pub(super) fn newest_anew<'a>(
        &self,
        inner: &'a mut Inner<F>,
        writable: bool,
    ) -> Result<(&'a mut Tail<F>, Rest)> {
        inner.tail = None;
        let before = inner.before.take();
        let (tail, rest) = self.open_newest(inner, writable, before)?;
        inner.tail = Some(tail);
        inner.remember(self.relaxed());
        Ok((inner.tail.as_mut().expect("it was opened above"), rest))
    }

    /// Whether `tail` is the file at its path, whole, with no later one.
    pub(super) fn is_newest(&self, tail: &Tail<F>) -> Result<bool> {
        let Some(stat) = self.stat(&tail.path)?.filter(|stat| stat.id == tail.id) else { return Ok(false) };
        if self.stat(&layout::journal_path(&self.dir, tail.n + 1))?.is_some() {
            return Ok(false);
        }
        if stat.len >= tail.end {
            return Ok(true);
        }
        if self.is_condemned(tail.n)? {
            // What a failed sync lost was cut off.
            return Ok(false);
        }
        Err(Error::Damaged {
            path: tail.path.clone(),
            line: None,
            what: format!("it shrank from {} to {} bytes under this process", tail.end, stat.len),
            advice: super::tail::REPAIR.to_owned(),
        })
    }

    #[track_caller]
    pub(super) fn stat(&self, path: &Path) -> Result<Option<crate::fs::Stat>> {
        self.fs.stat(path).map_err(|error| Error::environment("looking at", path, error))
    }

    fn open_newest(
        &self,
        inner: &Inner<F>,
        writable: bool,
        before: Option<Before>,
    ) -> Result<(Tail<F>, Rest)> {
        let (tail, rest) = self.open_highest(writable, before)?;
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
    fn open_highest(&self, writable: bool, mut before: Option<Before>) -> Result<(Tail<F>, Rest)> {
        let mut gone = None;
        for _ in 0..ROUNDS_MAX {
            let n = self.newest_number()?;
            let path = layout::journal_path(&self.dir, n);
            let opened = Tail::open_at(&self.fs, path.clone(), n, writable, self.host.boot(), before.take());
            match opened.map_err(|none| none.into_error(&path)) {
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
}

impl<F: Fs, H: Host> Journal for FileJournal<F, H> {
    fn commit<A>(
        &self,
        asking: &Asking,
        decide: impl FnMut(&State, TimeMs) -> std::result::Result<fencehold_model::Event, A>,
    ) -> Result<Committed<A>> {
        self.commit_proven(asking, decide)
    }

    fn read<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>> {
        self.read_proven(look)
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
            let _ = self.locked(&mut self.inner(), Self::ready);
        }
        self.read(|_, _| ())?;
        let inner = self.inner();
        Ok(inner.known.as_ref().expect("a read remembers the workspace").0.clone())
    }

    fn durability(&self) -> Durability {
        self.options.durability
    }
}
