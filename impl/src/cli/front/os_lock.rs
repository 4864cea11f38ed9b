//! Who keeps the OS lock that every commit takes: a process that was stopped in the middle of one, or whose disk hangs.
//!
//! A commit has it for less than a millisecond, so it counts where the same process has it each time that it is looked
//! at. Nothing of the workspace is opened for that unless there is something to tell.

use std::path::Path;
use std::time::Duration;

use crate::fs::{File as _, Fs as _, How, RealFs, read_proc, timespec};

/// The file that it is taken on.
const LOCK: &str = "lock";
/// So often it is looked at, so long after each other.
const LOOKS: usize = 4;
const PAUSE: Duration = Duration::from_millis(25);

/// Who has had it for a while, in words.
pub(super) fn kept_by(dir: &Path) -> Option<String> {
    let path = dir.join(LOCK);
    let id = RealFs.stat(&path).ok()??.id;
    let first = holder(id.ino)?;
    for _ in 1..LOOKS {
        // A bounded wait for whoever commits; nothing is ordered by it.
        let _ = rustix::event::poll(&mut [], Some(&timespec(PAUSE)));
        if holder(id.ino)? != first {
            return None;
        }
    }
    Some(RealFs.open(&path, How::Read).ok()?.in_the_way(id))
}

/// The process that took an OS lock on the file with this inode number, as the kernel lists it (proc_locks(5)).
fn holder(ino: u64) -> Option<String> {
    let locks = read_proc(Path::new("/proc/locks")).ok()?;
    let of_file = |line: &&str| line.contains("FLOCK") && line.contains(&format!(":{ino} "));
    // As in `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`.
    locks.lines().find(of_file)?.split_whitespace().nth(4).map(str::to_owned)
}
