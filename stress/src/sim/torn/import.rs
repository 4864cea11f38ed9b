//! An import into a log, torn.

use std::path::Path;

use fencehold::log::{Legacy, Page};

use super::site::{self, LOG, foreign, shown};
use super::{Answered, Torn, changes_nothing, fresh, said};
use crate::sim::disk::Disk;
use crate::sim::world::{SimFs, World};

const OLD: &str =
    "{\"version\":1,\"bugs\":[{\"id\":\"a\",\"n\":1},{\"id\":\"b\",\"n\":2},{\"id\":\"c\",\"n\":3}]}";

/// Imports into a log.
#[must_use]
pub fn all() -> Vec<Torn> {
    vec![
        torn("log import", b""),
        torn("log import of the rest", b"{\"id\":\"own\"}\n{\"id\":\"b\",\"n\":2}\n"),
        // All but its newline, as a killed import leaves it.
        torn("log import behind a half line", b"{\"id\":\"own\"}\n{\"id\":\"a\",\"n\":1}"),
    ]
}

fn import(fs: &SimFs) -> fencehold::Result<bool> {
    let legacy = Legacy::read(Path::new("old.json"), OLD.as_bytes())?;
    Ok(site::log(fs)?.import(&legacy, &shown(None))?.is_ok())
}

fn torn(name: &'static str, before: &'static [u8]) -> Torn {
    let disk: Disk = site::disk(|fs, _| {
        if !before.is_empty() {
            foreign(fs, LOG, before);
        }
    });
    let act = |fs: &SimFs, _: &_| Answered::of(&import(fs));
    Torn::new(name, disk, act, move |world, answered| judge(world, answered, before))
}

fn judge(world: &World, answered: Answered, before: &[u8]) -> Result<(), String> {
    let whole = |ids: &[String]| ["a", "b", "c"].iter().all(|id| ids.iter().any(|there| there == id));
    let first = ids(world)?;
    if answered == Answered::Done && !whole(&first) {
        return Err(format!("it was answered, and then {first:?} is read"));
    }
    fresh(world, |fs, _| import(&fs).map(drop).map_err(|error| said(&error)))?;
    let second = ids(world)?;
    let own = usize::from(before.starts_with(b"{\"id\":\"own\"}"));
    let mut sorted = second.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if !whole(&second) || second.len() != 3 + own || sorted.len() != second.len() {
        return Err(format!("one that was run again left {second:?}"));
    }
    if first.iter().zip(&second).any(|(before, after)| before != after) {
        return Err(format!("records moved: {first:?} became {second:?}"));
    }
    changes_nothing(world, |world| fresh(world, |fs, _| import(&fs).map(drop).map_err(|error| said(&error))))
}

/// What a new process reads.
fn ids(world: &World) -> Result<Vec<String>, String> {
    fresh(world, |fs, _| {
        let log = site::log(&fs).map_err(|error| said(&error))?;
        let records = log.read(&Page::default()).map_err(|error| said(&error))?.records;
        Ok(records.iter().map(|record| record["id"].as_str().unwrap_or("").to_owned()).collect())
    })
}
