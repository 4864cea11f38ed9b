//! Appends to a log, torn.

use fencehold::log::Page;
use serde_json::{Map, Value};

use super::site::{self, LOG, ROOT, foreign, record, shown};
use super::{Answered, Torn, changes_nothing, fresh, said};
use crate::sim::disk::Disk;
use crate::sim::world::{SimFs, World};

/// What a killed foreign writer left; no record even once its line ends.
const HALF: &[u8] = b"{\"id\":\"half\",\"te";

/// How the log stands before the append.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// The ids of its records.
    ids: &'static [&'static str],
    /// Whether a foreign half line follows them.
    half: bool,
    /// The token that is shown at the append.
    token: Option<u64>,
}

/// Appends to a log.
#[must_use]
pub fn all() -> Vec<Torn> {
    let plain = Before { ids: &["a"], half: false, token: None };
    vec![
        torn("log append", plain),
        torn("log append, first record", Before { ids: &[], ..plain }),
        torn("log append behind a foreign half line", Before { half: true, ..plain }),
        torn("log append with a fence", Before { token: Some(7), ..plain }),
    ]
}

fn append(fs: &SimFs, id: &str, token: Option<u64>) -> fencehold::Result<bool> {
    Ok(site::log(fs)?.append(&record(id), &shown(token))?.is_ok())
}

fn disk(before: Before) -> Disk {
    site::disk(|fs, _| {
        for id in before.ids {
            append(fs, id, None).expect("an append on a healthy disk");
        }
        if before.half {
            foreign(fs, LOG, HALF);
        }
    })
}

fn torn(name: &'static str, before: Before) -> Torn {
    let disk = disk(before);
    let start = disk.contents(format!("{ROOT}/{LOG}")).unwrap_or_default().to_vec();
    let act = move |fs: &SimFs, _: &_| Answered::of(&append(fs, "b", before.token));
    Torn::new(name, disk, act, move |world, answered| judge(world, answered, before, &start))
}

fn judge(world: &World, answered: Answered, before: Before, start: &[u8]) -> Result<(), String> {
    let first = ids(world)?;
    check(&first, answered, before, &[])?;
    changes_nothing(world, |world| ids(world).map(|_| ()))?;
    fresh(world, |fs, _| append(&fs, "c", before.token).map_err(|error| said(&error)))?;
    let second = ids(world)?;
    check(&second, answered, before, &["c"])?;
    if first.iter().zip(&second).any(|(before, after)| before != after) {
        return Err(format!("records moved: {first:?} became {second:?}"));
    }
    changes_nothing(world, |world| ids(world).map(|_| ()))?;
    if !bytes(world).starts_with(start) {
        return Err("bytes that stood there were changed".to_owned());
    }
    Ok(())
}

fn bytes(world: &World) -> Vec<u8> {
    world.disk(|disk| disk.contents(format!("{ROOT}/{LOG}")).unwrap_or_default().to_vec())
}

/// What a new process reads.
fn ids(world: &World) -> Result<Vec<String>, String> {
    fresh(world, |fs, _| {
        let log = site::log(&fs).map_err(|error| said(&error))?;
        let records = log.read(&Page::default()).map_err(|error| said(&error))?;
        let checked = log.check().map_err(|error| said(&error))?;
        if checked.damaged_count > 2 {
            return Err(format!(
                "{} bad lines; the half line and the cut one are two",
                checked.damaged_count
            ));
        }
        let id = |record: &Map<String, Value>| record["id"].as_str().unwrap_or("").to_owned();
        Ok(records.records.iter().map(id).collect())
    })
}

/// The records before, then the torn one by its answer, then those after.
fn check(ids: &[String], answered: Answered, before: Before, after: &[&str]) -> Result<(), String> {
    let with = [before.ids, &["b"], after].concat();
    let without = [before.ids, after].concat();
    let there = ids == with;
    if (there || ids == without) && answered.allows(there) {
        return Ok(());
    }
    Err(format!("the append was answered {answered:?}, and then {ids:?} is read"))
}
