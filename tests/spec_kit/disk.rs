//! The real disk with a hook before every call, the reading ones included.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, RealFile, RealFs, Stat};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Go,
    Fail(ErrorKind),
    /// Only this many bytes of a write.
    Short(usize),
}

type Hook = dyn FnMut(&'static str, &Path) -> Act + Send;

/// A disk of one process. Calls: create, open, stat, rename, unlink, list, make_dir, sync_dir, read, append, truncate,
/// sync, lock, unlock.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<Box<Hook>>>);

pub(crate) struct DiskFile {
    file: RealFile,
    path: PathBuf,
    disk: Disk,
}

/// Calls that change something others can see, or make it durable.
pub(crate) fn changes(call: &str) -> bool {
    !matches!(call, "open" | "stat" | "list" | "read" | "lock" | "unlock" | "sync" | "sync_dir")
}

impl Disk {
    pub(crate) fn new(hook: impl FnMut(&'static str, &Path) -> Act + Send + 'static) -> Self {
        Disk(Arc::new(Mutex::new(Box::new(hook))))
    }

    /// A second hook, asked where the first lets the call pass.
    pub(crate) fn over(
        under: Disk,
        mut hook: impl FnMut(&'static str, &Path) -> Act + Send + 'static,
    ) -> Self {
        Disk::new(move |call, path| {
            let first = (under.0.lock().unwrap())(call, path);
            if first == Act::Go { hook(call, path) } else { first }
        })
    }

    /// Does this to the `nth` (from 1) call of that kind on a path that holds `part`.
    pub(crate) fn nth(call: &'static str, part: &'static str, nth: usize, act: Act) -> Self {
        let mut seen = 0;
        Disk::new(move |name, path| {
            seen += usize::from(name == call && path.to_string_lossy().contains(part));
            let hit = name == call && path.to_string_lossy().contains(part) && seen == nth;
            if hit { act } else { Act::Go }
        })
    }

    /// The disk of a process that is killed at its `nth` call (from 1): after `written` bytes of it where it is a
    /// write and there are some, else before it. Nothing that it does from then on reaches the disk. With the calls it
    /// made, the one it was killed at being the `nth`.
    pub(crate) fn killed_at(nth: usize, written: usize) -> (Self, Arc<Mutex<Vec<&'static str>>>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let made = calls.clone();
        let disk = Disk::new(move |call, _| {
            let mut calls = made.lock().unwrap();
            calls.push(call);
            match calls.len().cmp(&nth) {
                std::cmp::Ordering::Less => Act::Go,
                std::cmp::Ordering::Equal if written > 0 && call == "append" => Act::Short(written),
                _ => Act::Fail(ErrorKind::Other),
            }
        });
        (disk, calls)
    }

    /// A disk that notes `call name` for every call, the name being the last part of the path.
    pub(crate) fn noting() -> (Self, Arc<Mutex<Vec<String>>>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let noted = calls.clone();
        let disk = Disk::new(move |call, path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            noted.lock().unwrap().push(format!("{call} {name}"));
            Act::Go
        });
        (disk, calls)
    }

    fn ask(&self, call: &'static str, path: &Path) -> io::Result<Option<usize>> {
        // A hook may look at the disk itself, through other handles.
        match (self.0.lock().unwrap())(call, path) {
            Act::Go => Ok(None),
            Act::Fail(kind) => Err(kind.into()),
            Act::Short(count) => Ok(Some(count)),
        }
    }
}

impl Fs for Disk {
    type File = DiskFile;

    fn open(&self, path: &Path, how: How) -> io::Result<DiskFile> {
        self.ask(if matches!(how, How::CreateNew { .. }) { "create" } else { "open" }, path)?;
        Ok(DiskFile { file: RealFs.open(path, how)?, path: path.to_owned(), disk: self.clone() })
    }
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.ask("stat", path)?;
        RealFs.stat(path)
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        RealFs.resolve(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask("rename", to)?;
        RealFs.rename(from, to)
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask("rename", to)?;
        RealFs.rename_new(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask("rename", to)?;
        RealFs.link(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.ask("unlink", path)?;
        RealFs.unlink(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.ask("unlink", path)?;
        RealFs.remove_dir(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.ask("list", dir)?;
        RealFs.list(dir)
    }
    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        self.ask("make_dir", dir)?;
        RealFs.make_dir(dir, mode)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.ask("sync_dir", dir)?;
        RealFs.sync_dir(dir)
    }
}

impl File for DiskFile {
    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.disk.ask("read", &self.path)?;
        self.file.read_at(offset, into)
    }
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.disk.ask("append", &self.path)?.unwrap_or(bytes.len());
        self.file.append(&bytes[..count.min(bytes.len())])
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let count = self.disk.ask("append", &self.path)?.unwrap_or(bytes.len());
        self.file.write_at(offset, &bytes[..count.min(bytes.len())])
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.ask("truncate", &self.path)?;
        self.file.truncate(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.ask("sync", &self.path)?;
        self.file.sync()
    }
    fn adopt(&self, like: &Stat) -> io::Result<()> {
        self.file.adopt(like)
    }
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        self.disk.ask("lock", &self.path).map_err(LockError::Io)?;
        self.file.lock(mode, patience)
    }
    fn unlock(&self) -> io::Result<()> {
        self.disk.ask("unlock", &self.path)?;
        self.file.unlock()
    }
}

impl fmt::Debug for DiskFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DiskFile").field(&self.path).finish()
    }
}
