//! Proving: what an answer rests on is made durable before it is given, outside of the OS lock wherever that can be.
//!
//! Invariants: a sync counts only where [`Proof`](super::proof::Proof) says so; after a failed one its description is
//! given up, as the next sync of it would say nothing of what the first one lost, and the file is condemned; bytes are
//! written over only under the OS lock, and only with the same bytes.

use std::io::{self, ErrorKind};
use std::ops::Range;

use super::file::{FileJournal, Inner};
use super::tail::Tail;
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, read_from};
use crate::host::Host;

/// What came of writing over for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Done,
    /// It may not write the file: what its sync says it may believe itself, and tell nobody.
    MayNot,
    /// The file moved on.
    Moved,
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Makes all that was folded durable. The OS lock need not be held: the kernel merges the syncs of many.
    ///
    /// # Errors
    /// Where the sync failed: then the tail is given up and the file condemned.
    pub(super) fn prove(&self, inner: &mut Inner<F>) -> Result<()> {
        let Some(tail) = inner.tail.as_mut().filter(|_| !self.relaxed()) else { return Ok(()) };
        if tail.proof.is_whole() {
            return Ok(());
        }
        assert!(tail.proof.unheard().is_none(), "lines older than the description were written over before");
        match tail.file.sync() {
            Ok(()) => {
                tail.proof.all();
                Ok(())
            }
            Err(error) => {
                let (n, path) = (tail.n, tail.path.clone());
                inner.tail = None;
                self.condemn(n);
                Err(Error::environment("syncing", &path, error))
            }
        }
    }

    /// Writes the lines that a sync of the tail's description would say nothing of over with the same bytes, so that it
    /// does. The caller holds the OS lock and has folded them. False where they are not there any more.
    pub(super) fn write_over(&self, tail: &mut Tail<F>) -> Result<bool> {
        if self.relaxed() || tail.proof.unheard().is_none() {
            return Ok(true);
        }
        let over = self.fs.open(&tail.path, How::Write);
        self.write_over_by(&over.map_err(|error| Error::environment("opening", &tail.path, error))?, tail)
    }

    /// The same through a description that is open already: one for appending would append, wherever it is told to write
    /// (pwrite(2), BUGS).
    pub(super) fn write_over_by(&self, over: &F::File, tail: &mut Tail<F>) -> Result<bool> {
        let Some(range) = tail.proof.unheard() else { return Ok(true) };
        let there = self.put_again(over, tail, range)?;
        if there {
            tail.proof.rewritten();
        }
        Ok(there)
    }

    /// Writes the same bytes to where they stand. False where the file is another one, or they are not there any more.
    pub(super) fn put_again(&self, over: &F::File, tail: &Tail<F>, range: Range<u64>) -> Result<bool> {
        let failed = |error| Error::environment("writing over the last lines of", &tail.path, error);
        if over.stat().map_err(failed)?.id != tail.id {
            return Ok(false);
        }
        let len = usize::try_from(range.end - range.start).expect("a file that was read fits into memory");
        let mut bytes = read_from(&tail.file, range.start, super::tail::UNREAD_BYTES_MAX).map_err(failed)?;
        bytes.truncate(len);
        if bytes.len() < len || !tail.proof.are_the_lines(&bytes) {
            return Ok(false);
        }
        write_all_at(over, range.start, &bytes).map_err(failed)?;
        Ok(true)
    }

    /// The same for a reader, under the OS lock.
    pub(super) fn write_over_for_reader(&self, inner: &mut Inner<F>) -> Result<Over> {
        let tail = inner.tail.as_mut().expect("a reader has read a tail");
        let over = match self.fs.open(&tail.path, How::Write) {
            Err(error) if may_not_write(&error) => {
                // Who may not write can only sync, and look whether somebody left word of a failed one.
                tail.proof.rewritten();
                return Ok(Over::MayNot);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // A rotation has moved it to the archive since: the next one is read.
                inner.tail = None;
                return Ok(Over::Moved);
            }
            opened => opened.map_err(|error| Error::environment("opening", &tail.path, error))?,
        };
        let there = self.locked(inner, |journal, inner| {
            let rest = journal.newest(inner, false)?.1;
            journal.refuse_damage(inner, &rest)?;
            journal.write_over_by(&over, inner.tail.as_mut().expect("it was read above"))
        })?;
        inner.tail.take_if(|_| !there);
        Ok(if there { Over::Done } else { Over::Moved })
    }

    /// Syncs the directory of the file, unless that is known to be done: what a killed rotator, creator or writer of the
    /// floor may still owe.
    pub(super) fn pay_directory_debts(&self, inner: &mut Inner<F>) -> Result<()> {
        let Some(tail) = inner.tail.as_mut().filter(|_| !self.relaxed()) else { return Ok(()) };
        if !tail.entries_durable {
            self.sync_parent()?;
            match self.fs.sync_dir(&self.dir) {
                // Nobody owes anything on a disk that takes no writes.
                Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {}
                synced => synced.map_err(|error| Error::environment("syncing", &self.dir, error))?,
            }
            tail.entries_durable = true;
        }
        Ok(())
    }

    /// Makes the entry of the workspace folder itself durable.
    pub(super) fn sync_parent(&self) -> Result<()> {
        let Some(parent) = self.dir.parent() else { return Ok(()) };
        match self.fs.sync_dir(parent) {
            // Who may not list the parent could not have made the entry there either; its creator synced it.
            Err(error) if may_not_write(&error) => Ok(()),
            synced => synced.map_err(|error| Error::environment("syncing", parent, error)),
        }
    }
}

fn may_not_write(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn write_all_at(file: &impl File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
