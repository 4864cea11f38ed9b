//! A JSON file that is read, changed and replaced: written beside, synced, renamed, its folder synced. Under `flock`
//! here; the scripts do the same under the locks of their packages, on the same files.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use fencehold_benches::Result;
use fencehold_benches::results::Workload;
use serde_json::{Value, json};

use super::bare::{lines, locked};
use super::{LOCK, RECORDS, STATE};
use crate::task::Task;
use crate::worker::{Op, Outcome};

/// How many records the file holds: a registry that never forgets would be slower with every one.
const RECENT: u64 = 64;

pub(super) fn prepare(dir: &Path) -> Result<()> {
    File::create(dir.join(LOCK))?;
    File::create(dir.join(RECORDS))?;
    replace(dir, &json!({ "count": 0, "recent": {} }))
}

pub(super) fn open(task: &Task) -> Result<Op> {
    let lock = File::open(task.dir.join(LOCK))?;
    let (dir, record, workload) = (task.dir.clone(), task.record(), task.workload);
    Ok(Box::new(move || {
        locked(&lock, || {
            let mut state = read(&dir)?;
            let count = state["count"].as_u64().ok_or("the state has no count")?;
            state["count"] = Value::from(count + 1);
            if workload == Workload::Commit {
                state["recent"][(count % RECENT).to_string()] = Value::from(record.as_str());
            }
            replace(&dir, &state)
        })?;
        Ok(Outcome::Acked)
    }))
}

pub(super) fn found(workload: Workload, dir: &Path) -> Result<u64> {
    match workload {
        Workload::Log => lines(&dir.join(RECORDS)),
        _ => Ok(read(dir)?["count"].as_u64().ok_or("the state has no count")?),
    }
}

fn read(dir: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(dir.join(STATE))?)?)
}

fn replace(dir: &Path, state: &Value) -> Result<()> {
    // A name of its own for each process: if the lock let two in, an update would be lost, and would be counted.
    let temp = dir.join(format!("state.{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&temp)?;
    file.write_all(&serde_json::to_vec(state)?)?;
    file.sync_all()?;
    std::fs::rename(&temp, dir.join(STATE))?;
    Ok(File::open(dir)?.sync_all()?)
}
