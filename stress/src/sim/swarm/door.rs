//! A door at which calls fail now and then, and at which the power fails.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fencehold::fs::{How, LockError, LockMode};
use rustix::io::Errno;

use super::plan::{Feature, Plan};
use crate::sim::choice::Random;
use crate::sim::disk::{Disk, OpenId, ProcessId};
use crate::sim::door::{Call, Door};
use crate::sim::world::{SimDoor, World};

/// What goes wrong, and what was reached.
#[derive(Debug)]
pub(super) struct Nature {
    world: World,
    inner: Mutex<Inner>,
    io: bool,
    no_space: bool,
    files: bool,
    interrupts: bool,
    short: bool,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    /// After how many calls the power fails.
    cut_in: Option<u64>,
    seen: Seen,
}

/// What was reached.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) calls: u64,
    pub(super) rewritten: u64,
    pub(super) failed_syncs: u64,
    pub(super) other_failures: u64,
}

impl Nature {
    pub(super) fn new(world: World, plan: &Plan) -> Arc<Self> {
        let random = Random::new(plan.seed ^ 0x6e61_7475_7265);
        Arc::new(Nature {
            world,
            inner: Mutex::new(Inner { random, cut_in: None, seen: Seen::default() }),
            io: plan.has(Feature::Io),
            no_space: plan.has(Feature::NoSpace),
            files: plan.has(Feature::Files),
            interrupts: plan.has(Feature::Interrupts),
            short: plan.has(Feature::Short),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power fails after so many calls, or does not.
    pub(super) fn cut_in(&self, calls: Option<u64>) {
        self.inner().cut_in = calls;
    }

    /// Whether the power has failed.
    pub(super) fn is_cut(&self) -> bool {
        self.inner().cut_in == Some(0)
    }

    pub(super) fn seen(&self) -> Seen {
        self.inner().seen
    }

    /// What happens at a call.
    fn fate(&self, call: &Call<'_>) -> Fate {
        let mut inner = self.inner();
        inner.seen.calls += 1;
        match &mut inner.cut_in {
            Some(0) => return Fate::Cut,
            Some(left) => *left -= 1,
            None => {}
        }
        if call.name == "write_at" && call.path.extension().is_some_and(|kind| kind == "ndjson") {
            inner.seen.rewritten += 1;
        }
        let mut one_in = |on: bool, one_in: u32| on && inner.random.below(one_in) == 0;
        let fate = match call.name {
            "sync" if one_in(self.io, 150) => Fate::Lost,
            "append" if one_in(self.no_space, 150) => Fate::Failed(Errno::NOSPC),
            "append" if call.bytes > 1 && one_in(self.short, 150) => Fate::Short,
            "create" | "open" if one_in(self.files, 300) => Fate::Failed(Errno::MFILE),
            "read_at" if one_in(self.interrupts, 200) => Fate::Failed(Errno::INTR),
            _ => Fate::Made,
        };
        match fate {
            Fate::Lost => inner.seen.failed_syncs += 1,
            Fate::Failed(_) | Fate::Short => inner.seen.other_failures += 1,
            Fate::Made | Fate::Cut => {}
        }
        fate
    }
}

enum Fate {
    Made,
    Cut,
    Lost,
    Short,
    Failed(Errno),
}

/// The way of a process of a swarm to its disk.
#[derive(Debug, Clone)]
pub(super) struct Rough {
    pub(super) door: SimDoor,
    pub(super) nature: Arc<Nature>,
}

impl Door for Rough {
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R> {
        let process = self.process();
        match self.nature.fate(&call) {
            Fate::Made => self.door.enter(call, act),
            Fate::Cut => {
                self.nature.world.kill(process);
                self.door.enter(call, act)
            }
            Fate::Lost => self.door.enter(call, |disk, bytes| {
                let open = disk.open(process, call.path, How::Read).map_err(|_| Errno::IO)?;
                let lost = disk.fail_writeback(open);
                disk.close(open);
                lost.and_then(|()| act(disk, bytes))
            }),
            Fate::Short => self.door.enter(call, |disk, bytes| act(disk, bytes / 2)),
            Fate::Failed(errno) => self.door.enter(call, |_, _| Err(errno.into())),
        }
    }

    fn lock(
        &self,
        call: Call<'_>,
        open: OpenId,
        mode: LockMode,
        patience: Duration,
    ) -> Result<(), LockError> {
        if let Fate::Cut = self.nature.fate(&call) {
            self.nature.world.kill(self.process());
        }
        self.door.lock(call, open, mode, patience)
    }

    fn close(&self, open: OpenId) {
        self.door.close(open);
    }

    fn process(&self) -> ProcessId {
        self.door.process()
    }

    fn split(&self, len: usize) -> usize {
        self.door.split(len)
    }
}
