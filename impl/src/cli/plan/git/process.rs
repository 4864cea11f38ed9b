//! One git process, bounded.
//!
//! Invariants:
//! - it asks nobody anything: no prompt, no editor, no pager, no terminal of its own to read a passphrase from;
//! - it is in a process group of its own, and where its time is up the whole group is ended before anything is answered;
//! - no variable of whoever started us leads it to another repository, index or object store.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::host::Deadline;

/// The most that git may print for one answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long a group that was asked to end may take to remove its lock files.
const TERM_PATIENCE: Duration = Duration::from_secs(2);
/// How long the outputs are still read after git has ended: a daemon that it left behind may hold them open.
const LINGER: Duration = Duration::from_millis(200);
/// How often it is looked whether git has ended, where its outputs say nothing.
const LOOK_EVERY: Duration = Duration::from_millis(10);

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
    // The leader is not reaped yet, so that its number is still the group's.
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

/// Both outputs, until both have ended, or git has and nobody writes any more.
fn hear(child: &mut Child, until: Deadline) -> Result<[Vec<u8>; 2], Failed> {
    let chunks = read_aside(child);
    let mut heard = [Vec::new(), Vec::new()];
    let mut lingering: Option<Deadline> = None;
    loop {
        match chunks.recv_timeout(until.left().min(LOOK_EVERY)) {
            Ok(_) if until.left().is_zero() => return Err(Failed::TimedOut),
            Ok((which, chunk)) => {
                if heard[which].len() <= ANSWER_BYTES_MAX {
                    heard[which].extend_from_slice(&chunk);
                }
            }
            Err(RecvTimeoutError::Timeout) if has_ended(child) => {
                if lingering.get_or_insert_with(|| Deadline::after(LINGER)).left().is_zero() {
                    return Ok(heard);
                }
            }
            Err(RecvTimeoutError::Timeout) if until.left().is_zero() => return Err(Failed::TimedOut),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    while !has_ended(child) {
        if until.left().is_zero() {
            return Err(Failed::TimedOut);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(heard)
}

fn read_aside(child: &mut Child) -> Receiver<(usize, Vec<u8>)> {
    let (send, chunks) = mpsc::channel();
    let mut outputs: Vec<Box<dyn Read + Send>> = Vec::new();
    outputs.extend(child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>));
    outputs.extend(child.stderr.take().map(|out| Box::new(out) as Box<dyn Read + Send>));
    for (which, mut output) in outputs.into_iter().enumerate() {
        let send = send.clone();
        std::thread::spawn(move || {
            let mut chunk = [0_u8; 1 << 14];
            loop {
                match output.read(&mut chunk) {
                    Ok(0) => break,
                    // Nobody listens any more where the time has passed.
                    Ok(length) => drop(send.send((which, chunk[..length].to_vec()))),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        });
    }
    chunks
}

/// Whether the leader has ended; it is left as it is.
fn has_ended(child: &Child) -> bool {
    let Some(pid) = pid_of(child) else { return true };
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), look).map_or(true, |found| found.is_some())
}

/// Reaps git. Where it is to be ended: its whole group is asked to, and killed where it does not.
fn end(child: &mut Child, by_force: bool) -> std::io::Result<ExitStatus> {
    if by_force && let Some(group) = pid_of(child) {
        let _ = kill_process_group(group, Signal::TERM);
        let patience = Deadline::after(TERM_PATIENCE);
        while !has_ended(child) && !patience.left().is_zero() {
            std::thread::sleep(Duration::from_millis(5));
        }
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
