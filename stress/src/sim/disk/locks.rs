//! The OS lock of a file, as flock(2): it belongs to the open description.

use std::collections::BTreeSet;
use std::io;

use fencehold::fs::LockMode;

use super::{Disk, OpenId, ProcessId};

#[derive(Debug, Clone, Default)]
pub(super) struct Lock {
    exclusive: Option<OpenId>,
    shared: BTreeSet<OpenId>,
}

impl Lock {
    fn is_free_for(&self, open: OpenId, mode: LockMode) -> bool {
        let no_other_writer = self.exclusive.is_none_or(|holder| holder == open);
        let no_other_reader = self.shared.iter().all(|holder| *holder == open);
        no_other_writer && (mode == LockMode::Shared || no_other_reader)
    }

    /// Granted at once to a description that has it already; another mode replaces the first.
    fn take(&mut self, open: OpenId, mode: LockMode) {
        self.let_go(open);
        match mode {
            LockMode::Exclusive => self.exclusive = Some(open),
            LockMode::Shared => {
                self.shared.insert(open);
            }
        }
    }

    pub(super) fn let_go(&mut self, open: OpenId) {
        self.exclusive.take_if(|holder| *holder == open);
        self.shared.remove(&open);
    }
}

impl Disk {
    /// Whether [`Disk::try_lock`] would take the lock.
    #[must_use]
    pub fn can_lock(&self, open: OpenId, mode: LockMode) -> bool {
        self.opened(open).is_ok_and(|opened| self.inode(opened.inode).lock.is_free_for(open, mode))
    }

    /// flock(2) with `LOCK_NB`: whether the lock was taken.
    pub fn try_lock(&mut self, open: OpenId, mode: LockMode) -> io::Result<bool> {
        let inode = self.opened(open)?.inode;
        let lock = &mut self.inode_mut(inode).lock;
        let free = lock.is_free_for(open, mode);
        if free {
            lock.take(open, mode);
        }
        Ok(free)
    }

    /// flock(2) with `LOCK_UN`.
    pub fn unlock(&mut self, open: OpenId) -> io::Result<()> {
        let inode = self.opened(open)?.inode;
        self.inode_mut(inode).lock.let_go(open);
        Ok(())
    }

    /// The processes that hold the lock of the file that `open` is open on.
    #[must_use]
    pub fn lock_holders(&self, open: OpenId) -> Vec<ProcessId> {
        let Ok(opened) = self.opened(open) else { return Vec::new() };
        let lock = &self.inode(opened.inode).lock;
        lock.exclusive
            .iter()
            .chain(&lock.shared)
            .filter_map(|holder| Some(self.opens.get(holder)?.process))
            .collect()
    }
}
