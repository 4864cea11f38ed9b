//! A workspace on a simulated disk that loses power and reports an error once, on a machine that a test sets.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fencehold::fs::{Fs, How};
use fencehold::journal::{FileJournal, Modes, Options, create};
use fencehold::ledger::Ledger;
use fencehold_stress::sim::choice::Explorer;
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::world::{SimFs, World};

use crate::spec_kit::{DURABLE, Machine, Party};

/// A process of the harness itself.
const NOBODY: usize = 1_000;

/// What the filesystems were seen to do, the weakest that POSIX allows, and any subset of pages.
pub(crate) const MODELS: [Persistence; 5] =
    [Persistence::Ext4, Persistence::Xfs, Persistence::Btrfs, Persistence::Posix, Persistence::Pages];

/// A machine with a simulated disk and a workspace on it.
#[derive(Clone)]
pub(crate) struct Sim {
    pub(crate) world: World,
    pub(crate) machine: Machine,
}

impl Sim {
    /// One whose every byte is durable.
    pub(crate) fn new(model: Persistence) -> Self {
        let sim = Sim::bare(model);
        let fs = sim.fs();
        assert!(create(&fs, &sim.machine, &sim.ws(), Modes::Owner).unwrap());
        sim.all_durable(model)
    }

    /// One without a workspace.
    pub(crate) fn bare(model: Persistence) -> Self {
        let sim = Sim { world: World::calm(Disk::new()), machine: Machine::new() };
        sim.fs().make_dir(Path::new("/w"), 0o755).unwrap();
        sim.all_durable(model)
    }

    /// The same, whatever is there counting as durable; nobody has anything open.
    pub(crate) fn all_durable(self, model: Persistence) -> Self {
        self.world.reboot();
        let disk = self.world.disk(|disk| disk.clone()).persistent(model, 512);
        Sim { world: World::calm(disk), machine: self.machine }
    }

    pub(crate) fn ws(&self) -> PathBuf {
        PathBuf::from("/w/ws")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.ws().join(name)
    }

    /// The files of one more process.
    pub(crate) fn fs(&self) -> SimFs {
        self.world.process().1
    }

    pub(crate) fn party(&self) -> Party<SimFs> {
        self.party_on(self.fs(), DURABLE)
    }

    pub(crate) fn party_on<F: Fs>(&self, fs: F, options: Options) -> Party<F> {
        let journal = FileJournal::new(fs, self.machine.clone(), &self.ws(), options);
        Ledger::new(journal, self.machine.clone())
    }

    /// The next writeback of this file fails behind everybody's back.
    pub(crate) fn fail_writeback(&self, name: &str) {
        let path = self.path(name);
        self.world.disk(|disk| {
            let open = disk.open(NOBODY, &path, How::Read).unwrap();
            disk.fail_writeback(open).unwrap();
            disk.close(open);
        });
    }

    /// Memory pressure.
    pub(crate) fn evict(&self) {
        self.world.disk(Disk::evict);
    }

    /// Everybody is gone, and memory keeps what it had: not a power loss, and the same boot.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        self.world.disk(|disk| disk.contents(&path).map(<[u8]>::to_vec)).unwrap_or_default()
    }

    /// The machine after a power cut here, its next boot begun.
    pub(crate) fn cut(&self, choose: &mut dyn FnMut(&'static str, usize) -> usize) -> Self {
        let disk = self.world.disk(|disk| disk.power_cut(choose));
        static BOOTS: AtomicU64 = AtomicU64::new(1);
        let machine = self.machine.copy();
        machine.reboot(&format!("after a power cut {}", BOOTS.fetch_add(1, Ordering::Relaxed)));
        Sim { world: World::calm(disk), machine }
    }

    /// Every outcome of a power cut here, the first `most` of them; how many there were.
    pub(crate) fn every_cut(&self, most: u64, mut check: impl FnMut(Sim)) -> u64 {
        let mut explorer = Explorer::new();
        while explorer.explored().runs < most {
            let Some(mut source) = explorer.next_run() else { break };
            let after = self.cut(&mut |label, of| source.choose(label, of));
            explorer.ran(&source);
            check(after);
        }
        explorer.explored().runs
    }
}
