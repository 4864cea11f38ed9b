//! The filter of `doc update --exec`: what `sh -c` makes of a document.
//!
//! Invariants:
//! - it has its time and its bytes; where either is up, its whole process group is killed before anything is answered;
//! - what it left running elsewhere, holding its stdin or stdout, is waited for no longer than that;
//! - who ends this program from a terminal ends the filter too.
//!
//! The document's lock is held meanwhile, the journal's is not.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, kill_process_group};

use crate::cli::span;
use crate::document::DOCUMENT_BYTES_MAX;
use crate::error::{Error, Result};
use crate::fs::timespec;
use crate::host::Deadline;

/// What ends this program, and would leave the filter behind: it is in a process group of its own.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// What `sh -c filter` prints for `old`, within this time.
pub(super) fn filtered(filter: &str, old: &[u8], within: Duration) -> Result<Vec<u8>> {
    let failed = |error| Error::environment("running the filter with", Path::new("/bin/sh"), error);
    let signals = Signals::take().map_err(failed)?;
    let child = Command::new("sh")
        .args(["-c", filter])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let mut running = Running::of(child, old).map_err(failed)?;
    let ended = running.hear(&signals, Deadline::after(within));
    if !matches!(ended, Ok(End::Itself)) {
        running.kill();
    }
    let status = running.child.wait().map_err(failed)?;
    drop(signals);
    let wrong = |what: String| Err(Error::usage(format!("the filter {what}; nothing was changed")));
    match ended.map_err(failed)? {
        End::Itself => succeeded(status).map_or_else(wrong, |()| Ok(running.printed)),
        End::TooLong => {
            let within = span::exact(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
            wrong(format!("had not ended after {within} and was killed; --within gives it longer"))
        }
        End::TooMuch => {
            wrong(format!("printed more than {DOCUMENT_BYTES_MAX} bytes, the most that a document has"))
        }
        End::Signal(signal) => {
            // As whoever sent it meant it. Where this is ignored, it is an error like any other.
            let _ = nix::sys::signal::raise(signal);
            wrong(format!("was ended with us by {signal}"))
        }
    }
}

fn succeeded(status: ExitStatus) -> std::result::Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

/// How a filter came to its end.
enum End {
    Itself,
    TooLong,
    TooMuch,
    /// We are to end.
    Signal(Signal),
}

/// A filter at work.
struct Running<'a> {
    child: Child,
    process: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    /// What it has not taken yet.
    input: &'a [u8],
    printed: Vec<u8>,
}

impl<'a> Running<'a> {
    fn of(mut child: Child, input: &'a [u8]) -> io::Result<Self> {
        let process = rustix::process::pidfd_open(pid_of(&child), PidfdFlags::empty())?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        if let Some(stdin) = &stdin {
            rustix::io::ioctl_fionbio(stdin, true)?;
        }
        Ok(Running { child, process, stdin, stdout, input, printed: Vec::new() })
    }

    /// Feeds it and listens to it until it has ended.
    fn hear(&mut self, signals: &Signals, until: Deadline) -> io::Result<End> {
        loop {
            if until.left().is_zero() {
                return Ok(End::TooLong);
            }
            // Once stdout has ended, the process is waited for; whoever holds its stdin by then is not.
            let silent = self.stdout.is_none();
            let (process, signalled) = (self.process.as_fd(), signals.as_fd());
            let out = self.stdout.as_ref().map_or(process, AsFd::as_fd);
            let mut polled = vec![PollFd::new(&signalled, PollFlags::IN), PollFd::new(&out, PollFlags::IN)];
            if let Some(stdin) = &self.stdin {
                polled.push(PollFd::new(stdin, PollFlags::OUT));
            }
            match rustix::event::poll(&mut polled, Some(&timespec(until.left()))) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            let is_ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
            if is_ready[0]
                && let Some(signal) = signals.next()
            {
                return Ok(End::Signal(signal));
            }
            if is_ready[1] {
                if silent {
                    return Ok(End::Itself);
                }
                self.take()?;
                if self.printed.len() > DOCUMENT_BYTES_MAX {
                    return Ok(End::TooMuch);
                }
            }
            if is_ready.get(2) == Some(&true) {
                self.feed();
            }
        }
    }

    /// Reads what there is.
    fn take(&mut self) -> io::Result<()> {
        let mut chunk = [0_u8; 1 << 16];
        let Some(stdout) = &mut self.stdout else { return Ok(()) };
        match stdout.read(&mut chunk) {
            Ok(0) => self.stdout = None,
            Ok(length) => self.printed.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Writes what it takes. A filter that does not read all of its input is none of our business.
    fn feed(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(self.input) {
            Ok(length) => self.input = &self.input[length..],
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return;
            }
            Err(_) => self.input = &[],
        }
        if self.input.is_empty() {
            self.stdin = None;
        }
    }

    /// Kills all of its group: its leader is not reaped yet, so the number is still its own.
    fn kill(&self) {
        // Where it cannot be killed it has ended.
        let _ = kill_process_group(pid_of(&self.child), rustix::process::Signal::KILL);
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// The signals that end us, read from a descriptor until this is dropped. What is blocked here is not inherited: the
/// standard library empties the mask of a process that it starts.
struct Signals {
    before: SigSet,
    fd: SignalFd,
}

impl Signals {
    fn take() -> io::Result<Self> {
        let set = SigSet::from_iter(ENDING);
        let before = SigSet::thread_get_mask()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        set.thread_block()?;
        Ok(Signals { before, fd })
    }

    fn next(&self) -> Option<Signal> {
        let info = self.fd.read_signal().ok()??;
        Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // A mask that was read from the kernel is one that it takes.
        let _ = self.before.thread_set_mask();
    }
}
