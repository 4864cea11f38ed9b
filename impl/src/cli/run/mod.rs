//! `fencehold lock run NAME -- CMD…`: a command that runs while a lock is held.

mod child;
mod signals;
mod terminal;

pub(super) use child::{CHILD_COMMAND, be_child};

use super::args::{Common, Run};
use super::out::{Ended, Out};

/// Token of the lock that the command runs under.
const ENV_TOKEN: &str = "FENCEHOLD_TOKEN";
/// An error of ours, as env(1) has it.
pub(super) const OURS: u8 = 125;

pub(super) fn run(_run: &Run, _common: &Common) -> Ended {
    todo!()
}
pub(super) fn code_of(ended: Ended, out: Out) -> u8 {
    super::out::code_of(ended, out)
}
