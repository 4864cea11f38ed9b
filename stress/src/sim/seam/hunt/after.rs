//! What one process leaves to the next: its OS lock, while it lives on or has forked a child that outlives it.

use std::path::Path;
use std::time::Duration;

use fencehold::fs::{File as _, Fs as _, How, LockMode};

use super::pairs::{alone, append, increment, look, own};
use super::things::{make, repair};
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::seam::deeds;
use crate::sim::torn::site;
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Body, Ended, Options, SimFs, SimHost, World};

type Told = Result<u64, String>;
type Act = fn(&SimFs, &SimHost) -> Told;

/// A process that makes no call.
const CHILD: usize = 1_000;

/// What is locked, what locks it, and what the next one does.
type Locked = (&'static str, fn() -> Disk, Act, Act);

const LOCKED: [Locked; 6] = [
    ("document", files, increment, increment),
    ("log", files, append, append),
    ("damaged log", damaged_log, look_at_log, append),
    ("journal", || workspace::disk(|_, _| {}), own, own),
    ("workspace creation", workspace::empty, make, own),
    ("look at a damaged line", deeds::broken, look_at_damage, repair),
];

/// What it is told counts for nothing here, only what it leaves.
fn look_at_damage(fs: &SimFs, host: &SimHost) -> Told {
    Ok(look(fs, host).unwrap_or(0))
}

pub(super) fn files() -> Disk {
    site::disk(|fs, _| {
        site::foreign(fs, site::LOG, b"{\"id\":\"a\"}\n");
        site::foreign(fs, "state.json", b"{\"n\":0}\n");
    })
}

fn damaged_log() -> Disk {
    site::disk(|fs, host| {
        site::foreign(fs, site::LOG, b"no record\n");
        append(fs, host).expect("a healthy disk");
    })
}

/// What it finds counts for nothing here, only what it leaves.
fn look_at_log(fs: &SimFs, _: &SimHost) -> Told {
    let checked = site::log(fs).and_then(|log| log.check());
    checked.map(|_| 0).map_err(|error| format!("a reader is told: {error}"))
}

/// A process forks at any of its calls, the child has its descriptions for ever, and the next process wants the same.
pub(super) struct Forked {
    name: &'static str,
    disk: Disk,
    act: Act,
    next: Act,
}

impl Forked {
    pub(super) fn all() -> Vec<Self> {
        let forked = |(name, disk, act, next): Locked| Forked { name, disk: disk(), act, next };
        LOCKED.into_iter().map(forked).collect()
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
            Ended::Returned(Ok(_)) => alone(&world, self.next).err(),
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

/// A process has the journal open while something happens to its files, and then commits.
pub(super) struct Replaced {
    name: &'static str,
    disk: Disk,
    what: What,
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Another one rotates the journal.
    Rotated,
    /// The lock is another file, and somebody holds that one's OS lock.
    Relocked,
}

impl Replaced {
    pub(super) fn all() -> Vec<Self> {
        vec![
            Replaced { name: "a rotation", disk: workspace::disk(workspace::fill), what: What::Rotated },
            Replaced { name: "another lock", disk: workspace::disk(|_, _| {}), what: What::Relocked },
        ]
    }

    fn judge(&self, world: &World) -> Result<(), String> {
        let (_, fs, host) = world.process();
        let client = Client::new(fs, host, "lives");
        let said = |error: fencehold::Error| format!("a process is told: {error}");
        match self.what {
            What::Rotated => {
                client.revision().map_err(said)?;
                let before = alone(world, own)?;
                let answer = client.acquire("lives", "lives", 60_000);
                let after = granted(&answer).ok_or_else(|| format!("{answer:?} to who waited"))?;
                let seen = alone(world, look)?;
                if before < after && after == seen {
                    return Ok(());
                }
                Err(format!("token {before} by who rotated, then {after}, and {seen} is read"))
            }
            What::Relocked => {
                let first = client.acquire("lives", "lives", 60_000);
                granted(&first).ok_or_else(|| format!("{first:?} on a healthy disk"))?;
                let (_, fs, _) = world.process();
                let path = Path::new(DIR).join("lock");
                let another = || {
                    fs.unlink(&path)?;
                    let lock = fs.open(&path, How::CreateNew { mode: 0o600 })?;
                    let held = lock.lock(LockMode::Exclusive, Duration::ZERO);
                    Ok::<_, std::io::Error>((lock, held.is_ok()))
                };
                let (lock, held) = another().map_err(|error| error.to_string())?;
                let second = client.acquire("again", "other", 60_000);
                drop(lock);
                match second {
                    Ok(_) if held => {
                        Err("a commit was answered while somebody else held the lock".to_owned())
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl Scenario for Replaced {
    fn name(&self) -> String {
        format!("while one lives/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::default());
        let violation = self.judge(&world).err();
        Ran::of(&world, violation)
    }
}
