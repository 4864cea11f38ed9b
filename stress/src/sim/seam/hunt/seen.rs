//! What was seen is there after the power failed, whoever had made it and however far that one had come.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fencehold::fs::{File as _, Fs as _, How};
use rustix::io::Errno;

use super::pairs::alone;
use super::things::{Left, THINGS, Thing, Told};
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::DIR;
use crate::sim::world::{Body, Ended, Fault, Options, Plan, SimFs, SimHost, World};

/// The pages of a disk whose power fails.
pub(super) const PAGE_BYTES: usize = 128;

/// Executions in which something is seen before the power fails.
const EXECUTIONS_MAX: u64 = 400;

/// How far the one had come that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// It stands still between any two calls.
    Stands,
    /// It has its answer.
    Done,
    /// It was killed before any call.
    Killed,
    /// One of its syncs, of a file or a directory, met an error, or a write in the middle of a file did; it went on as it
    /// does.
    Failing,
}

/// The scenario.
pub(super) struct Seen {
    thing: Thing,
    disk: Disk,
    maker: Maker,
    calls: usize,
    /// Which of its calls may fail.
    fallible: Vec<u64>,
    /// What the next one sees once it is done.
    done: u64,
}

impl Seen {
    pub(super) fn all(maker: Maker) -> Vec<Self> {
        let seen = |thing: Thing| {
            let disk = thing.begun();
            let world = World::calm(disk.clone());
            let acted = alone(&world, thing.act);
            assert!(acted.is_ok(), "{}: {acted:?} on a healthy disk", thing.name);
            let (calls, fallible) = (world.calls(), calls(&world, &["sync", "sync_dir", "write_at"]));
            let done = alone(&world, thing.look).unwrap_or_else(|told| panic!("{}: {told}", thing.name));
            Seen { thing, disk, maker, calls, fallible, done }
        };
        let relied_on = |thing: &Thing| match maker {
            Maker::Stands => !thing.when_done,
            Maker::Killed => !thing.when_done,
            Maker::Done | Maker::Failing => true,
        };
        THINGS.into_iter().filter(relied_on).map(seen).collect()
    }

