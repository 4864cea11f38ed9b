//! Taking the OS lock of a resource, and raising its mark.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fencehold_model::WorkspaceId;

use super::fence::{Access, Answer, Mark, Pass, Refusal, Shown, decide};
use super::place::Place;
use super::slots::{self, SLOT_BYTES, Slot};
use crate::error::{Error, Result};
use crate::fs::{File, FileId, Fs, How, LockError, LockMode};

/// How long the OS lock of a resource is waited for unless the caller says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often a lock file may be replaced under us before we give up: nobody of ours ever does it.
const REPLACED_MAX: usize = 8;

/// The workspace folder, as far as resources need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its path.
    pub dir: PathBuf,
    /// Its id; a mark of another one is not obeyed and not overwritten.
    pub id: WorkspaceId,
}

/// The OS lock and the mark of one resource.
#[derive(Debug)]
pub struct ResourceLock<F: Fs> {
    fs: F,
    folder: Folder,
    path: PathBuf,
    /// The lock file and the slot that this handle itself made durable.
    durable: Mutex<Option<(FileId, u64)>>,
}

/// The OS lock of a resource, held until dropped.
pub struct Held<'a, F: Fs> {
    of: &'a ResourceLock<F>,
    file: F::File,
    id: FileId,
    slot: Option<Slot>,
}

/// A shared hold on a resource: nobody of ours writes it meanwhile.
pub(crate) struct Shared<F: Fs>(F::File);

impl<F: Fs> ResourceLock<F> {
    /// The lock of the file at `place`. Touches nothing.
    #[must_use]
    pub fn new(fs: F, folder: Folder, place: &Place) -> Self {
        let path = folder.dir.join("doc").join(place.key());
        ResourceLock { fs, folder, path, durable: Mutex::new(None) }
    }

    /// Waits for the OS lock, and reads the mark. Each call opens the lock file anew, so it also keeps threads apart.
    ///
    /// # Errors
    /// [`Error::Busy`] past `patience`; [`Error::Environment`]; [`Error::Damaged`] and [`Error::Newer`] where the mark
    /// cannot be obeyed.
    pub fn take(&self, patience: Duration) -> Result<Held<'_, F>> {
        for _ in 0..REPLACED_MAX {
            let file = self.open()?;
            let stat = file.stat().map_err(|error| self.failed("looking at", error))?;
            self.wait(&file, stat.id, LockMode::Exclusive, patience)?;
            let mut held = Held { of: self, file, id: stat.id, slot: None };
            if held.stands()? {
                held.slot = slots::decode(&self.path, &self.folder.id, &held.read()?)?;
                return Ok(held);
            }
        }
        Err(self.failed("locking", io::Error::other("it was replaced each time it was locked")))
    }

    /// Waits until nobody holds the lock exclusively; none where the resource never had one. Writes nothing.
    pub(crate) fn share(&self, patience: Duration) -> Result<Option<Shared<F>>> {
        let file = match self.fs.open(&self.path, How::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("opening", error)),
        };
        let stat = file.stat().map_err(|error| self.failed("looking at", error))?;
        self.wait(&file, stat.id, LockMode::Shared, patience)?;
        Ok(Some(Shared(file)))
    }

    fn wait(&self, file: &F::File, id: FileId, mode: LockMode, patience: Duration) -> Result<()> {
        match file.lock(mode, patience) {
            Ok(()) => Ok(()),
            Err(LockError::Io(error)) => Err(self.failed("locking", error)),
            Err(LockError::TimedOut) => Err(Error::Busy {
                path: self.path.clone(),
                waited_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
                in_the_way: file.in_the_way(id),
            }),
        }
    }

    fn open(&self) -> Result<F::File> {
        // Two who both find none: one creates it, the other is told so and opens it.
        for _ in 0..REPLACED_MAX {
            match self.fs.open(&self.path, How::Write) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed("opening", error)),
                Ok(file) => return Ok(file),
            }
            // Whoever may enter the folder may take the lock, and nobody else.
            let mode = self.dir_mode()? & 0o666;
            match self.fs.open(&self.path, How::CreateNew { mode }) {
                // Opened again for writing at offsets: what is open for appending appends.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(self.failed("creating", error)),
            }
        }
        Err(self.failed("creating", io::Error::other("it was removed each time it was created")))
    }

    fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn dir_mode(&self) -> Result<u32> {
        match self.fs.stat(self.dir()) {
            Ok(Some(stat)) => Ok(stat.mode),
            Ok(None) => Err(Error::environment("looking at", self.dir(), missing())),
            Err(error) => Err(Error::environment("looking at", self.dir(), error)),
        }
    }

    fn failed(&self, doing: &'static str, error: io::Error) -> Error {
        Error::environment(doing, &self.path, error)
    }
}

