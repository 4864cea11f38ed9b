//! The handful of file operations that the protocol makes, as a port.
//!
//! Each method of [`Fs`] and [`File`] is one system call as far as others can observe: one scheduling point and one
//! crash point. The real disk ([`RealFs`]) is one adapter; the simulated disks of the harness are others. What runs
//! above this port is the same code in every world. An adapter can tell its callers apart (`#[track_caller]`): a helper
//! of this file stands for the place that calls it.

mod in_the_way;
mod real;
mod watch;

use in_the_way::in_the_way;
pub use real::{RealFile, RealFs, read_proc};
pub use watch::Watch;
#[cfg(feature = "cli")]
pub(crate) use watch::timespec;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a path or an open file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Device and inode: two paths with the same are one file.
    pub id: FileId,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub len: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.dev, self.ino)
    }
}

/// What a directory entry can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A FIFO, a socket or a device.
    Other,
}

/// How to open a file. A symlink in the last component is refused, and so is what is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// For reading (and syncing, and locking).
    Read,
    /// For reading and for writing at offsets.
    Write,
    /// For reading and for appending.
    Append,
    /// As [`How::Append`]; creates the file, and fails with `AlreadyExists` where there is one.
    CreateNew {
        /// Permission bits, whatever the umask.
        mode: u32,
    },
}

/// The OS lock's two modes (flock(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// One holder.
    Exclusive,
    /// Many holders, no exclusive one.
    Shared,
}

/// Why the OS lock was not got.
#[derive(Debug)]
pub enum LockError {
    /// It was still held when the patience ran out.
    TimedOut,
    /// The call failed.
    Io(io::Error),
}

/// The namespace of files.
pub trait Fs: Clone + Send + Sync + 'static {
    /// An open file.
    type File: File;

    /// Opens a regular file.
    fn open(&self, path: &Path, how: How) -> io::Result<Self::File>;
    /// What stands at `path` itself (a symlink is not followed), or none.
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>>;
    /// The absolute path without symlinks; fails where a component is missing.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// Moves `from` to `to` atomically; replaces a file, or an empty directory, at `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Moves `from` to `to` atomically; fails with `AlreadyExists` where something stands at `to`.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives the file at `from` a second name; fails with `AlreadyExists` where something stands at `to`.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes the name `path` of a file.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory that are UTF-8, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes a directory with these permission bits, whatever the umask; fails with `NotFound` where another removed it
    /// before it had them, too.
    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()>;
    /// Makes the entries of a directory durable (fsync(2) of the directory).
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// An open file.
pub trait File: Send + Sync + fmt::Debug {
    /// What is open, whatever name it has by now.
    fn stat(&self) -> io::Result<Stat>;
    /// Reads at `offset`; fewer bytes than asked are no error, 0 is the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Appends by one write(2); returns how many bytes were written, which may be fewer.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Writes at `offset` by one pwrite(2); returns how many bytes were written. Only for [`How::Write`]: on Linux a
    /// pwrite to a file opened for appending appends (pwrite(2), BUGS).
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes the data, and what is needed to read it back, durable (fdatasync(2)). A failure may have lost what was
    /// written; a second call does not tell (fsync(2), ERRORS).
    fn sync(&self) -> io::Result<()>;
    /// Gives the file the permission bits, the group and the owner of `like`; where its group may write it, the owner
    /// only as far as allowed.
    fn adopt(&self, like: &Stat) -> io::Result<()>;
    /// Waits for the OS lock, for `patience` at the most.
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError>;
    /// Lets the OS lock go.
    fn unlock(&self) -> io::Result<()>;
    /// Who has an OS lock on it, in words; `id` is its own. Looks at the machine's processes, and at no file of the
    /// workspace.
    fn in_the_way(&self, id: FileId) -> String {
        in_the_way(id)
    }
}

/// Reads from `offset` to the end.
///
/// # Errors
/// Those of [`File::read_at`], and `InvalidData` past `bytes_max`.
#[track_caller]
pub fn read_from(file: &impl File, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 16 * 1024];
    loop {
        match file.read_at(offset + bytes.len() as u64, &mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if bytes.len() > bytes_max {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {bytes_max} bytes")));
        }
    }
}

/// Reads a whole small file, or none where there is no file.
///
/// # Errors
/// As [`Fs::open`] and [`read_from`].
#[track_caller]
pub fn read_file<F: Fs>(fs: &F, path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    match fs.open(path, How::Read) {
        Ok(file) => read_from(&file, 0, bytes_max).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates `path` with these bytes, synced. What it wrote is removed again where that fails.
///
/// # Errors
/// As [`Fs::open`], [`File::append`] and [`File::sync`]; `AlreadyExists` leaves what is there untouched.
#[track_caller]
pub fn create_synced<F: Fs>(fs: &F, path: &Path, mode: u32, bytes: &[u8]) -> io::Result<F::File> {
    let file = fs.open(path, How::CreateNew { mode })?;
    let written = match append_all(&file, bytes) {
        Ok(()) => file.sync(),
        failed => failed,
    };
    match written {
        Ok(()) => Ok(file),
        Err(error) => {
            // Best effort: what stays is a temp that the next holder of the lock sweeps.
            let _ = fs.unlink(path);
            Err(error)
        }
    }
}

/// Appends all of the bytes, by as many writes as it takes.
#[track_caller]
pub(crate) fn append_all(file: &impl File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.append(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
