//! Who waits for a lock, where others can see it: a file of `waiting/` in the workspace folder, for as long as the wait
//! lasts.
//!
//! It is for people. No decision looks at it and no correctness rests on it: who is granted a lock is the journal's to
//! say, and a wait whose file cannot be written, or is taken away, goes on unseen.
//!
//! Invariants:
//! - nothing here makes a wait fail, and nothing is made before a wait begins;
//! - a file is written whole under a name of its own, never synced and never changed; what is no whole one is passed over;
//! - it goes when the wait ends; that of a waiter which was killed is not shown, and is removed by the next who waits. A
//!   reader removes nothing;
//! - the folder goes with the last file: a wait that is over leaves nothing behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;
use fencehold_model::{Holder, LockName};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::fs::{Fs as _, How, Kind, RealFs, append_all, read_file};
use crate::host::{Clock as _, Host as _, RealHost};

/// Its name in the workspace folder.
pub(super) const FOLDER: &str = "waiting";
/// The longest file that is read: two ids, a process and two times are less.
const BYTES_MAX: usize = 4096;
/// So many are read; a screen shows fewer.
const FILES_MAX: usize = 1000;
/// What is no whole file after so long is what a killed writer left.
const HALF_WRITTEN_MS_MAX: u64 = 60_000;
/// The folder may go between two calls, with the last one of those who wait; it is made again so often.
const ROUNDS_MAX: usize = 8;
const RANDOM_DIGITS: usize = 32;

/// Somebody who waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) lock: LockName,
    pub(super) holder: Holder,
    pub(super) process: Process,
    /// When the wait began, in milliseconds of the boot's monotonic clock.
    pub(super) since_ms: u64,
    /// When it ends without a grant, by the same clock.
    pub(super) until_ms: u64,
}

/// The file of a wait that goes on; removed when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    path: PathBuf,
}

impl Waiting {
    /// Shows that this process waits for `lock`, for `patience` from now at the most; none where that cannot be shown.
    pub(super) fn begin(dir: &Path, lock: &LockName, holder: &Holder, patience: Duration) -> Option<Self> {
        let host = RealHost::new().ok()?;
        let since_ms = host.reading().monotonic_ms;
        let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let waiter = Waiter {
            lock: lock.clone(),
            holder: holder.clone(),
            process: host.process(u64::from(std::process::id())).ok()?,
            since_ms,
            until_ms: since_ms.saturating_add(patience_ms),
        };
        sweep(dir, &host);
        let path = dir.join(FOLDER).join(format!("{:032x}.json", host.random()));
        write(dir, &path, &waiter).ok().map(|()| Waiting { path })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

impl Waiter {
    /// How long the wait has lasted at `now_ms`, and how long it lasts at the most from then on.
    pub(super) fn spans_ms(&self, now_ms: u64) -> (u64, u64) {
        (now_ms.saturating_sub(self.since_ms), self.until_ms.saturating_sub(now_ms))
    }

    fn to_json(&self) -> Value {
        let Process { pid, start_ticks, boot, pid_namespace, host } = &self.process;
        json!({
            "lock": self.lock.as_str(), "holder": self.holder.as_str(), "pid": pid, "start_ticks": start_ticks,
            "boot": boot.as_str(), "pid_namespace": pid_namespace, "host": host,
            "since_ms": self.since_ms, "until_ms": self.until_ms,
        })
    }

    fn of_json(value: &Value) -> Option<Self> {
        let (text, number) = (|key: &str| value[key].as_str(), |key: &str| value[key].as_u64());
        let process = Process {
            pid: number("pid")?,
            start_ticks: number("start_ticks")?,
            boot: BootId::new(text("boot")?).ok()?,
            pid_namespace: number("pid_namespace")?,
            host: text("host")?.to_owned(),
        };
        Some(Waiter {
            lock: LockName::new(text("lock")?).ok()?,
            holder: Holder::new(text("holder")?).ok()?,
            process,
            since_ms: number("since_ms")?,
            until_ms: number("until_ms")?,
        })
    }

    /// Whether the wait may go on: its time is not over, and its process is not proven dead. The times of another boot say
    /// nothing in this one, in which no wait of then goes on.
    fn may_go_on(&self, host: &RealHost) -> bool {
        self.process.boot == host.boot()
            && host.reading().monotonic_ms < self.until_ms
            && !matches!(host.liveness(&self.process), Liveness::Dead(_))
    }
}

/// Who waits, the longest first. Changes nothing.
pub(super) fn waiters(dir: &Path, host: &RealHost) -> Result<Vec<Waiter>> {
    let folder = dir.join(FOLDER);
    let names = match RealFs.list(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(|error| Error::environment("listing", &folder, error))?,
    };
    let files = names.iter().filter(|name| is_name(name)).take(FILES_MAX);
    let mut found: Vec<Waiter> =
        files.filter_map(|name| read(&folder.join(name))).filter(|waiter| waiter.may_go_on(host)).collect();
    found.sort_by(|a, b| (a.since_ms, &a.holder, a.process.pid).cmp(&(b.since_ms, &b.holder, b.process.pid)));
    Ok(found)
}

/// Whether a file of the folder is called as ours are.
pub(super) fn is_name(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|digits| {
        digits.len() == RANDOM_DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// A whole file; none where it is gone, or half written.
fn read(path: &Path) -> Option<Waiter> {
    let bytes = read_file(&RealFs, path, BYTES_MAX).ok()??;
    Waiter::of_json(&serde_json::from_slice(&bytes).ok()?)
}

fn write(dir: &Path, path: &Path, waiter: &Waiter) -> std::io::Result<()> {
    let modes = RealFs.stat(dir)?.map_or(0o700, |stat| stat.mode);
    for _ in 0..ROUNDS_MAX {
        let folder = dir.join(FOLDER);
        match RealFs.stat(&folder)? {
            Some(stat) if stat.kind == Kind::Dir => {}
            // A link would lead elsewhere.
            Some(_) => return Err(std::io::ErrorKind::NotADirectory.into()),
            None => match RealFs.make_dir(&folder, modes) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => made?,
            },
        }
        match RealFs.open(path, How::CreateNew { mode: modes & 0o060 | 0o600 }) {
            // Who ended a wait meanwhile took the folder along.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(file) => {
                let line = format!("{}\n", waiter.to_json());
                return append_all(&file, line.as_bytes()).inspect_err(|_| remove(path));
            }
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}

/// Removes a file, and the folder with the last one.
fn remove(path: &Path) {
    // Where it cannot be removed it is shown until its process or its time is over.
    let _ = RealFs.unlink(path);
    if let Some(folder) = path.parent() {
        let _ = RealFs.remove_dir(folder);
    }
}

/// Removes what those who were killed left.
fn sweep(dir: &Path, host: &RealHost) {
    let folder = dir.join(FOLDER);
    // What a link leads to is not ours to remove.
    if !RealFs.stat(&folder).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir)) {
        return;
    }
    for name in RealFs.list(&folder).unwrap_or_default().iter().filter(|name| is_name(name)) {
        let path = folder.join(name);
        let is_over = match read(&path) {
            Some(waiter) => !waiter.may_go_on(host),
            None => is_old(&path, host),
        };
        if is_over {
            let _ = RealFs.unlink(&path);
        }
    }
}

fn is_old(path: &Path, host: &RealHost) -> bool {
    let modified = RealFs.modified_ms(path).ok().flatten();
    modified.is_some_and(|at_ms| at_ms.saturating_add(HALF_WRITTEN_MS_MAX) < host.reading().wall_ms)
}
