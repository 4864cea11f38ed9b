//! `fencehold watch`: the first screen, live, until somebody has seen enough.
//!
//! Invariants:
//! - it looks as `status` does: no lock is taken, nothing is created, whatever keys are pressed;
//! - what goes wrong while it looks is shown, and it goes on looking;
//! - it sleeps until something changes, a key is pressed or a second is over, and looks no more often than
//!   [`LOOK_EVERY_MIN`];
//! - however it ends, the terminal is given back as it was taken.

mod look;
mod screen;
#[cfg(test)]
mod shown;
mod view;

use std::io::{IsTerminal as _, stdin, stdout};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags};

use super::args::Common;
use super::out::{Ended, Out};
use super::session::find;
use crate::error::{Error, Result};
use crate::fs::{RealFs, timespec};
use crate::host::Deadline;
use look::Look;
use screen::{Screen, Signals, failed};
use view::{Move, View};

/// While others are busy, so long passes between two looks.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(100);
/// After so long the times on the screen are others, and a process may have ended of which nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What ended a wait.
enum Woken {
    /// There is something to read from the terminal, or its size changed.
    Terminal,
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
    // The first time it is asked for keys crossterm begins to listen for a change of the size as well.
    if !obey(view)? {
        return Ok(0);
    }
    loop {
        view.show(look.page());
        let (rest, next) = (Deadline::after(LOOK_EVERY_MIN), Deadline::after(LOOK_EVERY));
        loop {
            screen.draw(view)?;
            match wait(look, signals, rest, next)? {
                Woken::Look => break,
                Woken::Gone => return Ok(0),
                Woken::Terminal => {}
            }
            while let Some(signal) = signals.next() {
                match signal {
                    screen::CONTINUED => screen.take_again()?,
                    number => return Ok(128 + number),
                }
            }
            if !obey(view)? {
                return Ok(0);
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
        // The size changed: crossterm has a handler for that.
        Err(rustix::io::Errno::INTR) => return Ok(Some(Woken::Terminal)),
        polled => polled.map_err(|errno| failed(errno.into()))?,
    };
    let came: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    Ok(if came[0].intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        Some(Woken::Gone)
    } else if came[..2].iter().any(|came| !came.is_empty()) {
        Some(Woken::Terminal)
    } else {
        came[2..].iter().any(|came| !came.is_empty()).then_some(Woken::Look)
    })
}

/// Does what the keys say that were pressed; false where one of them says that it is enough.
fn obey(view: &mut View) -> Result<bool> {
    while event::poll(Duration::ZERO).map_err(failed)? {
        if let Event::Key(key) = event::read().map_err(failed)? {
            match meaning(key) {
                Some(Key::Quit) => return Ok(false),
                Some(Key::Move(to)) => view.go(to),
                Some(Key::Help) => view.turn_help(),
                Some(Key::Back) if view.is_helping() => view.turn_help(),
                Some(Key::Back) => return Ok(false),
                None => {}
            }
        }
    }
    Ok(true)
}

/// What a key means.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Quit,
    Back,
    Help,
    Move(Move),
}

fn meaning(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return matches!(key.code, KeyCode::Char('c')).then_some(Key::Quit);
    }
    Some(match key.code {
        KeyCode::Char('q') => Key::Quit,
        KeyCode::Esc => Key::Back,
        KeyCode::Char('?' | 'h') => Key::Help,
        KeyCode::Down | KeyCode::Char('j') => Key::Move(Move::Lines(1)),
        KeyCode::Up | KeyCode::Char('k') => Key::Move(Move::Lines(-1)),
        KeyCode::PageDown | KeyCode::Char(' ') => Key::Move(Move::Pages(1)),
        KeyCode::PageUp => Key::Move(Move::Pages(-1)),
        KeyCode::Home | KeyCode::Char('g') => Key::Move(Move::First),
        KeyCode::End | KeyCode::Char('G') => Key::Move(Move::Last),
        _ => return None,
    })
}
