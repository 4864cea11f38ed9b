//! The child of `lock run`: this program started again, until its parent says go; then it becomes the command.
//!
//! The lock is bound to the child's pid, so the pid must be known before the lock is asked for, and the command must
//! not begin before the lock is granted. And between the fork and the exec of the command only a program of ours can
//! ask for the parent-death signal without `unsafe`. The parent's word, the token, comes over a socket that stands in
//! the place of stdin; the real stdin travels along with it (unix(7), SCM_RIGHTS).

use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fencehold_model::Token;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::Signal;

use super::{ENV_TOKEN, OURS};
use crate::cli::out::{Ended, say};
use crate::error::{Error, Result};

/// The hidden command that is this child.
pub(in crate::cli) const CHILD_COMMAND: &str = "exec-child";
/// As env(1): the command was found and could not be run.
const NOT_EXECUTABLE: u8 = 126;
/// As env(1): the command was not found.
const NOT_FOUND: u8 = 127;
/// Room for a token in decimal.
const WORD_BYTES: usize = 32;

/// A child that waits for the word to go; it ends by itself when this is dropped, or its parent dies.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) child: Child,
    word: OwnedFd,
}

/// Starts a child that will become `command`, in a process group of its own.
pub(super) fn start(command: &[OsString], env: &[(&str, OsString)]) -> Result<Waiting> {
    let failed = |error: io::Error| Error::environment("starting", Path::new("/proc/self/exe"), error);
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|errno| failed(errno.into()))?;
    let child = Command::new("/proc/self/exe")
        .arg0("fencehold")
        .arg(CHILD_COMMAND)
        .arg(std::process::id().to_string())
        .arg("--")
        .args(command)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(theirs))
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    Ok(Waiting { child, word: ours })
}

impl Waiting {
    /// Lets the child become its command, under this token.
    pub(super) fn go(self, token: Token) -> Result<Child> {
        let stdin = io::stdin();
        let fds = [stdin.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(
            control.push(SendAncillaryMessage::ScmRights(&fds)),
            "the buffer has room for one descriptor"
        );
        let word = token.to_string();
        let sent = rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(
                &self.word,
                &[IoSlice::new(word.as_bytes())],
                &mut control,
                SendFlags::NOSIGNAL,
            )
        });
        match sent {
            // A child that is dead already says so by its exit.
            Ok(_) | Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => Ok(self.child),
            Err(errno) => Err(Error::environment("starting", Path::new("/proc/self/exe"), errno.into())),
        }
    }
}

/// `fencehold exec-child PARENT -- CMD…`.
pub(in crate::cli) fn be_child(parent: &OsStr, command: &[OsString]) -> Ended {
    let failed =
        |error: rustix::io::Errno| Error::environment("preparing", Path::new("/proc/self"), error.into());
    // SIGTERM and not SIGKILL: a make that is killed leaves its own children behind, writing; the lock is bound to
    // this process and stays held until it has ended, however long that takes.
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).map_err(failed)?;
    // Whoever died before the line above sends no signal any more.
    let ppid = rustix::process::getppid().map_or(0, rustix::process::Pid::as_raw_pid);
    if parent.to_str() != Some(ppid.to_string().as_str()) {
        return Ok(OURS);
    }
    // No word: the parent was refused, or is dead. It has said why, if it could.
    let Some((word, stdin)) = receive().map_err(failed)? else { return Ok(OURS) };
    rustix::stdio::dup2_stdin(&stdin).map_err(failed)?;
    drop(stdin);
    let [program, args @ ..] = command else { return Ok(OURS) };
    let error = Command::new(program).args(args).env(ENV_TOKEN, word).exec();
    say(&format!("cannot run {}: {error}", program.to_string_lossy()));
    Ok(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
}

/// Waits for the parent's word, and the stdin that comes with it.
fn receive() -> rustix::io::Result<Option<(String, OwnedFd)>> {
    let mut bytes = [0_u8; WORD_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let socket = io::stdin();
    let got = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(
            &socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    })?;
    let stdin = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let word = String::from_utf8_lossy(&bytes[..got.bytes]).into_owned();
    Ok(stdin.filter(|_| !word.is_empty()).map(|stdin| (word, stdin)))
}
