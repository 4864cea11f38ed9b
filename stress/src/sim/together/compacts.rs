//! A log that some append to, some import into and some compact, and that a program without the lock has open.
//!
//! What an append was answered counts once, what it was not answered at most once, whoever compacted meanwhile; what the
//! program without the lock wrote stands in the log, or is owed to it.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold::Happened;
use fencehold::fs::{File as _, Fs as _, How};
use fencehold::log::{Legacy, Page};
use serde_json::{Map, Value, json};

use super::Told;
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::door::Locks;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::torn::site;
use crate::sim::world::{Body, Ended, Options, Plan, SimFs, SimHost, World};

const APPENDERS: usize = 2;
const ROUNDS: usize = 2;
const OLD: &str = "[{\"id\":\"old-1\"},{\"id\":\"old-2\"}]";

/// The scenario.
#[derive(Debug, Clone)]
pub struct Compacts {
    disk: Disk,
    locks: Locks,
}

/// What a process was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    /// It begins: until another answer nobody knows.
    Asked(String),
    Done(String),
    Not(String),
}

impl Default for Compacts {
    fn default() -> Self {
        Self::new()
    }
}

impl Compacts {
    /// With two records that say one thing.
    #[must_use]
    pub fn new() -> Self {
        let disk = site::disk(|fs, _| site::foreign(fs, site::LOG, b"{\"id\":\"a\"}\n{\"id\":\"b\"}\n"));
        Compacts { disk, locks: Locks::Kept }
    }

    /// The same where the OS lock works not: a canary that must be found.
    #[must_use]
    pub fn without_locks() -> Self {
        Compacts { locks: Locks::Ignored, ..Self::new() }
    }
}

impl Scenario for Compacts {
    fn name(&self) -> String {
        let canary = if self.locks == Locks::Ignored { ", OS lock ignored" } else { "" };
        format!("together/compactions of a log{canary}")
    }

    fn run(&self, source: Source) -> Ran {
        let options = Options {
            preempt_one_in: 8,
            kills_max: 2,
            kill_one_in: 80,
            locks: self.locks,
            ..Options::default()
        };
        let world = World::new(self.disk.clone(), source, options);
        let told = Told::nothing();
        let mut bodies: Vec<Body<'static, ()>> = Vec::new();
        for _ in 0..APPENDERS {
            let told = told.clone();
            bodies.push(Box::new(move |fs, host| append(&fs, &host, &told)));
        }
        for _ in 0..2 {
            bodies.push(Box::new(|fs, _| {
                for _ in 0..ROUNDS {
                    let _ = site::log(&fs).and_then(|log| log.compact(&site::shown(None)));
                }
            }));
        }
        let heard = told.clone();
        bodies.push(Box::new(move |fs, _| import(&fs, &heard)));
        let heard = told.clone();
        bodies.push(Box::new(move |fs, _| foreign(&fs, &heard)));
        let ended = world.together_owned(bodies);
        let violation = judge(&world, &ended, &told.lock()).err();
        Ran::of(&world, violation)
    }
}

fn append(fs: &SimFs, host: &SimHost, told: &Told<Heard>) {
    for round in 0..ROUNDS {
        let id = format!("{}-{round}", host.number());
        told.push(Heard::Asked(id.clone()));
        let record = Map::from_iter([("id".to_owned(), json!(id))]);
        match site::log(fs).and_then(|log| log.append(&record, &site::shown(None))) {
            Ok(Ok(_)) => told.push(Heard::Done(id)),
            Err(error) if error.happened() == Happened::No => told.push(Heard::Not(id)),
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

fn import(fs: &SimFs, told: &Told<Heard>) {
    let ids = || ["old-1", "old-2"].map(str::to_owned).into_iter();
    ids().for_each(|id| told.push(Heard::Asked(id)));
    let legacy = Legacy::read(Path::new("old.json"), OLD.as_bytes()).expect("it is whole");
    if site::log(fs).and_then(|log| log.import(&legacy, &site::shown(None))).is_ok() {
        ids().for_each(|id| told.push(Heard::Done(id)));
    }
}

/// A program without the lock, which keeps the log open. What it writes behind the half line of a writer that was killed is
/// one bad line with that, whoever compacts: it was not written as a line.
fn foreign(fs: &SimFs, told: &Told<Heard>) {
    let Ok(file) = fs.open(&Path::new(site::ROOT).join(site::LOG), How::Append) else { return };
    for round in 0..ROUNDS {
        let id = format!("foreign-{round}");
        told.push(Heard::Asked(id.clone()));
        let line = format!("{{\"id\":\"{id}\"}}\n");
        let is_whole = file.append(line.as_bytes()).is_ok_and(|count| count == line.len());
        if is_whole && stands_alone(&file, line.as_bytes()) {
            told.push(Heard::Done(id));
        }
    }
}

/// Whether the file has this line on its own.
fn stands_alone(file: &impl fencehold::fs::File, line: &[u8]) -> bool {
    let mut bytes = vec![0; 4096];
    let count = file.read_at(0, &mut bytes).unwrap_or(0);
    assert!(count < bytes.len(), "the log is short here");
    bytes[..count].split_inclusive(|byte| *byte == b'\n').any(|one| one == line)
}

fn judge(world: &World, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    let seen = match world.alone(Plan::NONE, |fs, _| settle(&fs)) {
        Ended::Returned(seen) => seen?,
        Ended::Killed | Ended::Panicked(_) => return Err("the next process did not end by itself".to_owned()),
    };
    for heard in told {
        let (id, allowed) = match heard {
            Heard::Done(id) => (id, 1..=1),
            Heard::Not(id) => (id, 0..=0),
            Heard::Asked(id) => (id, 0..=1),
        };
        let count = seen.get(id).copied().unwrap_or(0);
        if !allowed.contains(&count) {
            return Err(format!("{heard:?}, and it is counted {count} times: {seen:?}"));
        }
    }
    match (seen.get("a"), seen.get("b")) {
        (Some(1), Some(1)) => Ok(()),
        _ => Err(format!("what stood there before is lost: {seen:?}")),
    }
}

/// Compacts once more, and counts how often each id was seen.
fn settle(fs: &SimFs) -> Result<BTreeMap<String, u64>, String> {
    let said = |error: fencehold::Error| format!("the next process is told: {error}");
    let log = site::log(fs).map_err(said)?;
    log.compact(&site::shown(None)).map_err(said)?.map_err(|_| "it is refused".to_owned())?;
    let left = log.left().map_err(said)?;
    if left.iter().any(|left| left.lines > 0) {
        return Err(format!("a compaction left behind what it owes: {left:?}"));
    }
    let read = log.read(&Page::default()).map_err(said)?;
    let mut seen = BTreeMap::new();
    for record in &read.records {
        let folded = record.get("folded").and_then(Value::as_object).cloned().unwrap_or_default();
        let all = record.get("occurrences").map_or(1, |all| all.as_u64().unwrap_or(0));
        let others: u64 = folded.values().filter_map(Value::as_u64).sum();
        let own = (record["id"].as_str().unwrap_or("").to_owned(), all.saturating_sub(others));
        for (id, count) in
            folded.into_iter().map(|(id, count)| (id, count.as_u64().unwrap_or(0))).chain([own])
        {
            *seen.entry(id).or_insert(0) += count;
        }
    }
    Ok(seen)
}
