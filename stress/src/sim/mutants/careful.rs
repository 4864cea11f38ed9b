//! The control: a record in a file that is never removed, looked at and changed under the OS lock of that file.

use std::io;

use fencehold::fs::{File, Fs, read_from};
use fencehold::host::Clock;

use super::release_by_path::locked;
use super::{LOCK, Record};

pub(super) fn acquire<F: Fs>(fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
    let file = locked(fs, LOCK)?;
    let now_ms = host.reading().monotonic_ms;
    // What is no whole record was left by a process that was killed before it could have held the lock.
    let held = Record::parse(&read_from(&file, 0, 4096)?).is_some_and(|record| now_ms < record.expires_ms);
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
