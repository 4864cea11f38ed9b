//! M05: a stale lock is judged first and removed by its path later.
//!
//! Two processes judge the same dead process's lock stale. One unlinks and creates; the other then unlinks the lock that
//! the first has just created, and creates its own. Both are inside.

use std::io;

use fencehold::fs::Fs;
use fencehold::host::Clock;

use super::record::{Record, create, read, unlink_if_there};

pub(super) fn acquire<F: Fs>(fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
    let now_ms = host.reading().monotonic_ms;
    let mine = Record::new(me, now_ms);
    if create(fs, &mine)? {
        return Ok(Some(mine));
    }
    // A file without a record is being written: held.
    let stale = read(fs)?.is_some_and(|record| record.lapsed(now_ms));
    if !stale {
        return Ok(None);
    }
    unlink_if_there(fs)?;
    Ok(create(fs, &mine)?.then_some(mine))
}

pub(super) fn release<F: Fs>(fs: &F, me: &str) -> io::Result<()> {
    match read(fs)? {
        Some(record) if record.holder == me => unlink_if_there(fs),
        _ => Ok(()),
    }
}
