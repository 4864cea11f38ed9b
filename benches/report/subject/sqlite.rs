//! SQLite in WAL mode: one transaction for each operation, statements prepared once.

use std::path::Path;
use std::time::Duration;

use fencehold_benches::Result;
use fencehold_benches::results::{Subject, Workload};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::PATIENCE_MS;
use crate::task::Task;
use crate::worker::{Op, Outcome, busy};

const FILE: &str = "peer.sqlite";

pub(super) fn prepare(dir: &Path) -> Result<()> {
    let connection = Connection::open(dir.join(FILE))?;
    let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(format!("SQLite keeps its journal as {mode} here, not as a WAL").into());
    }
    connection.execute_batch(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
         CREATE TABLE counter (n INTEGER NOT NULL);
         INSERT INTO counter VALUES (0);",
    )?;
    Ok(())
}

fn connect(task: &Task) -> Result<Connection> {
    let connection = Connection::open(task.dir.join(FILE))?;
    connection.busy_timeout(Duration::from_millis(PATIENCE_MS))?;
    let synchronous = if task.subject == Subject::SqliteFull { "FULL" } else { "NORMAL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

pub(super) fn open(task: &Task) -> Result<Op> {
    let mut connection = connect(task)?;
    let (body, workload, work_us) = (task.record(), task.workload, task.workload.work_us());
    Ok(Box::new(move || {
        let done = match workload {
            Workload::Commit | Workload::Log => connection
                .prepare_cached("INSERT INTO events (body) VALUES (?1)")
                .and_then(|mut insert| insert.execute([&body]).map(drop)),
            Workload::Counter => connection
                .prepare_cached("UPDATE counter SET n = n + 1")
                .and_then(|mut update| update.execute([]).map(drop)),
            Workload::Lock | Workload::LockWork => {
                connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                    busy(work_us);
                    transaction.commit()
                })
            }
        };
        match done {
            Ok(()) => Ok(Outcome::Acked),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(Outcome::GaveUp),
            Err(error) => Err(error.into()),
        }
    }))
}

pub(super) fn found(workload: Workload, dir: &Path) -> Result<u64> {
    let connection = Connection::open(dir.join(FILE))?;
    let query = match workload {
        Workload::Counter => "SELECT n FROM counter",
        _ => "SELECT count(*) FROM events",
    };
    let found: i64 = connection.query_row(query, [], |row| row.get(0))?;
    Ok(u64::try_from(found)?)
}

pub(super) fn version() -> String {
    format!(
        "{} (rusqlite {})",
        rusqlite::version(),
        super::locked("rusqlite").unwrap_or_else(|| "unknown".to_owned())
    )
}
