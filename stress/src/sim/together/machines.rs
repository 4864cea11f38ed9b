//! Leases and statuses: processes grant leases that write the same files, close them or die with them, and move tasks
//! along; they are stalled past the TTL and killed at any call.
//!
//! The journal's history is the witness. What was answered stands in it, at the revision that was said; what was not,
//! once or not at all; what was refused, never. No grant stands beside an open one that writes what it writes, unless
//! it names it as lapsed, and that was so. No task ever goes back within an epoch, and epochs only grow.

use fencehold::Happened;
use fencehold::ledger::{Answer, LeaseVerdict, TaskVerdict};
use fencehold_model::{Entry, Event, Revision};

use super::{Told, whole_history};
use crate::fold::Fold;
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::door::Locks;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client};
use crate::sim::world::{Body, Ended, Options, SimFs, SimHost, World};

const PROCESSES: usize = 3;
const ROUNDS: usize = 2;
const TTL_MS: u64 = 1_000;
const STALL_MS: u64 = 1_500;
const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];

/// The scenario.
#[derive(Debug, Clone)]
pub struct MachineUsers {
    name: &'static str,
    disk: Disk,
    locks: Locks,
}

/// What a process was told, in the order in which it was.
#[derive(Debug, Clone)]
enum Heard {
    Asked {
        op: String,
    },
    /// It was done; at this revision, if it made an event.
    Done {
        op: String,
        revision: Option<Revision>,
    },
    Not {
        op: String,
    },
    Wrong(String),
}

impl MachineUsers {
    /// On a workspace that was used before.
    #[must_use]
    pub fn new() -> Self {
        MachineUsers { name: "leases and statuses", disk: workspace::disk(|_, _| {}), locks: Locks::Kept }
    }

    /// Where the OS lock works not: a canary that must be found.
    #[must_use]
    pub fn without_locks() -> Self {
        MachineUsers { name: "leases and statuses, OS lock ignored", locks: Locks::Ignored, ..Self::new() }
    }
}

impl Default for MachineUsers {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario for MachineUsers {
    fn name(&self) -> String {
        format!("together/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let options = Options {
            preempt_one_in: 8,
            kills_max: 2,
            kill_one_in: 60,
            stalls_max: 2,
            stall_one_in: 30,
            stall_ms: STALL_MS,
            split_writes: true,
            locks: self.locks,
            ..Options::default()
        };
        let world = World::new(self.disk.clone(), source, options);
        let told = Told::nothing();
        let user = || -> Body<'static, ()> {
            let told = told.clone();
            Box::new(move |fs, host| work(&fs, &host, &told))
        };
        let ended = world.together_owned((0..PROCESSES).map(|_| user()).collect());
        let violation = judge(&world, &ended, &told.lock()).err();
        Ran::of(&world, violation)
    }
}

fn work(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    let me = format!("process-{}", host.number());
    let client = Client::new(fs.clone(), host.clone(), &me);
    for round in 0..ROUNDS {
        let op = |what: &str| format!("{me}-{round}-{what}");
        let to = STATUSES[host.choose("status", STATUSES.len())];
        if host.choose("noun", 2) == 0 {
            // Every write set meets one other.
            let (lease, writes) =
                [("a", "src/a/**"), ("b", "src/a/b.rs"), ("c", "src/*/b.rs")][host.choose("lease", 3)];
            // Bound to the process or not; a bound one lapses with it, the other with its TTL.
            let bound = (host.choose("bound", 2) == 1).then(|| host.identity());
            let granted = told.lease(&op("grant"), |op| client.grant(op, lease, writes, Some(TTL_MS), bound));
            if let Some(LeaseVerdict::Granted { token, .. }) = granted {
                told.lease(&op("close"), |op| client.close(op, lease, token));
            }
        } else if host.choose("reopen", 6) == 5 {
            told.task(&op("reopen"), |op| client.reopen(op, "T-1", to));
        } else {
            told.task(&op("set"), |op| client.set(op, "T-1", to, None, 0));
        }
    }
}

impl Told<Heard> {
    fn lease(
        &self,
        op: &str,
        ask: impl FnOnce(&str) -> fencehold::Result<Answer<LeaseVerdict>>,
    ) -> Option<LeaseVerdict> {
        let answer = self.tell(op, ask, |verdict| match verdict {
            LeaseVerdict::Refused(_) | LeaseVerdict::Standing => None,
            LeaseVerdict::Closed { already, .. } => Some(!already),
            _ => Some(true),
        })?;
        Some(answer.verdict)
    }

    fn task(&self, op: &str, ask: impl FnOnce(&str) -> fencehold::Result<Answer<TaskVerdict>>) {
        self.tell(op, ask, |verdict| match verdict {
            TaskVerdict::Refused(_) => None,
            TaskVerdict::Stands { already, .. } => Some(!already),
        });
    }

    /// Asks, and keeps what was told; `done` says whether it was done, and if so, whether by an event.
    fn tell<V: Clone>(
        &self,
        op: &str,
        ask: impl FnOnce(&str) -> fencehold::Result<Answer<V>>,
        done: impl FnOnce(&V) -> Option<bool>,
    ) -> Option<Answer<V>> {
        let op = op.to_owned();
        self.push(Heard::Asked { op: op.clone() });
        match ask(&op) {
            Ok(answer) => {
                self.push(match done(&answer.verdict) {
                    None => Heard::Not { op },
                    Some(event) => Heard::Done { op, revision: event.then_some(answer.revision) },
                });
                Some(answer)
            }
            // What no task can be asked: an epoch, where it was never reopened, is the only such thing here.
            Err(error) if error.happened() == Happened::No => {
                self.push(Heard::Wrong(format!("{op} is told: {error}")));
                self.push(Heard::Not { op });
                None
            }
            Err(error) => {
                self.push(Heard::Wrong(format!("{op} is told: {error}")));
                None
            }
        }
    }
}

fn judge(world: &World, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    let entries = whole_history(world, ended)?;
    for heard in told {
        agrees(heard, &entries)?;
    }
    Fold::default().all(&entries)
}

/// One thing that was told, against the events.
fn agrees(heard: &Heard, entries: &[Entry]) -> Result<(), String> {
    let of = |op: &String| -> Vec<Revision> {
        let own = |entry: &&Entry| entry.op.as_str() == op && !matches!(entry.event, Event::Boot { .. });
        entries.iter().filter(own).map(|entry| entry.revision).collect()
    };
    match heard {
        Heard::Wrong(what) => Err(what.clone()),
        Heard::Asked { op } if of(op).len() > 1 => {
            Err(format!("{op} stands in the journal {} times", of(op).len()))
        }
        Heard::Not { op } if !of(op).is_empty() => {
            Err(format!("{op} was answered as not done, and is there"))
        }
        Heard::Done { op, revision } if of(op) != Vec::from_iter(*revision) => {
            Err(format!("{op} was answered {revision:?}, and stands in the journal at {:?}", of(op)))
        }
        Heard::Asked { .. } | Heard::Not { .. } | Heard::Done { .. } => Ok(()),
    }
}
