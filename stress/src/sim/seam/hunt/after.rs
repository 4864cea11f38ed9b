//! What one process leaves to the next: its OS lock, while it lives on or has forked a child that outlives it; and what
//! was seen of it before the power failed.

use std::path::Path;

use fencehold::fs::Fs as _;

use super::pairs::{alone, append, increment, look, number, own, records};
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::seam::deeds;
use crate::sim::torn::site;
use crate::sim::workspace::{self, Client};
use crate::sim::world::{Body, Ended, Fault, Options, Plan, SimFs, SimHost, World};

type Told = Result<u64, String>;
type Act = fn(&SimFs, &SimHost) -> Told;

/// The pages of a disk whose power fails.
const PAGE_BYTES: usize = 128;
/// A process that makes no call.
const CHILD: usize = 1_000;

/// A document, a log and a journal, each with what changes it and what looks at it.
const THINGS: [(&str, fn() -> Disk, Act, Act); 3] = [
    ("document", files, increment, number),
    ("log", files, append, records),
    ("journal", || workspace::disk(|_, _| {}), own, look),
];

fn files() -> Disk {
    site::disk(|fs, _| {
        site::foreign(fs, site::LOG, b"{\"id\":\"a\"}\n");
        site::foreign(fs, "state.json", b"{\"n\":0}\n");
    })
}

/// A process forks at any of its calls, the child has its descriptions for ever, and the next process wants the same.
pub(super) struct Forked {
    name: &'static str,
    disk: Disk,
    act: Act,
}

impl Forked {
    pub(super) fn all() -> Vec<Self> {
        THINGS.into_iter().map(|(name, disk, act, _)| Forked { name, disk: disk(), act }).collect()
    }
}

impl Scenario for Forked {
    fn name(&self) -> String {
        format!("after a fork/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::bounded(1, 0));
        let (act, forks) = (self.act, world.clone());
        let acts: Body<'static, Told> = Box::new(move |fs, host| act(&fs, &host));
        let forker: Body<'static, Told> = Box::new(move |fs, host| {
            // Its turn comes before any call of the other one.
            let _ = fs.stat(Path::new("/"));
            forks.disk(|disk| disk.fork_inherits(host.number() - 1, CHILD));
            Ok(0)
        });
        let ended = world.together_owned(vec![acts, forker]);
        let violation = match &ended[0] {
            Ended::Returned(Ok(_)) => alone(&world, act).err(),
            other => Some(format!("{other:?} of a process that nobody disturbs")),
        };
        Ran::of(&world, violation)
    }
}

/// A process does something and lives on, and the next one wants the same.
pub(super) struct Kept {
    name: &'static str,
    disk: Disk,
    looks: bool,
}

impl Kept {
    pub(super) fn all() -> Vec<Self> {
        let disk = || workspace::disk(|_, _| {});
        vec![
            Kept { name: "a commit", disk: disk(), looks: false },
            Kept { name: "a look", disk: disk(), looks: true },
            Kept { name: "a look at a damaged line", disk: deeds::broken(), looks: true },
        ]
    }
}

impl Scenario for Kept {
    fn name(&self) -> String {
        format!("while one lives/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::default());
        let (_, fs, host) = world.process();
        let client = Client::new(fs, host, "lives");
        if self.looks {
            // What it is told counts for nothing here, only what it leaves.
            let _ = client.revision();
        } else {
            let _ = client.acquire("lives", "lives", 1_000);
        }
        let violation = alone(&world, |fs, host| {
            let repaired = Client::new(fs.clone(), host.clone(), "next").ledger.journal().repair();
            repaired.map(|_| 0).map_err(|error| format!("the next process is told: {error}"))
        });
        drop(client);
        Ran::of(&world, violation.err())
    }
}

/// A process is killed at any of its calls, the next one looks, and then the power fails: what was seen is there.
pub(super) struct Seen {
    name: &'static str,
    disk: Disk,
    act: Act,
    look: Act,
    calls: usize,
}

impl Seen {
    pub(super) fn all() -> Vec<Self> {
        let seen = |(name, disk, act, look): (&'static str, fn() -> Disk, Act, Act)| {
            let disk = disk();
            let world = World::calm(disk.clone());
            assert!(alone(&world, act).is_ok(), "{name} on a healthy disk");
            let disk = disk.persistent(Persistence::Posix, PAGE_BYTES);
            Seen { name, disk, act, look, calls: world.calls() }
        };
        THINGS.into_iter().map(seen).collect()
    }
}

impl Scenario for Seen {
    fn name(&self) -> String {
        format!("seen before the power failed/{}", self.name)
    }

    fn run(&self, mut source: Source) -> Ran {
        let call = source.choose("call", self.calls + 1);
        let by_change = source.choose("by", 2) == 1;
        let plan = if call < self.calls { Plan::at(call as u64, Fault::Kill) } else { Plan::NONE };
        let world = World::new(self.disk.clone(), source, Options::default());
        let act = self.act;
        drop(world.alone(plan, |fs, host| act(&fs, &host)));
        let change = if by_change { alone(&world, act).map(drop) } else { Ok(()) };
        let before = change.and_then(|()| alone(&world, self.look));
        world.power_cut();
        let violation = before.and_then(|before| match alone(&world, self.look)? {
            after if after < before => {
                Err(format!("{before} was seen, and {after} is there after the power failed"))
            }
            _ => Ok(()),
        });
        Ran::of(&world, violation.err())
    }
}
