//! The simulated disk under loom: the one place where loom's types occur.
//!
//! The whole disk stands behind one lock of loom, so each call of `Fs` is one critical section, and loom runs the
//! processes in every order of those, up to a bound of preemptions. What is run is the shipped code, unchanged. Time
//! stands still and nobody is killed here: that is the [`world`](super::world)'s part. A report must print the bound.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fencehold::fs::{LockError, LockMode};
use fencehold::host::{Clock, Host, Reading};
use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;

use super::choice::Random;
use super::disk::{Disk, OpenId, ProcessId};
use super::door::{Call, Door, FsOver, Locks};
use super::world::panic_text;

/// The stack of a process in words of the machine; loom's own default is too small for unoptimised code.
const STACK_WORDS: usize = 0x1_0000;
/// The most calls of a run; more means that a process goes round in circles.
const BRANCHES_MAX: usize = 100_000;
/// The monotonic clock of every run.
const MONOTONIC_MS: u64 = 1_000_000;
/// The wall clock of every run: 2026-01-01 in milliseconds.
const WALL_MS: u64 = 1_767_225_600_000;

/// The files that a process sees under loom.
pub type LoomFs = FsOver<LoomDoor>;

/// The way of a process to a disk under loom.
#[derive(Debug, Clone)]
pub struct LoomDoor {
    shared: Arc<Shared>,
    process: ProcessId,
    locks: Locks,
}

#[derive(Debug)]
struct Shared {
    machine: loom::sync::Mutex<Machine>,
    /// Somebody let an OS lock go.
    freed: loom::sync::Condvar,
}

#[derive(Debug)]
struct Machine {
    disk: Disk,
    waiting: usize,
}

impl Shared {
    fn machine(&self) -> loom::sync::MutexGuard<'_, Machine> {
        // loom's locks are never poisoned.
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that may let an OS lock go.
    fn letting_go<R>(&self, act: impl FnOnce(&mut Disk) -> R) -> R {
        let mut machine = self.machine();
        let result = act(&mut machine.disk);
        if machine.waiting > 0 {
            self.freed.notify_all();
        }
        result
    }
}

impl Door for LoomDoor {
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R> {
        if call.name == "unlock" {
            return self.shared.letting_go(|disk| act(disk, 0));
        }
        act(&mut self.shared.machine().disk, call.whole())
    }

    fn lock(&self, _: Call<'_>, open: OpenId, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        let mut machine = self.shared.machine();
        if self.locks == Locks::Ignored {
            return Ok(());
        }
        while !machine.disk.try_lock(open, mode).map_err(LockError::Io)? {
            if patience.is_zero() {
                return Err(LockError::TimedOut);
            }
            machine.waiting += 1;
            machine = self.shared.freed.wait(machine).unwrap_or_else(PoisonError::into_inner);
            machine.waiting -= 1;
        }
        Ok(())
    }

    fn close(&self, open: OpenId) {
        // While a run unwinds, loom is not to be asked for anything; the disk is thrown away with it.
        if !std::thread::panicking() {
            self.shared.letting_go(|disk| disk.close(open));
        }
    }

    fn process(&self) -> ProcessId {
        self.process
    }
}

/// The machine as a process sees it under loom: clocks stand still, everybody lives.
#[derive(Debug, Clone)]
pub struct LoomHost {
    process: ProcessId,
    random: Arc<Mutex<Random>>,
}

impl LoomHost {
    /// Which process this is.
    #[must_use]
    pub fn number(&self) -> ProcessId {
        self.process
    }
}

impl Clock for LoomHost {
    fn boot(&self) -> BootId {
        BootId::new("simulated-boot-1").expect("letters, digits and dashes make an id")
    }

    fn reading(&self) -> Reading {
        Reading { monotonic_ms: MONOTONIC_MS, wall_ms: WALL_MS + MONOTONIC_MS }
    }
}

impl Host for LoomHost {
    fn liveness(&self, _: &Process) -> Liveness {
        Liveness::Alive
    }

