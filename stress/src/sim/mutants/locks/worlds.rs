//! The world of each protocol: how many processes, what may happen to them, and what stands on the disk before.

use fencehold::host::Clock as _;

use super::{LOCK, Protocol, RESOURCE, release_by_path};
use crate::sim::disk::Disk;
use crate::sim::world::{Errors, Options, World};

/// A stall is longer than a TTL.
const STALL_MS: u64 = 5_000;
/// By how much the clock of a dead holder was ahead.
const CLOCK_AHEAD_MS: u64 = 3_600_000;

impl Protocol {
    /// What each mutant needs beside taking turns. The controls stand all of it.
    pub(super) fn options(self) -> Options {
        let calm = Options { stall_ms: STALL_MS, ..Options::default() };
        let errors = Errors { short: false, ..Errors::ALL };
        match self {
            // Two takers of a dead process's lock; two that find none; work that takes its time.
            Protocol::DoubleTakeover | Protocol::NotExclusive | Protocol::NoHeartbeat => calm,
            // A holder that is stalled past its TTL.
            Protocol::AgeSteal | Protocol::ReleaseByPath => Options { stalls_max: 1, ..calm },
            // The same, and the next gets far before that one goes on.
            Protocol::NoFence => Options { stalls_max: 1, preempt_one_in: 6, ..calm },
            Protocol::ClockStep => Options { clock_steps_max: 1, ..calm },
            Protocol::FutureClock => calm,
            // A holder is killed, and its pid is used again.
            Protocol::PidReuse => Options { kills_max: 1, pids_max: self.processes() as u64, ..calm },
            Protocol::FailOpen => Options { errors_max: 1, errors, ..calm },
            Protocol::Careful => {
                Options { stalls_max: 2, kills_max: 1, clock_steps_max: 1, errors_max: 1, errors, ..calm }
            }
            Protocol::Bound => Options {
                stalls_max: 2,
                kills_max: 1,
                clock_steps_max: 1,
                pids_max: self.processes() as u64,
                ..calm
            },
            Protocol::Tended => Options { stalls_max: 2, kills_max: 1, clock_steps_max: 1, ..calm },
        }
    }

    pub(super) fn processes(self) -> usize {
        match self {
            Protocol::DoubleTakeover | Protocol::NotExclusive | Protocol::NoFence => 2,
            _ => 3,
        }
    }

    /// Whether a holder may end, or has ended, without giving the lock up.
    pub(super) fn may_be_left_held(self) -> bool {
        self == Protocol::FutureClock || self.options().kills_max > 0
    }

    pub(super) fn works_long(self) -> bool {
        matches!(self, Protocol::NoHeartbeat | Protocol::NoFence | Protocol::Tended)
    }

    /// Whether the lock is promised as long as its holder's process lives.
    pub(super) fn until_death(self) -> bool {
        matches!(self, Protocol::AgeSteal | Protocol::Bound | Protocol::PidReuse)
    }

    /// What a process that is long dead has left.
    #[must_use]
    pub fn disk(self) -> Disk {
        let mut disk = Disk::new();
        disk.put(RESOURCE, b"");
        match self {
            Protocol::ReleaseByPath => disk.put(release_by_path::GUARD, b""),
            Protocol::NotExclusive => {}
            Protocol::FutureClock => {
                let (_, _, host) = World::calm(Disk::new()).process();
                let expires_ms = host.reading().wall_ms + CLOCK_AHEAD_MS;
                disk.put(LOCK, format!("gone {expires_ms} 0\n").as_bytes());
            }
            bound if bound.until_death() => disk.put(LOCK, b""),
            _ => disk.put(LOCK, b"gone 1 0\n"),
        }
        disk
    }
}
