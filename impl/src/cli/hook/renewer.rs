//! The process that keeps a session's locks while a call outlasts their TTL.
//!
//! Where the session's process can be seen a lock has no expiry; but from another container it cannot, and there the TTL
//! counts. Invariants: it is started once a grant, outside of every later call, and one that finds another at work for the
//! same process ends at once; it ends with the session's process, with its last grant, or after [`AT_MOST`], whichever is
//! first.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fencehold_model::event::Process;
use fencehold_model::lock::{Command as Ask, Grant, Proof};
use fencehold_model::{Claim, LockName, Token};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags};

use super::super::args::Common;
use super::super::locks::{Locks, What};
use super::super::session::Session;
use crate::error::{Error, Result};
use crate::host::Deadline;

/// The hidden command that is this process.
pub(in super::super) const COMMAND: &str = "hook-renewer";
/// No session is kept for longer.
const AT_MOST: Duration = Duration::from_hours(24);
/// How often a renewal may fail in a row.
const FAILURES_MAX: u32 = 3;

/// Starts it for a grant; where that fails, the TTL counts for who cannot see the session.
pub(super) fn start(session: &Session, token: Token) {
    let started = Command::new("/proc/self/exe")
        .arg0("fencehold")
        .arg(COMMAND)
        .arg(session.root_for_others())
        .arg(token.to_string())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A harness that ends the hook's group ends the hook alone.
        .process_group(0)
        .spawn();
    // Not waited for: it outlives this process, and whoever adopts it reaps it.
    drop(started);
}

/// Keeps what is bound to the process that the grant of this token is bound to, its locks of later calls included.
pub(in super::super) fn be(root: &OsString, token: &OsString) -> Result<()> {
    let token: Option<Token> = token.to_str().and_then(|text| text.parse().ok());
    let token = token.ok_or_else(|| Error::usage("the token is no number"))?;
    let session = Session::begin(&Common { root: Some(root.into()), json: false })?;
    let Some(locks) = Locks::open(&session)? else { return Ok(()) };
    let first = locks.list()?.grants.into_iter().find(|(_, grant)| grant.token == token);
    let Some(process) = first.and_then(|(_, grant)| grant.bound) else { return Ok(()) };
    let until = Deadline::after(AT_MOST);
    while let Some(alone) = Alone::of(&locks, &process)? {
        let kept = keep(&session, &process, until)?;
        drop(alone);
        // Who was started meanwhile found this one at work, and went.
        if kept == Kept::Over || own(&locks, &process)?.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

/// Why nothing is kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// The process has ended, or cannot be seen, or the time is over, or the workspace is gone.
    Over,
    /// It has no lock just now.
    Nothing,
}

/// Renews what is bound to the process, until that is nothing.
fn keep(session: &Session, process: &Process, until: Deadline) -> Result<Kept> {
    let mut failures = 0;
    while let Some(locks) = Locks::open(session)? {
        let grants = match renewed(&locks, process) {
            Ok(grants) => {
                failures = 0;
                grants
            }
            Err(error) if failures == FAILURES_MAX => return Err(error),
            Err(_) => {
                failures += 1;
                continue;
            }
        };
        let Some(ttl_ms) = grants.iter().map(|(_, grant)| grant.ttl_ms).min() else {
            return Ok(Kept::Nothing);
        };
        let pause = Duration::from_millis(ttl_ms / 3).min(until.left());
        if !locks.sees(process) || until.left().is_zero() || ended_within(process.pid, pause)? {
            break;
        }
    }
    Ok(Kept::Over)
}

/// What the guard took for the sessions of this process.
fn own(locks: &Locks, process: &Process) -> Result<Vec<(LockName, Grant)>> {
    let is_own = |grant: &Grant| {
        let claim = grant.claim.as_ref().map(Claim::as_str);
        grant.bound.as_ref() == Some(process) && claim == Some(grant.holder.as_str())
    };
    Ok(locks.list()?.grants.into_iter().filter(|(_, grant)| is_own(grant)).collect())
}

/// The same, renewed; without what ended meanwhile.
fn renewed(locks: &Locks, process: &Process) -> Result<Vec<(LockName, Grant)>> {
    let mut kept = Vec::new();
    for (name, grant) in own(locks, process)? {
        let (holder, proof) = (grant.holder.clone(), Proof::Token(grant.token));
        let ask = Ask::Renew { name: name.clone(), holder, proof, ttl_ms: None };
        if matches!(locks.submit(&grant.holder, &ask)?.what, What::Granted { .. }) {
            kept.push((name, grant));
        }
    }
    Ok(kept)
}

/// That no other process keeps the same: a name of the kernel's, which goes with its owner (unix(7), abstract sockets).
struct Alone {
    /// None where there can be no such socket, as in some sandboxes: two that keep one lock do no harm.
    _name: Option<UnixListener>,
}

impl Alone {
    /// None where another is at it.
    fn of(locks: &Locks, process: &Process) -> Result<Option<Self>> {
        let name = format!(
            "fencehold renewer {} {} {} {}",
            locks.ledger().workspace()?,
            process.pid_namespace,
            process.pid,
            process.start_ticks
        );
        let bound = SocketAddr::from_abstract_name(name).and_then(|name| UnixListener::bind_addr(&name));
        Ok(match bound {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => None,
            bound => Some(Alone { _name: bound.ok() }),
        })
    }
}

/// Whether the process has ended by then.
fn ended_within(pid: u64, patience: Duration) -> Result<bool> {
    let failed =
        |errno: rustix::io::Errno| Error::environment("waiting for", Path::new("the session"), errno.into());
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(true) };
    let pidfd = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(true),
        opened => opened.map_err(failed)?,
    };
    let deadline = Deadline::after(patience);
    loop {
        let left = deadline.left();
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
}
