//! M06: the takeover is made under an OS lock and sound; the release removes whatever stands at the path.
//!
//! A holder is stalled past its TTL, another takes over, and the first one's release removes the other's lock.

use std::io;

use fencehold::fs::{File, Fs};
use fencehold::host::Clock;

use super::record::{Record, create, locked, read, unlink_if_there};

/// The file whose OS lock orders the takeovers; it is never removed.
pub(super) const GUARD: &str = "/build.guard";

pub(super) fn acquire<F: Fs>(fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
    let guard = locked(fs, GUARD)?;
    let now_ms = host.reading().monotonic_ms;
    let mine = Record::new(me, now_ms);
    if read(fs)?.is_some_and(|record| record.lapsed(now_ms)) {
        unlink_if_there(fs)?;
    }
    let created = create(fs, &mine)?;
    guard.unlock()?;
    Ok(created.then_some(mine))
}

pub(super) fn release<F: Fs>(fs: &F) -> io::Result<()> {
    unlink_if_there(fs)
}
