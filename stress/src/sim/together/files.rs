//! A log and a document: each process appends records and increments a number.
//!
//! What was answered is there exactly once, what was not at most once, and records of one process stand in the order in
//! which it wrote them. A process that was told that nothing happened counts on it.

use fencehold::Happened;
use fencehold::log::{Page, Records};
use serde_json::Value;

use super::Told;
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::door::Locks;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::torn::site;
use crate::sim::world::{Body, Ended, Options, Plan, SimFs, SimHost, World};

const PROCESSES: usize = 3;
const ROUNDS: usize = 2;

/// The scenario.
#[derive(Debug, Clone)]
pub struct Files {
    disk: Disk,
    locks: Locks,
}

/// What a process was told about one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    /// It begins: until another answer nobody knows.
    Asked(What),
    Done(What),
    Not(What),
    /// A reader, that takes no lock, saw what it must not see.
    Wrong(String),
    /// The same, if nobody was killed: else it may be right.
    Damage(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Record(String),
    /// One increment of one process.
    Increment(String),
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl Files {
    /// With a log and a document that are there already.
    #[must_use]
    pub fn new() -> Self {
        let disk = site::disk(|fs, _| {
            site::foreign(fs, site::LOG, b"");
            site::foreign(fs, "state.json", b"{\"n\":0}\n");
        });
        Files { disk, locks: Locks::Kept }
    }

    /// The same where the OS lock works not: a canary that must be found.
    #[must_use]
    pub fn without_locks() -> Self {
        Files { locks: Locks::Ignored, ..Self::new() }
    }
}

impl Scenario for Files {
    fn name(&self) -> String {
        let canary = if self.locks == Locks::Ignored { ", OS lock ignored" } else { "" };
        format!("together/log and document{canary}")
    }

    fn run(&self, source: Source) -> Ran {
        let options = Options {
            preempt_one_in: 8,
            kills_max: 2,
            kill_one_in: 60,
            split_writes: true,
            locks: self.locks,
            ..Options::default()
        };
        let world = World::new(self.disk.clone(), source, options);
        let told = Told::nothing();
        let body = || -> Body<'static, ()> {
            let told = told.clone();
            Box::new(move |fs, host| work(&fs, &host, &told))
        };
        let mut bodies: Vec<Body<'static, ()>> = (0..PROCESSES).map(|_| body()).collect();
        let watching = told.clone();
        bodies.push(Box::new(move |fs, _| watch(&fs, &watching)));
        let ended = world.together_owned(bodies);
        let violation = judge(&world, &ended, &told.lock()).err();
        Ran::of(&world, violation)
    }
}

fn work(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    for round in 0..ROUNDS {
        let id = format!("{}-{round}", host.number());
        let append = || Ok(site::log(fs)?.append(&site::record(&id), &site::shown(None))?.is_ok());
        tell(told, What::Record(id.clone()), append);
        let increment = || Ok(site::document(fs, host)?.increment("n", 1, &site::shown(None))?.is_ok());
        tell(told, What::Increment(id), increment);
    }
}

/// Reads the log while others append: every record that was answered before is there, and nothing looks damaged unless
/// somebody was killed.
fn watch(fs: &SimFs, told: &Told<Heard>) {
    for _ in 0..ROUNDS {
        let answered: Vec<String> = told.lock().iter().filter_map(Heard::record_done).cloned().collect();
        let read = site::log(fs).and_then(|log| log.read(&Page::default()));
        let Ok(Records { records, damaged, .. }) = read else {
            told.push(Heard::Wrong(format!("a reader failed: {:?}", read.err())));
            continue;
        };
        let there = |id: &String| records.iter().any(|record| record["id"].as_str() == Some(id));
        if let Some(missing) = answered.iter().find(|id| !there(id)) {
            told.push(Heard::Wrong(format!("record {missing} was answered, and a reader does not see it")));
        }
        if let Some(damaged) = damaged.first() {
            told.push(Heard::Damage(format!("a reader takes a write in progress for damage: {damaged:?}")));
        }
    }
}

impl Heard {
    fn record_done(&self) -> Option<&String> {
        match self {
            Heard::Done(What::Record(id)) => Some(id),
            _ => None,
        }
    }
}

fn tell(told: &Told<Heard>, what: What, operation: impl FnOnce() -> fencehold::Result<bool>) {
    told.push(Heard::Asked(what.clone()));
    match operation() {
        Ok(true) => told.push(Heard::Done(what)),
        Ok(false) => told.push(Heard::Not(what)),
        Err(error) if error.happened() == Happened::No => told.push(Heard::Not(what)),
        Err(_) => {}
    }
}

fn judge(world: &World, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    for heard in told {
        match heard {
            Heard::Wrong(what) => return Err(what.clone()),
            Heard::Damage(what) if world.kills() == 0 => return Err(what.clone()),
            _ => {}
        }
    }
    let (ids, number) = read(world)?;
    let count = |heard: fn(What) -> Heard, record: bool| {
        let is = |it: &&Heard| match it {
            Heard::Asked(what) | Heard::Done(what) | Heard::Not(what) => {
                **it == heard(what.clone()) && matches!(what, What::Record(_)) == record
            }
            Heard::Wrong(_) | Heard::Damage(_) => false,
        };
        told.iter().filter(is).count()
    };
    let (done, not) = (count(Heard::Done, false), count(Heard::Not, false));
    let most = count(Heard::Asked, false) - not;
    if number < done as u64 || number > most as u64 {
        return Err(format!(
            "{done} increments were answered, {most} may have happened, and {number} is read"
        ));
    }
    records(&ids, told)
}

fn records(ids: &[String], told: &[Heard]) -> Result<(), String> {
    for heard in told {
        let times = |id: &String| ids.iter().filter(|there| *there == id).count();
        match heard {
            Heard::Done(What::Record(id)) if times(id) != 1 => {
                return Err(format!("record {id} was answered and is there {} times: {ids:?}", times(id)));
            }
            Heard::Not(What::Record(id)) if times(id) != 0 => {
                return Err(format!("record {id} is there, and was answered as not written: {ids:?}"));
            }
            Heard::Asked(What::Record(id)) if times(id) > 1 => {
                return Err(format!("record {id} is there {} times: {ids:?}", times(id)));
            }
            _ => {}
        }
    }
    for process in 0..PROCESSES {
        let own: Vec<&String> = ids.iter().filter(|id| id.starts_with(&format!("{process}-"))).collect();
        if !own.is_sorted() {
            return Err(format!("the records of process {process} changed places: {ids:?}"));
        }
    }
    Ok(())
}

/// What a new process reads: the records' ids, and the number.
fn read(world: &World) -> Result<(Vec<String>, u64), String> {
    let ended = world.alone(Plan::NONE, |fs, host| -> fencehold::Result<_> {
        let records = site::log(&fs)?.read(&Page::default())?.records;
        let ids = records.iter().map(|record| record["id"].as_str().unwrap_or("").to_owned()).collect();
        let content = site::document(&fs, &host)?.read(&site::shown(None))?;
        Ok((ids, content.ok().and_then(|content| content.value.get("n").and_then(Value::as_u64))))
    });
    match ended {
        Ended::Returned(Ok((ids, Some(number)))) => Ok((ids, number)),
        Ended::Returned(Ok((_, None))) => Err("the document has no number".to_owned()),
        Ended::Returned(Err(error)) => Err(format!("the next process is told: {error}")),
        Ended::Killed | Ended::Panicked(_) => Err("the next process did not end by itself".to_owned()),
    }
}