    /// What the next one sees.
    fn looks(&self) -> impl FnOnce(&SimFs, &SimHost) -> Told + Send + 'static {
        let Thing { then, look, .. } = self.thing;
        move |fs, host| {
            then.map_or(Ok(0), |then| then(fs, host))?;
            look(fs, host)
        }
    }

    /// How many executions are enough.
    pub(super) fn executions_max(&self) -> u64 {
        if self.thing.long { EXECUTIONS_MAX / 10 } else { EXECUTIONS_MAX }
    }

    /// How many faults there were before.
    pub(super) fn faults(&self) -> u32 {
        self.thing.faults + u32::from(self.thing.left.is_some())
    }

    /// The one is killed, or has its answer; the next looks: what it saw, and the world then.
    fn killed(&self, mut source: Source) -> (World, Told) {
        let kills = if self.maker == Maker::Done { 0 } else { self.calls };
        let call = self.calls - source.choose("call", kills + 1);
        let plan = if call < self.calls { Plan::at(call as u64, Fault::Kill) } else { Plan::NONE };
        let world = World::new(self.disk.clone(), source, Options::default());
        let act = self.thing.act;
        let told = world.alone(plan, |fs, host| act(&fs, &host));
        let again = self.thing.told && !self.thing.when_done && world.choose("by", 2) == 1;
        let saw = if again { alone(&world, act) } else { alone(&world, self.looks()) };
        let saw = match (told, saw) {
            (Ended::Returned(Ok(_)), Ok(saw)) if !again && saw < self.done => {
                Err(format!("{} was answered, and {saw} is seen", self.done))
            }
            (_, saw) => saw,
        };
        (world, saw)
    }

    /// A call of the one fails, and where it is a sync, the pages that it was to write are not on the platter; the next
    /// looks. None where nobody relies on what came of that.
    fn failing(&self, mut source: Source) -> (World, Option<Told>) {
        // Or the call after it: in another order that one is the sync.
        let at = self.fallible[source.choose("call", self.fallible.len())] + source.choose("order", 2) as u64;
        let world = World::new(self.disk.clone(), source, Options::default());
        let Thing { act, after_errors, when_done, told: told_same, .. } = self.thing;
        let told_same = told_same && !when_done;
        let told = world.alone(Plan::at(at, Fault::Fail(Errno::IO)), |fs, host| act(&fs, &host));
        if world.choose("evicted", 2) == 1 {
            world.disk(Disk::evict);
        }
        let done = match told {
            Ended::Panicked(text) => return (world, Some(Err(format!("a process panicked: {text}")))),
            Ended::Returned(Ok(answered)) => Some(if told_same { answered } else { self.done }),
            _ => None,
        };
        if when_done && done.is_none() {
            return (world, None);
        }
        let done = done.unwrap_or(0);
        // Who was told relies on it at once: a look could make it durable first.
        if when_done && world.choose("at once", 2) == 1 {
            return (world, Some(Ok(done)));
        }
        let saw = match alone(&world, self.looks()) {
            Ok(saw) if saw < done => Err(format!("{done} was answered, and {saw} is seen")),
            saw if after_errors => saw,
            saw => saw.map(|_| done),
        };
        (world, Some(saw))
    }

    /// The next one looks between two calls of the one.
    fn stands(&self, source: Source) -> (World, Told) {
        let options = Options { preempt_one_in: 4, ..Options::bounded(1, 0) };
        let world = World::new(self.disk.clone(), source, options);
        let (act, look) = (self.thing.act, self.looks());
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
        let maker = match self.maker {
            Maker::Stands => "",
            Maker::Done => "of who is done, ",
            Maker::Killed => "of the dead, ",
            Maker::Failing => "of who failed, ",
        };
        format!("seen before the power failed/{maker}{}", self.thing.name)
    }

    fn run(&self, source: Source) -> Ran {
        let (world, saw) = match self.maker {
            Maker::Done | Maker::Killed => self.killed(source),
            Maker::Stands => self.stands(source),
            Maker::Failing => match self.failing(source) {
                (world, Some(saw)) => (world, saw),
                (world, None) => return Ran::of(&world, None),
            },
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

/// Which calls have one of these names.
pub(super) fn calls(world: &World, names: &[&str]) -> Vec<u64> {
    (0..).zip(world.trace()).filter(|(_, step)| names.contains(&step.call)).map(|(at, _)| at).collect()
}

impl Thing {
    /// The disk as the one finds it.
    pub(super) fn begun(&self) -> Disk {
        let disk = (self.disk)().persistent(Persistence::Posix, PAGE_BYTES);
        let Some((act, left)) = self.left else { return disk };
        let world = World::calm(disk.clone());
        assert!(alone(&world, act).is_ok(), "{} on a healthy disk", self.name);
        let syncs = calls(
            &world,
            &[if matches!(left, Left::Owing | Left::OwingCondemned) { "sync_dir" } else { "sync" }],
        );
        let last = *syncs.last().expect("whoever writes syncs");
        let world = World::calm(disk);
        drop(world.alone(Plan::at(last, Fault::Kill), |fs, host| act(&fs, &host)));
        if left == Left::Half {
            let path = Path::new(DIR).join("journal.1.ndjson");
            let half = world.alone(Plan::NONE, |fs, _| fs.open(&path, How::Append)?.append(b"{\"rev\":"));
            assert!(matches!(half, Ended::Returned(Ok(_))), "{half:?} on a healthy disk");
        }
        if matches!(left, Left::Lost | Left::Condemned) {
            // The kernel tells the one that is dying.
            let failed = world.alone(Plan::at(1, Fault::Fail(Errno::IO)), |fs, _| {
                let path = Path::new(DIR).join("journal.1.ndjson");
                fs.open(&path, How::Append).and_then(|file| file.sync())
            });
            assert!(matches!(failed, Ended::Returned(Err(_))), "a sync meets a writeback error");
        }
        if matches!(left, Left::Condemned | Left::OwingCondemned) {
            world.disk(|disk| disk.put(Path::new(DIR).join("journal.1.condemned"), b""));
        }
        world.disk(|disk| disk.clone())
    }
}
