//! The OS lock of a file, as flock(2): it belongs to the open description.

use std::io;

use fencehold::fs::LockMode;

use super::{Disk, OpenId, ProcessId};

#[derive(Debug, Clone, Default)]
pub(super) struct Lock {
    exclusive: Option<OpenId>,
    shared: Vec<OpenId>,
}

impl Lock {
    fn is_free_for(&self, open: OpenId, mode: LockMode) -> bool {
        let no_other_writer = self.exclusive.is_none_or(|holder| holder == open);
        let no_other_reader = self.shared.iter().all(|holder| *holder == open);
        no_other_writer && (mode == LockMode::Shared || no_other_reader)
    }

    /// Granted at once to a description that has it already. One that has it in the other mode loses that first, and
    /// has nothing where it is refused (flock(2): a conversion is not atomic).
    fn take(&mut self, open: OpenId, mode: LockMode) -> bool {
        let free = self.is_free_for(open, mode);
        self.let_go(open);
        match mode {
            _ if !free => {}
            LockMode::Exclusive => self.exclusive = Some(open),
            LockMode::Shared => self.shared.push(open),
        }
        free
    }

    pub(super) fn let_go(&mut self, open: OpenId) {
        self.exclusive.take_if(|holder| *holder == open);
        self.shared.retain(|holder| *holder != open);
    }
}

impl Disk {
    /// Whether [`Disk::try_lock`] would take the lock.
    #[must_use]
    pub fn can_lock(&self, open: OpenId, mode: LockMode) -> bool {
        self.opened(open).is_ok_and(|opened| self.node(opened.node).lock.is_free_for(open, mode))
    }

    /// flock(2) with `LOCK_NB`: whether the lock was taken.
    pub fn try_lock(&mut self, open: OpenId, mode: LockMode) -> io::Result<bool> {
        let node = self.opened(open)?.node;
        Ok(self.node_mut(node).lock.take(open, mode))
    }

    /// flock(2) with `LOCK_UN`: whoever else has the description has lost the lock as well.
    pub fn unlock(&mut self, open: OpenId) -> io::Result<()> {
        let node = self.opened(open)?.node;
        self.node_mut(node).lock.let_go(open);
        Ok(())
    }

    /// The processes that hold the lock of the file that `open` is open on, forked children included.
    #[must_use]
    pub fn lock_holders(&self, open: OpenId) -> Vec<ProcessId> {
        let Ok(opened) = self.opened(open) else { return Vec::new() };
        let lock = &self.node(opened.node).lock;
        let holders =
            lock.exclusive.iter().chain(&lock.shared).filter_map(|holder| self.opened(*holder).ok());
        holders.flat_map(|holder| holder.process.into_iter().chain(holder.heirs.iter().copied())).collect()
    }
}
