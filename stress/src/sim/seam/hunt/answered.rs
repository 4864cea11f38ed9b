//! What was answered is there, and what stood before is not lost, whatever fails then: the power, a sync, the process
//! before this one.
//!
//! Small enough to be run to the end: of what no sync made durable the power takes all names or none, all lengths or
//! none, all contents or none.

use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::file_deeds::{By, Deed, all};
use super::pairs::alone;
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, Persistence};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Ended, Fault, Options, Plan, World};

/// The pages of a disk whose power fails.
const PAGE_BYTES: usize = 128;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The power fails, before any call or after the answer.
    Power,
    /// A sync of a file or a directory fails; then memory is short, or the power fails.
    Sync,
    /// Who did it first was killed before it synced a directory; then the power fails, before any call of the next
    /// one or after its answer, or one of its calls fails first.
    Killed,
    /// Who does it first stands still between two calls while the next one is answered; then the power fails.
    Stands,
}

/// The scenario.
pub(super) struct Answered {
    deed: Deed,
    wrong: Wrong,
    disk: Disk,
    /// The calls at which the one before is killed, or a sync fails.
    places: Vec<usize>,
    /// The calls that it makes.
    calls: usize,
    /// What is seen where it was not done, and where it was.
    before: u64,
    done: u64,
}

impl Answered {
    pub(super) fn all(wrong: Wrong) -> Vec<Self> {
        let deeds = all().into_iter().filter(|deed| match wrong {
            Wrong::Power | Wrong::Sync => true,
            Wrong::Killed => deed.relied_on == By::Whoever || deed.relied_on == By::WhoeverAtOnce,
            Wrong::Stands => deed.relied_on == By::WhoeverAtOnce,
        });
        deeds.map(|deed| Answered::new(deed, wrong)).filter(Answered::can_go_wrong).collect()
    }

    fn new(deed: Deed, wrong: Wrong) -> Self {
        let disk = (deed.disk)().persistent(Persistence::Posix, PAGE_BYTES);
        let look = |world: &World| {
            let seen = alone(world, deed.look);
            seen.unwrap_or_else(|told| panic!("{} on a healthy disk: {told}", deed.name))
        };
        let before = look(&World::calm(disk.clone()));
        let world = World::calm(disk.clone());
        (deed.foreign)(&world);
        let first = world.trace().len();
        let done = alone(&world, deed.act);
        assert!(done.is_ok(), "{} on a healthy disk: {done:?}", deed.name);
        let trace = world.trace();
        let sought = |call| call == "sync_dir" || wrong == Wrong::Sync && call == "sync";
        let places = trace.iter().skip(first).enumerate();
        let places = places.filter(|(_, step)| sought(step.call)).map(|(at, _)| at).collect();
        let calls = trace.len() - first;
        Answered { deed, wrong, disk, places, calls, before, done: look(&world) }
    }

    fn can_go_wrong(&self) -> bool {
        !self.places.is_empty() || !matches!(self.wrong, Wrong::Sync | Wrong::Killed)
    }

    /// What must be seen after this.
    fn due(&self, ended: &Ended<Result<u64, String>>) -> Result<u64, String> {
        match ended {
            Ended::Returned(Ok(_)) => Ok(self.done),
            Ended::Returned(Err(_)) | Ended::Killed => Ok(self.before),
            Ended::Panicked(text) => Err(format!("it panicked: {text}")),
        }
    }

    fn act(&self, world: &World, plan: Plan) -> Result<u64, String> {
        let act = self.deed.act;
        let ended = world.alone(plan, |fs, host| act(&fs, &host));
        match ended {
            Ended::Returned(Err(told)) if plan == Plan::NONE && self.wrong == Wrong::Power => {
                Err(format!("on a healthy disk it is told: {told}"))
            }
            ended => self.due(&ended),
        }
    }

