//! What the protocol asks of the machine beside its files: time, randomness, and whether a process lives.

mod liveness;
mod real;

pub use real::{Deadline, RealHost};

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;

/// One look at the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// CLOCK_MONOTONIC in milliseconds, time-namespace offset removed: the same for every process of a boot; suspend
    /// is not counted, wall-clock steps are not seen (clock_gettime(2), time_namespaces(7)).
    pub monotonic_ms: u64,
    /// Wall time in milliseconds since 1970; looked at once a boot.
    pub wall_ms: u64,
}

/// The clocks of the machine.
pub trait Clock: Send + Sync {
    /// Which boot this is.
    fn boot(&self) -> BootId;
    /// Reads the clocks.
    fn reading(&self) -> Reading;
}

/// The machine that a process runs on.
pub trait Host: Clock {
    /// Whether `process` lives, as far as that can be proven from here.
    fn liveness(&self, process: &Process) -> Liveness;
    /// Random bits for names and ids.
    fn random(&self) -> u128;
}
