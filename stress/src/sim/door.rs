//! The port `Fs` over a simulated disk that stands behind a door.
//!
//! Each method of [`FsOver`] and [`FileOver`] goes through the [`Door`] once: the door is where a world decides who is
//! let in next, and what happens to the call. The worlds differ in their doors alone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, Stat};

use super::disk::{Disk, OpenId, ProcessId};

/// What a process asks of the disk, in words, and how many bytes it would write.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method of the port.
    pub name: &'static str,
    /// The path it names, or the one its file was opened by.
    pub path: &'a Path,
    /// The bytes that a write would write; 0 for every other call.
    pub bytes: usize,
}

/// Whether the OS lock works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locks {
    /// It does.
    Kept,
    /// Everybody is granted it at once: a canary that must be found.
    Ignored,
}

/// The way of one process to the disk.
pub trait Door: Clone + Send + Sync + 'static {
    /// One system call. `act` is given how many bytes of a write take effect.
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R>;
    /// flock(2): waits until the lock is free, for `patience` at the most.
    fn lock(&self, call: Call<'_>, open: OpenId, mode: LockMode, patience: Duration)
    -> Result<(), LockError>;
    /// close(2); called by `Drop`, so it must neither fail nor wait.
    fn close(&self, open: OpenId);
    /// Which process goes through it.
    fn process(&self) -> ProcessId;
    /// After how many bytes a write shows to others before the rest is there; `len` for a write that shows whole.
    fn split(&self, _len: usize) -> usize {
        usize::MAX
    }
}

/// The files of a simulated disk, as one process sees them.
#[derive(Debug, Clone)]
pub struct FsOver<D> {
    door: D,
}

/// An open file of a simulated disk.
pub struct FileOver<D: Door> {
    door: D,
    open: OpenId,
    path: PathBuf,
}

impl<D: Door> FsOver<D> {
    /// The files behind `door`.
    #[must_use]
    pub fn new(door: D) -> Self {
        FsOver { door }
    }

    /// The door.
    pub(in crate::sim) fn door(&self) -> &D {
        &self.door
    }

    fn enter<R>(
        &self,
        name: &'static str,
        path: &Path,
        act: impl FnOnce(&mut Disk) -> io::Result<R>,
    ) -> io::Result<R> {
        self.door.enter(Call { name, path, bytes: 0 }, |disk, _| act(disk))
    }
}

impl<D: Door> Fs for FsOver<D> {
    type File = FileOver<D>;

    fn open(&self, path: &Path, how: How) -> io::Result<FileOver<D>> {
        let name = match how {
            How::CreateNew { .. } => "create",
            How::Read | How::Write | How::Append => "open",
        };
        let process = self.door.process();
        let open = self.enter(name, path, |disk| disk.open(process, path, how))?;
        Ok(FileOver { door: self.door.clone(), open, path: path.to_owned() })
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.enter("stat", path, |disk| disk.stat(path))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.enter("resolve", path, |disk| disk.resolve(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.enter("rename", to, |disk| disk.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.enter("rename_new", to, |disk| disk.rename_new(from, to))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.enter("link", to, |disk| disk.link(from, to))
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.enter("unlink", path, |disk| disk.unlink(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.enter("remove_dir", path, |disk| disk.remove_dir(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.enter("list", dir, |disk| disk.list(dir))
    }

    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        self.enter("make_dir", dir, |disk| disk.make_dir(dir, mode))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.enter("sync_dir", dir, |disk| disk.sync_dir(dir))
    }
}

impl<D: Door> FileOver<D> {
    fn call(&self, name: &'static str, bytes: usize) -> Call<'_> {
        Call { name, path: &self.path, bytes }
    }

    fn enter<R>(&self, name: &'static str, act: impl FnOnce(&mut Disk) -> io::Result<R>) -> io::Result<R> {
        self.door.enter(self.call(name, 0), |disk, _| act(disk))
    }

    /// One write, or two where the world shows readers its beginning first.
    fn write(
        &self,
        name: &'static str,
        bytes: &[u8],
        write: impl Fn(&mut Disk, usize, &[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let once = |skip: usize, bytes: &[u8]| {
            self.door.enter(self.call(name, bytes.len()), |disk, count| write(disk, skip, &bytes[..count]))
        };
        let split = self.door.split(bytes.len());
        if split == 0 || split >= bytes.len() {
            return once(0, bytes);
        }
        let first = once(0, &bytes[..split])?;
        if first < split {
            return Ok(first);
        }
        // What follows a write that has begun to land is a shorter write, not an error (write(2)).
        Ok(split + once(split, &bytes[split..]).unwrap_or(0))
    }
}

impl<D: Door> File for FileOver<D> {
    fn stat(&self) -> io::Result<Stat> {
        self.enter("fstat", |disk| disk.stat_open(self.open))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.enter("read_at", |disk| disk.read_at(self.open, offset, into))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write("append", bytes, |disk, _, bytes| disk.append(self.open, bytes))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.write("write_at", bytes, |disk, skip, bytes| {
            disk.write_at(self.open, offset + skip as u64, bytes)
        })
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.enter("truncate", |disk| disk.truncate(self.open, len))
    }

    fn sync(&self) -> io::Result<()> {
        self.enter("sync", |disk| disk.sync(self.open))
    }

    fn adopt(&self, like: &Stat) -> io::Result<()> {
        self.enter("adopt", |disk| disk.adopt(self.open, like))
    }

    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        let name = match mode {
            LockMode::Exclusive => "lock",
            LockMode::Shared => "lock_shared",
        };
        self.door.lock(self.call(name, 0), self.open, mode, patience)
    }

    fn unlock(&self) -> io::Result<()> {
        self.enter("unlock", |disk| disk.unlock(self.open))
    }
}

impl<D: Door> Drop for FileOver<D> {
    fn drop(&mut self) {
        self.door.close(self.open);
    }
}

impl<D: Door> fmt::Debug for FileOver<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOver").field("path", &self.path).finish_non_exhaustive()
    }
}
