//! The port `Fs` over a simulated disk that stands behind a door.
//!
//! Each method of [`FsOver`] and [`FileOver`] goes through the [`Door`] once: the door is where a world decides who is
//! let in next, and what happens to the call. The worlds differ in their doors alone.
//!
//! Each method notes where in the source it was called from (`#[track_caller]`), so that the places of the shipped code
//! that call the disk can be told apart without a word about it in that code.

mod call;
mod write;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fencehold::fs::{File, FileId, Fs, How, LockError, LockMode, Stat};

pub use call::{Call, Site};

use super::disk::{Disk, OpenId, ProcessId};
use super::seam::{Fate, Seam};

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
    /// One system call. `act` is given how many bytes of a write take effect, or of a read are given.
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R>;
    /// flock(2): waits until the lock is free, for `patience` at the most.
    fn lock(&self, call: Call<'_>, open: OpenId, mode: LockMode, patience: Duration)
    -> Result<(), LockError>;
    /// close(2); called by `Drop`, so it must neither fail nor wait.
    fn close(&self, open: OpenId);
    /// Which process goes through it.
    fn process(&self) -> ProcessId;
    /// How a write shows to others.
    fn shows(&self, _call: Call<'_>) -> Shows {
        Shows::Whole
    }
    /// What a write has brought is hidden until the process has its next turn.
    fn lands(&self, _call: Call<'_>, _hide: impl FnOnce(&mut Disk), _land: impl FnOnce(&mut Disk)) {}
}

/// How a write shows to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// At once.
    Whole,
    /// So many bytes, before the rest is there.
    BeginningFirst(usize),
    /// In its whole length, before so many bytes at its beginning are there.
    BeginningLate(usize),
}

/// The files of a simulated disk, as one process sees them.
#[derive(Debug, Clone)]
pub struct FsOver<D: Door> {
    way: Way<D>,
}

/// An open file of a simulated disk.
pub struct FileOver<D: Door> {
    way: Way<D>,
    open: OpenId,
    path: PathBuf,
}

/// Through the door, and what is deliberately wrong on the way.
#[derive(Clone)]
struct Way<D: Door> {
    door: D,
    seam: Option<Arc<Seam<D>>>,
}

impl<D: Door> Way<D> {
    /// A call that tells its caller something.
    fn ask<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk) -> io::Result<R>) -> io::Result<R> {
        let make = || self.door.enter(call, |disk, _| act(disk));
        match &self.seam {
            None => make(),
            Some(seam) => seam.around(call, make),
        }
    }

    /// A call that tells its caller nothing but that it was done.
    fn change(
        &self,
        call: Call<'_>,
        act: impl Fn(&mut Disk) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let make = || self.door.enter(call, |disk, _| act(disk));
        let Some(seam) = &self.seam else { return make() };
        match seam.fate(call) {
            Fate::Made => seam.around(call, make),
            Fate::Skipped => Ok(()),
            Fate::Retried => make().or_else(|_| make()),
            Fate::HeldBack => {
                let late = call.late();
                seam.hold(move |door| door.enter(late.call(), |disk, _| act(disk)))
            }
        }
    }
}

impl<D: Door> FsOver<D> {
    /// The files behind `door`.
    #[must_use]
    pub fn new(door: D) -> Self {
        let seam = Seam::ambient(&door);
        FsOver { way: Way { door, seam } }
    }

    /// The door.
    pub(in crate::sim) fn door(&self) -> &D {
        &self.way.door
    }

    #[track_caller]
    fn ask<R>(
        &self,
        name: &'static str,
        path: &Path,
        act: impl FnOnce(&mut Disk) -> io::Result<R>,
    ) -> io::Result<R> {
        self.way.ask(Call::at(name, path), act)
    }

    #[track_caller]
    fn change(
        &self,
        name: &'static str,
        path: &Path,
        act: impl Fn(&mut Disk, &Path) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let owned = path.to_owned();
        self.way.change(Call::at(name, path), move |disk| act(disk, &owned))
    }

    /// A call that gives what stands at `from` another name.
    #[track_caller]
    fn rename_by(
        &self,
        name: &'static str,
        from: &Path,
        to: &Path,
        rename: fn(&mut Disk, &Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let call = Call { from: Some(from), ..Call::at(name, to) };
        let (from, to) = (from.to_owned(), to.to_owned());
        self.way.change(call, move |disk| rename(disk, &from, &to))
    }
}

impl<D: Door> Fs for FsOver<D> {
    type File = FileOver<D>;

    #[track_caller]
    fn open(&self, path: &Path, how: How) -> io::Result<FileOver<D>> {
        let name = match how {
            How::CreateNew { .. } => "create",
            How::Read | How::Write | How::Append => "open",
        };
        let process = self.way.door.process();
        let call = Call::at(name, path);
        let open = self.way.ask(call, |disk| {
            let open = disk.open(process, path, how)?;
            self.way.seam.as_ref().and_then(|seam| seam.look(call, disk));
            Ok(open)
        })?;
        Ok(FileOver { way: self.way.clone(), open, path: path.to_owned() })
    }

