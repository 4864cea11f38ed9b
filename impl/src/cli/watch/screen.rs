//! The terminal: taken whole, and given back as it was.

use std::io::{self, Stdout, Write as _, stdout};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::view::View;
use crate::error::{Error, Result};

/// The number of SIGCONT.
pub(super) const CONTINUED: u8 = Signal::SIGCONT as u8;
/// The number of SIGWINCH.
pub(super) const RESIZED: u8 = Signal::SIGWINCH as u8;
/// What ends it, what says that it was stopped meanwhile, and that the terminal has another size. A stop by SIGTSTP would leave the terminal taken.
const SIGNALS: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGCONT, Signal::SIGWINCH];

/// Whether the terminal is ours. It is given back once: a second time would put the cursor where it was when it was
/// taken, over what was said since.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub(super) struct Screen {
    /// Not dropped: it would tell on stderr that it cannot show the cursor of a terminal that is gone, and panic where
    /// stderr is that terminal.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    _back: Back,
}

/// Gives the terminal back when it is dropped, or by a panic before that is told.
struct Back(());

impl Back {
    fn promised() -> Self {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        Back(())
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        give_back();
        // While it panics the hook has done that already, and cannot be changed (std::panic::take_hook).
        if !std::thread::panicking() {
            drop(panic::take_hook());
        }
    }
}

impl Screen {
    /// Takes the terminal on stdin and stdout.
    pub(super) fn take() -> Result<Self> {
        let mut screen = Screen { terminal: ManuallyDrop::new(empty()?), _back: Back::promised() };
        screen.take_again()?;
        Ok(screen)
    }

    /// Takes it once more: whoever stopped us may have given it to others.
    pub(super) fn take_again(&mut self) -> Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode().map_err(failed)?;
        execute!(stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All)).map_err(failed)?;
        // All of it is drawn anew. `Terminal::clear` would ask the terminal where the cursor is, and wait for that.
        self.terminal = ManuallyDrop::new(empty()?);
        Ok(())
    }

    /// Shows it, at whatever size the terminal has now.
    pub(super) fn draw(&mut self, view: &mut View) -> Result<()> {
        self.terminal.draw(|frame| view.draw(frame)).map(|_| ()).map_err(failed)
    }
}

fn empty() -> Result<Terminal<CrosstermBackend<Stdout>>> {
    Terminal::new(CrosstermBackend::new(stdout())).map_err(failed)
}

/// Where the terminal is gone there is nobody to give it back to.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}

/// Signals that no longer end us at once, but wait to be read.
#[derive(Debug)]
pub(super) struct Signals(SignalFd);

impl Signals {
    pub(super) fn take() -> Result<Self> {
        let set = SigSet::from_iter(SIGNALS);
        let mut blocked = set;
        blocked.add(Signal::SIGTSTP);
        let taken = blocked
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK));
        taken.map(Signals).map_err(|errno| {
            Error::environment("taking the signals of", Path::new("/proc/self"), errno.into())
        })
    }

    /// The next one that came, by number.
    pub(super) fn next(&self) -> Option<u8> {
        let info = self.0.read_signal().ok().flatten()?;
        u8::try_from(info.ssi_signo).ok()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The error where the terminal fails.
pub(super) fn failed(error: io::Error) -> Error {
    Error::environment("showing it on", Path::new("/dev/tty"), error)
}

#[cfg(test)]
mod tests {
    use super::Back;

    #[test]
    fn a_panic_while_the_terminal_is_taken_is_told_and_is_not_two() {
        // A second panic while the first one unwinds would abort this program.
        let ended = std::panic::catch_unwind(|| {
            let _back = Back::promised();
            panic!("a test: an invariant of ours is broken");
        });
        assert!(ended.is_err());
        drop(std::panic::take_hook());
    }
}
