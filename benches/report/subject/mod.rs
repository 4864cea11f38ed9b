//! The subjects: each prepares a folder, opens an operation on it, and counts what is there at the end.

mod bare;
mod json;
mod ours;
#[cfg(feature = "peers")]
mod redb;
mod script;
#[cfg(feature = "peers")]
mod sqlite;

use std::path::Path;

use fencehold_benches::Result;
use fencehold_benches::results::{Subject, Workload};

use crate::task::Task;
use crate::worker::Op;

pub(crate) use ours::line_bytes;
pub(crate) use script::{Peers, command};

/// How long an operation waits for its turn before it gives up, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// The file of the bare calls and of those who keep JSON.
const RECORDS: &str = "records.ndjson";
const STATE: &str = "state.json";
/// What their lock is taken on.
const LOCK: &str = "the.lock";

/// Makes what the workers find. Done before they start, by who starts them.
pub(crate) fn prepare(subject: Subject, dir: &Path) -> Result<()> {
    match subject {
        Subject::Ours | Subject::OursRelaxed => ours::prepare(dir),
        Subject::Bare => bare::prepare(dir),
        #[cfg(feature = "peers")]
        Subject::SqliteFull | Subject::SqliteNormal => sqlite::prepare(dir),
        #[cfg(feature = "peers")]
        Subject::Redb => redb::prepare(dir),
        #[cfg(not(feature = "peers"))]
        Subject::SqliteFull | Subject::SqliteNormal | Subject::Redb => Err(LEFT_OUT.into()),
        Subject::Json | Subject::ProperLockfile | Subject::Filelock => json::prepare(dir),
    }
}

/// The operation that a worker repeats.
pub(crate) fn open(task: &Task) -> Result<Op> {
    match task.subject {
        Subject::Ours | Subject::OursRelaxed => ours::open(task),
        Subject::Bare => bare::open(task),
        #[cfg(feature = "peers")]
        Subject::SqliteFull | Subject::SqliteNormal => sqlite::open(task),
        #[cfg(feature = "peers")]
        Subject::Redb => redb::open(task),
        #[cfg(not(feature = "peers"))]
        Subject::SqliteFull | Subject::SqliteNormal | Subject::Redb => Err(LEFT_OUT.into()),
        Subject::Json => json::open(task),
        Subject::ProperLockfile | Subject::Filelock => Err("its workers are scripts".into()),
    }
}

/// How many records there are at the end; none where the workload leaves none.
pub(crate) fn found(subject: Subject, workload: Workload, dir: &Path) -> Result<Option<u64>> {
    if workload.is_lock() {
        return Ok(None);
    }
    let found = match subject {
        Subject::Ours | Subject::OursRelaxed => ours::found(workload, dir),
        Subject::Bare => bare::found(workload, dir),
        #[cfg(feature = "peers")]
        Subject::SqliteFull | Subject::SqliteNormal => sqlite::found(workload, dir),
        #[cfg(feature = "peers")]
        Subject::Redb => redb::found(workload, dir),
        #[cfg(not(feature = "peers"))]
        Subject::SqliteFull | Subject::SqliteNormal | Subject::Redb => Err(LEFT_OUT.into()),
        Subject::Json | Subject::ProperLockfile | Subject::Filelock => json::found(workload, dir),
    };
    found.map(Some)
}

/// Why a subject cannot run here, if it cannot.
pub(crate) fn missing(subject: Subject, peers: &Peers) -> Option<String> {
    match subject {
        #[cfg(not(feature = "peers"))]
        Subject::SqliteFull | Subject::SqliteNormal | Subject::Redb => Some(LEFT_OUT.to_owned()),
        Subject::ProperLockfile | Subject::Filelock => peers.missing(subject),
        _ => None,
    }
}

/// What it is made of, with versions.
pub(crate) fn versions(peers: &Peers) -> Vec<(String, String)> {
    let mut found = vec![("Fencehold".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    #[cfg(feature = "peers")]
    found.extend([
        ("SQLite".to_owned(), sqlite::version()),
        ("redb".to_owned(), locked("redb").unwrap_or_else(|| "unknown".to_owned())),
    ]);
    found.extend(peers.versions());
    found
}

#[cfg(not(feature = "peers"))]
const LEFT_OUT: &str = "this build is without the feature `peers`";

/// The version of a crate, as it was built.
#[cfg(feature = "peers")]
fn locked(name: &str) -> Option<String> {
    let lock = include_str!("../../../Cargo.lock");
    let entry = lock.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{name}\"\n")))?;
    Some(entry.lines().find_map(|line| line.strip_prefix("version = "))?.trim_matches('"').to_owned())
}
