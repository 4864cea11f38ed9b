//! Disks with one defect each, which the comparison with the kernel must find.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, Stat};
use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::world::SimFs;

use super::both::{Simulated, is_no_kernel};
use super::calls::{Machine, PROCESSES, answers, drawn};
use super::filesystems::places;

/// What a disk does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    /// None: the control.
    None,
    /// `RENAME_NOREPLACE` is not looked at.
    RenameNewReplaces,
    /// `O_EXCL` is not looked at.
    CreateOpens,
    /// `O_APPEND` is the end at the time of the open.
    AppendsToOldEnd,
    /// An exclusive lock is a shared one.
    LocksAreShared,
    /// A lock that could not be made exclusive is still shared: plausible, and not what flock(2) does.
    RefusedLockIsKept,
    /// The lock does not end with its description.
    LockOutlivesItsFile,
    /// A second name is a copy.
    LinkCopies,
    /// Renaming one name of a file to another of its names removes the first.
    RenameToSelfRemoves,
    /// A cut leaves the bytes behind it, which a longer file shows again.
    CutIsForgotten,
    /// A folder that is moved leaves its entries behind.
    MovedFolderIsEmpty,
}

#[derive(Debug, Clone)]
struct Wrong {
    fs: SimFs,
    defect: Defect,
}

#[derive(Debug)]
struct WrongFile {
    file: Option<<SimFs as Fs>::File>,
    writer: Option<<SimFs as Fs>::File>,
    defect: Defect,
    end: std::sync::atomic::AtomicU64,
    shared: std::sync::atomic::AtomicBool,
}

impl WrongFile {
    fn file(&self) -> &<SimFs as Fs>::File {
        self.file.as_ref().expect("it is open until it is dropped")
    }
}

impl Drop for WrongFile {
    fn drop(&mut self) {
        if self.defect == Defect::LockOutlivesItsFile {
            std::mem::forget(self.file.take());
        }
    }
}

impl Fs for Wrong {
    type File = WrongFile;

