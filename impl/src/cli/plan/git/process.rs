//! One git process, bounded.
//!
//! Invariants:
//! - it asks nobody anything: no prompt, no editor, no pager, no terminal of its own to read a passphrase from;
//! - it is in a process group of its own, and where its time is up the whole group is ended before anything is answered;
//! - no variable of whoever started us leads it to another repository, index or object store.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group};

use crate::fs::timespec;
use crate::host::Deadline;

/// The most that git may print for one answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long a group that was asked to end may take to remove its lock files.
const TERM_PATIENCE: Duration = Duration::from_secs(2);
/// How long the outputs are still read after git has ended: a daemon that it left behind may hold them open.
const LINGER: Duration = Duration::from_millis(200);

/// What of the variables of git is the user's own, and leads nowhere else: who they are, how they connect.
const KEPT: [&str; 12] = [
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_PROXY_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_ALLOW_PROTOCOL",
];

/// Settings of every call: nothing is started that outlives it, and nobody's word is taken for what is changed.
const SETTINGS: [&str; 9] = [
    "core.fsmonitor=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.untrackedCache=false",
    "core.quotePath=false",
    "diff.renames=false",
    "status.renames=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Why there is no answer of git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// It cannot be started, or cannot be heard.
    Lost(String),
    /// Its time was up, and it was ended.
    TimedOut,
    /// It ended with this code, having said this.
    Said {
        /// None where a signal ended it.
        code: Option<i32>,
        /// The first line of what it said on stderr that says something.
        why: String,
    },
}

impl Failed {
    /// It in words; `what` is the subcommand.
    pub(super) fn words(&self, what: &str) -> String {
        match self {
            Failed::Lost(why) => why.clone(),
            Failed::TimedOut => format!("git {what} took too long and was ended"),
            Failed::Said { why, .. } => format!("git {what}: {why}"),
        }
    }
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It writes nothing, not even what git remembers of files, and starts nothing of others.
    Look,
    /// It changes the repository, and the hooks of the repository are obeyed.
    Act,
}

/// Runs git in `dir`; gives what it printed.
pub(super) fn git<A: AsRef<OsStr>>(
    dir: &Path,
    purpose: Use,
    args: impl IntoIterator<Item = A>,
    input: &[u8],
    until: Deadline,
) -> Result<Vec<u8>, Failed> {
    if until.left().is_zero() {
        return Err(Failed::TimedOut);
    }
    let mut command = command(dir, purpose);
    command.args(args);
    let mut child = command.spawn().map_err(|error| {
        Failed::Lost(match error.kind() {
            std::io::ErrorKind::NotFound => "git is not installed, or not on PATH".to_owned(),
            _ => format!("git cannot be started: {error}"),
        })
    })?;
    feed(&mut child, input);
    let heard = hear(&mut child, until);
    let status = end(&mut child, heard.is_err());
    let [printed, said] = heard?;
    let status = status.map_err(|error| Failed::Lost(format!("git was lost: {error}")))?;
    if printed.len() > ANSWER_BYTES_MAX {
        return Err(Failed::Lost("git says too much of it".to_owned()));
    }
    match status.success() {
        true => Ok(printed),
        false => Err(Failed::Said { code: status.code(), why: first_line(&said) }),
    }
}

fn command(dir: &Path, purpose: Use) -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") && !KEPT.iter().any(|kept| name == *kept) {
            git.env_remove(&name);
        }
    }
    // Whatever asks for a secret is answered by a program that has none.
    for asks in ["GIT_ASKPASS", "SSH_ASKPASS", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"] {
        git.env(asks, "false");
    }
    git.env("GIT_TERMINAL_PROMPT", "0").env("SSH_ASKPASS_REQUIRE", "force").env("GCM_INTERACTIVE", "never");
    git.env("LC_ALL", "C").env("LANGUAGE", "C");
    git.arg("--no-pager");
    if purpose == Use::Look {
        git.arg("--no-optional-locks").args(["-c", "core.hooksPath=/dev/null"]);
        git.env("GIT_NO_LAZY_FETCH", "1");
    }
    git.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    git.current_dir(dir).process_group(0);
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    git
}

