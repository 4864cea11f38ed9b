//! Few processes with one commit each: small enough that every schedule within a bound is searched.
//!
//! What was answered stands in the journal at the revision that was said; what was not, once or not at all; a grant is
//! above every grant that had been answered when it was asked for.

use fencehold_model::Event;

use super::{Told, whole_history};
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client, granted};
use crate::sim::world::{Body, Ended, Options, SimFs, SimHost, World};

/// The scenario.
#[derive(Debug, Clone)]
pub struct Committers {
    processes: usize,
    options: Options,
    disk: Disk,
}

#[derive(Debug)]
enum Heard {
    Asked { process: usize },
    Granted { process: usize, token: u64 },
    Wrong(String),
}

impl Committers {
    /// So many processes, on a workspace that was used before, with what `options` lets happen.
    #[must_use]
    pub fn new(processes: usize, options: Options) -> Self {
        Committers { processes, options, disk: workspace::disk(|_, _| {}) }
    }
}

impl Scenario for Committers {
    fn name(&self) -> String {
        format!("together/{} committers", self.processes)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, self.options);
        let told = Told::nothing();
        let body = || -> Body<'static, ()> {
            let told = told.clone();
            Box::new(move |fs, host| commit(&fs, &host, &told))
        };
        let ended = world.together_owned((0..self.processes).map(|_| body()).collect());
        let violation = judge(&world, &ended, &told.lock()).err();
        Ran::of(&world, violation)
    }
}

fn commit(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    let process = host.number();
    let me = format!("process-{process}");
    told.push(Heard::Asked { process });
    host.outside();
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, &me, 1_000);
    told.push(match granted(&answer) {
        Some(token) => Heard::Granted { process, token },
        None => Heard::Wrong(format!("{me} is answered {answer:?}")),
    });
    host.outside();
}

fn judge(world: &World, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    let entries = whole_history(world, ended)?;
    for process in 0..ended.len() {
        let me = format!("process-{process}");
        let own = |event: &Event| matches!(event, Event::LockGranted { name, .. } if name.as_str() == me);
        let stands: Vec<u64> =
            entries.iter().filter(|entry| own(&entry.event)).map(|entry| entry.revision).collect();
        let answered = told.iter().find_map(|heard| match heard {
            Heard::Granted { process: whose, token } if *whose == process => Some(*token),
            _ => None,
        });
        match (answered, stands.as_slice()) {
            (Some(token), [stands]) if token == *stands => {}
            (None, [] | [_]) => {}
            _ => return Err(format!("{me} was answered {answered:?}, and the journal has {stands:?}")),
        }
    }
    grow(told)
}

fn grow(told: &[Heard]) -> Result<(), String> {
    let mut highest = 0;
    let mut asked_at = [0; crate::sim::world::TOGETHER_MAX];
    for heard in told {
        match heard {
            Heard::Wrong(what) => return Err(what.clone()),
            Heard::Asked { process } => asked_at[*process] = highest,
            Heard::Granted { process, token } if *token <= asked_at[*process] => {
                return Err(format!(
                    "token {token} was granted after {} had been answered",
                    asked_at[*process]
                ));
            }
            Heard::Granted { token, .. } => highest = highest.max(*token),
        }
    }
    Ok(())
}
