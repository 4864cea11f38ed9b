//! The locked section: from the OS lock to a tail that is surely the newest and ends clean.
//!
//! Invariants: the section makes no fork and waits for nothing; the OS lock is let go by an explicit unlock, before
//! what was written is synced; nothing is decided before `lock` and the journal were verified to be the files at their
//! paths.

use std::path::Path;

use super::file::{FileJournal, Inner, Note, ROUNDS_MAX};
use super::layout;
use super::tail::{Rest, Tail, UNREAD_BYTES_MAX};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, How, LockError, LockMode, read_from};
use crate::host::Host;
use crate::quarantine;

/// Lets the OS lock go however the section ends: by an answer, an error, or a panic of who decides.
struct Section<'a, F: Fs> {
    inner: &'a mut Inner<F>,
    relaxed: bool,
    /// Whether it came to its end.
    whole: bool,
}

impl<F: Fs> Drop for Section<'_, F> {
    fn drop(&mut self) {
        if self.inner.lock.as_ref().is_some_and(|(lock, _)| lock.unlock().is_err()) {
            // Closing lets it go as well; the next call opens it again.
            self.inner.lock = None;
        }
        self.inner.remember(self.relaxed);
        if !self.whole {
            // What was half done is read anew from the disk, and so is the floor: it may be one that a killed process
            // owes the directory, and that was not paid for now.
            self.inner.tail = None;
            self.inner.floor = 0;
        }
    }
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Runs `body` in the locked section. The mutex stays held afterwards, the OS lock does not.
    pub(super) fn locked<T>(
        &self,
        inner: &mut Inner<F>,
        body: impl FnOnce(&Self, &mut Inner<F>) -> Result<T>,
    ) -> Result<T> {
        let mut section = Section { inner, relaxed: self.relaxed(), whole: false };
        self.take_the_lock(section.inner)?;
        let result = body(self, section.inner);
        section.whole = result.is_ok();
        result
    }

    /// Takes the OS lock of the file that stands at the path `lock`, and of no other.
    fn take_the_lock(&self, inner: &mut Inner<F>) -> Result<()> {
        let path = self.dir.join(layout::LOCK);
        for _ in 0..ROUNDS_MAX {
            if inner.lock.is_none() {
                inner.lock = Some(self.open_lock(&path)?);
            }
            let (lock, id) = inner.lock.as_ref().expect("it was opened above");
            self.take(lock, &path, LockMode::Exclusive)?;
            if self.stat(&path)?.is_some_and(|stat| stat.id == *id) {
                return Ok(());
            }
            // Somebody replaced the file: a lock on the old one excludes nobody. Dropping it lets it go.
            // The file in its place may be a copy's, whose floor is another.
            inner.lock = None;
            inner.tail = None;
            inner.floor = 0;
        }
        Err(Error::usage(format!("{} was replaced {ROUNDS_MAX} times under this process", path.display())))
    }

    fn open_lock(&self, path: &Path) -> Result<(F::File, crate::fs::FileId)> {
        match self.fs.open(path, How::Read) {
            Ok(file) => {
                let id = file.stat().map_err(|error| Error::environment("looking at", path, error))?.id;
                Ok((file, id))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Says that the whole folder is gone, if it is.
                self.newest_number()?;
                Err(Error::Damaged {
                    path: path.to_owned(),
                    line: None,
                    what: "it is missing: processes that had opened it exclude nobody any more".to_owned(),
                    advice: "End every process that uses this workspace, then run `fencehold repair`"
                        .to_owned(),
                })
            }
            Err(error) => Err(Error::environment("opening", path, error)),
        }
    }

    #[track_caller]
    pub(super) fn take(&self, lock: &F::File, path: &Path, mode: LockMode) -> Result<()> {
        lock.lock(mode, self.options.patience).map_err(|error| match error {
            LockError::Io(error) => Error::environment("locking", path, error),
            LockError::TimedOut => Error::Busy {
                path: path.to_owned(),
                waited_ms: u64::try_from(self.options.patience.as_millis()).unwrap_or(u64::MAX),
                in_the_way: lock
                    .stat()
                    .map_or_else(|_| "an unknown process".to_owned(), |stat| lock.in_the_way(stat.id)),
            },
        })
    }

    /// Brings the tail to the newest line and makes the file end with it. The file is verified once, after it was read:
    /// nothing is made of what was read before.
    pub(super) fn settle(&self, inner: &mut Inner<F>) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let rest = match inner.tail.as_mut().filter(|tail| tail.writable) {
                Some(tail) => tail.catch_up(),
                None => self.newest_anew(inner, true).map(|(_, rest)| rest),
            };
            let Some(tail) = &inner.tail else { return rest.map(drop) };
            if !self.is_newest(tail)? {
                inner.before = inner.tail.take().map(Tail::into_before);
                continue;
            }
            let rest = rest?;
            let told =
                if self.relaxed() { tail.learned } else { tail.proof.is_whole() && tail.entries_durable };
            if rest == Rest::Clean && told {
                return Ok(());
            }
            self.refuse_damage(inner, &rest)?;
            match rest {
                Rest::Clean => return Ok(()),
                // What is set aside is looked for again.
                Rest::Unterminated => self.set_aside(inner, "a line without its end")?,
                Rest::Broken { .. } => self.set_aside(inner, "an unacknowledged tail")?,
            }
        }
        Err(Error::usage(format!("{}: the journal moved on under its lock", self.dir.display())))
    }

    /// Takes over what others left word of; fails where that, or a later line, says that what is missing was durable, or
    /// where what stands behind the chain cannot be explained. The caller holds the OS lock, if only shared.
    pub(super) fn refuse_damage(&self, inner: &mut Inner<F>, rest: &Rest) -> Result<()> {
        self.learn(inner);
        let tail = inner.tail.as_ref().expect("a tail was read before it is judged");
        // Said now, or at an earlier look.
        let durable_end = Some(tail.durable_end).filter(|end| *end > tail.end);
        match (rest, durable_end) {
            (Rest::Broken { why, claimed_durable }, _) => {
                let claimed_durable = *claimed_durable || durable_end.is_some();
                if self.is_unacked(tail, claimed_durable)? { Ok(()) } else { Err(tail.damaged(why)) }
            }
            (Rest::Clean | Rest::Unterminated, Some(end)) => Err(tail.cut_off(end)),
            (Rest::Clean | Rest::Unterminated, None) => Ok(()),
        }
    }

    /// Whether the bytes after a break were never acknowledged: the file was last written in an earlier boot, or is
    /// condemned, and nothing claims them durable.
    pub(super) fn is_unacked(&self, tail: &Tail<F>, claimed_durable: bool) -> Result<bool> {
        if claimed_durable {
            return Ok(false);
        }
        let earlier_boot = tail.state.boot.as_ref().is_none_or(|boot| boot.boot != self.host.boot());
        Ok(earlier_boot || self.is_condemned(tail.n)?)
    }

    /// Whether NUL bytes stand behind the chain in the boot that wrote it. No kill leaves them: a page was lost by a
    /// writeback that failed, of which nobody was told who could leave word of it. What stood there may have been acked
    /// under relaxed durability.
    fn lost_a_writeback(&self, tail: &Tail<F>) -> Result<bool> {
        if tail.state.boot.as_ref().is_none_or(|boot| boot.boot != self.host.boot()) {
            return Ok(false);
        }
        let rest = read_from(&tail.file, tail.end, UNREAD_BYTES_MAX);
        let rest = rest.map_err(|error| Error::environment("reading", &tail.path, error))?;
        Ok(rest.contains(&0))
    }

    /// Copies what follows the last valid line to quarantine, then cuts it off, both durably.
    fn set_aside(&self, inner: &mut Inner<F>, what: &str) -> Result<()> {
        let tail = inner.tail.as_mut().expect("a tail was read before its rest is set aside");
        let name = layout::journal_name(tail.n);
        let kept = quarantine::keep(&self.fs, &self.host, &self.dir, &name, &tail.file, tail.end)?;
        if self.lost_a_writeback(tail)? {
            self.condemn(tail.n);
        }
        tail.file.truncate(tail.end).map_err(|error| Error::environment("cutting", &tail.path, error))?;
        tail.file.sync().map_err(|error| {
            self.condemn(tail.n);
            Error::environment("cutting", &tail.path, error)
        })?;
        tail.proof.cut_off();
        inner.notes.push(Note(format!(
            "{} ended with {what}; it is kept as {}",
            tail.path.display(),
            kept.path.display()
        )));
        Ok(())
    }
}
