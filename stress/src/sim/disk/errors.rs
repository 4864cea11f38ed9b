//! Writeback errors, as Linux reports them since 4.13 (errseq_t; lib/errseq.c, fsync(2)).

use std::io;

use rustix::io::Errno;

use super::history::FileBody;
use super::nodes::{Body, NodeId};
use super::{Disk, OpenId};

impl Disk {
    /// fdatasync(2) that meets a writeback error: what was to be written counts as clean and is not on the platter. This
    /// description is told; each one that is open now will be told once by its next sync, a later one never.
    ///
    /// # Errors
    /// `EIO`, always.
    pub fn fail_sync(&mut self, open: OpenId) -> io::Result<()> {
        self.fail_writeback(open)?;
        self.tell_of_error(open)?;
        Err(Errno::IO.into())
    }

    /// A writeback behind everybody's back that fails: as [`Disk::fail_sync`], but nobody has been told yet, and a
    /// description that is opened before somebody is will be told as well.
    ///
    /// # Errors
    /// `EBADF` if there is no such description.
    pub fn fail_writeback(&mut self, open: OpenId) -> io::Result<()> {
        let node = self.opened(open)?.node;
        if let Some(file) = self.file_mut(node) {
            file.lose();
        }
        Ok(())
    }

    /// Memory pressure: clean pages that are not on the platter read as what is there, and a writeback error of which
    /// nobody was told is forgotten with a file that nobody has open.
    pub fn evict(&mut self) {
        let page_bytes = self.platter.page_bytes;
        for id in self.nodes.ids() {
            let unused = self.node(id).opens == 0;
            let Body::File(file) = &self.node(id).body else { continue };
            let lost = file.history.as_ref().is_some_and(|history| !history.lost.is_empty());
            if !lost && file.told {
                continue;
            }
            let Some(file) = self.file_mut(id) else { continue };
            file.evict(page_bytes);
            file.told |= unused;
        }
    }

    /// What a description that is opened now has no need to be told.
    pub(super) fn heard_at_open(file: &FileBody) -> u32 {
        if file.told { file.errors } else { file.errors - 1 }
    }

    pub(super) fn tell_of_error(&mut self, open: OpenId) -> io::Result<()> {
        let opened = self.opened(open)?;
        let (node, heard) = (opened.node, opened.heard);
        let Body::File(file) = &self.node(node).body else { return Ok(()) };
        let errors = file.errors;
        if heard == errors {
            return Ok(());
        }
        self.opened_mut(open)?.heard = errors;
        if let Some(file) = self.file_mut(node) {
            file.told = true;
        }
        Err(Errno::IO.into())
    }

    fn file_mut(&mut self, node: NodeId) -> Option<&mut FileBody> {
        match &mut self.node_mut(node).body {
            Body::File(file) => Some(file),
            _ => None,
        }
    }
}
