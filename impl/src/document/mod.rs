//! A JSON file under protected read-modify-write.
//!
//! Invariants:
//! - the file's OS lock is held from before the read until after the rename, so no update is lost between two of ours;
//! - the new bytes are whole and durable under a temporary name before they get the real one: nobody ever reads a part,
//!   and a failure before the rename changed nothing, one after it is indefinite;
//! - just before the rename the file still is the inode and the bytes that were read; else it is refused: a program that
//!   takes no lock wrote it (what such a program writes in the instant between that look and the rename is lost);
//! - bytes that are no JSON are copied to `quarantine/` and left in place, and every operation refuses them, the second
//!   as the first, until [`Document::repair`]: never replaced by a default;
//! - where its opener says that the policy guards it, no write passes without a fence of that lock, not the first one, and
//!   none under another name;
//! - what cannot be opened (a FIFO, a directory, no permission) is an error of the environment, never called damaged;
//! - mode, group, a symlink at the path and, unless its group may write it, the owner are kept, or nothing changes. Hard
//!   links, ACLs and extended attributes are not: the file is a new inode after each update.
//!
//! [`Document::merge`] and [`Document::increment`] change the text where it changes and leave every other byte of it:
//! order of keys, layout, numbers too big for us. [`Document::update_with`] renders anew, keys sorted.

mod edit;
mod replace;
mod update;
mod value;
mod version;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::LockName;
use serde_json::Value;

pub(crate) use edit::pieces;
pub(crate) use replace::{new_file_mode, replace};
pub use update::{Incremented, Repaired, check_patch, merged};
pub use version::Version;
pub(crate) use version::{Sum, each_chunk};

use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, Stat};
use crate::host::Host;
use crate::mark::{Access, Answer, Folder, Last, PATIENCE, Place, ResourceLock, Rooted, Shown, obey};

/// The longest document in bytes: 64 MiB. It is held in memory a few times over while it is updated.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// What there is to do about damage.
const REPAIR: &str = "Mend the file by hand, or run `fencehold doc repair` on it";

/// A JSON file that many processes update.
#[derive(Debug)]
pub struct Document<F: Fs, H: Host> {
    fs: F,
    host: H,
    rooted: Rooted,
    file: PathBuf,
    place: Place,
    folder: Folder,
    lock: ResourceLock<F>,
    patience: Duration,
    guarded_by: Option<LockName>,
}

/// What a document held when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its value; an empty object where there is no file.
    pub value: Value,
    /// Its version; [`Version::absent`] where there is no file.
    pub version: Version,
}

/// What stands at the path of a document.
enum Found<I> {
    Absent,
    Whole { was: Was, bytes: Vec<u8>, value: Value, file: I },
    Damaged { was: Was, what: String, file: I },
}

/// Which file was read, so that another in its place is told apart.
pub(crate) struct Was {
    pub(crate) stat: Stat,
    pub(crate) version: Version,
}

/// Reads a document without its lock, its mark or a workspace: for where there is no workspace to write to.
///
/// # Errors
/// As [`Document::read`]; damaged bytes are not copied anywhere.
pub fn look<F: Fs>(fs: &F, place: &Place) -> Result<Content> {
    match inspect(fs, &place.path())? {
        Found::Damaged { what, .. } => Err(damaged(&place.path(), what, REPAIR)),
        found => content(fs, place, found),
    }
}

impl<F: Fs, H: Host> Document<F, H> {
    /// The document at `file`, a path below the root or an absolute one inside it; the file may be missing, its
    /// directory not. A symlink is another spelling of its target. Writes nothing.
    ///
    /// # Errors
    /// As [`Rooted::locate`].
    pub fn open(fs: F, host: H, folder: Folder, rooted: &Rooted, file: &Path) -> Result<Self> {
        let place = rooted.locate(&fs, file, Last::Follow)?;
        let lock = ResourceLock::new(fs.clone(), folder.clone(), &place);
        let (rooted, file) = (rooted.clone(), file.to_owned());
        Ok(Document { fs, host, rooted, file, place, folder, lock, patience: PATIENCE, guarded_by: None })
    }

