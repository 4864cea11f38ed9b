//! What was seen is there after the power failed, whoever had made it and however far that one had come.

use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::pairs::alone;
use super::things::{THINGS, Thing, Told};
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Ended, Fault, Options, Plan, World};

/// The pages of a disk whose power fails.
const PAGE_BYTES: usize = 128;

/// How far the one had come that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// It stands still between any two calls.
    Stands,
    /// It was killed before any call.
    Killed,
    /// One of its syncs met a writeback error, and it went on as it does.
    Failing,
}

/// The scenario.
pub(super) struct Seen {
    thing: Thing,
    disk: Disk,
    maker: Maker,
    calls: usize,
    /// Which of its calls are syncs.
    syncs: Vec<u64>,
    /// What the next one sees once it is done.
    done: u64,
}

impl Seen {
    pub(super) fn all(maker: Maker) -> Vec<Self> {
        let seen = |thing: Thing| {
            let disk = (thing.disk)();
            let world = World::calm(disk.clone());
            assert!(alone(&world, thing.act).is_ok(), "{} on a healthy disk", thing.name);
            let disk = disk.persistent(Persistence::Posix, PAGE_BYTES);
            let calls = world.calls();
            let numbered = (0..).zip(world.trace());
            let syncs = numbered.filter(|(_, step)| step.call == "sync").map(|(at, _)| at).collect();
            let done = alone(&world, thing.look).unwrap_or_else(|told| panic!("{}: {told}", thing.name));
            Seen { thing, disk, maker, calls, syncs, done }
        };
        let relied_on = |thing: &Thing| maker != Maker::Stands || !thing.when_done;
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

    /// A sync of the one fails and the pages that it was to write are not on the platter; the next looks.
    fn failing(&self, mut source: Source) -> (World, Told) {
        let sync = self.syncs[source.choose("sync", self.syncs.len())];
        let world = World::new(self.disk.clone(), source, Options::default());
        let Thing { act, look, after_errors, .. } = self.thing;
        let told = world.alone(Plan::at(sync, Fault::Fail(Errno::IO)), |fs, host| act(&fs, &host));
        if world.choose("evicted", 2) == 1 {
            world.disk(Disk::evict);
        }
        let saw = alone(&world, look);
        let done = if matches!(told, Ended::Returned(Ok(_))) { self.done } else { 0 };
        let saw = match (told, saw) {
            (Ended::Panicked(text), _) => Err(format!("a process panicked: {text}")),
            (_, Ok(saw)) if saw < done => Err(format!("{done} was answered, and {saw} is seen")),
            (_, saw) if after_errors => saw,
            (_, saw) => saw.map(|_| done),
        };
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
        let maker = match self.maker {
            Maker::Stands => "",
            Maker::Killed => "of the dead, ",
            Maker::Failing => "of who failed, ",
        };
        format!("seen before the power failed/{maker}{}", self.thing.name)
    }

    fn run(&self, source: Source) -> Ran {
        let (world, saw) = match self.maker {
            Maker::Killed => self.killed(source),
            Maker::Stands => self.stands(source),
            Maker::Failing => self.failing(source),
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
