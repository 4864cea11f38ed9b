//! Processes that accept the proposals of one file at the same time.
//!
//! Whoever is killed when: each content stands in the file once in the end, none is told as accepted that does not, and
//! what stood there before stays. In some runs a person edits the file before the next process comes.

use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::prose::{IDS, Way, accept, client, disk, judge};
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Ended, Options, World};

/// The scenario.
#[derive(Debug, Clone)]
pub struct Accepts {
    disk: Disk,
    way: Way,
    options: Options,
    /// How many of the proposals each process accepts.
    each: usize,
    processes: usize,
    person: bool,
}

impl Accepts {
    /// Three processes that accept everything, each beginning elsewhere; all of them may be killed, and a person may come.
    #[must_use]
    pub fn new(way: Way) -> Self {
        let options = Options {
            preempt_one_in: 8,
            kills_max: 3,
            kill_one_in: 60,
            split_writes: true,
            ..Options::default()
        };
        Accepts { disk: disk(|_, _| {}), way, options, each: IDS.len(), processes: 3, person: true }
    }

    /// Two processes that accept one proposal, for an exhaustive search with so many preemptions and kills.
    #[must_use]
    pub fn two(way: Way, options: Options) -> Self {
        Accepts { disk: disk(|_, _| {}), way, options, each: 1, processes: 2, person: false }
    }
}

impl Scenario for Accepts {
    fn name(&self) -> String {
        let what = if self.person { "accepts of proposals" } else { "two accepts of one proposal" };
        match self.way {
            Way::Shipped => format!("together/{what}"),
            wrong => format!("together/{what}, {wrong:?}"),
        }
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, self.options);
        let (way, each, person) = (self.way, self.each, self.person);
        let body = || -> Body<'static, bool> {
            Box::new(move |fs, host| {
                let number = host.number();
                let client = client(&fs, &host, &format!("p{number}"));
                let first = if person { number } else { 0 };
                let mut told = true;
                for step in 0..each {
                    told &= accept(way, &fs, &client, IDS[(first + step) % IDS.len()]).unwrap_or(false);
                }
                told
            })
        };
        let ended = world.together_owned((0..self.processes).map(|_| body()).collect());
        let comes = person && world.choose("person", 3) == 1;
        let violation = match ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
            _ if world.deadlocked() => Some("processes wait for each other without end".to_owned()),
            Some(panicked) => Some(format!("a process panicked: {panicked:?}")),
            None => judge(&world, way, &IDS[..each], comes).err(),
        };
        Ran::of(&world, violation)
    }
}
