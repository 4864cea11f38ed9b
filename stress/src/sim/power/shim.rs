//! Stands in for the crashing disk until it is here.

use crate::sim::disk::Disk;

/// How a disk keeps what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Persistence {
    Kept,
    Ext4,
    Xfs,
    Btrfs,
    Posix,
    Pages,
}

pub(super) trait Crashing {
    fn persistent(self, model: Persistence, page_bytes: usize) -> Disk;
    fn power_cut(&self, choose: &mut dyn FnMut(&'static str, usize) -> usize) -> Disk;
}

impl Crashing for Disk {
    fn persistent(self, _: Persistence, _: usize) -> Disk {
        self
    }

    fn power_cut(&self, _: &mut dyn FnMut(&'static str, usize) -> usize) -> Disk {
        let mut disk = self.clone();
        for process in 0..64 {
            disk.kill(process);
        }
        disk
    }
}
