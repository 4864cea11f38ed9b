//! What goes wrong at a call, and at which of a process that runs alone.

use rustix::io::Errno;

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the call takes effect.
    Kill,
    /// The process is killed within a write, of which so many bytes are there.
    Cut(usize),
    /// The call fails and does nothing; a sync that fails with `EIO` leaves clean pages that are not on the platter.
    Fail(Errno),
    /// A write or a read stops after so many bytes, and says so.
    Short(usize),
    /// The power goes before the call takes effect: every process ends, the disk keeps what its model lets it keep, and
    /// the machine is booted anew.
    PowerCut,
}

/// Which fault happens at which call of a process, calls being counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    at: Option<(u64, Fault)>,
    also: Option<(u64, Fault)>,
    full_from: Option<u64>,
}

impl Plan {
    /// Nothing goes wrong.
    pub const NONE: Plan = Plan { at: None, also: None, full_from: None };

    /// One fault at one call.
    #[must_use]
    pub fn at(call: u64, fault: Fault) -> Self {
        Plan { at: Some((call, fault)), ..Plan::NONE }
    }

    /// The same, and another fault at another call.
    #[must_use]
    pub fn and(self, call: u64, fault: Fault) -> Self {
        Plan { also: Some((call, fault)), ..self }
    }

    /// From that call on the disk is full: every write of a byte and every new name fails with `ENOSPC`.
    #[must_use]
    pub fn full_from(call: u64) -> Self {
        Plan { full_from: Some(call), ..Plan::NONE }
    }

    /// What happens at call number `call`, which takes room on the disk or not.
    pub(super) fn fault(&self, call: u64, takes_room: bool) -> Option<Fault> {
        let faults = self.at.into_iter().chain(self.also);
        if let Some((_, fault)) = faults.into_iter().find(|(at, _)| *at == call) {
            return Some(fault);
        }
        let full = self.full_from.is_some_and(|from| call >= from) && takes_room;
        full.then_some(Fault::Fail(Errno::NOSPC))
    }
}
