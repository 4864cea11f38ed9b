//! The real disk, with a hook before each call that changes something: it may let it pass, fail it, cut a write short,
//! or do what a foreign program would do just then.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, RealFile, RealFs, Stat};

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Go,
    Fail(io::ErrorKind),
    /// Only this many bytes of a write.
    Short(usize),
}

type Hook = dyn FnMut(&'static str, &Path) -> Act + Send;

#[derive(Clone)]
pub(crate) struct Hooked {
    hook: Arc<Mutex<Box<Hook>>>,
    /// Whether it is asked before calls that change nothing as well: `stat`, `list`, `lock`.
    looks: bool,
}

pub(crate) struct HookedFile {
    file: RealFile,
    path: PathBuf,
    fs: Hooked,
}

impl Hooked {
    pub(crate) fn new(hook: impl FnMut(&'static str, &Path) -> Act + Send + 'static) -> Self {
        Hooked { hook: Arc::new(Mutex::new(Box::new(hook))), looks: false }
    }

    /// The same, asked before `stat`, `list` and `lock` too.
    pub(crate) fn with_looks(hook: impl FnMut(&'static str, &Path) -> Act + Send + 'static) -> Self {
        Hooked { looks: true, ..Hooked::new(hook) }
    }

    fn look(&self, call: &'static str, path: &Path) -> io::Result<()> {
        if self.looks { self.ask(call, path).map(|_| ()) } else { Ok(()) }
    }

    /// Does this to the `nth` (from 1) call of that kind on a path that holds `part`.
    pub(crate) fn nth(call: &'static str, part: &str, nth: usize, act: Act) -> Self {
        let (part, mut seen) = (part.to_owned(), 0);
        Hooked::new(move |name, path| {
            seen += usize::from(name == call && path.to_string_lossy().contains(&part));
            let hit = name == call && path.to_string_lossy().contains(&part) && seen == nth;
            if hit { act } else { Act::Go }
        })
    }

    fn ask(&self, call: &'static str, path: &Path) -> io::Result<Option<usize>> {
        // A panic that a hook put in is the test's own.
        match (self.hook.lock().unwrap_or_else(std::sync::PoisonError::into_inner))(call, path) {
            Act::Go => Ok(None),
            Act::Fail(kind) => Err(kind.into()),
            Act::Short(count) => Ok(Some(count)),
        }
    }
}

impl Fs for Hooked {
    type File = HookedFile;

    fn open(&self, path: &Path, how: How) -> io::Result<HookedFile> {
        let call = if matches!(how, How::CreateNew { .. }) { "create" } else { "open" };
        self.ask(call, path)?;
        Ok(HookedFile { file: RealFs.open(path, how)?, path: path.to_owned(), fs: self.clone() })
    }
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.look("stat", path)?;
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
        self.ask("rename_new", to)?;
        RealFs.rename_new(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.link(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.ask("unlink", path)?;
        RealFs.unlink(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        RealFs.remove_dir(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.look("list", dir)?;
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

impl File for HookedFile {
    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, into)
    }
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.fs.ask("append", &self.path)?.unwrap_or(bytes.len());
        self.file.append(&bytes[..count])
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let count = self.fs.ask("write_at", &self.path)?.unwrap_or(bytes.len());
        self.file.write_at(offset, &bytes[..count])
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.fs.ask("sync", &self.path)?;
        self.file.sync()
    }
    fn adopt(&self, like: &Stat) -> io::Result<()> {
        self.file.adopt(like)
    }
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        self.fs.look("lock", &self.path).map_err(LockError::Io)?;
        self.file.lock(mode, patience)
    }
    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}

impl fmt::Debug for HookedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HookedFile").field(&self.path).finish()
    }
}