    /// Waits for the document's OS lock for `patience` at the most.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks every write for a fence of this lock, from the first on, as the team's policy has it: who opens the document
    /// asks the ledger for the policy (`guarded`), and says what it says of this path.
    #[must_use]
    pub fn guarded_by(mut self, lock: Option<LockName>) -> Self {
        self.guarded_by = lock;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Reads it. Without a fence no lock is taken and nothing is written, whatever is found; with one the mark is raised
    /// first, so that nothing older can land behind what was read.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the bytes are no JSON, and still are not when looked at again;
    /// [`Error::Environment`], [`Error::Busy`], [`Error::Newer`].
    pub fn read(&self, shown: &Shown) -> Result<Answer<Content>> {
        if shown.fence.is_none() {
            let found = match inspect(&self.fs, &self.place.path())? {
                // It may be half of what a program that writes in place is writing just now. That takes no lock of ours.
                Found::Damaged { .. } => inspect(&self.fs, &self.place.path())?,
                found => found,
            };
            return match found {
                Found::Damaged { what, .. } => Err(damaged(&self.place.path(), what, REPAIR)),
                found => content(&self.fs, &self.place, found).map(Ok),
            };
        }
        if let Err(refusal) = obey(self.guarded_by.as_ref(), shown, Access::Read) {
            return Ok(Err(refusal));
        }
        let mut held = self.lock.take(self.patience)?;
        self.still_there()?;
        let pass = match held.check(shown, Access::Read)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        held.raise(&pass)?;
        match inspect(&self.fs, &self.place.path())? {
            Found::Damaged { what, file, .. } => Err(self.keep(what, &file)),
            found => content(&self.fs, &self.place, found).map(Ok),
        }
    }

    /// Copies damaged bytes to quarantine, and says so. That the copy failed does not make the file healthy.
    fn keep(&self, what: String, file: &F::File) -> Error {
        let path = self.place.path();
        match crate::quarantine::keep(&self.fs, &self.host, &self.folder.dir, &self.place.key(), file, 0) {
            Ok(kept) => {
                let advice = format!(
                    "A copy is {}. Mend the file by hand, or run `fencehold doc repair` to begin anew",
                    kept.path.display()
                );
                damaged(&path, what, &advice)
            }
            Err(error) => damaged(&path, what, &format!("It could not be copied to quarantine: {error}")),
        }
    }

    /// Whether the path still leads where it led when the handle was made; who waits for a lock may wait long.
    fn still_there(&self) -> Result<()> {
        if self.rooted.locate(&self.fs, &self.file, Last::Follow)? == self.place {
            return Ok(());
        }
        let moved = io::Error::other("it leads elsewhere than it did a moment ago; try again");
        Err(Error::environment("following", &self.file, moved))
    }
}

fn damaged(path: &Path, what: String, advice: &str) -> Error {
    Error::Damaged { path: path.to_owned(), line: None, what, advice: advice.to_owned() }
}

/// What stands at a path, whatever it is.
pub(crate) enum Raw<I> {
    /// Nothing.
    Absent,
    /// A file of at most [`DOCUMENT_BYTES_MAX`] bytes.
    Bytes {
        /// Which.
        was: Was,
        /// What it holds.
        bytes: Vec<u8>,
        /// Open.
        file: I,
    },
    /// A longer one.
    TooLong {
        /// Which.
        was: Was,
        /// Open.
        file: I,
    },
}

/// Reads what stands at `path`.
pub(crate) fn read_raw<F: Fs>(fs: &F, path: &Path) -> Result<Raw<F::File>> {
    let failed = |error| Error::environment("reading", path, error);
    let file = match fs.open(path, How::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Raw::Absent),
        Err(error) => return Err(failed(error)),
    };
    let stat = file.stat().map_err(failed)?;
    match crate::fs::read_from(&file, 0, DOCUMENT_BYTES_MAX) {
        Ok(bytes) => Ok(Raw::Bytes { was: Was { stat, version: Version::of(&bytes) }, bytes, file }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let was = Was { stat, version: Version::of_file(&file, 0).map_err(failed)? };
            Ok(Raw::TooLong { was, file })
        }
        Err(error) => Err(failed(error)),
    }
}

/// What stands at `path`: only bytes that were read can be damaged.
fn inspect<F: Fs>(fs: &F, path: &Path) -> Result<Found<F::File>> {
    let (was, bytes, file) = match read_raw(fs, path)? {
        Raw::Absent => return Ok(Found::Absent),
        Raw::TooLong { was, file } => {
            let what = format!("longer than {DOCUMENT_BYTES_MAX} bytes");
            return Ok(Found::Damaged { was, what, file });
        }
        Raw::Bytes { was, bytes, file } => (was, bytes, file),
    };
    Ok(match value::parse(&bytes) {
        Ok(value) => Found::Whole { was, bytes, value, file },
        Err(what) => Found::Damaged { was, what, file },
    })
}

/// What was read, once it is durable: a writer may have been killed between its rename and its sync, or be about to
/// sync, and an answer never rests on what a power cut takes back.
fn content<F: Fs>(fs: &F, place: &Place, found: Found<F::File>) -> Result<Content> {
    let Found::Whole { was, value, file, .. } = found else {
        // Somebody may have removed it just now.
        let synced = as_far_as_one_may(fs.sync_dir(&place.dir));
        synced.map_err(|error| Error::environment("syncing", &place.dir, error))?;
        return Ok(Content { value: Value::Object(serde_json::Map::new()), version: Version::absent() });
    };
    settle(fs, &place.dir, &file).map_err(|error| Error::environment("syncing", &place.path(), error))?;
    Ok(Content { value, version: was.version })
}

/// Makes a file that was read, and its entry in `dir`, durable as far as the reader may.
pub(crate) fn settle<F: Fs>(fs: &F, dir: &Path, file: &F::File) -> io::Result<()> {
    as_far_as_one_may(file.sync().and_then(|()| fs.sync_dir(dir)))
}

/// Who may not open the directory, or finds the filesystem read-only, shares it with no writer of ours that could owe the
/// sync.
fn as_far_as_one_may(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        synced => synced,
    }
}
