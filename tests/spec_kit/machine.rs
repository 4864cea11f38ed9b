//! A machine that a test sets: its clock, its boot, which of its processes live.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fencehold::host::{Clock, Host, Reading};
use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;

/// A handle on it; every clone is the same machine.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Mutex<Inside>>);

struct Inside {
    boot: String,
    reading: Reading,
    processes: BTreeMap<u64, Liveness>,
    before_reading: Option<Box<dyn FnOnce() + Send>>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Machine(Arc::new(Mutex::new(Inside {
            boot: "boot-1".to_owned(),
            reading: Reading { monotonic_ms: 5_000, wall_ms: 1_700_000_000_000 },
            processes: BTreeMap::new(),
            before_reading: None,
        })))
    }

    /// Another machine that is as this one is now.
    pub(crate) fn copy(&self) -> Self {
        let inside = self.0.lock().unwrap();
        Machine(Arc::new(Mutex::new(Inside {
            boot: inside.boot.clone(),
            reading: inside.reading,
            processes: inside.processes.clone(),
            before_reading: None,
        })))
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, ms: u64) {
        let reading = &mut self.0.lock().unwrap().reading;
        reading.monotonic_ms += ms;
        reading.wall_ms += ms;
    }

    /// Steps the wall clock alone.
    pub(crate) fn wall(&self, wall_ms: u64) {
        self.0.lock().unwrap().reading.wall_ms = wall_ms;
    }

    pub(crate) fn wall_ms(&self) -> u64 {
        self.0.lock().unwrap().reading.wall_ms
    }

    /// Starts the machine anew: the monotonic clock begins again.
    pub(crate) fn reboot(&self, boot: &str) {
        let mut inside = self.0.lock().unwrap();
        inside.boot = boot.to_owned();
        inside.reading.monotonic_ms = 1_000;
    }

    /// A process of this boot, alive until a test says otherwise.
    pub(crate) fn process(&self, pid: u64) -> Process {
        self.0.lock().unwrap().processes.insert(pid, Liveness::Alive);
        Process { pid, start_ticks: 7, boot: self.boot(), pid_namespace: 1, host: "here".to_owned() }
    }

    pub(crate) fn becomes(&self, pid: u64, liveness: Liveness) {
        self.0.lock().unwrap().processes.insert(pid, liveness);
    }

    /// Does this just before the clock is read the next time.
    pub(crate) fn before_reading(&self, what: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().before_reading = Some(Box::new(what));
    }
}

impl Clock for Machine {
    fn boot(&self) -> BootId {
        BootId::new(&self.0.lock().unwrap().boot).unwrap()
    }

    fn reading(&self) -> Reading {
        let first = self.0.lock().unwrap().before_reading.take();
        if let Some(first) = first {
            first();
        }
        self.0.lock().unwrap().reading
    }
}

impl Host for Machine {
    fn liveness(&self, process: &Process) -> Liveness {
        if process.boot != self.boot() {
            return Liveness::Unknowable;
        }
        self.0.lock().unwrap().processes.get(&process.pid).copied().unwrap_or(Liveness::Unknowable)
    }

    fn random(&self) -> u128 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
