//! A write that came to nothing, and what is left of it.

use std::path::Path;

use fencehold::Error;
use fencehold::error::Happened;
use rustix::io::Errno;

use super::pairs::alone;
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Ended, Fault, Options, Plan, SimFs, SimHost, World};

/// A process writes all of its line but the newline, and takes it back; the next one writes a line of the same length,
/// and the power may fail before that is synced. Before both, one was killed before it synced its line.
pub(super) struct Undone {
    disk: Disk,
    /// Which call writes, and how much.
    append: u64,
    bytes: usize,
    calls: u64,
}

impl Undone {
    pub(super) fn new() -> Self {
        let disk = workspace::disk(|fs, host| drop(lock(fs, host, "start")));
        let disk = left_by_the_dead(&disk, usize::MAX);
        let world = World::calm(disk);
        let first = world.alone(Plan::NONE, |fs, host| lock(&fs, &host, "first"));
        assert!(matches!(first, Ended::Returned(Ok(_))), "{first:?} on a healthy disk");
        let trace = world.trace();
        let append = trace.iter().position(|step| step.call == "append").expect("a line is written");
        // The newline begins a page: what becomes of it is chosen apart from the rest of the line.
        let page_bytes = contents(&world).len() - 1;
        let disk = workspace::disk(|fs, host| drop(lock(fs, host, "start")));
        let disk = left_by_the_dead(&disk, page_bytes);
        Undone { disk, append: append as u64, bytes: trace[append].bytes - 1, calls: trace.len() as u64 }
    }

    fn judge(&self, world: &World) -> Result<(), String> {
        let before = contents(world);
        let mut plan = Plan::at(self.append, Fault::Short(self.bytes));
        // What is cut off is synced, some calls later; or that fails.
        let fails = world.choose("fails", 4) as u64;
        if fails > 0 {
            plan = plan.and(self.append + fails, Fault::Fail(Errno::IO));
        }
        let first = world.alone(plan, |fs, host| lock(&fs, &host, "first"));
        let Ended::Returned(Err(error)) = first else {
            return Err(format!("{first:?} of a write that was cut short"));
        };
        let happened_not = error.happened() == Happened::No;
        if happened_not && contents(world) != before {
            return Err(format!("nothing happened, it is said, and the journal has changed: {error}"));
        }
        if fails > 0 && world.choose("evicted", 2) == 1 {
            world.disk(Disk::evict);
        }
        let cut = world.choose("power", (self.calls - self.append) as usize) as u64;
        let plan = if cut > 0 { Plan::at(self.append + cut, Fault::PowerCut) } else { Plan::NONE };
        match world.alone(plan, |fs, host| lock(&fs, &host, "other")) {
            Ended::Returned(Err(error)) => return Err(format!("a process is told: {error}")),
            Ended::Panicked(text) => return Err(format!("a process panicked: {text}")),
            Ended::Returned(Ok(_)) => world.power_cut(),
            Ended::Killed => {}
        }
        if happened_not && is_there(world, "first")? {
            return Err(format!("what did not happen is there after the power failed: {error}"));
        }
        Ok(())
    }
}

impl Scenario for Undone {
    fn name(&self) -> String {
        "a write that came to nothing".to_owned()
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::default());
        let violation = self.judge(&world).err();
        Ran::of(&world, violation)
    }
}

fn contents(world: &World) -> Vec<u8> {
    let journal = Path::new(DIR).join("journal.1.ndjson");
    world.disk(|disk| disk.contents(&journal).map(<[u8]>::to_vec)).expect("the journal of a workspace")
}

fn left_by_the_dead(disk: &Disk, page_bytes: usize) -> Disk {
    let world = World::calm(disk.clone());
    drop(world.alone(Plan::NONE, |fs, host| lock(&fs, &host, "ahead")));
    let sync = world.trace().iter().rposition(|step| step.call == "sync").expect("whoever writes syncs");
    let world = World::calm(disk.clone().persistent(Persistence::Posix, page_bytes));
    drop(world.alone(Plan::at(sync as u64, Fault::Kill), |fs, host| lock(&fs, &host, "ahead")));
    world.disk(|disk| disk.clone())
}

fn lock(fs: &SimFs, host: &SimHost, name: &str) -> Result<u64, Error> {
    let answer = Client::new(fs.clone(), host.clone(), "user").acquire(name, name, 60_000);
    let token = granted(&answer);
    answer.map(|_| token.expect("a free lock is granted"))
}

/// Whether the event of that operation is there.
fn is_there(world: &World, op: &'static str) -> Result<bool, String> {
    let there = |fs: &SimFs, host: &SimHost| {
        let client = Client::new(fs.clone(), host.clone(), "reader");
        let (entries, _) = client.history().map_err(|error| format!("a process is told: {error}"))?;
        Ok(u64::from(entries.iter().any(|entry| entry.op.as_str() == op)))
    };
    alone(world, there).map(|there| there > 0)
}
