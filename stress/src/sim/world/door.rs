//! The way of a process of the world to its disk: each call waits for its turn, and may be the last.

use std::any::Any;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use fencehold::fs::{LockError, LockMode};
use rustix::io::Errno;

use super::fault::Fault;
use super::inner::{Inner, Wait};
use super::shared::{Guard, Shared};
use super::trace::Note;
use crate::sim::choice::Thing;
use crate::sim::disk::{Disk, OpenId, ProcessId};
use crate::sim::door::{Call, Door, Locks, Shows};

/// What a killed process unwinds with.
#[derive(Debug)]
pub(super) struct Killed;

/// The way of a process of the world to its disk.
#[derive(Debug, Clone)]
pub struct SimDoor {
    shared: Arc<Shared>,
    process: ProcessId,
}

impl SimDoor {
    pub(super) fn new(shared: Arc<Shared>, process: ProcessId) -> Self {
        SimDoor { shared, process }
    }

    fn die(&self, mut inner: Guard<'_>, call: Call<'_>, note: Note) -> io::Error {
        inner.note(self.process, call, note);
        drop(inner);
        self.shared.end(self.process);
        self.dead()
    }

    fn power_goes(&self, mut inner: Guard<'_>, call: Call<'_>) -> io::Error {
        inner.note(self.process, call, Note::PowerCut);
        inner.power_cut();
        drop(inner);
        self.dead()
    }

    /// A dead process makes no further step while others run; then it is unwound, for its memory. Where it is unwinding
    /// already, its calls fail and do nothing.
    fn dead(&self) -> io::Error {
        self.shared.stand_still(self.process);
        if !std::thread::panicking() {
            resume_unwind(Box::new(Killed));
        }
        io::Error::other("this process was killed")
    }
}

/// A call fails. A sync that fails has cleaned the pages that it did not write.
fn fail(inner: &mut Inner, call: Call<'_>, errno: Errno) -> io::Error {
    if let ("sync", Some(open), Errno::IO) = (call.name, call.open, errno) {
        inner.source.touch(Thing::All, true);
        return inner.disk.fail_sync(open).err().unwrap_or_else(|| errno.into());
    }
    errno.into()
}

impl Door for SimDoor {
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R> {
        let Some(mut inner) = self.shared.turn(self.process) else { return Err(self.dead()) };
        let fault = inner.fault(self.process, call);
        inner.touch(call);
        match fault {
            None => {
                let result = act(&mut inner.disk, call.whole());
                inner.note_result(self.process, call, &result);
                result
            }
            Some(Fault::Kill) => Err(self.die(inner, call, Note::Killed)),
            Some(Fault::Cut(bytes)) => {
                // Whether the write itself succeeds, nobody is left to know.
                let _ = act(&mut inner.disk, bytes.min(call.bytes));
                Err(self.die(inner, call, Note::Cut(bytes)))
            }
            Some(Fault::PowerCut) => Err(self.power_goes(inner, call)),
            Some(Fault::Fail(errno)) => {
                let error = fail(&mut inner, call, errno);
                inner.note(self.process, call, Note::Failed(error.kind()));
                Err(error)
            }
            Some(Fault::Short(bytes)) => {
                inner.note(self.process, call, Note::Short(bytes));
                act(&mut inner.disk, bytes.min(call.whole()))
            }
        }
    }

    fn lock(
        &self,
        call: Call<'_>,
        open: OpenId,
        mode: LockMode,
        patience: Duration,
    ) -> Result<(), LockError> {
        let deadline_ms = |now_ms: u64| now_ms.checked_add(u64::try_from(patience.as_millis()).ok()?);
        let Some(mut inner) = self.shared.turn(self.process) else { return Err(LockError::Io(self.dead())) };
        let fault = inner.fault(self.process, call);
        inner.touch(call);
        match fault {
            None => {}
            Some(Fault::Fail(errno)) => return Err(LockError::Io(errno.into())),
            Some(Fault::PowerCut) => return Err(LockError::Io(self.power_goes(inner, call))),
            Some(_) => return Err(LockError::Io(self.die(inner, call, Note::Killed))),
        }
        let ignored = inner.options.locks == Locks::Ignored;
        if ignored || inner.disk.try_lock(open, mode).map_err(LockError::Io)? {
            inner.processes[self.process].locked.push(open);
            inner.note(self.process, call, Note::Done);
            return Ok(());
        }
        if !inner.takes_turn(self.process) || patience.is_zero() {
            let waited_ms = deadline_ms(inner.clock_ms).map_or(0, |deadline_ms| deadline_ms - inner.clock_ms);
            inner.pass(waited_ms);
            inner.note(self.process, call, Note::TimedOut);
            return Err(LockError::TimedOut);
        }
        inner.note(self.process, call, Note::Waits);
        let deadline_ms = deadline_ms(inner.clock_ms);
        inner.processes[self.process].waits = Some(Wait { open, mode, deadline_ms });
        let mut inner = self.shared.pass_on(inner, self.process);
        if !inner.lives(self.process) {
            drop(inner);
            return Err(LockError::Io(self.dead()));
        }
        inner.processes[self.process].waits = None;
        // It was chosen because the lock is free, or because its patience is over.
        inner.touch(call);
        let taken = inner.disk.try_lock(open, mode).map_err(LockError::Io)?;
        if taken {
            inner.processes[self.process].locked.push(open);
        }
        inner.note(self.process, call, if taken { Note::Done } else { Note::TimedOut });
        if taken { Ok(()) } else { Err(LockError::TimedOut) }
    }

    fn close(&self, open: OpenId) {
        let mut inner = self.shared.lock();
        if inner.lives(self.process) {
            inner.touch_close(self.process, open);
            inner.processes[self.process].locked.retain(|locked| *locked != open);
            inner.disk.close(open);
        }
    }

    fn process(&self) -> ProcessId {
        self.process
    }

    fn shows(&self, call: Call<'_>) -> Shows {
        let mut inner = self.shared.lock();
        let (split, len) = (inner.options.split_writes, call.bytes);
        let late = inner.options.late_beginnings && call.name == "append" && len > 1;
        if !split && !late || !inner.takes_turn(self.process) {
            return Shows::Whole;
        }
        // Nothing of it, a part, all of it; then all but its beginning.
        let ways = if split { len + 1 } else { 1 };
        match inner.source.choose("split", ways + usize::from(late)) {
            first if first == ways => Shows::BeginningLate(len / 2),
            first if (1..len).contains(&first) => Shows::BeginningFirst(first),
            _ => Shows::Whole,
        }
    }

    fn lands(&self, call: Call<'_>, hide: impl FnOnce(&mut Disk), land: impl FnOnce(&mut Disk)) {
        hide(&mut self.shared.lock().disk);
        let Some(mut inner) = self.shared.turn(self.process) else {
            let _ = self.dead();
            return;
        };
        inner.touch(call);
        land(&mut inner.disk);
        inner.note(self.process, call, Note::Landed);
    }
}

/// The message of a panic.
pub(in crate::sim) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
