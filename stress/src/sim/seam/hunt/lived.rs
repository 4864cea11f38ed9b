//! A process has the journal open while somebody else changes what it looked at, and then goes on.

use std::path::Path;

use fencehold::fs::{File as _, Fs as _, How};
use fencehold::journal::{FileJournal, Journal as _, Options as Durable};
use rustix::io::Errno;

use super::pairs::{alone, look, own};
use super::seen::PAGE_BYTES;
use super::things;
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Fault, Options, Plan, SimFs, SimHost, World};

type Lives = Client<SimFs, SimHost>;
type Judged = Result<(), String>;

/// The scenario.
pub(super) struct Lived {
    name: &'static str,
    disk: Disk,
    judge: fn(&World) -> Judged,
}

impl Lived {
    /// All of them, in a fixed order.
    pub(super) fn all() -> Vec<Self> {
        let used = || workspace::disk(|_, _| {});
        let at_the_floor = || things::next_at_the_floor().persistent(Persistence::Posix, PAGE_BYTES);
        let power = || used().persistent(Persistence::Posix, PAGE_BYTES);
        vec![
            Lived { name: "something goes missing", disk: used(), judge: missing },
            Lived { name: "the folder becomes a copy", disk: used(), judge: copied },
            Lived { name: "a sync of another one fails", disk: used(), judge: condemned },
            Lived { name: "a rotator is killed", disk: things::nearly_due(), judge: rotated },
            Lived { name: "who raised the floor is killed", disk: at_the_floor(), judge: raised },
            Lived { name: "what it looks at is lost", disk: power(), judge: lost },
        ]
    }
}

impl Scenario for Lived {
    fn name(&self) -> String {
        format!("while one lives/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::default());
        let violation = (self.judge)(&world).err();
        Ran::of(&world, violation)
    }
}

fn said(error: &fencehold::Error) -> String {
    format!("a process is told: {error}")
}

fn lives(world: &World) -> Lives {
    let (_, fs, host) = world.process();
    Client::new(fs, host, "lives")
}

/// A lock that nobody asked for before.
fn acquire(client: &Lives, name: &str) -> Result<u64, String> {
    let answer = client.acquire(name, name, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

/// It repairs what goes missing after a repair that found it there.
fn missing(world: &World) -> Judged {
    let client = lives(world);
    let repair = || client.ledger.journal().repair().map_err(|error| said(&error));
    acquire(&client, "before")?;
    repair()?;
    let name = ["lock", "floor.json", "quarantine"][world.choose("missing", 3)];
    let path = Path::new(DIR).join(name);
    let gone = world.disk(|disk| disk.unlink(&path).or_else(|_| disk.remove_dir(&path)));
    gone.map_err(|error| error.to_string())?;
    repair()?;
    let there = world.disk(|disk| disk.stat(&path)).map_err(|error| error.to_string())?;
    if there.is_none() {
        return Err(format!("{name} is missing after a repair"));
    }
    acquire(&client, "after").map(drop)
}

/// Another handle of the process finds that the folder is a copy.
fn copied(world: &World) -> Judged {
    let (_, fs, host) = world.process();
    let handle = || FileJournal::new(fs.clone(), host.clone(), Path::new(DIR), Durable::default());
    let workspace = |journal: FileJournal<SimFs, SimHost>| journal.workspace().map_err(|error| said(&error));
    let before = workspace(handle())?;
    let lock = Path::new(DIR).join("lock");
    let other = Path::new(DIR).join("lock.new");
    world.disk(|disk| {
        disk.put(&other, b"");
        disk.rename(&other, &lock).map_err(|error| error.to_string())
    })?;
    if workspace(handle())? == before {
        return Err("a copy goes on under the name of its original".to_owned());
    }
    Ok(())
}

/// Nothing is answered from a file of which a sync failed.
fn condemned(world: &World) -> Judged {
    let client = lives(world);
    acquire(&client, "before")?;

    let at = world.choose("call", CALLS_MAX);
    drop(world.alone(Plan::at(at as u64, Fault::Fail(Errno::IO)), |fs, host| own(&fs, &host)));
    for number in 0..3 {
        if acquire(&client, &format!("after-{number}")).is_err() {
            continue;
        }
        let marked = world.disk(|disk| {
            let mark = |n: u32| disk.stat(&Path::new(DIR).join(format!("journal.{n}.condemned")));
            let next = disk.stat(&Path::new(DIR).join("journal.2.ndjson"));
            mark(1).is_ok_and(|mark| mark.is_some()) && next.is_ok_and(|next| next.is_none())
        });
        return if marked { Err("an answer from a file that is condemned".to_owned()) } else { Ok(()) };
    }
    Err("nothing is answered any more".to_owned())
}

/// The most calls that the other process makes.
const CALLS_MAX: usize = 80;

/// It goes on in the file that a killed rotator began.
fn rotated(world: &World) -> Judged {
    let client = lives(world);
    acquire(&client, "before")?;
    let at = world.choose("call", CALLS_MAX);
    drop(world.alone(Plan::at(at as u64, Fault::Kill), |fs, host| own(&fs, &host)));
    let before = alone(world, look)?;
    let token = acquire(&client, "after")?;
    match alone(world, look)? {
        seen if seen == token && token > before => Ok(()),
        seen => Err(format!("revision {before}, then token {token}, and {seen} is read")),
    }
}

/// No revision is used that a floor which may be lost does not allow.
fn raised(world: &World) -> Judged {
    let client = lives(world);
    client.revision().map_err(|error| said(&error))?;
    let warm = client.renew("warm", "nobody's", 1, 1_000);
    warm.map_err(|error| said(&error))?;
    let at = world.choose("call", CALLS_MAX);
    drop(world.alone(Plan::at(at as u64, Fault::Kill), |fs, host| own(&fs, &host)));
    let token = acquire(&client, "after")?;
    world.power_cut();
    let seen = alone(world, look)?;
    if seen < token {
        return Err(format!("token {token}, and after the power failed {seen} is read"));
    }
    alone(world, own).map(drop)
}

/// Nothing is shown of which the kernel says, once, that it did not come to the platter.
fn lost(world: &World) -> Judged {
    let client = lives(world);
    client.revision().map_err(|error| said(&error))?;
    let at = world.choose("call", CALLS_MAX);
    drop(world.alone(Plan::at(at as u64, Fault::Kill), |fs, host| own(&fs, &host)));
    // A third one's sync meets the error; who had the file open is told as well, by his next sync.
    drop(world.alone(Plan::at(1, Fault::Fail(Errno::IO)), |fs, _| {
        let path = Path::new(DIR).join("journal.1.ndjson");
        fs.open(&path, How::Append).and_then(|file| file.sync())
    }));
    let seen = client.revision().map_err(|error| said(&error))?;
    world.power_cut();
    match alone(world, look)? {
        after if after >= seen => Ok(()),
        after => Err(format!("{seen} was seen, and after the power failed there is {after}")),
    }
}