    /// Killed at one of its calls, or at none; the last come first. Where one was killed before, the call may fail.
    fn killed_at(&self, world: &World) -> Plan {
        let call = self.calls - world.choose("call", self.calls + 1);
        if call == self.calls {
            return Plan::NONE;
        }
        let fails = self.wrong == Wrong::Killed && world.choose("fails", 2) == 1;
        Plan::at(call as u64, if fails { Fault::Fail(Errno::IO) } else { Fault::Kill })
    }

    fn place(&self, world: &World) -> u64 {
        self.places[world.choose("place", self.places.len())] as u64
    }

    /// The world after all that, and what must be seen in it.
    fn played(&self, source: Source) -> (World, Result<u64, String>) {
        let world = World::new(self.disk.clone(), source, Options::bounded(1, 0));
        (self.deed.foreign)(&world);
        let due = match self.wrong {
            Wrong::Power => {
                let plan = self.killed_at(&world);
                let due = self.act(&world, plan);
                power_cut(&world);
                due
            }
            Wrong::Sync => {
                let plan = Plan::at(self.place(&world), Fault::Fail(Errno::IO));
                let due = self.act(&world, plan);
                if world.choose("then", 2) == 0 {
                    world.disk(Disk::evict);
                } else {
                    power_cut(&world);
                }
                due
            }
            Wrong::Killed => {
                let first = self.act(&world, Plan::at(self.place(&world), Fault::Kill));
                let plan = self.killed_at(&world);
                let due = first.and_then(|_| self.act(&world, plan));
                power_cut(&world);
                due
            }
            Wrong::Stands => return self.stood(&world),
        };
        (world, due)
    }

    /// Two at once; the machine as it was when the first of them was answered, its power gone.
    fn stood(&self, world: &World) -> (World, Result<u64, String>) {
        let kept: Arc<Mutex<Option<Disk>>> = Arc::new(Mutex::new(None));
        let body = || -> Body<'static, ()> {
            let (shelf, whole, act) = (Arc::clone(&kept), world.clone(), self.deed.act);
            Box::new(move |fs, host| {
                if act(&fs, &host).is_ok() {
                    let disk = whole.disk(|disk| disk.clone());
                    shelf.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(disk);
                }
            })
        };
        drop(world.together_owned(vec![body(), body()]));
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (source, due) = match kept.is_some() {
            true => (world.finish().0, Ok(self.done)),
            false => (world.finish().0, Err("of two nobody was answered".to_owned())),
        };
        let after = World::new(kept.unwrap_or_default(), source, Options::default());
        power_cut(&after);
        (after, due)
    }
}

/// The power goes and comes back.
fn power_cut(world: &World) {
    let kept = world.choose("kept", 8);
    let kind = |label| match label {
        "name" => 0,
        "size" => 1,
        _ => 2,
    };
    let mut keep = |label, of: usize| if kept >> kind(label) & 1 == 1 { of - 1 } else { 0 };
    let left = world.disk(|disk| disk.clone()).power_cut(&mut keep);
    world.disk(|disk| *disk = left);
    world.reboot();
}

impl Scenario for Answered {
    fn name(&self) -> String {
        let wrong = match self.wrong {
            Wrong::Power => "the power fails",
            Wrong::Sync => "a sync fails",
            Wrong::Killed => "the one before was killed",
            Wrong::Stands => "the one before stands still",
        };
        format!("answered, {wrong}/{}", self.deed.name)
    }

    fn run(&self, source: Source) -> Ran {
        let (world, due) = self.played(source);
        let judged = due.and_then(|due| match alone(&world, self.deed.look) {
            // What a foreign program had not synced may be half there; that is no business of ours until it is read.
            _ if self.deed.is_foreign && due < self.done => Ok(()),
            Ok(seen) if seen >= due => Ok(()),
            Ok(seen) => Err(format!("there must be {due}, and there is {seen}")),
            Err(told) => Err(told),
        });
        Ran::of(&world, judged.err())
    }
}
