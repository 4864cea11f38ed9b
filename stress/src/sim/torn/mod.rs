//! Torn operations: one operation of the shipped code, killed before each of its calls, each of its writes cut at every
//! byte, each of its calls failed; then a new process opens what is left, and judges.
//!
//! What must hold, whatever was cut: what was answered is there; what was not is there whole or not at all; an error
//! that calls itself definite changed nothing that counts; whoever comes next can go on; and recovering twice is
//! recovering once.

mod compact;
mod document;
mod import;
mod journal;
mod log;
mod machines;
mod overrides;
mod prose;
pub(super) mod site;

use std::path::PathBuf;

pub use compact::all as compactions;
pub use document::all as documents;
pub use import::all as imports;
pub use journal::{creations, locks, rotations};
pub use log::all as logs;
pub use machines::{leases, tasks};
pub use overrides::all as overrides;
pub use prose::all as accepts;

use fencehold::fs::{File as _, Fs as _, How};
use rustix::io::Errno;

use super::choice::{Explored, Source};
use super::disk::{Disk, Persistence};
use super::scenario::{Counterexample, Ran, Scenario, exhaust};
use super::world::{Cuts, Ended, Fault, Options, Plan, SimFs, SimHost, Step, World};

/// What the caller of the operation knows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It was told that it is done.
    Done,
    /// It was told that nothing happened.
    Not,
    /// It was told that nobody knows, or was killed before it was told anything.
    Unknown,
}

impl Answered {
    fn of<T>(result: &fencehold::Result<T>) -> Self {
        match result {
            Ok(_) => Answered::Done,
            Err(error) if error.happened() == fencehold::Happened::No => Answered::Not,
            Err(_) => Answered::Unknown,
        }
    }

    /// Whether an effect that is there, or is not, agrees with it.
    fn allows(self, there: bool) -> bool {
        match self {
            Answered::Done => there,
            Answered::Not => !there,
            Answered::Unknown => true,
        }
    }
}

/// What goes wrong at a call.
const KILL: usize = 0;
const EIO: usize = 1;
const SHORT: usize = 2;

type Act = Box<dyn Fn(&SimFs, &SimHost) -> Answered + Send + Sync>;
type Judge = Box<dyn Fn(&World, Answered) -> Result<(), String> + Send + Sync>;

/// One operation, what it is done to, and who judges.
pub struct Torn {
    name: &'static str,
    disk: Disk,
    act: Act,
    judge: Judge,
    /// Whether the machine was booted anew before the operation.
    rebooted: bool,
    cuts: Cuts,
    /// The calls of the operation when nothing goes wrong.
    calls: Vec<Step>,
}

impl std::fmt::Debug for Torn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Torn")
            .field("name", &self.name)
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

impl Torn {
    fn new(
        name: &'static str,
        disk: Disk,
        act: impl Fn(&SimFs, &SimHost) -> Answered + Send + Sync + 'static,
        judge: impl Fn(&World, Answered) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let torn = Torn {
            name,
            disk,
            act: Box::new(act),
            judge: Box::new(judge),
            rebooted: false,
            cuts: Cuts::EveryByte,
            calls: Vec::new(),
        };
        torn.measured()
    }

    fn after_a_reboot(mut self) -> Self {
        self.rebooted = true;
        self.measured()
    }

    /// Runs it with nothing going wrong, to know its calls.
    fn measured(mut self) -> Self {
        let world = self.world(Source::first());
        let answered = world.alone(Plan::NONE, |fs, host| (self.act)(&fs, &host));
        assert_eq!(
            answered,
            Ended::Returned(Answered::Done),
            "{}: it fails though nothing goes wrong",
            self.name
        );
        self.calls = world.trace();
        self
    }

    fn world(&self, source: Source) -> World {
        let world = World::new(self.disk.clone(), source, Options::default());
        if self.rebooted {
            world.reboot();
        }
        world
    }

    /// Which fault at which call.
    fn plan(&self, source: &mut Source) -> Plan {
        // The call after the last: the process is killed once it has its answer, before it can tell.
        let call = source.choose("call", self.calls.len() + 1);
        let Some(step) = self.calls.get(call) else { return Plan::NONE };
        let kinds = if step.bytes > 1 { 3 } else { 2 };
        let fault = match source.choose("fault", kinds) {
            KILL => match self.cut(source, step.bytes) {
                0 => Fault::Kill,
                bytes => Fault::Cut(bytes),
            },
            EIO => Fault::Fail(Errno::IO),
            SHORT => Fault::Short([1, step.bytes / 2, step.bytes - 1][source.choose("short", 3)]),
            other => unreachable!("fault {other} of {kinds}"),
        };
        Plan::at(call as u64, fault)
    }

    fn cut(&self, source: &mut Source, bytes: usize) -> usize {
        match self.cuts {
            Cuts::EveryByte => source.choose("cut", bytes + 1),
            Cuts::Few if bytes == 0 => 0,
            Cuts::Few => [0, 1, bytes / 2, bytes - 1, bytes][source.choose("cut", 5)],
        }
    }

