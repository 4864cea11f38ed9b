//! A disk of any kind on which a test stops, fails or skips the calls of one process, or answers them from an old look.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, Stat};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Go,
    /// It is answered as done, and was not.
    Skip,
    /// A `stat` is answered by the inode that stood at that path at the first look, however long it is by now.
    Old,
    Fail(ErrorKind),
    /// Only this many bytes of a write, and never its last one.
    Short(usize),
    /// A call that fails is made once more, and what that says is believed.
    Again,
    /// The process is dead from here on: nothing that it does reaches the disk.
    Die,
}

type Hook = dyn FnMut(&'static str, &Path) -> Act + Send;

/// The files of one process, with a hook before each call. Calls: create, open, stat, rename, unlink, list, make_dir,
/// sync_dir, read, append, write_at, truncate, sync, lock, unlock. What the hook does itself, on handles of its own,
/// happens while this process stands still before the call.
pub(crate) struct Tampered<F> {
    under: F,
    hook: Arc<Mutex<Box<Hook>>>,
    looks: Arc<Mutex<BTreeMap<PathBuf, Option<Stat>>>>,
    dead: Arc<AtomicBool>,
}

pub(crate) struct TamperedFile<F: Fs> {
    file: F::File,
    path: PathBuf,
    fs: Tampered<F>,
}

/// What is left of a call: nothing to do, or this much of it.
enum Left {
    Nothing,
    All,
    Bytes(usize),
    OldLook,
    Twice,
}

impl<F: Fs> Tampered<F> {
    pub(crate) fn new(under: F, hook: impl FnMut(&'static str, &Path) -> Act + Send + 'static) -> Self {
        Tampered {
            under,
            hook: Arc::new(Mutex::new(Box::new(hook))),
            looks: Arc::default(),
            dead: Arc::default(),
        }
    }

    /// Does `what` once, before the first call `call` on a path that ends with `name`, and lets everything pass.
    pub(crate) fn before(
        under: F,
        call: &'static str,
        name: &'static str,
        what: impl FnOnce() + Send + 'static,
    ) -> Self {
        let mut what = Some(what);
        Tampered::new(under, move |made, path| {
            if made == call
                && path.ends_with(name)
                && let Some(what) = what.take()
            {
                what();
            }
            Act::Go
        })
    }

    /// This becomes of every call `call` on a path that ends with `name`.
    pub(crate) fn always(under: F, call: &'static str, name: &'static str, act: Act) -> Self {
        Tampered::new(
            under,
            move |made, path| if made == call && path.ends_with(name) { act } else { Act::Go },
        )
    }

    fn ask(&self, call: &'static str, path: &Path) -> io::Result<Left> {
        let gone = || Err(io::Error::other("this process was killed"));
        if self.dead.load(Ordering::SeqCst) {
            return gone();
        }
        match (self.hook.lock().unwrap())(call, path) {
            Act::Go => Ok(Left::All),
            Act::Skip => Ok(Left::Nothing),
            Act::Old => Ok(Left::OldLook),
            Act::Fail(kind) => Err(kind.into()),
            Act::Short(count) => Ok(Left::Bytes(count)),
            Act::Again => Ok(Left::Twice),
            Act::Die => {
                self.dead.store(true, Ordering::SeqCst);
                gone()
            }
        }
    }

    fn does(&self, call: &'static str, path: &Path, act: impl Fn() -> io::Result<()>) -> io::Result<()> {
        match self.ask(call, path)? {
            Left::Nothing => Ok(()),
            Left::Twice => act().or_else(|_| act()),
            _ => act(),
        }
    }
}

impl<F: Fs> Clone for Tampered<F> {
    fn clone(&self) -> Self {
        Tampered {
            under: self.under.clone(),
            hook: self.hook.clone(),
            looks: self.looks.clone(),
            dead: self.dead.clone(),
        }
    }
}

impl<F: Fs> Fs for Tampered<F> {
    type File = TamperedFile<F>;

    fn open(&self, path: &Path, how: How) -> io::Result<TamperedFile<F>> {
        self.ask(if matches!(how, How::CreateNew { .. }) { "create" } else { "open" }, path)?;
        Ok(TamperedFile { file: self.under.open(path, how)?, path: path.to_owned(), fs: self.clone() })
    }
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        let left = self.ask("stat", path)?;
        let now = self.under.stat(path)?;
        let first = *self.looks.lock().unwrap().entry(path.to_owned()).or_insert(now);
        let longer = first.map(|stat| Stat { len: u64::MAX, ..stat });
        Ok(if matches!(left, Left::OldLook) { longer } else { now })
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.under.resolve(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.does("rename", to, || self.under.rename(from, to))
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.does("rename", to, || self.under.rename_new(from, to))
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.does("rename", to, || self.under.link(from, to))
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.does("unlink", path, || self.under.unlink(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.does("unlink", path, || self.under.remove_dir(path))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.ask("list", dir)?;
        self.under.list(dir)
    }
    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        self.does("make_dir", dir, || self.under.make_dir(dir, mode))
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.does("sync_dir", dir, || self.under.sync_dir(dir))
    }
}

impl<F: Fs> TamperedFile<F> {
    fn write(
        &self,
        call: &'static str,
        bytes: &[u8],
        write: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        match self.fs.ask(call, &self.path)? {
            Left::Nothing => Ok(bytes.len()),
            Left::Bytes(count) => write(&bytes[..count.min(bytes.len() - 1)]),
            Left::All | Left::OldLook | Left::Twice => write(bytes),
        }
    }
}

impl<F: Fs> File for TamperedFile<F> {
    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.fs.ask("read", &self.path)?;
        self.file.read_at(offset, into)
    }
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write("append", bytes, |bytes| self.file.append(bytes))
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.write("write_at", bytes, |bytes| self.file.write_at(offset, bytes))
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.fs.does("truncate", &self.path, || self.file.truncate(len))
    }
    fn sync(&self) -> io::Result<()> {
        self.fs.does("sync", &self.path, || self.file.sync())
    }
    fn adopt(&self, like: &Stat) -> io::Result<()> {
        self.file.adopt(like)
    }
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        match self.fs.ask("lock", &self.path).map_err(LockError::Io)? {
            Left::Nothing => Ok(()),
            _ => self.file.lock(mode, patience),
        }
    }
    fn unlock(&self) -> io::Result<()> {
        self.fs.does("unlock", &self.path, || self.file.unlock())
    }
}

impl<F: Fs> fmt::Debug for TamperedFile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TamperedFile").field(&self.path).finish()
    }
}
