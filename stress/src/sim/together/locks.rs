//! Locks: processes acquire, renew and release two locks, are stalled past the TTL and killed at any call.
//!
//! The journal's history is the witness. What was answered stands in it, at the revision that was said; what was not,
//! once or not at all; what was answered as not done, never. Tokens grow with real time. Two grants of one name never
//! overlap: the first had lapsed by journal time, or its release was asked for.

use fencehold::Happened;
use fencehold::ledger::{Answer, Verdict};
use fencehold_model::{Entry, Event, Revision, TimeMs};

use super::{Told, whole_history};
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::door::Locks;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client, is_refused};
use crate::sim::world::{Body, Ended, Options, SimFs, SimHost, World};

const PROCESSES: usize = 3;
const ROUNDS: usize = 2;
const TTL_MS: u64 = 1_000;
const STALL_MS: u64 = 1_500;

/// The scenario.
#[derive(Debug, Clone)]
pub struct LockUsers {
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
    Answered {
        op: String,
        answer: Box<Answer>,
    },
    Not {
        op: String,
    },
    /// A reader began when this was the highest revision answered, and saw that one.
    Read {
        at_least: Revision,
        saw: Revision,
    },
    Wrong(String),
}

impl LockUsers {
    /// On a workspace that was used before.
    #[must_use]
    pub fn new() -> Self {
        LockUsers { name: "locks", disk: workspace::disk(|_, _| {}), locks: Locks::Kept }
    }

    /// On a journal whose next commit rotates it.
    #[must_use]
    pub fn rotating() -> Self {
        LockUsers { name: "locks and a rotation", disk: workspace::disk(workspace::fill), locks: Locks::Kept }
    }

    /// Where the OS lock works not: a canary that must be found.
    #[must_use]
    pub fn without_locks() -> Self {
        LockUsers { name: "locks, OS lock ignored", locks: Locks::Ignored, ..Self::new() }
    }
}

impl Default for LockUsers {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario for LockUsers {
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
        let mut bodies: Vec<Body<'static, ()>> = (0..PROCESSES).map(|_| user()).collect();
        let watching = told.clone();
        bodies.push(Box::new(move |fs, host| watch(&fs, &host, &watching)));
        let ended = world.together_owned(bodies);
        let violation = judge(&world, &ended, &told.lock()).err();
        Ran::of(&world, violation)
    }
}

fn work(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    let me = format!("process-{}", host.number());
    let client = Client::new(fs.clone(), host.clone(), &me);
    for round in 0..ROUNDS {
        let op = |what: &str| format!("{me}-{round}-{what}");
        let name = ["build", "deploy"][host.choose("name", 2)];
        let answer = tell(told, &op("acquire"), |op| client.acquire(op, name, TTL_MS));
        let Some(Answer { verdict: Verdict::Granted { token, .. }, .. }) = answer else { continue };
        if host.choose("renew", 2) == 1 {
            tell(told, &op("renew"), |op| client.renew(op, name, token, TTL_MS));
        }
        tell(told, &op("release"), |op| client.release(op, name, token));
    }
}

fn tell(told: &Told<Heard>, op: &str, ask: impl FnOnce(&str) -> fencehold::Result<Answer>) -> Option<Answer> {
    told.push(Heard::Asked { op: op.to_owned() });
    match ask(op) {
        Ok(answer) => {
            told.push(Heard::Answered { op: op.to_owned(), answer: Box::new(answer.clone()) });
            Some(answer)
        }
        Err(error) => {
            // Nothing but kills and stalls goes wrong in this world.
            told.push(Heard::Wrong(format!("{op} is told: {error}")));
            if error.happened() == Happened::No {
                told.push(Heard::Not { op: op.to_owned() });
            }
            None
        }
    }
}

fn watch(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    let client = Client::new(fs.clone(), host.clone(), "reader");
    for _ in 0..ROUNDS {
        let answered = told.lock().iter().filter_map(Heard::revision).max().unwrap_or(0);
        told.push(match client.revision() {
            Ok(saw) => Heard::Read { at_least: answered, saw },
            Err(error) => Heard::Wrong(format!("a reader is told: {error}")),
        });
    }
}

