//! One process of a mutated or recorded program.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fencehold::fs::{LockError, Stat};

use super::ambient::{Ambient, current};
use super::{Mutation, Place, Record};
use crate::sim::disk::Disk;
use crate::sim::door::{Call, Door};

/// A call that is made later than the program makes it.
type Late<D> = Box<dyn FnOnce(&D) -> io::Result<()> + Send>;

/// What is different for one process; its file system and all of its open files share it.
pub(in crate::sim) struct Seam<D: Door> {
    kind: Kind,
    door: D,
    state: Mutex<State<D>>,
}

enum Kind {
    Mutated(Mutation),
    Recorded(Arc<Mutex<Record>>),
}

struct State<D> {
    /// Where the last call came from, if it was done.
    last: Option<Place>,
    /// What is held back.
    held: Option<Late<D>>,
    /// What stood at a path when it was first opened or looked at.
    looks: HashMap<PathBuf, Option<Stat>>,
}

/// What becomes of a call that tells its caller nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Fate {
    /// It is made.
    Made,
    /// It is not made, and counts as done.
    Skipped,
    /// It is made after the next one, and counts as done.
    HeldBack,
    /// If it fails it is made once more.
    Retried,
}

impl<D: Door> Seam<D> {
    /// What holds for a process that begins now on this thread; none for the shipped program as it is.
    pub(in crate::sim) fn ambient(door: &D) -> Option<Arc<Self>> {
        let kind = match current()? {
            Ambient::Mutated(mutation) => Kind::Mutated(mutation),
            Ambient::Recorded(record) => Kind::Recorded(record),
        };
        let state = Mutex::new(State { last: None, held: None, looks: HashMap::new() });
        Some(Arc::new(Seam { kind, door: door.clone(), state }))
    }

    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of this call, which tells its caller nothing.
    pub(in crate::sim) fn fate(&self, call: Call<'_>) -> Fate {
        let place = Place::of(call.site, call.name);
        match self.kind {
            Kind::Mutated(Mutation::Skip(at)) if at == place => Fate::Skipped,
            Kind::Mutated(Mutation::Swap(first, _)) if first == place => Fate::HeldBack,
            Kind::Mutated(Mutation::Retry(at)) if at == place => Fate::Retried,
            _ => Fate::Made,
        }
    }

    /// Makes a call. What is held back for it is made right after it, and anything else before.
    pub(in crate::sim) fn around<R, E: From<Failed>>(
        &self,
        call: Call<'_>,
        make: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let place = Place::of(call.site, call.name);
        let second = match &self.kind {
            Kind::Recorded(record) => {
                let last = self.state().last.take();
                record.lock().unwrap_or_else(PoisonError::into_inner).called(last, place);
                let made = make();
                self.state().last = made.is_ok().then_some(place);
                return made;
            }
            Kind::Mutated(Mutation::Swap(_, second)) => *second,
            Kind::Mutated(_) => return make(),
        };
        if second != place {
            self.release()?;
            return make();
        }
        let made = make()?;
        self.release()?;
        Ok(made)
    }

    /// Keeps a call back until after the next.
    pub(in crate::sim) fn hold(
        &self,
        late: impl FnOnce(&D) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        // One call later than the last at the most.
        let before = self.state().held.replace(Box::new(late));
        before.map_or(Ok(()), |before| before(&self.door))
    }

    /// Makes what was held back.
    fn release(&self) -> Result<(), Failed> {
        let held = self.state().held.take();
        held.map_or(Ok(()), |held| held(&self.door)).map_err(Failed)
    }

    /// A file is closed: what was held back is not left undone for that.
    pub(in crate::sim) fn closes(&self) {
        if !std::thread::panicking() {
            // Who closes is told nothing.
            let _ = self.release();
        }
    }

    /// Remembers what stands at a path that is opened or looked at; what a look is answered, if not the truth.
    pub(in crate::sim) fn look(&self, call: Call<'_>, disk: &Disk) -> Option<Option<Stat>> {
        let Kind::Mutated(Mutation::OldLook(at)) = self.kind else { return None };
        let now = disk.stat(call.path).ok()?;
        let first = *self.state().looks.entry(call.path.to_owned()).or_insert(now);
        if at != Place::of(call.site, call.name) || first.map(|stat| stat.id) == now.map(|stat| stat.id) {
            return None;
        }
        // What became of the file since: it may have grown to any length.
        Some(first.map(|stat| Stat { len: u64::MAX, ..stat }))
    }
}

/// What was held back has failed.
#[derive(Debug)]
pub(in crate::sim) struct Failed(pub(in crate::sim) io::Error);

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        failed.0
    }
}

impl From<Failed> for LockError {
    fn from(failed: Failed) -> Self {
        LockError::Io(failed.0)
    }
}