/// Hands the input over aside: git may end, or wait for something else, before it has read it.
fn feed(child: &mut Child, input: &[u8]) {
    let Some(mut stdin) = child.stdin.take() else { return };
    if !input.is_empty() {
        let input = input.to_vec();
        // Where nobody reads it any more git has ended, and says why by its code.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
}

/// Both outputs, until git and they have ended, or git has and nobody writes any more.
fn hear(child: &mut Child, until: Deadline) -> Result<[Vec<u8>; 2], Failed> {
    let lost = |error: std::io::Error| Failed::Lost(format!("git cannot be heard: {error}"));
    let process = pidfd(child).map_err(lost)?;
    let mut out = child.stdout.take();
    let mut err = child.stderr.take();
    let mut heard = [Vec::new(), Vec::new()];
    let mut lingering: Option<Deadline> = None;
    loop {
        let left = lingering.unwrap_or(until).left();
        let (out_fd, err_fd) = (out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd));
        // Once git has ended it is readable for ever, and only its outputs are waited for.
        let process = process.as_fd();
        let process = lingering.is_none().then_some(process);
        let [ready_out, ready_err, ended] = ready([out_fd, err_fd, process], left).map_err(lost)?;
        if ready_out && take(&mut out, &mut heard[0]).map_err(lost)? {
            out = None;
        }
        if ready_err && take(&mut err, &mut heard[1]).map_err(lost)? {
            err = None;
        }
        if ended {
            lingering = Some(Deadline::after(LINGER));
        }
        if lingering.is_some() && ((out.is_none() && err.is_none()) || left.is_zero()) {
            return Ok(heard);
        }
        if lingering.is_none() && until.left().is_zero() {
            return Err(Failed::TimedOut);
        }
    }
}

fn pidfd(child: &Child) -> std::io::Result<OwnedFd> {
    let pid = pid_of(child).ok_or(std::io::ErrorKind::NotFound)?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}

/// Which of these has something to read, or has ended; waits until one has, for `left` at the most.
fn ready(fds: [Option<BorrowedFd<'_>>; 3], left: Duration) -> std::io::Result<[bool; 3]> {
    let there: Vec<usize> = (0..fds.len()).filter(|index| fds[*index].is_some()).collect();
    let mut polled: Vec<PollFd<'_>> = fds.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    match rustix::event::poll(&mut polled, Some(&timespec(left))) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut ready = [false; 3];
    for (index, polled) in there.into_iter().zip(&polled) {
        ready[index] = !polled.revents().is_empty();
    }
    Ok(ready)
}

/// Reads what there is; whether it was the end. What is more than the most is not kept.
fn take(output: &mut Option<impl Read>, into: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut chunk = [0_u8; 1 << 14];
    let Some(output) = output else { return Ok(true) };
    match output.read(&mut chunk) {
        Ok(0) => Ok(true),
        Ok(length) => {
            if into.len() <= ANSWER_BYTES_MAX {
                into.extend_from_slice(&chunk[..length]);
            }
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reaps git. Where it is to be ended: its whole group is asked to, and killed where it does not.
fn end(child: &mut Child, by_force: bool) -> std::io::Result<ExitStatus> {
    if by_force && let Some(group) = pid_of(child) {
        let _ = kill_process_group(group, Signal::TERM);
        if let Ok(process) = pidfd(child) {
            let _ = ready([Some(process.as_fd()), None, None], TERM_PATIENCE);
        }
        // The leader is not reaped yet, so that its number is still the group's.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait()
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn first_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_the_reason = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let first = lines.clone().find(is_the_reason).or_else(|| lines.next());
    first.map_or_else(|| "it failed and said nothing".to_owned(), |line| line.chars().take(300).collect())
}

/// The words of a call, borrowed or owned.
pub(super) fn words<const N: usize>(args: [&str; N]) -> Vec<OsString> {
    args.into_iter().map(OsString::from).collect()
}
