//! The document: a number that each process increments.
//!
//! Done with care: under one OS lock, the document is looked at, written anew beside where it stands, given the mode of
//! what it replaces, and renamed. Whatever is left of others is swept under the same lock, so it is nobody's who lives.
//! What is no whole document is moved aside, and told.

use std::io;
use std::path::{Path, PathBuf};

use fencehold::fs::{File, Fs, How, Stat, read_file};

use super::client::{Client, Held, Trouble, append_whole};
use super::starts::{BROKEN, DOCUMENT, MODE, TEMP};
use super::{Defect, text};

/// What stands at the document's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    Whole(u64),
    Damaged,
}

impl<F: Fs> Client<F> {
    /// Adds one to the number.
    pub(super) fn increment(&self) -> Result<(), Trouble> {
        let target = self.target()?;
        let before = if self.is(Defect::QuarantineHealthy) { self.look(&target)? } else { Seen::Nothing };
        if self.is(Defect::SweepsLive) {
            self.sweep(&target)?;
        }
        let held = self.exclude()?;
        if matches!(held, Held::Os(_)) && !self.is(Defect::TmpLeak) && !self.is(Defect::SweepsLive) {
            self.sweep(&target)?;
        }
        let seen = if before == Seen::Damaged { before } else { self.look(&target)? };
        match seen {
            Seen::Damaged if self.is(Defect::CorruptToDefault) => self.replace(&target, 1),
            Seen::Damaged => self.quarantine(&target),
            Seen::Nothing => self.replace(&target, 1),
            Seen::Whole(number) => self.replace(&target, number + 1),
        }
    }

    /// Reads the document, without a lock.
    pub(super) fn read(&self) -> Result<Seen, Trouble> {
        self.look(&self.target()?)
    }

    /// The file that the document's path leads to.
    fn target(&self) -> Result<PathBuf, Trouble> {
        let named = PathBuf::from(DOCUMENT);
        if self.is(Defect::SymlinkDrop) {
            return Ok(named);
        }
        match self.fs.resolve(&named) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(named),
            resolved => Ok(resolved?),
        }
    }

    fn look(&self, target: &Path) -> Result<Seen, Trouble> {
        let read = match self.is(Defect::SymlinkDrop) {
            // It follows the link to read, and forgets it to write.
            true => match self.fs.resolve(target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                resolved => read_file(&self.fs, &resolved?, 4096),
            },
            false => read_file(&self.fs, target, 4096),
        };
        match read {
            Ok(bytes) => Ok(bytes.map_or(Seen::Nothing, |bytes| seen(&bytes))),
            Err(_) if self.is(Defect::IoErrorIsCorrupt) => Ok(Seen::Damaged),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what writers left that did not come to their end.
    fn sweep(&self, target: &Path) -> Result<(), Trouble> {
        let dir = target.parent().unwrap_or(Path::new("/"));
        for name in self.fs.list(dir)?.into_iter().filter(|name| name.ends_with(TEMP)) {
            match self.fs.unlink(&dir.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves a damaged document aside. That is told as a failure: nobody knows what the number was.
    fn quarantine(&self, target: &Path) -> Result<(), Trouble> {
        let mut aside = target.to_path_buf();
        aside.as_mut_os_string().push(format!("{BROKEN}{}", self.number));
        match self.fs.rename_new(target, &aside) {
            // Another was first.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Err(Trouble::Damaged),
        }
    }

    fn replace(&self, target: &Path, number: u64) -> Result<(), Trouble> {
        let _again = if self.is(Defect::NestedLock) { Some(self.exclude()?) } else { None };
        let written = match self.fs.stat(target)? {
            Some(_) if self.is(Defect::InplaceWrite) => self.overwrite(target, number),
            stands => self.replace_whole(target, stands.as_ref(), number),
        };
        match written {
            Err(Trouble::Io(_) | Trouble::Half(_)) if self.is(Defect::SwallowWriteError) => Ok(()),
            written => written,
        }
    }

    fn overwrite(&self, target: &Path, number: u64) -> Result<(), Trouble> {
        let file = self.fs.open(target, How::Append)?;
        file.truncate(0)?;
        append_whole(&file, text(number).as_bytes())
    }

    fn replace_whole(&self, target: &Path, stands: Option<&Stat>, number: u64) -> Result<(), Trouble> {
        let mut temp = target.to_path_buf();
        temp.as_mut_os_string().push(format!(".{}{TEMP}", self.number));
        let file = self.fs.open(&temp, How::CreateNew { mode: MODE })?;
        let written = self.fill(&file, stands, number).and_then(|()| match self.fs.rename(&temp, target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Trouble::Swept),
            renamed => Ok(renamed?),
        });
        if written.is_err() && !self.is(Defect::TmpLeak) {
            // Best effort: the next who holds the lock sweeps what stays.
            let _ = self.fs.unlink(&temp);
        }
        // Nothing of it is the document before the rename.
        written.map_err(|trouble| match trouble {
            Trouble::Half(error) => Trouble::Io(error),
            trouble => trouble,
        })
    }

    fn fill(&self, file: &F::File, stands: Option<&Stat>, number: u64) -> Result<(), Trouble> {
        append_whole(file, text(number).as_bytes())?;
        if let Some(stands) = stands.filter(|_| !self.is(Defect::ModeDrop)) {
            file.adopt(stands)?;
        }
        Ok(())
    }
}

/// What these bytes are, as a document.
pub(super) fn seen(bytes: &[u8]) -> Seen {
    let number = std::str::from_utf8(bytes).ok().and_then(|text| {
        let number = text.strip_prefix("n ")?.strip_suffix(" whole\n")?;
        number.parse().ok()
    });
    number.map_or(Seen::Damaged, Seen::Whole)
}
