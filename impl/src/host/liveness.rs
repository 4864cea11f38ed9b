//! Whether a process is dead, where that can be proven (DESIGN: death is proven only by …).
//!
//! Invariants: EPERM, a missing /proc entry, state `Z`, another pid namespace or another host prove nothing. The same
//! boot and pid namespace with ESRCH, a readable pidfd or another start time do; so does an earlier boot.

use std::path::{Path, PathBuf};

use fencehold_model::event::{Evidence, Process};
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags};

use super::real::host_name;
use crate::error::{Error, Result};
use crate::fs::{RealFs, read_proc};

/// Clock ticks a second of /proc/[pid]/stat; fixed by the kernel's user interface (USER_HZ) on both platforms.
const TICKS_PER_SECOND: i64 = 100;

/// Names the process `pid` of this pid namespace.
pub(super) fn identify(pid: u64, boot: &BootId) -> Result<Process> {
    let start_ticks = start_ticks(pid).ok_or_else(|| {
        Error::usage(format!("there is no process {pid} to bind a lock to, or /proc hides it"))
    })?;
    let pid_namespace = pid_namespace()?;
    Ok(Process { pid, start_ticks, boot: boot.clone(), pid_namespace, host: host_name().to_owned() })
}

/// Whether `process` lives, as far as that can be proven from here.
pub(super) fn liveness(process: &Process, boot: &BootId) -> Liveness {
    if process.boot != *boot {
        // A boot id of another running kernel cannot be told from one that is over; only the journal knows.
        return Liveness::Unknowable;
    }
    if pid_namespace().ok() != Some(process.pid_namespace) {
        return Liveness::Unknowable;
    }
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else {
        return Liveness::Unknowable;
    };
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => Liveness::Dead(Evidence::NoSuchProcess),
        Err(_) => Liveness::Alive,
        Ok(pidfd) => {
            let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
            match rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
                Ok(1..) => Liveness::Dead(Evidence::Exited),
                _ => match start_ticks(process.pid) {
                    Some(ticks) if ticks != process.start_ticks => Liveness::Dead(Evidence::OtherStartTime),
                    _ => Liveness::Alive,
                },
            }
        }
    }
}

/// The start time of a process in ticks since boot, the reader's time-namespace offset removed.
fn start_ticks(pid: u64) -> Option<u64> {
    let stat = read_proc(&PathBuf::from(format!("/proc/{pid}/stat"))).ok()?;
    let after_name = &stat[stat.rfind(") ")? + 2..];
    let ticks: u64 = after_name.split(' ').nth(19)?.parse().ok()?;
    ticks.checked_add_signed(-boottime_offset_ticks()?)
}

/// What CLOCK_BOOTTIME is ahead of the host's in this time namespace: start times are shown shifted by it.
fn boottime_offset_ticks() -> Option<i64> {
    let Ok(text) = read_proc(Path::new("/proc/self/timens_offsets")) else { return Some(0) };
    let line = text.lines().find_map(|line| line.strip_prefix("boottime"))?;
    let mut numbers = line.split_whitespace().map(str::parse::<i64>);
    let (seconds, nanos) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(seconds * TICKS_PER_SECOND + nanos / (1_000_000_000 / TICKS_PER_SECOND))
}

fn pid_namespace() -> Result<u64> {
    let path = Path::new("/proc/self/ns/pid");
    // The link reads `pid:[4026531836]`; the number is the inode of the namespace (namespaces(7)).
    let resolved = RealFs.read_link(path).map_err(|error| Error::environment("reading", path, error))?;
    let inode = resolved.strip_prefix("pid:[").and_then(|rest| rest.strip_suffix(']')).map(str::parse);
    match inode {
        Some(Ok(inode)) => Ok(inode),
        _ => Err(Error::usage(format!("{} reads {resolved:?}, not pid:[N]", path.display()))),
    }
}
