//! A disk as pure data: each method is one system call of one process.
//!
//! # Fault model
//!
//! What this world injects (through [`world`](super::world), which stands in front of the disk):
//! - the kill of a process before any call: all of its open descriptions are closed, its OS locks end with them;
//! - the cut of any append or write at any byte: the bytes before the cut are there, the process is dead;
//! - an error in place of any call, or after part of a write: `ENOSPC`, `EIO` and whatever else is asked for;
//! - reuse: an inode number that became free is the next one handed out, as ext4 does, so that a protocol which takes
//!   the same number for the same file is found out.
//!
//! What it deliberately does not:
//! - power loss: what was written stays. Which bytes a sync covered is counted ([`Disk::unsynced`]), nothing more;
//! - a page cache: a reader sees each write whole, or, cut by a kill, its beginning. (Real readers see a write in
//!   progress; [`world::Options::split_writes`](super::world::Options) makes them.)
//! - permissions and owners (recorded, never enforced), quotas, and symlinks beyond what `resolve` needs.

mod locks;
mod names;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fencehold::fs::{FileId, How, Kind, Stat};
use rustix::io::Errno;

use locks::Lock;

/// A simulated process, counted from 0 over the life of the disk.
pub type ProcessId = usize;

/// The device number of every simulated file: none that a real machine has.
pub const DEVICE: u64 = 0x5113;

/// An open description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenId(u64);

/// Files, names, open descriptions and locks.
#[derive(Debug, Clone)]
pub struct Disk {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    opens: BTreeMap<OpenId, Open>,
    next_open: u64,
    symlinks: usize,
}

#[derive(Debug, Clone)]
struct Inode {
    body: Body,
    mode: u32,
    owner: (u32, u32),
    /// How many names it has.
    names: u32,
    /// How many open descriptions it has.
    opens: u32,
    lock: Lock,
    /// Whether something was written (of a directory: an entry changed) that no sync covers yet.
    unsynced: bool,
}

#[derive(Debug, Clone)]
enum Body {
    File(Vec<u8>),
    Dir,
    Symlink(PathBuf),
}

#[derive(Debug, Clone, Copy)]
struct Open {
    process: ProcessId,
    inode: u64,
    how: How,
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// An empty disk: the directory `/`.
    #[must_use]
    pub fn new() -> Self {
        let root = Inode { names: 1, ..Inode::new(Body::Dir, 0o755) };
        Disk {
            inodes: BTreeMap::from([(1, root)]),
            names: BTreeMap::from([(PathBuf::from("/"), 1)]),
            opens: BTreeMap::new(),
            next_open: 0,
            symlinks: 0,
        }
    }

    /// open(2).
    pub fn open(&mut self, process: ProcessId, path: &Path, how: How) -> io::Result<OpenId> {
        let path = self.at(path)?;
        let inode = match (self.names.get(&path).copied(), how) {
            (Some(_), How::CreateNew { .. }) => return Err(Errno::EXIST.into()),
            (None, How::CreateNew { mode }) => self.add(path, Inode::new(Body::File(Vec::new()), mode)),
            (None, _) => return Err(Errno::NOENT.into()),
            (Some(inode), _) => inode,
        };
        match self.inode(inode).body {
            Body::File(_) => {}
            Body::Dir => {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory, not a regular file"));
            }
            Body::Symlink(_) => return Err(Errno::LOOP.into()),
        }
        let open = OpenId(self.next_open);
        self.next_open += 1;
        self.inode_mut(inode).opens += 1;
        self.opens.insert(open, Open { process, inode, how });
        Ok(open)
    }

    /// close(2) of the last descriptor of a description.
    pub fn close(&mut self, open: OpenId) {
        let Some(Open { inode, .. }) = self.opens.remove(&open) else { return };
        let file = self.inode_mut(inode);
        file.opens -= 1;
        file.lock.let_go(open);
        self.forget_unused(inode);
    }

    /// The end of a process: all of its descriptions are closed.
    pub fn kill(&mut self, process: ProcessId) {
        let opens: Vec<OpenId> =
            self.opens.iter().filter(|(_, open)| open.process == process).map(|(id, _)| *id).collect();
        for open in opens {
            self.close(open);
        }
    }

    /// fstat(2).
    pub fn stat_open(&self, open: OpenId) -> io::Result<Stat> {
        let inode = self.opened(open)?.inode;
        Ok(self.inode(inode).stat(inode))
    }

