//! Processes on one simulated disk: one system call runs at a time, and a recorded source says whose.
//!
//! A process is a closure that is given its files and its machine. [`World::together`] runs several on this thread, each
//! on a stack of its own: at each call of `Fs` the source chooses who goes next, and the others stand still. A process
//! that waits for the OS lock is not chosen until the lock is free or its patience is over; where everybody waits, time
//! jumps to the end of the shortest patience. [`World::alone`] runs one process on the caller's stack, with a fault at a
//! call that the caller names: the quick way through every kill and every cut.
//!
//! *Kill*: at the chosen call the process stands still for good, and no line of it runs, `Drop` code included, while the
//! others go on; once the run is over it is unwound, its calls being without effect, and its memory is given back.
//! *Power cut*: at the chosen call everybody ends so, the disk keeps what its model lets it keep, and the machine is
//! booted anew. *Time* stands still unless a scenario, a chosen stall or a chosen stop moves it. What else may go wrong
//! by choice, and how often at the most, stands in [`Options`].
//!
//! A search that leaves out the order of what commutes ([`Explorer::reduced`](super::choice::Explorer::reduced)) is told
//! what each step touches: calls, clocks and lives by this module, what is shared outside of the world by the scenario
//! ([`SimHost::outside`]).

mod chance;
mod door;
mod fault;
mod host;
mod inner;
mod options;
mod shared;
mod stack;
mod touch;
mod trace;

pub use chance::Counts;
pub use door::SimDoor;
pub use fault::{Fault, Plan};
pub use host::SimHost;
pub use options::{Cuts, Errors, Options};

pub use trace::{Note, Step, render};

pub(in crate::sim) use door::panic_text;

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::choice::{Source, Thing};
use super::disk::{Disk, ProcessId};
use super::door::FsOver;
use shared::Shared;
use stack::{Mapped, Pooled, Stack};

/// The files that a simulated process sees.
pub type SimFs = FsOver<SimDoor>;

/// The most processes that run together.
pub const TOGETHER_MAX: usize = 8;

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended<T> {
    /// By itself.
    Returned(T),
    /// It was killed.
    Killed,
    /// It panicked: a bug of what it ran.
    Panicked(String),
}

impl<T> Ended<T> {
    /// What it returned, if it did.
    pub fn returned(self) -> Option<T> {
        match self {
            Ended::Returned(value) => Some(value),
            Ended::Killed | Ended::Panicked(_) => None,
        }
    }

    fn of(result: Result<T, Box<dyn Any + Send>>) -> Self {
        match result {
            Ok(value) => Ended::Returned(value),
            Err(payload) if payload.is::<door::Killed>() => Ended::Killed,
            Err(payload) => Ended::Panicked(panic_text(payload.as_ref())),
        }
    }
}

/// A body of a process that runs together with others.
pub type Body<'a, T> = Box<dyn FnOnce(SimFs, SimHost) -> T + Send + 'a>;

/// A machine with a simulated disk.
#[derive(Debug, Clone)]
pub struct World {
    shared: Arc<Shared>,
}

impl World {
    /// A machine that was just booted, with this disk.
    #[must_use]
    pub fn new(disk: Disk, source: Source, options: Options) -> Self {
        World { shared: Arc::new(Shared::new(disk, source, options)) }
    }

    /// A machine without faults and without choices.
    #[must_use]
    pub fn calm(disk: Disk) -> Self {
        Self::new(disk, Source::first(), Options::default())
    }

    /// Runs one process on this thread, nobody else running; ends it.
    pub fn alone<T>(&self, plan: Plan, body: impl FnOnce(SimFs, SimHost) -> T) -> Ended<T> {
        let process = self.shared.lock().add(plan, false);
        let (fs, host) = self.seen_by(process);
        let result = catch_unwind(AssertUnwindSafe(|| body(fs, host)));
        self.shared.end(process);
        Ended::of(result)
    }

    /// Starts a process that the caller steps by hand; it runs until [`World::kill`].
    #[must_use]
    pub fn process(&self) -> (ProcessId, SimFs, SimHost) {
        let process = self.shared.lock().add(Plan::NONE, false);
        let (fs, host) = self.seen_by(process);
        (process, fs, host)
    }

    /// Runs the bodies as processes that take turns, until all have ended.
    ///
    /// # Panics
    /// With more than [`TOGETHER_MAX`] bodies.
    pub fn together<T: Send>(&self, bodies: Vec<Body<'_, T>>) -> Vec<Ended<T>> {
        let processes = self.processes(bodies.len());
        let mut ended: Vec<Ended<T>> = bodies.iter().map(|_| Ended::Killed).collect();
        let mut stacks = Vec::with_capacity(bodies.len());
        for ((body, ended), process) in bodies.into_iter().zip(&mut ended).zip(processes.clone()) {
            let run = self.process_of(process, body);
            stacks.push(Mapped::new(move || *ended = run()));
        }
        self.take_turns(processes, stacks);
        ended
    }

