//! A file of which a sync failed: the mark that says so, and how it is left.
//!
//! Invariants: nothing is appended to a condemned file by who finds the mark; the state that its lines came to goes on
//! in the next file, at the floor.

use super::file::{FileJournal, Inner, Note};
use super::layout;
use super::tail::Tail;
use crate::error::Result;
use crate::fs::{File as _, Fs, How};
use crate::host::Host;

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Leaves a file of which a sync failed.
    pub(super) fn leave_condemned(&self, inner: &mut Inner<F>) -> Result<()> {
        // What a failed sync lost may have been seen: as after any loss, no revision of it is used again.
        let tail = inner.tail.as_ref().expect("a settled section has a tail");
        let workspace = tail.workspace.clone();
        if !self.keep_condemned(tail) {
            inner.notes.push(Note(format!(
                "a sync of {} failed: its last events may come to be missing from the history; what they came to is kept",
                tail.path.display()
            )));
        }
        self.go_on_at_the_floor(inner, &workspace, "a sync of the journal failed")?;
        self.tell(inner);
        Ok(())
    }

    /// For the history's sake: the lines of a condemned file that are not known to be durable are written over once more
    /// and synced. False where they cannot be kept; the state that they came to goes on in the next file all the same.
    pub(super) fn keep_condemned(&self, tail: &Tail<F>) -> bool {
        if self.relaxed() || tail.proof.is_whole() {
            return true;
        }
        // A description of its own: whatever was told before was told to others.
        let Ok(over) = self.fs.open(&tail.path, How::Write) else { return false };
        let there = self.put_again(&over, tail, tail.proof.end()..tail.end);
        there.unwrap_or(false) && over.sync().is_ok()
    }

    /// Leaves the mark that makes the next holder of the lock begin a new file.
    pub(super) fn condemn(&self, n: u64) {
        // A file that was followed by another needs none: nobody goes on from it.
        if self.fs.stat(&layout::journal_path(&self.dir, n)).is_ok_and(|stat| stat.is_some()) {
            // Need not be durable, and where it cannot be left, the disk is in a state that the next sync meets as well.
            let _ = self.fs.open(&layout::condemned_path(&self.dir, n), How::CreateNew { mode: 0o600 });
        }
    }

    pub(super) fn is_condemned(&self, n: u64) -> Result<bool> {
        Ok(self.stat(&layout::condemned_path(&self.dir, n))?.is_some())
    }
}
