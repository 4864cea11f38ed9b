//! The terminal while the command runs: its process group is the foreground one, as a shell would have it.

use std::io;

use rustix::process::{Pid, getpgrp};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

/// The terminal on stdin, lent to the command's process group; taken back when dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    group: Pid,
    lent: bool,
}

impl Terminal {
    /// Lends the terminal to `group`, where stdin is one and we are in its foreground.
    pub(super) fn lend(group: Pid) -> Self {
        let mut terminal = Terminal { group, lent: false };
        terminal.lend_again();
        terminal
    }

    /// Lends it (again), where it is ours to lend.
    pub(super) fn lend_again(&mut self) {
        let stdin = io::stdin();
        if tcgetpgrp(&stdin).is_ok_and(|foreground| foreground == getpgrp()) {
            self.lent = tcsetpgrp(&stdin, self.group).is_ok();
        }
    }

    /// Takes it back, where it was lent.
    pub(super) fn take_back(&mut self) {
        if std::mem::take(&mut self.lent) {
            // Nobody to tell where it fails: the terminal was hung up.
            let _ = tcsetpgrp(io::stdin(), getpgrp());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.take_back();
    }
}
