//! A document and a log as small programs keep them: with a defect that programs in the field have, and without.
//!
//! Writers increment the number in the document and append records, a reader looks at both. Before, the document may be
//! damaged, or stand behind a symlink, with a mode of its own; the log may end in half a line. The mutants live in a world
//! where little else goes wrong; the control stands kills, errors, stalls and writes that are seen half done.

mod client;
mod defect;
mod document;
mod judge;
mod log;
mod starts;
mod told;

pub use defect::Defect;

use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Counts, Errors, Options, Plan, SimFs, SimHost, World};
use client::{Client, Trouble};
use starts::{OLD, Start};
use told::{Heard, Told, What};

/// How many processes write.
const WRITERS: usize = 2;
/// How often each does what it does.
const ROUNDS: usize = 2;

/// A document as it is written.
fn text(number: u64) -> String {
    format!("n {number} whole\n")
}

/// The scenario.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    defect: Defect,
    writers: usize,
}

/// What happened in one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reached {
    /// The faults by choice.
    pub counts: Counts,
    /// Operations that were answered as done.
    pub done: usize,
    /// Operations that did not get their lock in time.
    pub busy: usize,
    /// Operations that were told of a damaged document.
    pub damaged: usize,
    /// Operations that were told of a call that failed.
    pub failed: usize,
    /// Whether a symlink stood before the document.
    pub linked: bool,
    /// Whether the log ended in half a line.
    pub torn: bool,
}

impl Store {
    /// A store with this defect.
    #[must_use]
    pub fn new(defect: Defect) -> Self {
        Store { defect, writers: WRITERS }
    }

    /// The same with one process that writes.
    #[must_use]
    pub fn alone(defect: Defect) -> Self {
        Store { writers: 1, ..Self::new(defect) }
    }

    fn options(self) -> Options {
        let calm = Options { preempt_one_in: 3, stall_ms: 5_000, ..Options::default() };
        match self.defect {
            Defect::None => Options {
                kills_max: 1,
                stalls_max: 1,
                errors_max: 2,
                errors: Errors::ALL,
                split_writes: true,
                ..calm
            },
            Defect::TmpLeak => Options { kills_max: 1, ..calm },
            Defect::UnlockedFallback => Options { stalls_max: 1, ..calm },
            Defect::SwallowWriteError => {
                Options { errors_max: 1, errors: Errors { write: true, full: true, ..Errors::NONE }, ..calm }
            }
            Defect::IoErrorIsCorrupt => {
                Options { errors_max: 1, errors: Errors { files: true, ..Errors::NONE }, ..calm }
            }
            Defect::TailThrows | Defect::TailReturned => Options { split_writes: true, ..calm },
            _ => calm,
        }
    }

    /// One run, and what happened in it.
    #[must_use]
    pub fn watched(self, source: Source) -> (Ran, Reached) {
        let world = World::new(Disk::new(), source, self.options());
        let start = Start::chosen(&world);
        world.disk(|disk| start.put(disk));
        let told = Told::default();
        let mut bodies: Vec<Body<'static, ()>> = Vec::new();
        for _ in 0..self.writers {
            let told = told.clone();
            bodies.push(Box::new(move |fs, host| self.write(fs, &host, &told)));
        }
        let heard = told.clone();
        bodies.push(Box::new(move |fs, host| self.watch(fs, &host, start, &heard)));
        let ended = world.together_owned(bodies);
        let counts = world.counts();
        // Who comes next sweeps, and may be the first to meet the damage.
        let _ = world.alone(Plan::NONE, |fs, host| self.write(fs, &host, &told));
        let told = told.lock();
        let violation = judge::judge(&world, start, &ended, &told).err();
        (Ran::of(&world, violation), reached(&told, start, counts))
    }

    fn write(self, fs: SimFs, host: &SimHost, told: &Told) {
        let client = Client::new(fs, host.number(), self.defect);
        for round in 0..ROUNDS {
            let text = format!("{}-{round}", host.number());
            told.about(What::Increment, || client.increment());
            told.about(What::Append(text.clone()), || client.append(&text));
        }
    }

    fn watch(self, fs: SimFs, host: &SimHost, start: Start, told: &Told) {
        let client = Client::new(fs, host.number(), self.defect);
        for _ in 0..ROUNDS {
            let (increments, texts) = told.done();
            if let Some(seen) = told.about(What::Read, || match client.read()? {
                document::Seen::Damaged => Err(Trouble::Damaged),
                seen => Ok(seen),
            }) {
                told.was_read(seen, start.number(), increments);
            }
            if let Some(records) = told.about(What::Read, || client.records()) {
                told.were_read(&records, OLD, &texts);
            }
        }
    }
}

fn reached(told: &[Heard], start: Start, counts: Counts) -> Reached {
    let mut reached = Reached { counts, linked: start.linked, torn: start.torn, ..Reached::default() };
    for heard in told {
        match heard {
            Heard::Done(_) => reached.done += 1,
            Heard::Failed(_, Trouble::Busy) => reached.busy += 1,
            Heard::Failed(_, Trouble::Damaged) => reached.damaged += 1,
            Heard::Failed(_, Trouble::Io(_) | Trouble::Half(_)) => reached.failed += 1,
            _ => {}
        }
    }
    reached
}

impl Scenario for Store {
    fn name(&self) -> String {
        let alone = if self.writers == 1 { ", one writer" } else { "" };
        format!("mutant/{}{alone}", self.defect.name())
    }

    fn run(&self, source: Source) -> Ran {
        self.watched(source).0
    }
}
