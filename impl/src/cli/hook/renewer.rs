//! The process that keeps a session's lock while a call outlasts its TTL.
//!
//! Where the session's process can be seen the lock has no expiry; but from another container it cannot, and there the TTL
//! counts. Invariants: it is started once a grant, outside of every later call; it ends with the session's process, with
//! the grant, or after [`AT_MOST`], whichever is first.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fencehold_model::Token;
use fencehold_model::lock::{Command as Ask, Grant, Proof};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags};

use super::super::args::Common;
use super::super::locks::{Locks, What};
use super::super::session::Session;
use super::guard::workspace;
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

/// Keeps the grant of this token.
pub(in super::super) fn be(root: &OsString, token: &OsString) -> Result<()> {
    let token: Option<Token> = token.to_str().and_then(|text| text.parse().ok());
    let token = token.ok_or_else(|| Error::usage("the token is no number"))?;
    let session = Session::begin(&Common { root: Some(root.into()), json: false })?;
    let until = Deadline::after(AT_MOST);
    let mut failures = 0;
    while let Some(locks) = Locks::open(&session)? {
        let grant = match renewed(&locks, token) {
            Ok(None) => return Ok(()),
            Ok(Some(grant)) => {
                failures = 0;
                grant
            }
            Err(error) if failures == FAILURES_MAX => return Err(error),
            Err(_) => {
                failures += 1;
                continue;
            }
        };
        let pause = Duration::from_millis(grant.ttl_ms / 3).min(until.left());
        let Some(process) = grant.bound.filter(|process| locks.sees(process)) else { return Ok(()) };
        if until.left().is_zero() || ended_within(process.pid, pause)? {
            return Ok(());
        }
    }
    Ok(())
}

/// The grant, renewed; none where it is not the current one any more.
fn renewed(locks: &Locks, token: Token) -> Result<Option<Grant>> {
    let Some(grant) = locks.show(&workspace())?.grants.filter(|grant| grant.token == token) else {
        return Ok(None);
    };
    let (holder, proof) = (grant.holder.clone(), Proof::Token(token));
    let told = locks.submit(&grant.holder, &Ask::Renew { name: workspace(), holder, proof, ttl_ms: None })?;
    Ok(matches!(told.what, What::Granted { .. }).then_some(grant))
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
