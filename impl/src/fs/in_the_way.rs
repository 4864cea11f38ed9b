//! Who holds the OS lock of a file, in words.
//!
//! `/proc/locks` names the process that took a lock, which may be dead while a forked child keeps it; so the open
//! files of every process are looked at instead (proc_pid_fdinfo(5)).

use std::path::{Path, PathBuf};

use super::real::list_proc;
use super::{FileId, read_proc};

/// Names the processes that have an OS lock on the file `id`, their state included, or says that none can be seen.
#[must_use]
pub(super) fn in_the_way(id: FileId) -> String {
    let holders: Vec<String> = list_proc(Path::new("/proc"))
        .unwrap_or_default()
        .into_iter()
        .filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()) && holds(pid, id))
        .map(|pid| describe(&pid))
        .collect();
    if holders.is_empty() {
        return "a process that cannot be seen from here (another pid namespace, or another user's)"
            .to_owned();
    }
    holders.join(" and ")
}

fn holds(pid: &str, id: FileId) -> bool {
    let dir = PathBuf::from(format!("/proc/{pid}/fdinfo"));
    let inode = format!(":{} ", id.ino);
    list_proc(&dir).unwrap_or_default().iter().any(|fd| {
        read_proc(&dir.join(fd)).is_ok_and(|info| {
            info.lines()
                .any(|line| line.starts_with("lock:") && line.contains("FLOCK") && line.contains(&inode))
        })
    })
}

fn describe(pid: &str) -> String {
    let stat = read_proc(&PathBuf::from(format!("/proc/{pid}/stat"))).unwrap_or_default();
    // The name stands in parentheses and may hold anything; the state follows the last one (proc_pid_stat(5)).
    let (name, state) = match (stat.find('('), stat.rfind(") ")) {
        (Some(open), Some(close)) if open < close => {
            (&stat[open + 1..close], stat[close + 2..].chars().next())
        }
        _ => ("?", None),
    };
    match state {
        Some('T' | 't') => format!("pid {pid} ({name}), which is stopped: continue or end it"),
        Some('Z' | 'X') => format!("pid {pid} ({name}), which is dead"),
        _ => format!("pid {pid} ({name})"),
    }
}