    /// The same with few cuts: for what another operation has been through byte by byte already.
    #[must_use]
    pub(in crate::sim) fn with_few_cuts(mut self) -> Self {
        self.cuts = Cuts::Few;
        self
    }

    /// Every case there is.
    ///
    /// # Errors
    /// The first that is judged wrong.
    pub fn all(&self, progress: &mut dyn FnMut(u64)) -> Result<Explored, Box<Counterexample>> {
        exhaust(self, u64::MAX, progress)
    }

    /// Runs it until the power fails before one of its calls, on a disk of this model; the next boot is judged.
    #[must_use]
    pub fn cut_off(&self, mut source: Source, model: Persistence, page_bytes: usize) -> Ran {
        let call = source.choose("cut", self.calls.len() + 1);
        let plan = Plan::at(call as u64, Fault::Kill);
        let world = World::new(self.disk.clone().persistent(model, page_bytes), source, Options::default());
        let ended = world.alone(plan, |fs, host| (self.act)(&fs, &host));
        let left = world.disk(|disk| disk.clone()).power_cut(&mut |label, of| world.choose(label, of));
        world.disk(|disk| *disk = left);
        world.reboot();
        let violation = match ended {
            Ended::Returned(answered) => (self.judge)(&world, answered).err(),
            Ended::Killed => (self.judge)(&world, Answered::Unknown).err(),
            Ended::Panicked(text) => Some(format!("the operation panicked: {text}")),
        };
        Ran { source: world.source(), trace: world.trace(), violation }
    }

    /// How many calls the operation makes.
    #[must_use]
    pub fn calls(&self) -> &[Step] {
        &self.calls
    }
}

impl Scenario for Torn {
    fn name(&self) -> String {
        format!("torn/{}", self.name)
    }

    fn run(&self, mut source: Source) -> Ran {
        let plan = self.plan(&mut source);
        let world = self.world(source);
        let violation = match world.alone(plan, |fs, host| (self.act)(&fs, &host)) {
            Ended::Returned(answered) => (self.judge)(&world, answered).err(),
            Ended::Killed => (self.judge)(&world, Answered::Unknown).err(),
            Ended::Panicked(text) => Some(format!("the operation panicked: {text}")),
        };
        Ran { source: world.source(), trace: world.trace(), violation }
    }
}

/// Every operation on one thing, in a fixed order; [`overrides`] does several after each other.
#[must_use]
pub fn all() -> Vec<Torn> {
    [creations(), locks(), rotations(), leases(), tasks(), logs(), compactions(), imports(), documents()]
        .into_iter()
        .flatten()
        .collect()
}

/// An update that overwrites in place, which must be found: a harness that passes it is blind.
#[must_use]
pub fn canary() -> Torn {
    const FILE: &str = "/state";
    let mut disk = Disk::new();
    disk.put(FILE, b"one");
    let act = |fs: &SimFs, _: &SimHost| {
        let write = |fs: &SimFs| {
            let file = fs.open(FILE.as_ref(), How::Write)?;
            file.truncate(0)?;
            file.write_at(0, b"two")
        };
        if write(fs).is_ok_and(|count| count == 3) { Answered::Done } else { Answered::Unknown }
    };
    Torn::new("canary", disk, act, |world, _| {
        match world.disk(|disk| disk.contents(FILE).map(<[u8]>::to_vec)) {
            Some(bytes) if bytes == b"one" || bytes == b"two" => Ok(()),
            other => Err(format!("half an update is left: {other:?}")),
        }
    })
}

/// Runs `body` as a process that nothing happens to.
fn fresh<T>(world: &World, body: impl FnOnce(SimFs, SimHost) -> Result<T, String>) -> Result<T, String> {
    match world.alone(Plan::NONE, body) {
        Ended::Returned(result) => result,
        Ended::Killed => Err("a process that nobody killed is dead".to_owned()),
        Ended::Panicked(text) => Err(format!("the next process panicked: {text}")),
    }
}

/// Fails unless `what` leaves every file as it is.
fn changes_nothing(world: &World, what: impl FnOnce(&World) -> Result<(), String>) -> Result<(), String> {
    let snapshot = || -> Vec<(PathBuf, Vec<u8>)> {
        world.disk(|disk| disk.files().map(|(path, bytes)| (path, bytes.to_owned())).collect())
    };
    let before = snapshot();
    what(world)?;
    let after = snapshot();
    match before.iter().zip(&after).find(|(before, after)| before != after) {
        None if before.len() == after.len() => Ok(()),
        None => Err("doing it again added or removed files".to_owned()),
        Some(((path, _), _)) => Err(format!("doing it again changed {}", path.display())),
    }
}

fn said(error: &fencehold::Error) -> String {
    format!("the next process is told: {error}")
}