    /// pread(2).
    pub fn read_at(&self, open: OpenId, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes(self.opened(open)?.inode)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = into.len().min(bytes.len() - start);
        into[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    /// write(2) to a description open for appending.
    pub fn append(&mut self, open: OpenId, bytes: &[u8]) -> io::Result<usize> {
        let Open { inode, how, .. } = self.opened(open)?;
        if !matches!(how, How::Append | How::CreateNew { .. }) {
            return Err(Errno::BADF.into());
        }
        self.change(inode)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// pwrite(2). To a description open for appending it appends, as on Linux.
    pub fn write_at(&mut self, open: OpenId, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let Open { inode, how, .. } = self.opened(open)?;
        match how {
            How::Read => return Err(Errno::BADF.into()),
            How::Append | How::CreateNew { .. } => return self.append(open, bytes),
            How::Write => {}
        }
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        let file = self.change(inode)?;
        if file.len() < start + bytes.len() && !bytes.is_empty() {
            file.resize(start + bytes.len(), 0);
        }
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    /// ftruncate(2).
    pub fn truncate(&mut self, open: OpenId, len: u64) -> io::Result<()> {
        let Open { inode, how, .. } = self.opened(open)?;
        if how == How::Read {
            return Err(Errno::INVAL.into());
        }
        let len = usize::try_from(len).map_err(|_| Errno::FBIG)?;
        self.change(inode)?.resize(len, 0);
        Ok(())
    }

    /// fdatasync(2).
    pub fn sync(&mut self, open: OpenId) -> io::Result<()> {
        let inode = self.opened(open)?.inode;
        self.inode_mut(inode).unsynced = false;
        Ok(())
    }

    /// fchown(2) and fchmod(2).
    pub fn adopt(&mut self, open: OpenId, like: &Stat) -> io::Result<()> {
        let inode = self.opened(open)?.inode;
        let file = self.inode_mut(inode);
        file.mode = like.mode;
        file.owner = (like.uid, like.gid);
        Ok(())
    }

    /// The bytes of the file at `path`, for the harness.
    #[must_use]
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        self.names.get(path.as_ref()).and_then(|inode| self.bytes(*inode).ok()).map(Vec::as_slice)
    }

    /// Every file and its bytes, for the harness.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.names
            .iter()
            .filter_map(|(path, inode)| Some((path.as_path(), self.bytes(*inode).ok()?.as_slice())))
    }

    /// The files and directories with changes that no sync has covered.
    pub fn unsynced(&self) -> impl Iterator<Item = &Path> {
        self.names.iter().filter(|(_, inode)| self.inode(**inode).unsynced).map(|(path, _)| path.as_path())
    }

    /// Puts these bytes at `path` in the place of what is there, as a foreign program would; for the harness.
    ///
    /// # Panics
    /// If the directory is not there.
    pub fn put(&mut self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.at(path.as_ref()).expect("the harness writes into a directory that is there");
        let inode = match self.names.get(&path) {
            Some(inode) => *inode,
            None => self.add(path, Inode::new(Body::File(Vec::new()), 0o600)),
        };
        *self.change(inode).expect("the harness writes to a regular file") = bytes.to_vec();
    }

    fn inode(&self, inode: u64) -> &Inode {
        self.inodes.get(&inode).expect("a name and an open description keep their inode")
    }

    fn inode_mut(&mut self, inode: u64) -> &mut Inode {
        self.inodes.get_mut(&inode).expect("a name and an open description keep their inode")
    }

    fn opened(&self, open: OpenId) -> io::Result<Open> {
        self.opens.get(&open).copied().ok_or_else(|| Errno::BADF.into())
    }

    fn bytes(&self, inode: u64) -> io::Result<&Vec<u8>> {
        match &self.inode(inode).body {
            Body::File(bytes) => Ok(bytes),
            _ => Err(Errno::INVAL.into()),
        }
    }

    fn change(&mut self, inode: u64) -> io::Result<&mut Vec<u8>> {
        let file = self.inode_mut(inode);
        file.unsynced = true;
        match &mut file.body {
            Body::File(bytes) => Ok(bytes),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// The lowest free number: a number is used again at once.
    fn free_number(&self) -> u64 {
        let used = self.inodes.keys().copied();
        (1..)
            .zip(used.chain([u64::MAX]))
            .find_map(|(free, used)| (free != used).then_some(free))
            .unwrap_or(u64::MAX)
    }

    fn forget_unused(&mut self, inode: u64) {
        let file = self.inode(inode);
        if file.names == 0 && file.opens == 0 {
            self.inodes.remove(&inode);
        }
    }
}

impl Inode {
    fn new(body: Body, mode: u32) -> Self {
        Inode { body, mode, owner: (0, 0), names: 0, opens: 0, lock: Lock::default(), unsynced: true }
    }

    fn stat(&self, inode: u64) -> Stat {
        let (kind, len) = match &self.body {
            Body::File(bytes) => (Kind::File, bytes.len() as u64),
            Body::Dir => (Kind::Dir, 4096),
            Body::Symlink(target) => (Kind::Symlink, target.as_os_str().len() as u64),
        };
        let (uid, gid) = self.owner;
        Stat { id: FileId { dev: DEVICE, ino: inode }, kind, len, mode: self.mode, uid, gid }
    }
}
