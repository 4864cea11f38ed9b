//! The real disk: the only file that names the operating system's file API.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{File, FileId, Fs, How, Kind, LockError, LockMode, Stat};
use crate::host::Deadline;

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

/// An open file of the operating system.
#[derive(Debug)]
pub struct RealFile(std::fs::File);

/// FS_CASEFOLD_FL of `linux/fs.h`.
const CASEFOLD: u32 = 0x4000_0000;
/// So many tries for a held OS lock only let others run between them: a holder that writes one line is done by then.
const TRIES_WITHOUT_PAUSE: u32 = 16;
/// The pause between two tries after these; timer slack adds some 50 µs (prctl(2), PR_SET_TIMERSLACK).
const PAUSE: Duration = Duration::from_micros(100);
/// After so many tries, some 1 s, its holder does something long, or is stopped.
const TRIES_UNTIL_LONG: u32 = 6_600;
/// The pause in a long wait: what a waiter loses at the most after a release. It is not much longer than that of a
/// newcomer, or who has waited longest would get no turn where others take theirs one after the other.
const PAUSE_LONG: Duration = Duration::from_micros(500);

/// Reads a file under /proc whole (proc(5)); these are no part of the workspace.
///
/// # Errors
/// As read(2).
pub fn read_proc(path: &Path) -> io::Result<String> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a directory under /proc.
pub(super) fn list_proc(dir: &Path) -> io::Result<Vec<String>> {
    RealFs.list(dir)
}

impl RealFs {
    /// What a link under /proc says (readlink(2)).
    ///
    /// # Errors
    /// As readlink(2).
    pub fn read_link(&self, path: &Path) -> io::Result<String> {
        std::fs::read_link(path).map(|target| target.to_string_lossy().into_owned())
    }

    /// The path and kind of each thing in a directory, those whose names are not UTF-8 too, in no order. What goes while
    /// it is listed may be left out.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn entries(&self, dir: &Path) -> io::Result<Vec<(PathBuf, Kind)>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            match std::fs::symlink_metadata(&path) {
                Ok(meta) => entries.push((path, stat_of(&meta).kind)),
                // The temp of a writer at work, renamed between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    /// When the content of what stands at `path` itself was last changed, in milliseconds since 1970 by the wall clock
    /// (stat(2), st_mtime); none where nothing stands there.
    ///
    /// # Errors
    /// As lstat(2).
    pub fn modified_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        match std::fs::symlink_metadata(path) {
            Ok(meta) => {
                let seconds = u64::try_from(meta.mtime()).unwrap_or(0);
                Ok(Some(seconds * 1000 + u64::try_from(meta.mtime_nsec()).unwrap_or(0) / 1_000_000))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a directory and all that is in it; a symlink in it is removed and not followed.
    ///
    /// # Errors
    /// Where something in it cannot be removed; what was removed before stays so.
    pub fn remove_all(&self, dir: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(dir)
    }

    /// Sets the permission bits of a file or directory (chmod(2)).
    ///
    /// # Errors
    /// As chmod(2).
    pub fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(mode))?)
    }

    /// Whether upper and lower case are one in a directory (ioctl_iflags(2), FS_CASEFOLD_FL); not where the filesystem
    /// has no such attribute.
    ///
    /// # Errors
    /// As open(2) and ioctl(2).
    pub fn folds_case(&self, dir: &Path) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(dir, flags, rustix::fs::Mode::empty())?;
        match rustix::fs::ioctl_getflags(&dir) {
            Ok(flags) => Ok(flags.bits() & CASEFOLD != 0),
            Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The number of the filesystem's type at `path` (statfs(2), f_type).
    ///
    /// # Errors
    /// As statfs(2).
    pub fn filesystem(&self, path: &Path) -> io::Result<u32> {
        // The field's width differs by platform; every known number fits in 32 bits.
        Ok(rustix::fs::statfs(path)?.f_type as u32)
    }
}

fn stat_of(meta: &std::fs::Metadata) -> Stat {
    let kind = match meta.file_type() {
        t if t.is_file() => Kind::File,
        t if t.is_dir() => Kind::Dir,
        t if t.is_symlink() => Kind::Symlink,
        _ => Kind::Other,
    };
    Stat {
        id: FileId { dev: meta.dev(), ino: meta.ino() },
        kind,
        len: meta.len(),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
    }
}

impl Fs for RealFs {
    type File = RealFile;

    fn open(&self, path: &Path, how: How) -> io::Result<RealFile> {
        let mut options = OpenOptions::new();
        // Without O_NONBLOCK the open of a FIFO in the place of a file would wait for a writer.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.read(true).custom_flags(flags.bits().cast_signed());
        match how {
            How::Read => {}
            How::Write => {
                options.write(true);
            }
            How::Append => {
                options.append(true);
            }
            How::CreateNew { mode } => {
                options.append(true).create_new(true).mode(mode);
            }
        }
        let file = options.open(path)?;
        if let How::CreateNew { mode } = how {
            rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(mode))?;
        }
        match stat_of(&file.metadata()?).kind {
            Kind::File => Ok(RealFile(file)),
            Kind::Dir => Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory, not a regular file")),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        match std::fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(stat_of(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::linkat(CWD, from, CWD, to, AtFlags::empty())?)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        DirBuilder::new().mode(mode).create(dir)?;
        Ok(rustix::fs::chmod(dir, rustix::fs::Mode::from_raw_mode(mode))?)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::File::open(dir)?.sync_all()
    }
}

impl File for RealFile {
    fn stat(&self) -> io::Result<Stat> {
        Ok(stat_of(&self.0.metadata()?))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn adopt(&self, like: &Stat) -> io::Result<()> {
        let now = self.stat()?;
        if (now.uid, now.gid) != (like.uid, like.gid) {
            let (uid, gid) = (rustix::fs::Uid::from_raw(like.uid), rustix::fs::Gid::from_raw(like.gid));
            match rustix::fs::fchown(&self.0, Some(uid), Some(gid)) {
                // Who may not give a file away, and shares it with a group that may write it, keeps the group.
                Err(rustix::io::Errno::PERM) if like.mode & 0o020 != 0 => {
                    rustix::fs::fchown(&self.0, None, Some(gid))?;
                }
                other => other?,
            }
        }
        Ok(rustix::fs::fchmod(&self.0, rustix::fs::Mode::from_raw_mode(like.mode))?)
    }

    /// Tries again and again: flock(2) knows no deadline, and a helper thread that had been given up would take the
    /// lock later and keep it.
    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        let operation = match mode {
            LockMode::Exclusive => FlockOperation::NonBlockingLockExclusive,
            LockMode::Shared => FlockOperation::NonBlockingLockShared,
        };
        let (mut deadline, mut tries) = (None, 0_u32);
        loop {
            match rustix::fs::flock(&self.0, operation) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let left = deadline.get_or_insert_with(|| Deadline::after(patience)).left();
                    if left.is_zero() {
                        return Err(LockError::TimedOut);
                    }
                    // A bounded wait for another process; nothing is ordered by it.
                    match tries {
                        0..TRIES_WITHOUT_PAUSE => std::thread::yield_now(),
                        TRIES_WITHOUT_PAUSE..TRIES_UNTIL_LONG => std::thread::sleep(PAUSE.min(left)),
                        _ => std::thread::sleep(PAUSE_LONG.min(left)),
                    }
                    tries = tries.saturating_add(1);
                }
                Err(error) => return Err(LockError::Io(error.into())),
            }
        }
    }

    fn unlock(&self) -> io::Result<()> {
        Ok(rustix::fs::flock(&self.0, FlockOperation::Unlock)?)
    }
}
