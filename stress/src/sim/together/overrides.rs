//! Processes that pass a gate by force and write what is owed, their own and others', at the same time.
//!
//! Whoever is killed when: each step has one entry in the end, and none is recorded as written before it is.

use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::overrides::{Way, client, disk, judge, name, settle, step};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Ended, Options, World};

/// The scenario.
#[derive(Debug, Clone)]
pub struct Overrides {
    disk: Disk,
    way: Way,
    options: Options,
    /// Each process passes a gate before it settles.
    steps: bool,
    processes: usize,
}

impl Overrides {
    /// Three processes that each pass a gate by force, then write what is owed; two of them may be killed.
    #[must_use]
    pub fn new(way: Way) -> Self {
        let options = Options {
            preempt_one_in: 8,
            kills_max: 2,
            kill_one_in: 60,
            split_writes: true,
            ..Options::default()
        };
        Overrides { disk: disk(|_, _| {}), way, options, steps: true, processes: 3 }
    }

    /// Two processes that settle one debt, for an exhaustive search with so many preemptions and kills.
    #[must_use]
    pub fn sweepers(way: Way, options: Options) -> Self {
        let owed = disk(|fs, host| {
            step(Way::Shipped, fs, &client(fs, host, "killed"), "T-1").expect("a healthy disk");
        });
        Overrides { disk: owed, way, options, steps: false, processes: 2 }
    }
}

impl Scenario for Overrides {
    fn name(&self) -> String {
        let what = if self.steps { "steps by force" } else { "entries of a step by force" };
        match self.way {
            Way::Shipped => format!("together/{what}"),
            wrong => format!("together/{what}, {wrong:?}"),
        }
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, self.options);
        let (way, steps) = (self.way, self.steps);
        let body = || -> Body<'static, ()> {
            Box::new(move |fs, host| {
                let client = client(&fs, &host, &name(&host));
                if steps {
                    // Told or not: what stands is judged.
                    let _ = step(way, &fs, &client, &format!("T-{}", host.number()));
                }
                let _ = settle(way, &fs, &client);
            })
        };
        let ended = world.together_owned((0..self.processes).map(|_| body()).collect());
        let violation = match ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
            _ if world.deadlocked() => Some("processes wait for each other without end".to_owned()),
            Some(panicked) => Some(format!("a process panicked: {panicked:?}")),
            None => judge(&world, way).err(),
        };
        Ran::of(&world, violation)
    }
}
