//! What may happen while processes run together.

use crate::sim::door::Locks;

/// What may happen while processes run together, beside taking turns.
///
/// Of each fault: how many there are at the most, and at one in how many calls it is drawn; an exhaustive search tries
/// it at every call.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How often a process that could go on is preempted; none for any number.
    pub preemptions_max: Option<u32>,
    /// A process that could go on is preempted at one in so many calls; 1 asks anew at every call. Rare switches let
    /// one process get far while another stands still between two calls.
    pub preempt_one_in: u32,
    /// How many processes are killed at the most.
    pub kills_max: u32,
    /// A kill is drawn at one in so many calls.
    pub kill_one_in: u32,
    /// Where a write may be cut by a kill.
    pub cuts: Cuts,
    /// How often the power goes at the most: every process ends, and the disk keeps what its model lets it keep.
    pub power_cuts_max: u32,
    /// The power goes at one in so many calls.
    pub power_cut_one_in: u32,
    /// How often a process is stalled at the most: time passes before its call.
    pub stalls_max: u32,
    /// A stall is drawn at one in so many calls.
    pub stall_one_in: u32,
    /// How long a stall takes.
    pub stall_ms: u64,
    /// How often a process is stopped at the most (SIGSTOP): it is not chosen for some calls of the others, or until
    /// none of them can go on.
    pub stops_max: u32,
    /// A stop is drawn at one in so many calls.
    pub stop_one_in: u32,
    /// How much time passes while a process is stopped.
    pub stop_ms: u64,
    /// How many calls fail, or do a part of what they were to do, at the most.
    pub errors_max: u32,
    /// An error is drawn at one in so many calls.
    pub error_one_in: u32,
    /// Which errors there are.
    pub errors: Errors,
    /// How often memory is short at the most: clean pages are read anew from the platter.
    pub evictions_max: u32,
    /// An eviction is drawn at one in so many calls.
    pub eviction_one_in: u32,
    /// How often the wall clock is set at the most, by an hour or a second, forth or back.
    pub clock_steps_max: u32,
    /// A step of the clock is drawn at one in so many calls.
    pub clock_step_one_in: u32,
    /// How often the machine sleeps at the most: the monotonic clock stands, the wall clock goes on.
    pub suspends_max: u32,
    /// A sleep is drawn at one in so many calls.
    pub suspend_one_in: u32,
    /// How long the machine sleeps.
    pub suspend_ms: u64,
    /// How often a process forks a child at the most. The child has its open descriptions, makes no call, and ends when
    /// nobody else can go on: an OS lock that it inherited outlives the process.
    pub forks_max: u32,
    /// A fork is drawn at one in so many calls.
    pub fork_one_in: u32,
    /// Whether the bodies that run together are one program but for the names of the processes, and the judge does not
    /// tell those apart: of the ones that have not begun, only the first is let begin.
    pub alike: bool,
    /// After so many processes of a boot a pid is used again.
    pub pids_max: u64,
    /// Whether others may see the beginning of a write before its rest is there.
    pub split_writes: bool,
    /// Whether others may see the whole length of an append before its beginning is there, and NULs in its place: as
    /// ext4, tmpfs and btrfs show it to who reads meanwhile. Nobody is killed between the two.
    pub late_beginnings: bool,
    /// Whether the OS lock works.
    pub locks: Locks,
}

/// Where a write may be cut by a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// After any number of bytes.
    EveryByte,
    /// Before the first, in the middle, before the last, which is the newline, and after it: for searches that are to
    /// end.
    Few,
}

/// Which errors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errors {
    /// `EIO` from a write, nothing being written.
    pub write: bool,
    /// `EIO` from a sync: the pages are clean and not on the platter.
    pub sync: bool,
    /// `ENOSPC` from a write or a new name.
    pub full: bool,
    /// `EMFILE` from opening a file.
    pub files: bool,
    /// `EINTR` from a write or a read, nothing being moved.
    pub interrupted: bool,
    /// A write or a read that moves fewer bytes than it was to.
    pub short: bool,
}

impl Errors {
    /// None of them.
    pub const NONE: Errors =
        Errors { write: false, sync: false, full: false, files: false, interrupted: false, short: false };
    /// All of them.
    pub const ALL: Errors =
        Errors { write: true, sync: true, full: true, files: true, interrupted: true, short: true };
}

impl Options {
    /// Every schedule with so many preemptions and so many kills: small enough to be searched to the end.
    #[must_use]
    pub fn bounded(preemptions_max: u32, kills_max: u32) -> Self {
        Options { preemptions_max: Some(preemptions_max), kills_max, cuts: Cuts::Few, ..Options::default() }
    }
}

impl Default for Options {
    /// Any interleaving, and no fault.
    fn default() -> Self {
        Options {
            preemptions_max: None,
            preempt_one_in: 1,
            kills_max: 0,
            kill_one_in: 40,
            cuts: Cuts::EveryByte,
            power_cuts_max: 0,
            power_cut_one_in: 200,
            stalls_max: 0,
            stall_one_in: 10,
            stall_ms: 0,
            stops_max: 0,
            stop_one_in: 40,
            stop_ms: 0,
            errors_max: 0,
            error_one_in: 40,
            errors: Errors::ALL,
            evictions_max: 0,
            eviction_one_in: 40,
            clock_steps_max: 0,
            clock_step_one_in: 40,
            suspends_max: 0,
            suspend_one_in: 40,
            suspend_ms: 0,
            forks_max: 0,
            fork_one_in: 40,
            alike: false,
            pids_max: u64::MAX,
            split_writes: false,
            late_beginnings: false,
            locks: Locks::Kept,
        }
    }
}
