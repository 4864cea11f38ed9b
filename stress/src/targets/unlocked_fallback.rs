//! M03 unlocked-fallback: a lock file, and the body runs without it when the tries are used up.
//!
//! The lock file is created exclusively, holds the process and the time, counts as stale after 10 s, and is unlinked
//! by its path. The pauses between the tries are a hundredth of those of the system that it is taken from, as its work
//! under the lock is; there is no pause anywhere else.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::documents;
use super::wire::{Outcome, Target};
use crate::rng::Rng;

/// How old a lock file may be.
const STALE: Duration = Duration::from_secs(10);
/// How often the lock is tried for.
const TRIES: u32 = 5;
/// The shortest pause between two tries.
const PAUSE: Duration = Duration::from_micros(800);
/// How much longer it may be, in microseconds.
const PAUSE_MORE_US: u64 = 700;

/// The target.
pub(super) struct UnlockedFallback(Rng);

impl UnlockedFallback {
    pub(super) fn new() -> Self {
        UnlockedFallback(Rng::new(u64::from(std::process::id())))
    }

    /// Whether the lock was got within the tries.
    fn acquire(&mut self, lock: &Path) -> Result<bool, String> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                thread::sleep(PAUSE + Duration::from_micros(self.0.below(PAUSE_MORE_US)));
            }
            if create(lock)? {
                return Ok(true);
            }
            if is_stale(lock) && fs::remove_file(lock).is_ok() && create(lock).unwrap_or(false) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Target for UnlockedFallback {
    fn hello(&self) -> Value {
        json!({ "target": "M03 unlocked-fallback", "offers": ["doc"], "survives": ["kill"], "locks_end": [],
            "fencing": false, "tokens": "none", "revisions": false })
    }

    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome {
        documents::perform(root, op, request, &mut |path, body| {
            let mut lock = path.as_os_str().to_owned();
            lock.push(".lock");
            let lock = PathBuf::from(lock);
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
            }
            if self.acquire(&lock)? {
                let outcome = body();
                // A lock file that is gone already is not worth a word.
                let _ = fs::remove_file(&lock);
                return outcome;
            }
            eprintln!("could not acquire {} after {TRIES} attempts, proceeding unlocked", lock.display());
            body()
        })
    }
}

/// Creates the lock file; false where it is there.
fn create(lock: &Path) -> Result<bool, String> {
    match OpenOptions::new().write(true).create_new(true).open(lock) {
        Ok(mut file) => {
            let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
            write!(file, "{}\n{now_ms}", std::process::id()).map_err(|error| error.to_string())?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(format!("{}: {error}", lock.display())),
    }
}

fn is_stale(lock: &Path) -> bool {
    let text = fs::read_to_string(lock).unwrap_or_default();
    let Some(since_ms) = text.lines().last().and_then(|line| line.parse().ok()) else { return false };
    let since = UNIX_EPOCH + Duration::from_millis(since_ms);
    SystemTime::now().duration_since(since).is_ok_and(|age| age > STALE)
}
