//! The record of each call that passed because it could not be decided: a line of `failed-open.ndjson`.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::describe;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, read_file};
use crate::host::{Clock as _, RealHost};

/// Its name in the workspace folder.
pub(in super::super) const FILE: &str = "failed-open.ndjson";
/// So much is kept: who lets that many calls pass has another problem, and is blocked.
const BYTES_MAX: u64 = 1 << 20;

/// Leaves a record of what passed, durably, before it does.
pub(super) fn record_within(patience: Duration, dir: &Path, why: &str) -> std::result::Result<(), String> {
    let (tell, told) = channel();
    let (dir, why) = (dir.to_owned(), why.to_owned());
    // Not joined: what keeps the answer from being decided may keep this one as well.
    std::thread::spawn(move || tell.send(record(&dir, &why).map_err(|error| error.to_string())));
    told.recv_timeout(patience).unwrap_or_else(|_| Err(format!("not within {} ms", patience.as_millis())))
}

fn record(dir: &Path, why: &str) -> Result<()> {
    let path = dir.join(FILE);
    let failed = |error| Error::environment("recording a failure in", &path, error);
    let now_ms = RealHost::new()?.reading().wall_ms;
    let line = format!("{}\n", json!({ "at": describe::utc(now_ms), "why": why }));
    let file = match RealFs.open(&path, How::Append) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mode = RealFs.stat(dir).map_err(failed)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600);
            RealFs.open(&path, How::CreateNew { mode }).map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    if file.stat().map_err(failed)?.len > BYTES_MAX {
        return Err(Error::usage(format!("{} is full; look at it, then remove it", path.display())));
    }
    append_all(&file, line.as_bytes()).map_err(failed)?;
    file.sync().and_then(|()| RealFs.sync_dir(dir)).map_err(failed)
}

/// What stands there, for `status`: each record, the oldest first; a line that is none, as its text.
pub(in super::super) fn records(dir: &Path) -> Result<Vec<Value>> {
    let path = dir.join(FILE);
    let bytes = usize::try_from(2 * BYTES_MAX).expect("a small number");
    let bytes =
        read_file(&RealFs, &path, bytes).map_err(|error| Error::environment("reading", &path, error))?;
    let bytes = bytes.unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line: &[u8]| {
        serde_json::from_slice(line)
            .unwrap_or_else(|_| json!({ "why": String::from_utf8_lossy(line).into_owned() }))
    };
    Ok(lines.map(read).collect())
}
