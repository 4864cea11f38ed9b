//! Starts the program as somebody who is not root; holds no test.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::program::Yard;

const NOBODY: u32 = 65534;

/// Starts `fencehold` as a user who is not root, in a yard that is then theirs. None where we are root and cannot;
/// where we are not root, none either, for then no file here belongs to another: said aloud.
pub(crate) fn stranger(yard: &Yard) -> Option<fn(&Yard) -> Command> {
    let start = |yard: &Yard| {
        let mut command = yard.fencehold();
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    if !rustix::process::geteuid().is_root() {
        println!("skipped, because only root can give files to another user");
        return None;
    }
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(yard.path()).status();
    let probe = start(yard).arg("whoami").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if given.is_ok_and(|status| status.success()) && probe.is_ok_and(|status| status.success()) {
        return Some(start);
    }
    println!("skipped, because the program cannot be started as another user from here");
    None
}

/// As `stranger`; where we are not root ourselves, it is we who start it.
pub(crate) fn anybody(yard: &Yard) -> Option<fn(&Yard) -> Command> {
    if rustix::process::geteuid().is_root() { stranger(yard) } else { Some(Yard::fencehold) }
}
