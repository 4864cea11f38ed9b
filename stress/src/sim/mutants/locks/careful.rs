//! The control: a record in a file that is never removed, looked at and changed under the OS lock of that file.
//!
//! By which clock a record lapses, and what else ends a grant, is the caller's: the protocols that are wrong in nothing
//! but that share the rest.

use std::io;

use fencehold::fs::{File, Fs, read_from};

use super::LOCK;
use super::record::{Record, locked};

/// `clock` says when a grant begins, `over` whether one has ended, looked at by that clock.
pub(super) fn acquire<F: Fs>(
    fs: &F,
    me: &str,
    clock: impl Fn() -> u64,
    over: impl Fn(&Record, u64) -> bool,
) -> io::Result<Option<Record>> {
    let file = locked(fs, LOCK)?;
    let now_ms = clock();
    // What is no whole record was left by a process that was killed before it could have held the lock.
    let held = Record::parse(&read_from(&file, 0, 4096)?).is_some_and(|record| !over(&record, now_ms));
    let mine = Record::new(me, now_ms);
    if !held {
        file.truncate(0)?;
        file.append(&mine.bytes())?;
    }
    file.unlock()?;
    Ok((!held).then_some(mine))
}

pub(super) fn release<F: Fs>(fs: &F, me: &str) -> io::Result<()> {
    let file = locked(fs, LOCK)?;
    if Record::parse(&read_from(&file, 0, 4096)?).is_some_and(|record| record.holder == me) {
        file.truncate(0)?;
    }
    file.unlock()
}