    /// [`World::together`] for bodies that own all they use: they run on stacks that were used before, which is quicker
    /// where runs are short.
    ///
    /// # Panics
    /// With more than [`TOGETHER_MAX`] bodies.
    pub fn together_owned<T: Send + 'static>(&self, bodies: Vec<Body<'static, T>>) -> Vec<Ended<T>> {
        let processes = self.processes(bodies.len());
        let ended: Arc<Mutex<Vec<Ended<T>>>> =
            Arc::new(Mutex::new(bodies.iter().map(|_| Ended::Killed).collect()));
        let mut stacks = Vec::with_capacity(bodies.len());
        for (at, (body, process)) in bodies.into_iter().zip(processes.clone()).enumerate() {
            let (ended, run) = (Arc::clone(&ended), self.process_of(process, body));
            stacks.push(Pooled::new(move || {
                let result = run();
                ended.lock().unwrap_or_else(PoisonError::into_inner)[at] = result;
            }));
        }
        self.take_turns(processes, stacks);
        std::mem::take(&mut *ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn processes(&self, count: usize) -> Range<ProcessId> {
        assert!(count <= TOGETHER_MAX, "{count} processes; the most is {TOGETHER_MAX}");
        let first = self.shared.lock().processes.len();
        (0..count).for_each(|_| _ = self.shared.lock().add(Plan::NONE, true));
        first..first + count
    }

    fn process_of<'a, T>(
        &self,
        process: ProcessId,
        body: Body<'a, T>,
    ) -> impl FnOnce() -> Ended<T> + Send + use<'a, T> {
        let ((fs, host), shared) = (self.seen_by(process), Arc::clone(&self.shared));
        move || {
            let result = catch_unwind(AssertUnwindSafe(|| body(fs, host)));
            shared.end(process);
            Ended::of(result)
        }
    }

    fn take_turns(&self, processes: Range<ProcessId>, mut stacks: Vec<impl Stack>) {
        let first = processes.start;
        self.shared.begin_turns(processes);
        while let Some(process) = self.shared.whose_turn() {
            stacks[process - first].go_on();
        }
        self.shared.end_turns();
        // Whoever was killed on its way is unwound now.
        stacks.into_iter().for_each(Stack::finish);
    }

    fn seen_by(&self, process: ProcessId) -> (SimFs, SimHost) {
        let door = SimDoor::new(Arc::clone(&self.shared), process);
        (FsOver::new(door), SimHost::new(Arc::clone(&self.shared), process))
    }

    /// Ends a process as SIGKILL does.
    pub fn kill(&self, process: ProcessId) {
        self.shared.end(process);
    }

    /// Ends every process, writes back what is in memory, and boots the machine anew: what was written stays from here
    /// on, whatever happens. This is no power loss.
    pub fn reboot(&self) {
        let mut inner = self.shared.lock();
        inner.reboot();
        inner.disk.write_back();
    }

    /// The power goes and comes back: every process ends, the disk keeps of what was written what its model lets it
    /// keep, as the source chooses, and the machine is booted anew.
    pub fn power_cut(&self) {
        self.shared.lock().power_cut();
    }

    /// Lets time pass.
    pub fn advance(&self, ms: u64) {
        self.shared.lock().pass(ms);
    }

    /// Sets the wall clock forth or back; the monotonic clock does not see it.
    pub fn set_wall_clock(&self, by_ms: i64) {
        self.shared.lock().step_wall(by_ms);
    }

    /// Looks at the disk, or changes it as a foreign program would.
    pub fn disk<R>(&self, look: impl FnOnce(&mut Disk) -> R) -> R {
        let mut inner = self.shared.lock();
        inner.source.touch(Thing::All, true);
        look(&mut inner.disk)
    }

    /// Asks the source of choice on behalf of a scenario.
    pub fn choose(&self, label: &'static str, of: usize) -> usize {
        self.shared.lock().source.choose(label, of)
    }

    /// The source with all that was asked of it so far.
    #[must_use]
    pub fn source(&self) -> Source {
        self.shared.lock().source.clone()
    }

    /// The calls so far; none where the source is quiet.
    #[must_use]
    pub fn trace(&self) -> Vec<Step> {
        self.shared.lock().trace.clone()
    }

    /// The source and the calls; the world is not used any more.
    #[must_use]
    pub fn finish(&self) -> (Source, Vec<Step>) {
        let mut inner = self.shared.lock();
        (std::mem::replace(&mut inner.source, Source::first()), std::mem::take(&mut inner.trace))
    }

    /// How many calls there were so far, waits and what happened between them counted too.
    #[must_use]
    pub fn calls(&self) -> usize {
        usize::try_from(self.shared.lock().noted).unwrap_or(usize::MAX)
    }

    /// Whether processes were found waiting for each other without end; they were then killed.
    #[must_use]
    pub fn deadlocked(&self) -> bool {
        self.shared.lock().deadlocked
    }

    /// How many times a process that could have gone on had to wait.
    #[must_use]
    pub fn preemptions(&self) -> u32 {
        self.shared.lock().preemptions
    }

    /// How many processes were killed by choice.
    #[must_use]
    pub fn kills(&self) -> u32 {
        self.shared.lock().counts.kills
    }

    /// How many faults of each kind there were by choice.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }
}
