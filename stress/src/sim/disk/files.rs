//! Open descriptions, and what is done through them.

use std::io;
use std::path::Path;

use fencehold::fs::{How, Stat};
use rustix::io::Errno;

use super::history::FileBody;
use super::nodes::{Body, Node, NodeId};
use super::{Disk, Open, OpenId, ProcessId};

impl Disk {
    /// open(2).
    pub fn open(&mut self, process: ProcessId, path: &Path, how: How) -> io::Result<OpenId> {
        let place = self.at(path)?;
        let node = match (self.there(place), how) {
            (Some(_), How::CreateNew { .. }) => return Err(Errno::EXIST.into()),
            (None, How::CreateNew { mode }) => {
                self.add(place, Node::new(Body::File(FileBody::clean(Vec::new())), mode))
            }
            (None, _) => return Err(Errno::NOENT.into()),
            (Some(node), _) => node,
        };
        let heard = match &self.node(node).body {
            Body::File(file) => Self::heard_at_open(file),
            Body::Dir(_) if how != How::Read => return Err(Errno::ISDIR.into()),
            Body::Dir(_) => {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory, not a regular file"));
            }
            Body::Symlink(_) => return Err(Errno::LOOP.into()),
        };
        let id = OpenId(self.next_open);
        self.next_open += 1;
        self.node_mut(node).opens += 1;
        self.opens.push(Open { id, process: Some(process), heirs: Vec::new(), node, how, cursor: 0, heard });
        Ok(id)
    }

    /// close(2) by the process that opened it. The description and its lock end with its last descriptor.
    pub fn close(&mut self, open: OpenId) {
        if let Ok(opened) = self.opened_mut(open) {
            opened.process = None;
            self.close_unheld(open);
        }
    }

    /// The end of a process: its descriptors are closed.
    pub fn kill(&mut self, process: ProcessId) {
        let mut touched = Vec::new();
        for open in &mut self.opens {
            if open.process == Some(process) || open.heirs.contains(&process) {
                open.process.take_if(|owner| *owner == process);
                open.heirs.retain(|heir| *heir != process);
                touched.push(open.id);
            }
        }
        for open in touched {
            self.close_unheld(open);
        }
    }

    /// fork(2): the child has every descriptor of `process`, without exec(2) those that close on exec as well.
    pub fn fork_inherits(&mut self, process: ProcessId, child: ProcessId) {
        for open in &mut self.opens {
            let has = open.process == Some(process) || open.heirs.contains(&process);
            if has && !open.heirs.contains(&child) {
                open.heirs.push(child);
            }
        }
    }

    fn close_unheld(&mut self, open: OpenId) {
        let Ok(place) = self.opens.binary_search_by_key(&open, |open| open.id) else { return };
        if self.opens[place].process.is_some() || !self.opens[place].heirs.is_empty() {
            return;
        }
        let node = self.opens.remove(place).node;
        let file = self.node_mut(node);
        file.opens -= 1;
        file.lock.let_go(open);
        self.forget_unused(node);
    }

    /// fstat(2).
    pub fn stat_open(&self, open: OpenId) -> io::Result<Stat> {
        Ok(self.node(self.opened(open)?.node).stat())
    }

    /// pread(2).
    pub fn read_at(&self, open: OpenId, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file(self.opened(open)?.node)?.bytes();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = into.len().min(bytes.len() - start);
        into[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    /// write(2): behind the last byte of a description open for appending, else where the last write(2) ended.
    pub fn append(&mut self, open: OpenId, bytes: &[u8]) -> io::Result<usize> {
        let &Open { node, how, cursor, .. } = self.opened(open)?;
        let start = match how {
            How::Read => return Err(Errno::BADF.into()),
            How::Write => cursor,
            How::Append | How::CreateNew { .. } => self.file(node)?.bytes().len(),
        };
        self.change(node, |file, tracked| file.write(start, bytes, tracked))?;
        if how == How::Write {
            self.opened_mut(open)?.cursor = start + bytes.len();
        }
        Ok(bytes.len())
    }

    /// pwrite(2). To a description open for appending it appends, as on Linux.
    pub fn write_at(&mut self, open: OpenId, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let &Open { node, how, .. } = self.opened(open)?;
        match how {
            How::Read => return Err(Errno::BADF.into()),
            How::Append | How::CreateNew { .. } => return self.append(open, bytes),
            How::Write => {}
        }
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        self.change(node, |file, tracked| file.write(start, bytes, tracked))?;
        Ok(bytes.len())
    }

    /// Puts bytes where others stand in an open file, however it was opened: what a write of it brings late. Nothing is
    /// put behind the end.
    pub fn overwrite(&mut self, open: OpenId, offset: u64, bytes: &[u8]) {
        let Ok(&Open { node, .. }) = self.opened(open) else { return };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let put = |file: &mut FileBody, tracked| {
            let room = file.bytes().len().saturating_sub(start);
            file.write(start, &bytes[..bytes.len().min(room)], tracked);
        };
        // What is no file has nothing to overwrite.
        let _ = self.change(node, put);
    }

    /// ftruncate(2).
    pub fn truncate(&mut self, open: OpenId, len: u64) -> io::Result<()> {
        let &Open { node, how, .. } = self.opened(open)?;
        if how == How::Read {
            return Err(Errno::INVAL.into());
        }
        let len = usize::try_from(len).map_err(|_| Errno::FBIG)?;
        self.change(node, |file, tracked| file.cut(len, tracked))
    }

    /// fchown(2) and fchmod(2).
    pub fn adopt(&mut self, open: OpenId, like: &Stat) -> io::Result<()> {
        let node = self.opened(open)?.node;
        let file = self.node_mut(node);
        file.mode = like.mode;
        file.owner = (like.uid, like.gid);
        Ok(())
    }

    pub(super) fn file(&self, node: NodeId) -> io::Result<&FileBody> {
        match &self.node(node).body {
            Body::File(file) => Ok(file),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// Changes a file; the change is told the size of a page where changes are tracked.
    pub(super) fn change(
        &mut self,
        node: NodeId,
        change: impl FnOnce(&mut FileBody, Option<usize>),
    ) -> io::Result<()> {
        let tracked = self.platter.tracked();
        let inode = self.node_mut(node);
        inode.unsynced = true;
        match &mut inode.body {
            Body::File(file) => {
                change(file, tracked);
                Ok(())
            }
            _ => Err(Errno::INVAL.into()),
        }
    }
}