impl<F: Fs> Held<'_, F> {
    /// The mark as it stands.
    #[must_use]
    pub fn mark(&self) -> Option<&Mark> {
        self.slot.as_ref().map(|slot| &slot.mark)
    }

    /// Asks the mark. Changes nothing but, where the mark is not known to be durable, makes it so before it refuses.
    ///
    /// # Errors
    /// [`Error::Environment`] where the mark could not be made durable.
    pub fn check(&mut self, shown: &Shown, access: Access) -> Result<Answer<Pass>> {
        match decide(self.mark(), shown, access) {
            Err(refusal @ (Refusal::StaleToken(_) | Refusal::Guarded(_))) => {
                self.confirm()?;
                Ok(Err(refusal))
            }
            answer => Ok(answer),
        }
    }

    /// Raises the mark to what passed, durably. Before the file is touched, and before a guarded read is answered.
    ///
    /// # Errors
    /// [`Error::Environment`]: the file must not be touched. The mark may have been raised all the same; that refuses
    /// what is older, and loses nothing.
    pub fn raise(&mut self, pass: &Pass) -> Result<()> {
        match &pass.mark {
            None => Ok(()),
            Some(mark) if self.mark() == Some(mark) => self.confirm(),
            Some(mark) => self.write(mark.clone()),
        }
    }

    /// Whether the file that is locked still is the one at its path.
    ///
    /// # Errors
    /// As stat(2).
    pub fn stands(&self) -> Result<bool> {
        let stat = self.of.fs.stat(&self.of.path).map_err(|error| self.of.failed("looking at", error))?;
        Ok(stat.is_some_and(|stat| stat.id == self.id))
    }

    /// A mark that this handle did not write itself may be a killed writer's, not synced, or one whose sync failed:
    /// a sync vouches only for what was written through its own descriptor, so it is written once more.
    fn confirm(&mut self) -> Result<()> {
        let known = *self.of.durable.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.slot {
            Some(slot) if known != Some((self.id, slot.seq)) => self.write(slot.mark.clone()),
            _ => Ok(()),
        }
    }

    fn write(&mut self, mark: Mark) -> Result<()> {
        let first = self.slot.is_none();
        self.write_slot(mark.clone())?;
        if first {
            self.write_slot(mark)?;
        }
        // The entry may be owed by whoever created the file and was killed.
        self.of.fs.sync_dir(self.of.dir()).map_err(|error| self.of.failed("syncing", error))?;
        let seq = self.slot.as_ref().map(|slot| (self.id, slot.seq));
        *self.of.durable.lock().unwrap_or_else(PoisonError::into_inner) = seq;
        Ok(())
    }

    fn write_slot(&mut self, mark: Mark) -> Result<()> {
        let slot = Slot { seq: self.slot.as_ref().map_or(0, |slot| slot.seq + 1), mark };
        let bytes = slots::encode(&self.of.folder.id, &slot)?;
        let failed = |error| self.of.failed("writing the mark", error);
        let mut done = 0;
        while done < bytes.len() {
            match self.file.write_at(slots::offset(slot.seq) + done as u64, &bytes[done..]) {
                Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.file.sync().map_err(|error| self.of.failed("syncing the mark", error))?;
        self.slot = Some(slot);
        Ok(())
    }

    fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; 2 * SLOT_BYTES];
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(done as u64, &mut bytes[done..]) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.of.failed("reading the mark", error)),
            }
        }
        Ok(bytes)
    }
}

impl<F: Fs> fmt::Debug for Held<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("path", &self.of.path).field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl<F: Fs> Drop for Held<'_, F> {
    fn drop(&mut self) {
        // Closing alone would keep the lock where a forked child still has the file open.
        let _ = self.file.unlock();
    }
}

impl<F: Fs> Drop for Shared<F> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// One of our own folders is gone: a copy of the workspace may have left out what was empty.
pub(crate) fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it is missing; `fencehold repair` makes it anew")
}
