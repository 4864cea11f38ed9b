//! The signals that reach `lock run` while its command runs: read from a descriptor, between two other things.

use std::os::fd::AsFd;
use std::path::Path;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::{Error, Result};

/// What is passed on to the command's process group.
const FORWARDED: [Signal; 8] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTSTP,
    Signal::SIGWINCH,
];

/// Signals that no longer interrupt, but wait to be read. What is blocked here is not inherited: the standard library
/// empties the mask of a process that it starts.
#[derive(Debug)]
pub(super) struct Signals(SignalFd);

impl Signals {
    /// From now on signals are read from here. SIGTTOU is kept off as well: who gives the terminal away and takes it
    /// back is in its background meanwhile (tcsetpgrp(3)).
    pub(super) fn take() -> Result<Self> {
        let mut set = SigSet::from_iter(FORWARDED);
        set.add(Signal::SIGCHLD);
        let mut blocked = set;
        blocked.add(Signal::SIGTTOU);
        let failed = |errno: nix::errno::Errno| {
            Error::environment("taking the signals of", Path::new("/proc/self"), errno.into())
        };
        blocked.thread_block().map_err(failed)?;
        SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map(Signals)
            .map_err(failed)
    }

    /// The next signal that is to be passed on, by number; none when all have been read.
    pub(super) fn next(&self) -> Option<i32> {
        while let Ok(Some(info)) = self.0.read_signal() {
            let number = i32::try_from(info.ssi_signo).ok()?;
            if number != Signal::SIGCHLD as i32 {
                return Some(number);
            }
        }
        None
    }

    /// Sends a signal to a process group; a group that is gone needs none.
    pub(super) fn pass_on(group: i32, number: i32) {
        if let Ok(signal) = Signal::try_from(number) {
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), signal);
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
