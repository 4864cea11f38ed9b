//! Our ends of the pipes, with deadlines.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::Gone;

/// Makes reads and writes return where they would have to wait.
pub(super) fn without_waiting(file: &File) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags | OFlags::NONBLOCK)?)
}

/// Waits for one of the events, until the deadline.
pub(super) fn wait(file: &impl AsFd, what: PollFlags, deadline: Instant) -> Result<(), Gone> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| Gone::TimedOut)?;
        match poll(&mut [PollFd::new(file, what)], Some(&timeout)) {
            Ok(0) if left.is_zero() => return Err(Gone::TimedOut),
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(_) => return Err(Gone::Eof),
        }
    }
}