    fn open(&self, path: &Path, how: How) -> io::Result<WrongFile> {
        let there = how != How::Read && self.fs.stat(path).is_ok_and(|stat| stat.is_some());
        let how = match how {
            How::CreateNew { .. } if there && self.defect == Defect::CreateOpens => How::Append,
            how => how,
        };
        let file = self.fs.open(path, how)?;
        let appends = matches!(how, How::Append | How::CreateNew { .. });
        let writes = appends && self.defect == Defect::AppendsToOldEnd;
        let writer = if writes { Some(self.fs.open(path, How::Write)?) } else { None };
        let end = file.stat()?.len.into();
        Ok(WrongFile { file: Some(file), writer, defect: self.defect, end, shared: false.into() })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let id = |path: &Path| self.fs.stat(path).ok().flatten().map(|stat| stat.id);
        let same = from != to && id(from).is_some() && id(from) == id(to);
        let entries = self.fs.list(from).unwrap_or_default();
        self.fs.rename(from, to)?;
        match self.defect {
            Defect::RenameToSelfRemoves if same => self.fs.unlink(from),
            Defect::MovedFolderIsEmpty if from != to => {
                entries.iter().for_each(|name| drop(self.fs.unlink(&to.join(name))));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.defect {
            Defect::RenameNewReplaces => self.fs.rename(from, to),
            _ => self.fs.rename_new(from, to),
        }
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fs.link(from, to)?;
        if self.defect == Defect::LinkCopies {
            let stat = self.fs.stat(from)?.expect("it was linked");
            let bytes = fencehold::fs::read_file(&self.fs, from, 1 << 20)?.unwrap_or_default();
            self.fs.unlink(to)?;
            self.fs.open(to, How::CreateNew { mode: stat.mode })?.append(&bytes)?;
        }
        Ok(())
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.fs.stat(path)
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.fs.resolve(path)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.fs.unlink(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.fs.remove_dir(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.fs.list(dir)
    }
    fn make_dir(&self, dir: &Path, mode: u32) -> io::Result<()> {
        self.fs.make_dir(dir, mode)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.fs.sync_dir(dir)
    }
}

impl File for WrongFile {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        use std::sync::atomic::Ordering::Relaxed;
        match &self.writer {
            Some(writer) => writer.write_at(self.end.fetch_add(bytes.len() as u64, Relaxed), bytes),
            None => self.file().append(bytes),
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let was = self.file().stat()?.len;
        if self.defect == Defect::CutIsForgotten && len < was {
            self.file().truncate(len)?;
            self.file().truncate(was)?;
            return Ok(());
        }
        self.file().truncate(len)
    }

    fn lock(&self, mode: LockMode, patience: Duration) -> Result<(), LockError> {
        use std::sync::atomic::Ordering::Relaxed;
        let mode = if self.defect == Defect::LocksAreShared { LockMode::Shared } else { mode };
        let result = self.file().lock(mode, patience);
        if result.is_ok() {
            self.shared.store(mode == LockMode::Shared, Relaxed);
        } else if self.defect == Defect::RefusedLockIsKept && self.shared.load(Relaxed) {
            let _ = self.file().lock(LockMode::Shared, patience);
        }
        result
    }

    fn unlock(&self) -> io::Result<()> {
        self.shared.store(false, std::sync::atomic::Ordering::Relaxed);
        self.file().unlock()
    }

    fn stat(&self) -> io::Result<Stat> {
        self.file().stat()
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file().read_at(offset, into)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.file().write_at(offset, bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.file().sync()
    }
    fn adopt(&self, like: &Stat) -> io::Result<()> {
        self.file().adopt(like)
    }
}

struct WrongMachine {
    right: Simulated,
    defect: Defect,
    fs: Vec<Wrong>,
}

impl WrongMachine {
    fn new(defect: Defect) -> Self {
        let right = Simulated::new(Persistence::Kept);
        let fs = (0..PROCESSES).map(|process| Wrong { fs: right.fs(process).clone(), defect }).collect();
        WrongMachine { right, defect, fs }
    }
}

impl Machine for WrongMachine {
    type Fs = Wrong;

    fn fs(&self, process: usize) -> &Wrong {
        &self.fs[process]
    }

    fn kill(&mut self, process: usize) {
        self.right.kill(process);
        self.fs[process] = Wrong { fs: self.right.fs(process).clone(), defect: self.defect };
    }

    fn root(&self) -> &Path {
        self.right.root()
    }
}

/// The first seed, up to a bound, whose calls a disk with this defect answers as no kernel does.
fn found_by(defect: Defect, seeds: u64) -> Option<u64> {
    let place = places().pop().expect("a filesystem to compare with");
    (0..seeds).find(|seed| {
        let calls = drawn(*seed, 1000);
        is_no_kernel(&place, &calls, &answers(&mut WrongMachine::new(defect), &calls))
    })
}

#[test]
fn every_wrong_disk_is_told_from_the_kernel_and_the_right_one_is_not() {
    use Defect::{
        AppendsToOldEnd, CreateOpens, CutIsForgotten, LinkCopies, LockOutlivesItsFile, LocksAreShared,
        MovedFolderIsEmpty, RefusedLockIsKept, RenameNewReplaces, RenameToSelfRemoves,
    };
    let defects = [
        RenameNewReplaces,
        CreateOpens,
        AppendsToOldEnd,
        LocksAreShared,
        RefusedLockIsKept,
        LockOutlivesItsFile,
        LinkCopies,
        RenameToSelfRemoves,
        CutIsForgotten,
        MovedFolderIsEmpty,
    ];
    for defect in defects {
        let seed = found_by(defect, 20);
        println!("{defect:?}: found by seed {seed:?}");
        assert!(seed.is_some(), "{defect:?} was not found in 20 sequences");
    }
    assert_eq!(found_by(Defect::None, 20), None);
}
