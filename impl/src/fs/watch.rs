//! Waits for a folder to change, or a process to end: file notification (inotify(7)), a pidfd and a timer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, PidfdFlags};

use crate::error::{Error, Result};

/// How often to look where the kernel has no notification for us.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest time to wait in one go: a change that nothing tells of is seen then.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// A watch over the entries of a folder and the contents of its files.
///
/// Look again *after* the watch stands: what changed before it is not told.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<OwnedFd>,
}

impl Watch {
    /// Begins to watch `dir`. Where the machine has no notification left (EMFILE, ENOSPC: the user's limits), it looks
    /// every 50 ms instead; the note says so.
    ///
    /// # Errors
    /// Where the folder cannot be watched for another reason: it is gone, or must not be read.
    pub fn begin(dir: &Path) -> Result<(Self, Option<String>)> {
        let flags = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let begun = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .and_then(|inotify| inotify::add_watch(&inotify, dir, flags).map(|_| inotify));
        match begun {
            Ok(inotify) => Ok((Watch { inotify: Some(inotify) }, None)),
            Err(errno @ (rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::NOSPC)) => {
                let note = format!(
                    "no file notification is left ({errno}), so the folder is looked at every {} ms; \
                     fs.inotify.max_user_instances and max_user_watches are the limits",
                    LOOK_EVERY.as_millis()
                );
                Ok((Watch { inotify: None }, Some(note)))
            }
            Err(errno) => Err(Error::environment("watching", dir, errno.into())),
        }
    }

    /// Waits until something changed, the process `pid` ended, or `patience` is over; it may return early.
    ///
    /// # Errors
    /// Where poll(2) fails for another reason than a signal.
    pub fn wait(&self, patience: Duration, pid: Option<u64>) -> io::Result<()> {
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pidfd = match pid.map(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty())) {
            Some(Ok(pidfd)) => Some(pidfd),
            // It is dead by now: look again at once. A pid of another namespace was not given to us.
            Some(Err(rustix::io::Errno::SRCH)) => return Ok(()),
            Some(Err(_)) | None => None,
        };
        let at_most = if self.inotify.is_some() { LOOK_AT_LEAST_EVERY } else { LOOK_EVERY };
        let timeout = timespec(patience.min(at_most));
        let mut fds: Vec<PollFd<'_>> =
            self.inotify.iter().chain(&pidfd).map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.drain();
        Ok(())
    }

    /// What becomes readable with a change, for a poll(2) of one's own; none where the folder must be looked at.
    #[must_use]
    pub fn changes(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// Forgets what was told so far: only that it was told matters.
    pub fn drain(&self) {
        let mut told = [0_u8; 4096];
        let Some(inotify) = &self.inotify else { return };
        while rustix::io::read(inotify, &mut told).is_ok_and(|count| count > 0) {}
    }
}

/// A duration for poll(2).
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
