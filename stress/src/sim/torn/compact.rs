//! A compaction of a log, torn.
//!
//! What each id was seen counts, not where it stands: that is the same before, after and wherever it is killed.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold::fs::{File as _, Fs as _, How};
use fencehold::log::Page;
use serde_json::{Map, Value, json};

use super::site::{self, ARCHIVE, LOG, ROOT, foreign, shown};
use super::{Answered, Torn, changes_nothing, fresh, said};
use crate::sim::disk::Disk;
use crate::sim::world::{SimFs, World};

/// Two that say one thing, one by itself, and what is no record.
const LINES: &[u8] =
    b"{\"id\":\"a\",\"t\":\"x\"}\n{\"id\":\"b\",\"t\":\"y\"}\njunk\n{\"id\":\"c\",\"t\":\"x\"}\n";
const LATE: &[u8] = b"{\"id\":\"d\",\"t\":\"z\"}\n";

/// How the log stands before the compaction.
#[derive(Debug, Clone, Copy)]
enum Before {
    /// With something to fold.
    Plain,
    /// With a foreign half line behind it.
    Half,
    /// Compacted before, and then appended to by somebody who had the old file open.
    Late,
    /// With a second name in `archive/`, as a compaction leaves it that was killed before its rename; it has grown since.
    Named,
}

/// Compactions of a log.
#[must_use]
pub fn all() -> Vec<Torn> {
    vec![
        torn("log compact", Before::Plain),
        torn("log compact behind a foreign half line", Before::Half),
        torn("log compact, a late line", Before::Late),
        torn("log compact after one that was killed", Before::Named),
    ]
}

fn compact(fs: &SimFs) -> fencehold::Result<bool> {
    Ok(site::log(fs)?.compact(&shown(None))?.is_ok())
}

fn disk(before: Before) -> Disk {
    site::disk(|fs, _| {
        foreign(fs, LOG, LINES);
        match before {
            Before::Plain => {}
            Before::Half => foreign(fs, LOG, b"{\"id\":\"half"),
            Before::Late => {
                let open = fs.open(&Path::new(ROOT).join(LOG), How::Append).expect("it is there");
                compact(fs).expect("a healthy disk");
                open.append(LATE).expect("a healthy disk");
                open.sync().expect("a healthy disk");
            }
            Before::Named => {
                let log = site::log(fs).expect("a healthy disk");
                let name = format!("{}@1-4.ndjson", log.place().key());
                fs.link(&log.place().path(), &Path::new(ARCHIVE).join(name)).expect("a healthy disk");
                foreign(fs, LOG, LATE);
            }
        }
    })
}

fn torn(name: &'static str, before: Before) -> Torn {
    let disk = disk(before);
    let act = |fs: &SimFs, _: &_| Answered::of(&compact(fs));
    Torn::new(name, disk, act, move |world, answered| judge(world, answered, before))
}

fn judge(world: &World, answered: Answered, before: Before) -> Result<(), String> {
    let mut expected: BTreeMap<&str, u64> = BTreeMap::from([("a", 1), ("b", 1), ("c", 1)]);
    let first = look(world)?;
    if first.is_owed && answered == Answered::Done {
        return Err("it was answered, and lines of an old file are owed".to_owned());
    }
    if answered == Answered::Not && first.temps > 0 {
        return Err("it was answered that nothing happened, and what it wrote takes up space".to_owned());
    }
    let is_late = matches!(before, Before::Late | Before::Named);
    if is_late && (first.seen.contains_key("d") || answered == Answered::Done) {
        expected.insert("d", 1);
    }
    first.is(&expected, before)?;
    let is_folded = first.records < first.seen.len();
    if !matches!(before, Before::Late) && !answered.allows(is_folded) {
        return Err(format!("it was answered {answered:?}, and folded is {is_folded}"));
    }
    // Who holds the old file open appends once more.
    fresh(world, |fs, _| {
        fs.open(&Path::new(ROOT).join(LOG), How::Read)
            .map_err(|error| format!("the log is gone: {error}"))?;
        let log = site::log(&fs).map_err(|error| said(&error))?;
        log.append(&site::record("e"), &shown(None))
            .map_err(|error| said(&error))?
            .map(drop)
            .map_err(|_| "refused".to_owned())
    })?;
    fresh(world, |fs, _| compact(&fs).map(drop).map_err(|error| said(&error)))?;
    if is_late {
        expected.insert("d", 1);
    }
    expected.insert("e", 1);
    let second = look(world)?;
    second.is(&expected, before)?;
    if second.records != expected.len() - 1 || second.is_owed || second.temps > 0 {
        return Err(format!("one that was run again did not end it: {second:?}"));
    }
    changes_nothing(world, |world| fresh(world, |fs, _| compact(&fs).map(drop).map_err(|error| said(&error))))
}

/// What a new process reads.
#[derive(Debug)]
struct Looked {
    /// How often each id was seen.
    seen: BTreeMap<String, u64>,
    records: usize,
    damaged: usize,
    is_owed: bool,
    temps: usize,
    is_kept: bool,
}

fn look(world: &World) -> Result<Looked, String> {
    fresh(world, |fs, _| {
        let log = site::log(&fs).map_err(|error| said(&error))?;
        let read = log.read(&Page::default()).map_err(|error| said(&error))?;
        let left = log.left().map_err(|error| said(&error))?;
        let mut seen = BTreeMap::new();
        for record in &read.records {
            count(record, &mut seen)?;
        }
        let names = fs.list(Path::new(ARCHIVE)).map_err(|error| format!("a process is told: {error}"))?;
        let temps = names.iter().filter(|name| name.starts_with('.')).count();
        let is_kept = names.iter().any(|name| {
            let bytes = fencehold::fs::read_file(&fs, &Path::new(ARCHIVE).join(name), 4096);
            bytes.is_ok_and(|bytes| bytes.is_some_and(|bytes| bytes.starts_with(LINES)))
        });
        let is_owed = left.iter().any(|left| left.lines > 0);
        Ok(Looked { seen, records: read.records.len(), damaged: read.damaged.len(), is_owed, temps, is_kept })
    })
}

fn count(record: &Map<String, Value>, seen: &mut BTreeMap<String, u64>) -> Result<(), String> {
    let folded = record.get("folded").and_then(Value::as_object).cloned().unwrap_or_default();
    let all = record.get("occurrences").unwrap_or(&json!(1)).as_u64().unwrap_or(0);
    let others: u64 = folded.values().filter_map(Value::as_u64).sum();
    let own = record["id"].as_str().unwrap_or("").to_owned();
    let ids = folded.into_iter().map(|(id, times)| (id, times.as_u64().unwrap_or(0)));
    for (id, times) in ids.chain([(own, all.saturating_sub(others))]) {
        if seen.insert(id.clone(), times).is_some() {
            return Err(format!("{id} is counted in two records"));
        }
    }
    Ok(())
}

impl Looked {
    fn is(&self, expected: &BTreeMap<&str, u64>, before: Before) -> Result<(), String> {
        let is_same = self
            .seen
            .iter()
            .map(|(id, times)| (id.as_str(), *times))
            .eq(expected.iter().map(|(id, times)| (*id, *times)));
        // What was cut of a line that was carried over is one bad line, too.
        let damaged = 1..=1 + usize::from(matches!(before, Before::Half | Before::Late));
        // Where it is folded, the file as it was is kept.
        let is_kept = self.is_kept || self.records == self.seen.len();
        match is_same && damaged.contains(&self.damaged) && is_kept {
            true => Ok(()),
            false => Err(format!("{expected:?} was expected: {self:?}")),
        }
    }
}
