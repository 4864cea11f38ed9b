//! The last look of a commit: whether the line, which is synced, went into a file that is read on.
//!
//! Invariants: an event is acknowledged only where `lock` is still the file that was locked, and the journal file still
//! the one at its path, or followed by one whose line one holds the event.

use std::path::Path;

use fencehold_model::Revision;
use fencehold_model::ndjson::{self, Kind};
use fencehold_model::record::{self, LINE_ONE_BYTES_MAX};

use super::file::{FileJournal, Inner};
use super::layout::{self, ARCHIVE};
use super::tail::Tail;
use crate::error::{Error, Result};
use crate::fs::{Fs, How, Stat, read_from};
use crate::host::Host;

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Fails, as indefinite, where nobody may ever read the event at `revision`, which is the last of the tail.
    pub(super) fn verify_again(&self, inner: &Inner<F>, revision: Revision) -> Result<()> {
        let tail = inner.tail.as_ref().expect("a line was appended to a tail");
        let lock = inner.lock.as_ref().map(|(_, id)| *id);
        // Others may have begun the next file since the OS lock was let go.
        let alone = self.look(&layout::journal_path(&self.dir, tail.n + 1)).is_none();
        let in_place = holds(tail, self.look(&tail.path));
        let read_on = alone && in_place || self.went_on(tail, in_place, revision);
        if read_on && lock.is_some() && self.look(&self.dir.join(layout::LOCK)).map(|stat| stat.id) == lock {
            return Ok(());
        }
        Err(Error::indefinite(
            &tail.path,
            "the workspace was deleted or replaced while the event was written",
        ))
    }

    fn look(&self, path: &Path) -> Option<Stat> {
        self.fs.stat(path).ok().flatten()
    }

    /// Whether the file was rotated as it should be: it stands where it was or in the archive, and the next one was
    /// begun with the event in its state.
    fn went_on(&self, tail: &Tail<F>, in_place: bool, revision: Revision) -> bool {
        let archive = self.dir.join(ARCHIVE);
        if !in_place && !holds(tail, self.look(&layout::journal_path(&archive, tail.n))) {
            return false;
        }
        let next = tail.n + 1;
        // It may be archived in its turn between the two looks.
        let paths = [layout::journal_path(&self.dir, next), layout::journal_path(&archive, next)];
        paths.iter().filter_map(|path| self.revision_of_line_one(path, next)).any(|first| first >= revision)
    }

    fn revision_of_line_one(&self, path: &Path, n: u64) -> Option<Revision> {
        let file = self.fs.open(path, How::Read).ok()?;
        let bytes = read_from(&file, 0, super::tail::UNREAD_BYTES_MAX).ok()?;
        let Kind::Line { text, .. } = ndjson::first(&bytes, LINE_ONE_BYTES_MAX).kind else { return None };
        record::read_head(text, n).ok().map(|line| line.content.state.revision)
    }
}

/// Whether this is the file of `tail`, with its last line.
fn holds<F: Fs>(tail: &Tail<F>, stat: Option<Stat>) -> bool {
    stat.is_some_and(|stat| stat.id == tail.id && stat.len >= tail.end)
}
