//! M45: the lock file is looked for first, and written then.
//!
//! It is even written well, by a rename; but two who both found nothing both write, and both believe.

use std::io;
use std::path::Path;

use fencehold::fs::{File, Fs, How};
use fencehold::host::Clock;

use super::LOCK;
use super::record::{Record, read};

pub(super) fn acquire<F: Fs>(fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
    let now_ms = host.reading().monotonic_ms;
    if read(fs)?.is_some_and(|record| !record.lapsed(now_ms)) {
        return Ok(None);
    }
    let mine = Record::new(me, now_ms);
    let temp = format!("{LOCK}.{me}");
    fs.open(Path::new(&temp), How::CreateNew { mode: 0o600 })?.append(&mine.bytes())?;
    fs.rename(Path::new(&temp), Path::new(LOCK))?;
    Ok(Some(mine))
}
