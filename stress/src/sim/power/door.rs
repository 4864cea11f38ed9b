//! A door through which every call is looked at: before it takes effect the disk is kept as a moment at which the power
//! may fail, and at one of them a second process runs.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fencehold::fs::{How, LockError, LockMode};
use rustix::io::Errno;

use super::told::Told;
use crate::sim::disk::{Disk, OpenId, ProcessId};
use crate::sim::door::{Call, Door, FsOver, Shows};
use crate::sim::world::{SimDoor, SimFs};

/// The files of a process of the crash explorer.
pub(super) type PowerFs = FsOver<Watched>;

/// A moment at which the power may fail: what is on the disk, written or not, and what was told to anybody.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) disk: Disk,
    /// How many things had been told.
    pub(super) told: usize,
    /// How many calls had been made.
    pub(super) calls: usize,
}

/// What all processes of one boot share.
#[derive(Default)]
pub(super) struct Boot {
    seen: Mutex<Seen>,
}

type Guest = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Seen {
    moments: Vec<Moment>,
    told: Vec<Told>,
    calls: usize,
    /// Whether anything has changed since the last moment.
    changed: bool,
    /// At which call of which process another one runs, and what it does.
    guest: Option<(ProcessId, u64, Guest)>,
    guest_calls: u64,
    /// Which call of which process is a sync that fails, and what becomes of that process.
    failing: Option<(ProcessId, u64)>,
    /// Whether nobody looks.
    blind: bool,
    /// What was found wrong on the way.
    wrong: Option<String>,
}

impl std::fmt::Debug for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boot").finish_non_exhaustive()
    }
}

impl Boot {
    pub(super) fn new(told: Vec<Told>) -> Arc<Self> {
        let seen = Seen { told, changed: true, ..Seen::default() };
        Arc::new(Boot { seen: Mutex::new(seen) })
    }

    /// For processes that nobody looks at.
    pub(super) fn blind() -> Arc<Self> {
        Arc::new(Boot { seen: Mutex::new(Seen { blind: true, ..Seen::default() }) })
    }

    /// Something was found wrong before the power failed.
    pub(super) fn wrong(&self, why: String) {
        self.seen().wrong.get_or_insert(why);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that a process of `world` sees through this door.
    pub(super) fn files(self: &Arc<Self>, fs: &SimFs) -> PowerFs {
        FsOver::new(Watched { door: fs.door().clone(), boot: Arc::clone(self) })
    }

    /// Lets `guest` run before call `call` of `process` takes effect.
    pub(super) fn invite(&self, process: ProcessId, call: u64, guest: Guest) {
        let mut seen = self.seen();
        seen.guest = Some((process, call, guest));
        seen.guest_calls = 0;
    }

    /// Lets call `call` of `process`, which is a sync, meet a writeback error.
    pub(super) fn fail(&self, process: ProcessId, call: u64) {
        self.seen().failing = Some((process, call));
    }

    fn fails(&self, process: ProcessId) -> bool {
        let mut seen = self.seen();
        match &mut seen.failing {
            Some((whose, left)) if *whose == process => {
                let now = *left == 0;
                *left = left.wrapping_sub(1);
                now
            }
            _ => false,
        }
    }

    /// Takes note of what somebody was told.
    pub(super) fn tell(&self, told: Told) {
        let mut seen = self.seen();
        seen.told.push(told);
        seen.changed = true;
    }

    /// What is on the disk now is a moment as well.
    pub(super) fn look(&self, disk: &Disk) {
        let mut seen = self.seen();
        if seen.changed && !seen.blind {
            seen.changed = false;
            let moment = Moment { disk: disk.clone(), told: seen.told.len(), calls: seen.calls };
            seen.moments.push(moment);
        }
    }

    /// Everything that was seen; nothing is kept.
    pub(super) fn close(&self) -> (Vec<Moment>, Vec<Told>, Option<String>) {
        let mut seen = self.seen();
        (std::mem::take(&mut seen.moments), std::mem::take(&mut seen.told), seen.wrong.take())
    }

    fn guest_at(&self, process: ProcessId) -> Option<Guest> {
        let mut seen = self.seen();
        let (whose, at, _) = seen.guest.as_ref()?;
        let (whose, at) = (*whose, *at);
        if whose != process {
            return None;
        }
        let call = seen.guest_calls;
        seen.guest_calls += 1;
        if call == at { seen.guest.take().map(|(_, _, guest)| guest) } else { None }
    }
}

/// The way of a process of the crash explorer to its disk.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    door: SimDoor,
    boot: Arc<Boot>,
}

/// The writeback of a file fails before it is synced: who syncs it now is told, and so is everybody who has it open.
fn lose(disk: &mut Disk, process: ProcessId, call: Call<'_>) -> io::Result<()> {
    let open = disk.open(process, call.path, How::Read).map_err(|_| Errno::IO)?;
    let lost = disk.fail_writeback(open);
    disk.close(open);
    lost
}

/// Whether a call can change what a power cut leaves.
pub(super) fn changes(call: &str) -> bool {
    !matches!(
        call,
        "open" | "stat" | "fstat" | "resolve" | "list" | "read_at" | "lock" | "lock_shared" | "unlock"
    )
}

impl Door for Watched {
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R> {
        if let Some(guest) = self.boot.guest_at(self.door.process()) {
            guest();
        }
        let process = self.door.process();
        let fails = self.boot.fails(process);
        self.door.enter(call, |disk, bytes| {
            self.boot.look(disk);
            if fails {
                lose(disk, process, call)?;
            }
            let done = act(disk, bytes);
            let mut seen = self.boot.seen();
            seen.calls += 1;
            seen.changed |= changes(call.name);
            done
        })
    }

    fn lock(
        &self,
        call: Call<'_>,
        open: OpenId,
        mode: LockMode,
        patience: Duration,
    ) -> Result<(), LockError> {
        if let Some(guest) = self.boot.guest_at(self.door.process()) {
            guest();
        }
        self.boot.fails(self.door.process());
        self.boot.seen().calls += 1;
        self.door.lock(call, open, mode, patience)
    }

    fn close(&self, open: OpenId) {
        self.door.close(open);
    }

    fn process(&self) -> ProcessId {
        self.door.process()
    }

    fn shows(&self, call: Call<'_>) -> Shows {
        self.door.shows(call)
    }

    fn lands(&self, call: Call<'_>, hide: impl FnOnce(&mut Disk), land: impl FnOnce(&mut Disk)) {
        self.door.lands(call, hide, land);
    }
}