    #[track_caller]
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        let call = Call::at("stat", path);
        self.way.ask(call, |disk| {
            let instead = self.way.seam.as_ref().and_then(|seam| seam.look(call, disk));
            instead.map_or_else(|| disk.stat(path), Ok)
        })
    }

    #[track_caller]
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.ask("resolve", path, |disk| disk.resolve(path))
    }

    #[track_caller]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename_by("rename", from, to, Disk::rename)
    }

    #[track_caller]
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename_by("rename_new", from, to, Disk::rename_new)
    }

    #[track_caller]
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename_by("link", from, to, Disk::link)
    }

    #[track_caller]
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.change("unlink", path, Disk::unlink)
    }

    #[track_caller]
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.change("remove_dir", path, Disk::remove_dir)
    }

    #[track_caller]
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.ask("list", dir, |disk| disk.list(dir))
    }

    #[track_caller]
    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        self.change("make_dir", dir, move |disk, dir| disk.make_dir(dir, mode))
    }

    #[track_caller]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change("sync_dir", dir, Disk::sync_dir)
    }
}

impl<D: Door> FileOver<D> {
    #[track_caller]
    fn call(&self, name: &'static str, bytes: usize) -> Call<'_> {
        Call { open: Some(self.open), bytes, ..Call::at(name, &self.path) }
    }
}

impl<D: Door> File for FileOver<D> {
    #[track_caller]
    fn stat(&self) -> io::Result<Stat> {
        self.way.ask(self.call("fstat", 0), |disk| disk.stat_open(self.open))
    }

    #[track_caller]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let call = Call { room: into.len(), ..self.call("read_at", 0) };
        let mut make =
            || self.way.door.enter(call, |disk, most| disk.read_at(self.open, offset, &mut into[..most]));
        match &self.way.seam {
            None => make(),
            Some(seam) => seam.around(call, make),
        }
    }

    #[track_caller]
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let open = self.open;
        let call = self.call("append", bytes.len());
        self.write(call, bytes, move |disk, _, bytes| disk.append(open, bytes))
    }

    #[track_caller]
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let open = self.open;
        let call = self.call("write_at", bytes.len());
        self.write(call, bytes, move |disk, skip, bytes| disk.write_at(open, offset + skip as u64, bytes))
    }

    #[track_caller]
    fn truncate(&self, len: u64) -> io::Result<()> {
        let open = self.open;
        self.way.change(self.call("truncate", 0), move |disk| disk.truncate(open, len))
    }

    #[track_caller]
    fn sync(&self) -> io::Result<()> {
        let open = self.open;
        self.way.change(self.call("sync", 0), move |disk| disk.sync(open))
    }

    #[track_caller]
    fn adopt(&self, like: &Stat) -> io::Result<()> {
        let (open, like) = (self.open, *like);
        self.way.change(self.call("adopt", 0), move |disk| disk.adopt(open, &like))
    }

    #[track_caller]
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        let name = match mode {
            LockMode::Exclusive => "lock",
            LockMode::Shared => "lock_shared",
        };
        let (call, open) = (self.call(name, 0), self.open);
        let make = || self.way.door.lock(call, open, mode, patience);
        let Some(seam) = &self.way.seam else { return make() };
        match seam.fate(call) {
            Fate::Made | Fate::Retried => seam.around(call, make),
            Fate::Skipped => Ok(()),
            Fate::HeldBack => {
                let late = call.late();
                let lock = move |door: &D| match door.lock(late.call(), open, mode, patience) {
                    Err(LockError::Io(error)) => Err(error),
                    Err(LockError::TimedOut) => Err(io::ErrorKind::TimedOut.into()),
                    Ok(()) => Ok(()),
                };
                seam.hold(lock).map_err(LockError::Io)
            }
        }
    }

    #[track_caller]
    fn unlock(&self) -> io::Result<()> {
        let open = self.open;
        self.way.change(self.call("unlock", 0), move |disk| disk.unlock(open))
    }

    /// The processes of the machine that simulates have nothing to do with it.
    fn in_the_way(&self, _: FileId) -> String {
        "a simulated process".to_owned()
    }
}

impl<D: Door> Drop for FileOver<D> {
    fn drop(&mut self) {
        if let Some(seam) = &self.way.seam {
            seam.closes();
        }
        self.way.door.close(self.open);
    }
}

impl<D: Door> fmt::Debug for Way<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("mutated", &self.seam.is_some()).finish_non_exhaustive()
    }
}

impl<D: Door> fmt::Debug for FileOver<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOver").field("path", &self.path).finish_non_exhaustive()
    }
}
