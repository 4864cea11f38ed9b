//! `fencehold watch`: the first screen, live, until somebody has seen enough.
//!
//! Invariants:
//! - it looks as `status` does: no lock is taken, nothing is created, whatever keys are pressed;
//! - what goes wrong while it looks is shown, and it goes on looking;
//! - it sleeps until something changes, a key is pressed or a second is over, and looks no more often than
//!   [`LOOK_EVERY_MIN`];
//! - however it ends, the terminal is given back as it was taken.

mod keys;
mod look;
mod screen;
#[cfg(test)]
mod shown;
mod view;

use std::io::{IsTerminal as _, stdin, stdout};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::args::Common;
use super::out::{Ended, Out};
use super::session::find;
use crate::error::{Error, Result};
use crate::fs::{RealFs, timespec};
use crate::host::Deadline;
use keys::{Key, keys};
use look::Look;
use screen::{Screen, Signals, failed};
use view::View;

/// While others are busy, so long passes between two looks.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(100);
/// After so long the times on the screen are others, and a process may have ended of which nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What ended a wait.
enum Woken {
    /// A key was pressed.
    Key,
    /// A signal came.
    Signal,
    /// It is time for a look.
    Look,
    /// Whoever had the terminal has gone.
    Gone,
}

/// `fencehold watch`.
pub(super) fn watch(common: &Common) -> Ended {
    if common.json {
        return Err(Error::usage("`watch` is for people; for machines: `fencehold --json status`").into());
    }
    if !stdout().is_terminal() || !stdin().is_terminal() {
        return Err(Error::usage("`watch` needs a terminal; without one: `fencehold status`").into());
    }
    // Where no workspace can be is said before the screen is taken.
    find(RealFs, common)?;
    let mut look = Look::new(common.clone());
    let signals = Signals::take()?;
    let mut screen = Screen::take()?;
    let mut view = View::new(Out { json: false }.is_coloured());
    let ended = stay(&mut look, &signals, &mut screen, &mut view);
    drop(screen);
    Ok(ended?)
}

/// Shows what there is until a key or a signal ends it; gives the exit code.
fn stay(look: &mut Look, signals: &Signals, screen: &mut Screen, view: &mut View) -> Result<u8> {
    loop {
        view.show(look.page());
        let (rest, next) = (Deadline::after(LOOK_EVERY_MIN), Deadline::after(LOOK_EVERY));
        loop {
            screen.draw(view)?;
            match wait(look, signals, rest, next)? {
                Woken::Look => break,
                Woken::Gone => return Ok(0),
                Woken::Key => {
                    if obey(view)?.is_none() {
                        return Ok(0);
                    }
                }
                Woken::Signal => match signals.next() {
                    Some(screen::CONTINUED) => screen.take_again()?,
                    // It is drawn as large as the terminal is now.
                    Some(screen::RESIZED) | None => {}
                    Some(number) => return Ok(128 + number),
                },
            }
        }
    }
}

/// Waits for a key, a signal, a change or the next look.
fn wait(look: &Look, signals: &Signals, rest: Deadline, next: Deadline) -> Result<Woken> {
    // What changes meanwhile is seen with the next look.
    if let Some(woken) = poll(&[], signals, rest)? {
        return Ok(woken);
    }
    let changes: Vec<BorrowedFd<'_>> = look.changes().collect();
    Ok(poll(&changes, signals, next)?.unwrap_or(Woken::Look))
}

/// Waits until `until`; nothing where that passed without anything else.
fn poll(changes: &[BorrowedFd<'_>], signals: &Signals, until: Deadline) -> Result<Option<Woken>> {
    let input = stdin();
    let mut fds = vec![PollFd::new(&input, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
    fds.extend(changes.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
    match rustix::event::poll(&mut fds, Some(&timespec(until.left()))) {
        Err(rustix::io::Errno::INTR) => return Ok(Some(Woken::Signal)),
        polled => polled.map_err(|errno| failed(errno.into()))?,
    };
    let came: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    Ok(if came[0].intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        Some(Woken::Gone)
    } else if !came[0].is_empty() {
        Some(Woken::Key)
    } else if !came[1].is_empty() {
        Some(Woken::Signal)
    } else {
        came[2..].iter().any(|came| !came.is_empty()).then_some(Woken::Look)
    })
}

/// Does what the keys say that were pressed; nothing where one of them, or the end of the terminal, says that it is enough.
fn obey(view: &mut View) -> Result<Option<()>> {
    let mut bytes = [0; 256];
    let count = match rustix::io::read(stdin(), &mut bytes) {
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => return Ok(Some(())),
        Err(rustix::io::Errno::IO) | Ok(0) => return Ok(None),
        read => read.map_err(|errno| failed(errno.into()))?,
    };
    for key in keys(&bytes[..count]) {
        match key {
            Key::Quit => return Ok(None),
            Key::Move(to) => view.go(to),
            Key::Back if !view.is_helping() => return Ok(None),
            Key::Help | Key::Back => view.turn_help(),
        }
    }
    Ok(Some(()))
}