    fn random(&self) -> u128 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(random.bits()) << 64 | u128::from(random.bits())
    }
}

/// What a process does.
pub type LoomBody<T> = Arc<dyn Fn(LoomFs, LoomHost) -> T + Send + Sync>;

/// What is to be explored.
#[derive(Clone)]
pub struct LoomModel<T> {
    /// The disk that every run begins with.
    pub disk: Disk,
    /// The processes; loom takes up to 4.
    pub bodies: Vec<LoomBody<T>>,
    /// How often a process that could go on may have to wait.
    pub preemptions_max: usize,
    /// Whether the OS lock works.
    pub locks: Locks,
}

impl<T> std::fmt::Debug for LoomModel<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoomModel").field("preemptions_max", &self.preemptions_max).finish_non_exhaustive()
    }
}

/// What loom saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoomExplored {
    /// How many executions it ran.
    pub executions: u64,
    /// What was violated in the last of them.
    pub violation: Option<String>,
}

/// What a run that violates something unwinds with.
struct Violated(String);

impl<T: Send + 'static> LoomModel<T> {
    /// Runs the processes in every order up to the bound, until `judge` objects to what they returned and left behind.
    /// A panic of a process, and a wait without end, are violations.
    #[must_use]
    pub fn explore(
        self,
        judge: impl Fn(&mut Disk, Vec<T>) -> Result<(), String> + Send + Sync + 'static,
    ) -> LoomExplored {
        let executions = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&executions);
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(self.preemptions_max);
        builder.max_branches = BRANCHES_MAX;
        let judge = Arc::new(judge);
        let run = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            if let Err(what) = self.run_once(&judge) {
                resume_unwind(Box::new(Violated(what)));
            }
        };
        let ended = catch_unwind(AssertUnwindSafe(|| builder.check(run)));
        let violation = ended.err().map(|payload| match payload.downcast::<Violated>() {
            Ok(violated) => violated.0,
            Err(payload) => panic_text(payload.as_ref()),
        });
        LoomExplored { executions: executions.load(Ordering::Relaxed), violation }
    }

    fn run_once<J>(&self, judge: &Arc<J>) -> Result<(), String>
    where
        J: Fn(&mut Disk, Vec<T>) -> Result<(), String> + Send + Sync + 'static,
    {
        let machine = loom::sync::Mutex::new(Machine { disk: self.disk.clone(), waiting: 0 });
        let shared = Arc::new(Shared { machine, freed: loom::sync::Condvar::new() });
        let start = |(process, body): (ProcessId, &LoomBody<T>)| {
            let door = LoomDoor { shared: Arc::clone(&shared), process, locks: self.locks };
            let host = LoomHost { process, random: Arc::new(Mutex::new(Random::new(process as u64))) };
            let (body, end) = (Arc::clone(body), Arc::clone(&shared));
            spawn(move || {
                let result = catch_unwind(AssertUnwindSafe(|| body(FsOver::new(door), host)));
                end.letting_go(|disk| disk.kill(process));
                result.map_err(|payload| format!("a process panicked: {}", panic_text(payload.as_ref())))
            })
        };
        let threads: Vec<_> = self.bodies.iter().enumerate().map(start).collect();
        let results: Result<Vec<T>, String> = threads.into_iter().map(join).collect();
        let results = results?;
        let judge = Arc::clone(judge);
        // On a stack that is large enough for what the judge does.
        join(spawn(move || judge(&mut shared.machine().disk, results)))
    }
}

fn spawn<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> loom::thread::JoinHandle<R> {
    let builder = loom::thread::Builder::new().stack_size(STACK_WORDS);
    builder.spawn(run).expect("loom starts up to 4 threads")
}

fn join<R>(thread: loom::thread::JoinHandle<Result<R, String>>) -> Result<R, String> {
    thread.join().unwrap_or_else(|payload| Err(panic_text(payload.as_ref())))
}
