//! redb: one durable write transaction for each operation, in the one process that has the file.

use std::path::Path;

use fencehold_benches::Result;
use fencehold_benches::results::Workload;
use redb::{
    Database, Durability, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition,
};

use crate::task::Task;
use crate::worker::{Op, Outcome};

const FILE: &str = "peer.redb";
const EVENTS: TableDefinition<'_, u64, &str> = TableDefinition::new("events");
const COUNTER: TableDefinition<'_, &str, u64> = TableDefinition::new("counter");

pub(super) fn prepare(dir: &Path) -> Result<()> {
    let database = Database::create(dir.join(FILE))?;
    let transaction = database.begin_write()?;
    transaction.open_table(EVENTS)?;
    transaction.open_table(COUNTER)?.insert("n", 0)?;
    Ok(transaction.commit()?)
}

pub(super) fn open(task: &Task) -> Result<Op> {
    let database = Database::open(task.dir.join(FILE))?;
    let (body, workload, mut next) = (task.record(), task.workload, 0_u64);
    Ok(Box::new(move || {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        match workload {
            Workload::Counter => {
                let mut table = transaction.open_table(COUNTER)?;
                let n = table.get("n")?.ok_or("the counter is gone")?.value();
                table.insert("n", n + 1)?;
            }
            _ => {
                transaction.open_table(EVENTS)?.insert(next, body.as_str())?;
                next += 1;
            }
        }
        transaction.commit()?;
        Ok(Outcome::Acked)
    }))
}

pub(super) fn found(workload: Workload, dir: &Path) -> Result<u64> {
    let database = Database::open(dir.join(FILE))?;
    let transaction = database.begin_read()?;
    match workload {
        Workload::Counter => {
            Ok(transaction.open_table(COUNTER)?.get("n")?.ok_or("the counter is gone")?.value())
        }
        _ => Ok(transaction.open_table(EVENTS)?.len()?),
    }
}
