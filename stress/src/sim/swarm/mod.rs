//! Swarm runs: long seeded runs in which operations, faults and sizes are switched on and off per run (Groce et al.,
//! *Swarm Testing*, ISSTA 2012), recorded at the client's side and judged by the checker that judges real processes.
//!
//! A run has several *generations* of processes on one disk. In each, up to six processes use the shipped code at the
//! same time while whatever the run has switched on goes wrong; between two of them time passes, or the machine is booted
//! anew, or its power fails. At the end a fresh process looks at everything, the power fails once more, and the run is
//! judged (`judge`).
//!
//! All operations of a run are asked of the source before anything runs, under the label `op`, of which 0 is nothing: so
//! a counterexample loses whole operations, processes and generations without moving what is left of them.
//!
//! *Relaxed* runs may lose what was answered when the power fails: what is used after a power cut has other names then,
//! and what was answered before it need not be there.

mod after;
mod files;
mod judge;
mod machines;
mod minimize;
mod plan;
mod reached;
mod record;
pub mod stage;
mod tell;
mod user;

use std::sync::OnceLock;

pub use minimize::minimized;
pub use reached::Reached;

use super::choice::Source;
use super::disk::Disk;
use super::door::Locks;
use super::scenario::{Ran, Scenario};
use super::workspace;
use super::world::{Body, Ended, Plan as Faults, World};
use plan::Plan;
use record::Recorder;
use user::User;

/// The scenario.
#[derive(Debug, Clone)]
pub struct Swarm {
    name: &'static str,
    disk: Disk,
    locks: Locks,
    size: Size,
}

/// How many generations and operations a run may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Thousands of operations.
    Large,
    /// A hundred: for canaries.
    Small,
}

impl Swarm {
    /// Of the shipped code.
    #[must_use]
    pub fn new() -> Self {
        // Every run begins with the same workspace.
        static DISK: OnceLock<Disk> = OnceLock::new();
        let disk = DISK.get_or_init(|| workspace::disk(|_, _| {})).clone();
        Swarm { name: "swarm", disk, locks: Locks::Kept, size: Size::Large }
    }

    /// Of the shipped code, in short runs.
    #[must_use]
    pub fn small() -> Self {
        Swarm { name: "swarm, small", size: Size::Small, ..Self::new() }
    }

    /// Short runs where the OS lock works not: a canary that must be found.
    #[must_use]
    pub fn without_locks() -> Self {
        Swarm { name: "swarm, OS lock ignored", locks: Locks::Ignored, ..Self::small() }
    }

    /// Each of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::new(), Self::small(), Self::without_locks()]
    }

    /// Runs it once, and what was reached.
    #[must_use]
    pub fn play(&self, mut source: Source) -> (Ran, Reached) {
        let plan = Plan::draw(&mut source, self.size);
        let disk = match plan.model {
            Some(model) => self.disk.clone().persistent(model, plan.page_bytes),
            None => self.disk.clone(),
        };
        let world = World::new(disk, source, plan.faults(self.locks));
        let recorder = Recorder::new(&plan);
        let mut reached = Reached::default();
        let judged = generations(&world, &plan, &recorder, &mut reached);
        let judged = judged.and_then(|()| judge::judge(&world, &plan, &recorder, &mut reached));
        reached.count(&world, &plan);
        (Ran::of(&world, judged.err()), reached)
    }
}

impl Default for Swarm {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario for Swarm {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn run(&self, source: Source) -> Ran {
        self.play(source).0
    }
}

/// One generation after the other.
fn generations(world: &World, plan: &Plan, recorder: &Recorder, reached: &mut Reached) -> Result<(), String> {
    for generation in &plan.generations {
        recorder.begin(world);
        let lost_before = world.counts().power_cuts;
        let users = generation.ops.iter().filter(|ops| ops.iter().any(|op| *op > 0));
        let bodies: Vec<Body<'static, ()>> = users
            .map(|ops| -> Body<'static, ()> {
                let (ops, recorder, plan) = (ops.clone(), recorder.clone(), plan.users);
                Box::new(move |fs, host| {
                    let mut user = User::new(fs, host, recorder, plan);
                    ops.into_iter().for_each(|op| user.perform(op));
                })
            })
            .collect();
        if !bodies.is_empty() {
            let ended = world.together_owned(bodies);
            recorder.end(world);
            whole(world, &ended)?;
        }
        if world.counts().power_cuts > lost_before {
            recorder.power_cut();
        }
        after::happens(world, generation.after, recorder, reached);
    }
    recorder.begin(world);
    let looked = world.alone(Faults::NONE, |fs, host| {
        User::new(fs, host, recorder.clone(), plan.users).looks();
    });
    recorder.end(world);
    whole(world, &[looked])?;
    after::happens(world, after::After::PowerCut, recorder, reached);
    // What documents and logs were promised to hold they hold after that.
    recorder.begin(world);
    let looked = world.alone(Faults::NONE, |fs, host| {
        User::new(fs, host, recorder.clone(), plan.users).looks_at_files();
    });
    recorder.end(world);
    whole(world, &[looked])
}

/// Nobody waits without end, and nobody panicked.
fn whole(world: &World, ended: &[Ended<()>]) -> Result<(), String> {
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    match ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        Some(Ended::Panicked(text)) => Err(format!("a process panicked: {text}")),
        _ => Ok(()),
    }
}
