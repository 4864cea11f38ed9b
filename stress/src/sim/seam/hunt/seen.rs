//! What was seen is there after the power failed, whoever had made it and however far that one had come.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fencehold::fs::read_file;

use super::after::files;
use super::pairs::{alone, append, increment, look, number, own, records};
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::seam::deeds;
use crate::sim::workspace::{self, Client, granted};
use crate::sim::world::{Body, Fault, Options, Plan, SimFs, SimHost, World};

type Told = Result<u64, String>;
type Act = fn(&SimFs, &SimHost) -> Told;

/// The pages of a disk whose power fails.
const PAGE_BYTES: usize = 128;

/// Something that one process changes and the next one looks at: the more of it, the higher the number.
struct Thing {
    name: &'static str,
    disk: fn() -> Disk,
    act: Act,
    look: Act,
    /// Whether only who made it, and was told that it is done, may rely on it.
    when_done: bool,
}

const THINGS: [Thing; 7] = [
    Thing { name: "document", disk: files, act: increment, look: number, when_done: false },
    Thing { name: "log", disk: files, act: append, look: records, when_done: false },
    Thing { name: "journal", disk: || workspace::disk(|_, _| {}), act: own, look, when_done: false },
    Thing {
        name: "journal at its floor",
        disk: next_at_the_floor,
        act: own,
        look: another,
        when_done: false,
    },
    Thing {
        name: "ended leases",
        disk: deeds::with_an_ended_lease,
        act: forget,
        look: ended,
        when_done: false,
    },
    Thing { name: "missing lock", disk: || deeds::without("lock"), act: repair, look: own, when_done: true },
    Thing { name: "settings of git", disk: deeds::git_checkout, act: git, look: settings, when_done: true },
];

/// How far the one had come that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// It stands still between any two calls.
    Stands,
    /// It was killed before any call.
    Killed,
}

/// The scenario.
pub(super) struct Seen {
    thing: Thing,
    disk: Disk,
    maker: Maker,
    calls: usize,
}

impl Seen {
    pub(super) fn all(maker: Maker) -> Vec<Self> {
        let seen = |thing: Thing| {
            let disk = (thing.disk)();
            let world = World::calm(disk.clone());
            assert!(alone(&world, thing.act).is_ok(), "{} on a healthy disk", thing.name);
            let disk = disk.persistent(Persistence::Posix, PAGE_BYTES);
            Seen { thing, disk, maker, calls: world.calls() }
        };
        let relied_on = |thing: &Thing| maker == Maker::Killed || !thing.when_done;
        THINGS.into_iter().filter(relied_on).map(seen).collect()
    }

    /// The one is killed, the next looks: what it saw, and the world then.
    fn killed(&self, mut source: Source) -> (World, Told) {
        // What a killed one left of these is not asked: the next one finds it there, and owes no sync.
        let kills = if self.thing.when_done { 0 } else { self.calls };
        let call = self.calls - source.choose("call", kills + 1);
        let plan = if call < self.calls { Plan::at(call as u64, Fault::Kill) } else { Plan::NONE };
        let world = World::new(self.disk.clone(), source, Options::default());
        let Thing { act, look, .. } = self.thing;
        drop(world.alone(plan, |fs, host| act(&fs, &host)));
        let again = !self.thing.when_done && world.choose("by", 2) == 1;
        let saw = alone(&world, if again { act } else { look });
        (world, saw)
    }

    /// The next one looks between two calls of the one.
    fn stands(&self, source: Source) -> (World, Told) {
        let options = Options { preempt_one_in: 4, ..Options::bounded(1, 0) };
        let world = World::new(self.disk.clone(), source, options);
        let Thing { act, look, .. } = self.thing;
        let kept: Arc<Mutex<Option<(Disk, Told)>>> = Arc::new(Mutex::new(None));
        let (shelf, whole) = (Arc::clone(&kept), world.clone());
        let makes: Body<'static, ()> = Box::new(move |fs, host| drop(act(&fs, &host)));
        let looks: Body<'static, ()> = Box::new(move |fs, host| {
            let saw = look(&fs, &host);
            let disk = whole.disk(|disk| disk.clone());
            *shelf.lock().unwrap_or_else(PoisonError::into_inner) = Some((disk, saw));
        });
        drop(world.together_owned(vec![makes, looks]));
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        match kept {
            // The machine as it was when the look was answered.
            Some((disk, saw)) => (World::new(disk, world.finish().0, Options::default()), saw),
            None => (world, Err("the process that looks did not end by itself".to_owned())),
        }
    }
}

impl Scenario for Seen {
    fn name(&self) -> String {
        let maker = if self.maker == Maker::Killed { "of the dead, " } else { "" };
        format!("seen before the power failed/{maker}{}", self.thing.name)
    }

    fn run(&self, source: Source) -> Ran {
        let (world, saw) = match self.maker {
            Maker::Killed => self.killed(source),
            Maker::Stands => self.stands(source),
        };
        world.power_cut();
        let violation = saw.and_then(|before| match alone(&world, self.thing.look)? {
            after if after < before => {
                Err(format!("{before} was seen, and after the power failed there is {after}"))
            }
            _ => Ok(()),
        });
        Ran::of(&world, violation.err())
    }
}

fn client(fs: &SimFs, host: &SimHost) -> Client<SimFs, SimHost> {
    Client::new(fs.clone(), host.clone(), "user")
}

fn next_at_the_floor() -> Disk {
    let world = World::calm(deeds::at_the_floor());
    assert!(alone(&world, own).is_ok(), "a healthy disk");
    world.disk(|disk| disk.clone())
}

/// A lock that nobody asked for before.
fn another(fs: &SimFs, host: &SimHost) -> Told {
    let me = format!("after-{}", look(fs, host)?);
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, &me, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

fn forget(fs: &SimFs, host: &SimHost) -> Told {
    host.pass(deeds::LONG_MS);
    own(fs, host)?;
    ended(fs, host)
}

/// How many leases are known to have ended; none is forgotten.
fn ended(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let said = |error: fencehold::Error| format!("a process is told: {error}");
    let in_state = client.show_lease("work").map_err(said)?.is_some();
    let (ended, _) = client.ledger.journal().ended_leases().map_err(said)?;
    Ok(u64::from(in_state || !ended.is_empty()))
}

fn repair(fs: &SimFs, host: &SimHost) -> Told {
    let repaired = client(fs, host).ledger.journal().repair();
    repaired.map_err(|error| format!("a process is told: {error}"))?;
    own(fs, host)
}

fn git(fs: &SimFs, host: &SimHost) -> Told {
    deeds::git(fs)?;
    settings(fs, host)
}

/// What stands in git's files of what was there and what was added.
fn settings(fs: &SimFs, _: &SimHost) -> Told {
    let read = |name: &str| {
        let bytes = read_file(fs, &Path::new(deeds::GIT).join(name), 1 << 16).ok().flatten();
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    // The attributes are a convenience: their folder is not synced, and the next append writes them anew.
    let config = read("config");
    if !config.contains("bare = false") {
        return Err(format!("git's config has become {config:?}"));
    }
    Ok(u64::from(config.contains("/elsewhere")))
}
