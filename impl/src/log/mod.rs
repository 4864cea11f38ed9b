//! An NDJSON file that many processes append to and any tool may read, foreign writers included.
//!
//! Invariants:
//! - nothing that anybody wrote is ever cut, moved or changed, but by a compaction, which keeps the file that was;
//! - a record is appended by one write(2), its newline last; behind a tail without one the write begins with a newline,
//!   so that the torn line stays one bad line and hides no neighbour;
//! - our appends hold the file's OS lock; foreign ones do not, so after the write we look whether our record stands on
//!   a line of its own, and write it again where a foreign half line came in between and swallowed it;
//! - an append is answered after the file, and its entry in the directory, are synced;
//! - a reader takes no lock; what looks damaged is looked at again while no writer of ours is at it;
//! - a duplicate id is reported, never refused: two branches that were merged may both be right.
//!
//! The log is opened by its own name: a symlink in its place is refused.

mod append;
mod attributes;
mod compact;
mod fold;
mod import;
mod legacy;
mod lines;
mod old;
mod once;
mod scan;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Map, Value};

pub use append::{Appended, Note, check_record};
#[cfg(feature = "cli")]
pub(crate) use attributes::union_line;
pub use attributes::{GitCheckout, union_merge};
pub use compact::Compacted;
pub use import::Imported;
pub use legacy::{LEGACY_BYTES_MAX, Legacy};
pub use old::Left;
#[cfg(feature = "cli")]
pub(crate) use old::is_old_name;
pub use scan::{Checked, Damaged, Page, Passed, Records, check, look, read};
use scan::{check_until, look_until, read_until};

use crate::error::{Error, Result};
use crate::fs::{FileId, Fs};
use crate::mark::{Folder, Last, PATIENCE, Place, ResourceLock, Rooted};

/// The longest line in bytes, its newline not counted: 512 KiB, so that a record fits into an answer of the target
/// protocol with what stands around it.
pub const LINE_BYTES_MAX: usize = 512 << 10;

/// How long a reader that saw damage waits for a writer that is at it.
const PATIENCE_OF_READERS: Duration = Duration::from_millis(100);

/// An append-only NDJSON file.
#[derive(Debug)]
pub struct Log<F: Fs> {
    fs: F,
    place: Place,
    /// The workspace folder.
    folder: PathBuf,
    lock: ResourceLock<F>,
    git: Option<GitCheckout>,
    patience: Duration,
    /// The file whose entry in the directory this handle knows to be durable. It stays open: the number of a file that is
    /// gone is given to the next one.
    entry: Mutex<Option<(FileId, F::File)>>,
}

impl<F: Fs> Log<F> {
    /// The log at `file`, a path below the root or an absolute one inside it; the file may be missing, its directory
    /// not. Writes nothing. In a git checkout, `git` says where: the first append then makes git unite the lines of
    /// two branches instead of calling them a conflict.
    ///
    /// # Errors
    /// As [`Rooted::locate`]; [`Error::Environment`] where a symlink stands there.
    pub fn open(
        fs: F,
        folder: Folder,
        rooted: &Rooted,
        file: &Path,
        git: Option<GitCheckout>,
    ) -> Result<Self> {
        let place = rooted.locate(&fs, file, Last::Refuse)?;
        let dir = folder.dir.clone();
        let lock = ResourceLock::new(fs.clone(), folder, &place);
        Ok(Log { fs, place, folder: dir, lock, git, patience: PATIENCE, entry: Mutex::new(None) })
    }

    /// Waits for the log's OS lock for `patience` at the most.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Reads a page of records. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self, page: &Page) -> Result<Records> {
        let records = read(&self.fs, &self.place, page)?;
        if records.damaged.is_empty() {
            return Ok(records);
        }
        read_until(&self.fs, &self.place, self.settled_len()?, page)
    }

    /// Takes in the records whose line is `wanted`. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// As [`look`].
    pub fn look<T: Default>(
        &self,
        wanted: impl Fn(&str) -> bool,
        mut take_in: impl FnMut(&mut T, Map<String, Value>),
    ) -> Result<(T, Passed)> {
        let looked = look(&self.fs, &self.place, &wanted, &mut take_in)?;
        if looked.1.damaged_count == 0 {
            return Ok(looked);
        }
        look_until(&self.fs, &self.place, self.settled_len()?, wanted, take_in)
    }

    /// Counts all that there is. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// As [`check`].
    pub fn check(&self) -> Result<Checked> {
        let checked = check(&self.fs, &self.place)?;
        if checked.damaged_count == 0 {
            return Ok(checked);
        }
        check_until(&self.fs, &self.place, self.settled_len()?)
    }

    /// Up to where no writer of ours is at work: readers see NULs and glued bytes of a write in progress (ext4, tmpfs
    /// and btrfs show them). The lock is let go at once; a torn line that stays for ever holds up nobody for long.
    fn settled_len(&self) -> Result<u64> {
        let Ok(_shared) = self.lock.share(self.patience.min(PATIENCE_OF_READERS)) else {
            // Its holder is stopped, or may not be waited for from here: what was seen is all that can be said.
            return Ok(u64::MAX);
        };
        let path = self.place.path();
        let stat = self.fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        Ok(stat.map_or(0, |stat| stat.len))
    }
}
