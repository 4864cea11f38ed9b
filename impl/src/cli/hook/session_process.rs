//! Which process is the session: the nearest ancestor of a hook that is no shell and no wrapper of one command; and
//! whether it is there to be answered.

use std::path::PathBuf;

use fencehold_model::event::Process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::fs::read_proc;
use crate::host::RealHost;

/// What a harness may start a hook through; each of them ends with the hook.
const BETWEEN: [&str; 12] =
    ["ash", "bash", "busybox", "dash", "env", "fish", "ksh", "nice", "sh", "setsid", "timeout", "zsh"];
/// What adopts the orphans: that the session is gone, and not that it is this.
const ADOPTS: [&str; 6] = ["docker-init", "dumb-init", "init", "systemd", "tini", "launchd"];
/// How far above the session may stand.
const ANCESTORS_MAX: usize = 8;

/// The session's process; none where it cannot be told, and a lock of it then lapses with its TTL.
pub(super) fn find(host: &RealHost) -> Option<Process> {
    let mut child = look(u64::from(std::process::id()))?;
    let own_session = child.session;
    for _ in 0..ANCESTORS_MAX {
        let above = look(child.parent)?;
        // A child is in the session (setsid(2)) of who began it, unless it leads one. In a container the harness may be
        // process 1.
        let is_other = above.session != child.session && child.session != child.pid;
        let adopts = is_other || above.pid == 1 && above.session != own_session;
        if adopts || ADOPTS.contains(&above.name.as_str()) {
            return None;
        }
        if !BETWEEN.contains(&above.name.as_str()) {
            return host.process(above.pid).ok();
        }
        child = above;
    }
    None
}

/// Whether somebody can read what this process answers.
///
/// A process that ends closes its files before its children get another parent (`do_exit` in Linux' kernel/exit.c), and
/// then a pipe is in error and a socket hung up (poll(2)). So where a hook is heard after its ancestors were looked at,
/// none of them had adopted it.
pub(super) fn is_heard() -> bool {
    let stdout = std::io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    // What cannot be looked at is no proof of an absence.
    let _ = poll(&mut looked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    !looked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}

/// What proc_pid_stat(5) says of a process: fields 2, 4 and 6.
struct Stat {
    pid: u64,
    name: String,
    parent: u64,
    /// The session of the kernel's, as of setsid(2).
    session: u64,
}

fn look(pid: u64) -> Option<Stat> {
    let stat = read_proc(&PathBuf::from(format!("/proc/{pid}/stat"))).ok()?;
    let (begin, end) = (stat.find('(')? + 1, stat.rfind(") ")?);
    let mut fields = stat[end + 2..].split(' ').skip(1);
    let (parent, session) = (fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?);
    Some(Stat { pid, name: stat.get(begin..end)?.to_owned(), parent, session })
}
