//! One process's way to the store, and what can go wrong on it.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode};

use super::Defect;
use super::starts::GUARD;

/// How long a process waits for a lock.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why an operation was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The lock was not got in time; nothing happened.
    Busy,
    /// The document was damaged; it was moved aside, or is being, and nothing else happened.
    Damaged,
    /// The temp that was to become the document was gone; nothing happened.
    Swept,
    /// A reader could not make sense of the log.
    Unreadable(String),
    /// A call failed; nothing happened.
    Io(io::Error),
    /// A call failed when a part was written already.
    Half(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Io(error)
    }
}

/// What keeps the others out; ends when it is dropped.
pub(super) enum Held<'a, F> {
    /// The OS lock of a file.
    Os(F),
    /// A lock of this process's memory.
    Memory(#[expect(dead_code, reason = "it is held, not looked at")] MutexGuard<'a, ()>),
    /// Nothing does.
    Nothing,
}

pub(super) struct Client<F: Fs> {
    pub(super) fs: F,
    /// Which process it is: names its temps.
    pub(super) number: usize,
    defect: Defect,
    memory: Mutex<()>,
}

impl<F: Fs> Client<F> {
    pub(super) fn new(fs: F, number: usize, defect: Defect) -> Self {
        Client { fs, number, defect, memory: Mutex::new(()) }
    }

    pub(super) fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    /// Keeps the others out of the document.
    pub(super) fn exclude(&self) -> Result<Held<'_, F::File>, Trouble> {
        if self.is(Defect::RmwNolock) {
            return Ok(Held::Nothing);
        }
        if self.is(Defect::ThreadOnlyMutex) {
            return Ok(Held::Memory(self.memory.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        let file = self.fs.open(Path::new(GUARD), How::Read)?;
        match locked(&file) {
            Err(Trouble::Busy) if self.is(Defect::UnlockedFallback) => Ok(Held::Nothing),
            Err(trouble) => Err(trouble),
            Ok(()) => Ok(Held::Os(file)),
        }
    }
}

pub(super) fn locked(file: &impl File) -> Result<(), Trouble> {
    file.lock(LockMode::Exclusive, PATIENCE).map_err(|error| match error {
        LockError::TimedOut => Trouble::Busy,
        LockError::Io(error) => Trouble::Io(error),
    })
}

/// Appends all of it, by as many writes as it takes.
pub(super) fn append_whole(file: &impl File, bytes: &[u8]) -> Result<(), Trouble> {
    let mut done = 0;
    while done < bytes.len() {
        match file.append(&bytes[done..]) {
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if done == 0 => return Err(Trouble::Io(error)),
            Err(error) => return Err(Trouble::Half(error)),
        }
    }
    Ok(())
}