impl Heard {
    fn revision(&self) -> Option<Revision> {
        match self {
            Heard::Answered { answer, .. } => Some(answer.revision),
            _ => None,
        }
    }
}

fn judge(world: &World, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    let entries = whole_history(world, ended)?;
    for heard in told {
        agrees(heard, &entries)?;
    }
    let mut highest = 0;
    for heard in told {
        // Answers come one after the other; a grant is above every grant that was answered before it was asked for.
        if let (Heard::Answered { op, .. }, Some(token)) = (heard, token_of(heard)) {
            let asked = told.iter().position(|it| matches!(it, Heard::Asked { op: asked } if asked == op));
            let before = told[..asked.unwrap_or(0)].iter().filter_map(token_of).max().unwrap_or(0);
            if token <= before {
                return Err(format!("{op} got token {token} after token {before} had been answered"));
            }
            highest = highest.max(token);
        }
    }
    let known = entries.last().map_or(0, |entry| entry.revision);
    if highest > known {
        return Err(format!("token {highest} was answered, the journal ends at {known}"));
    }
    overlaps(&entries)
}

/// The token that an acquire was answered with.
fn token_of(heard: &Heard) -> Option<Revision> {
    let Heard::Answered { op, answer } = heard else { return None };
    match answer.verdict {
        Verdict::Granted { token, .. } if op.ends_with("acquire") => Some(token),
        _ => None,
    }
}

/// One thing that was told, against the events.
fn agrees(heard: &Heard, entries: &[Entry]) -> Result<(), String> {
    let of = |op: &String| -> Vec<&Entry> {
        let own = |entry: &&Entry| entry.op.as_str() == op && !matches!(entry.event, Event::Boot { .. });
        entries.iter().filter(own).collect()
    };
    match heard {
        Heard::Wrong(what) => Err(what.clone()),
        Heard::Asked { op } if of(op).len() > 1 => {
            Err(format!("{op} stands in the journal {} times", of(op).len()))
        }
        Heard::Not { op } if !of(op).is_empty() => {
            Err(format!("{op} was answered as not done, and is there"))
        }
        Heard::Read { at_least, saw } if saw < at_least => {
            Err(format!("a reader saw revision {saw} after {at_least} had been answered"))
        }
        Heard::Answered { op, answer } if is_refused(answer) => match of(op).len() {
            0 => Ok(()),
            _ => Err(format!("{op} was refused, and is there")),
        },
        Heard::Answered { op, answer } => match of(op).as_slice() {
            [entry] if entry.revision == answer.revision => Ok(()),
            // Answered without an event: the expiry was late enough, or it had been released already.
            [] if !op.ends_with("acquire") => Ok(()),
            entries => Err(format!("{op} was answered {answer:?}, and the journal has {entries:?}")),
        },
        Heard::Asked { .. } | Heard::Not { .. } | Heard::Read { .. } => Ok(()),
    }
}

/// Every grant begins where the one before it of the same name has ended; revisions grow.
fn overlaps(entries: &[Entry]) -> Result<(), String> {
    if !entries.is_sorted_by(|a, b| a.revision < b.revision && a.at_ms <= b.at_ms) {
        return Err("revisions or times go back".to_owned());
    }
    let mut held: Vec<(&fencehold_model::LockName, Revision, TimeMs)> = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::LockGranted { name, expires_ms, .. } => {
                if let Some((_, token, expires_ms)) = held.iter().find(|(held, ..)| *held == name)
                    && entry.at_ms < *expires_ms
                {
                    return Err(format!(
                        "lock {name} is granted at {} over token {token}, live until {expires_ms}",
                        entry.at_ms
                    ));
                }
                held.retain(|(held, ..)| *held != name);
                held.push((name, entry.revision, *expires_ms));
            }
            Event::LockRenewed { token, expires_ms, .. } => {
                held.iter_mut()
                    .filter(|held| held.1 == *token)
                    .for_each(|held| held.2 = held.2.max(*expires_ms));
            }
            Event::LockReleased { token, .. } | Event::LockBroken { token, .. } => {
                held.retain(|held| held.1 != *token);
            }
            _ => {}
        }
    }
    Ok(())
}
