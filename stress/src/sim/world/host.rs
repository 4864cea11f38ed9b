//! The machine as a simulated process sees it.

use std::sync::Arc;

use fencehold::host::{Clock, Host, Reading};
use fencehold_model::event::{Evidence, Process};
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;

use super::inner::Inner;
use super::shared::Shared;
use crate::sim::choice::Thing;
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
        let inner = self.shared.lock();
        let process = &inner.processes[self.process];
        Process {
            pid: PID_FIRST + process.born % inner.options.pids_max,
            start_ticks: process.born,
            boot: boot_id(process.boot),
            pid_namespace: PID_NAMESPACE,
            host: "simulated".to_owned(),
        }
    }

    /// The process works, or is stopped, for this long.
    pub fn pass(&self, ms: u64) {
        self.shared.lock().pass(ms);
    }

    /// What this process does between its calls here is seen by others: it tells something, or looks at what was told,
    /// outside of the world. A search that leaves out the order of what commutes keeps the order of these.
    pub fn outside(&self) {
        self.shared.lock().source.touch(Thing::Outside, true);
    }

    /// Asks the source of choice on behalf of the scenario.
    pub fn choose(&self, label: &'static str, of: usize) -> usize {
        self.shared.lock().source.choose(label, of)
    }
}

fn boot_id(boot: u64) -> BootId {
    BootId::new(&format!("simulated-boot-{boot}")).expect("letters, digits and dashes make an id")
}

impl Clock for SimHost {
    fn boot(&self) -> BootId {
        boot_id(self.shared.lock().boot)
    }

    fn reading(&self) -> Reading {
        let mut inner = self.shared.lock();
        inner.source.touch(Thing::Clock, false);
        let real_ms = WALL_MS + inner.before_boot_ms + inner.clock_ms;
        Reading { monotonic_ms: inner.clock_ms, wall_ms: real_ms.saturating_add_signed(inner.wall_offset_ms) }
    }
}

impl Host for SimHost {
    fn liveness(&self, process: &Process) -> Liveness {
        let mut inner = self.shared.lock();
        if process.boot != boot_id(inner.boot) || process.pid_namespace != PID_NAMESPACE {
            return Liveness::Unknowable;
        }
        let Inner { processes, source, options, boot, .. } = &mut *inner;
        let pid = |born: u64| PID_FIRST + born % options.pids_max;
        let mut evidence = Some(Evidence::NoSuchProcess);
        for (number, other) in processes.iter().enumerate() {
            if other.boot == *boot && pid(other.born) == process.pid {
                source.touch(Thing::Life(number), false);
                let same = other.born == process.start_ticks;
                match other.alive {
                    true if same => evidence = None,
                    true => evidence = evidence.and(Some(Evidence::OtherStartTime)),
                    false => {}
                }
            }
        }
        evidence.map_or(Liveness::Alive, Liveness::Dead)
    }

    fn random(&self) -> u128 {
        let mut shared = self.shared.lock();
        let random = &mut shared.processes[self.process].random;
        u128::from(random.bits()) << 64 | u128::from(random.bits())
    }
}
