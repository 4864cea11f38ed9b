//! What may happen while processes run together.

use crate::sim::door::Locks;

/// What may happen while processes run together, beside taking turns.
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
    /// How often a process is stalled at the most.
    pub stalls_max: u32,
    /// A stall is drawn at one in so many calls.
    pub stall_one_in: u32,
    /// How long a stall takes.
    pub stall_ms: u64,
    /// Whether others may see the beginning of a write before its rest is there.
    pub split_writes: bool,
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

impl Options {
    /// Every schedule with so many preemptions and one kill: small enough to be searched to the end.
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
            stalls_max: 0,
            stall_one_in: 10,
            stall_ms: 0,
            split_writes: false,
            locks: Locks::Kept,
        }
    }
}
