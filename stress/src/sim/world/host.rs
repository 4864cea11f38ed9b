//! The machine as a simulated process sees it.

use std::sync::Arc;

use fencehold::host::{Clock, Host, Reading};
use fencehold_model::event::{Evidence, Process};
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;

use super::shared::Shared;
use crate::sim::disk::ProcessId;

/// The wall clock at the first boot: 2026-01-01 in milliseconds.
const WALL_MS: u64 = 1_767_225_600_000;
/// The pid of process 0.
const PID_FIRST: u64 = 1000;
/// The one pid namespace.
const PID_NAMESPACE: u64 = 4_026_531_836;

/// Clocks, randomness and liveness of the simulated machine, for one process.
#[derive(Debug, Clone)]
pub struct SimHost {
    shared: Arc<Shared>,
    process: ProcessId,
}

impl SimHost {
    pub(super) fn new(shared: Arc<Shared>, process: ProcessId) -> Self {
        SimHost { shared, process }
    }

    /// Which process this is.
    #[must_use]
    pub fn number(&self) -> ProcessId {
        self.process
    }

    /// This process, as a lock is bound to it.
    #[must_use]
    pub fn identity(&self) -> Process {
        Process {
            pid: PID_FIRST + self.process as u64,
            start_ticks: self.process as u64,
            boot: self.boot(),
            pid_namespace: PID_NAMESPACE,
            host: "simulated".to_owned(),
        }
    }

    /// The process works, or is stopped, for this long.
    pub fn pass(&self, ms: u64) {
        self.shared.lock().clock_ms += ms;
    }

    /// Asks the source of choice on behalf of the scenario.
    pub fn choose(&self, label: &'static str, of: usize) -> usize {
        self.shared.lock().source.choose(label, of)
    }
}

impl Clock for SimHost {
    fn boot(&self) -> BootId {
        let boot = self.shared.lock().boot;
        BootId::new(&format!("simulated-boot-{boot}")).expect("letters, digits and dashes make an id")
    }

    fn reading(&self) -> Reading {
        let shared = self.shared.lock();
        Reading { monotonic_ms: shared.clock_ms, wall_ms: WALL_MS + shared.before_boot_ms + shared.clock_ms }
    }
}

impl Host for SimHost {
    fn liveness(&self, process: &Process) -> Liveness {
        if process.boot != self.boot() || process.pid_namespace != PID_NAMESPACE {
            return Liveness::Unknowable;
        }
        let number = process.pid.checked_sub(PID_FIRST).and_then(|number| usize::try_from(number).ok());
        match number {
            Some(number) if self.shared.lock().lives(number) => Liveness::Alive,
            _ => Liveness::Dead(Evidence::NoSuchProcess),
        }
    }

    fn random(&self) -> u128 {
        let mut shared = self.shared.lock();
        let random = &mut shared.processes[self.process].random;
        u128::from(random.bits()) << 64 | u128::from(random.bits())
    }
}
