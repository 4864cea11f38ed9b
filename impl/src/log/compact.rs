//! Compaction: records that say one thing become one record that counts them.
//!
//! Invariants:
//! - it is one hold of the log's OS lock, so nothing that a writer of ours appends is lost between the read and the rename;
//! - every other line stays as it stands, byte for byte and in its place: damaged ones, and those that nothing repeats;
//! - the new file is whole and durable before it has the log's name, and the old one has a second name in `archive/`,
//!   durably, before it loses its first: wherever it is killed the log is the old file or the new one, and the old one is
//!   there;
//! - what a program that takes no lock appends to the old file meanwhile, or for as long as it has it open, is carried over
//!   by the next compaction, and told by `log check` until then ([`Log::left`]);
//! - a log in which nothing is repeated is not touched.
//!
//! A program that puts another file in the log's place in the instant between our last look and the rename loses that
//! file, as with a document.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

use super::fold::{Group, Went, saying};
use super::lines::{Line, What, scan_open};
use super::{Left, Log};
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, append_all};
use crate::mark::{Access, Answer, Shown, sweep, temp_name};

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// How many lines are counted in others now, and gone.
    pub folded: u64,
    /// How many lines of old files were carried over.
    pub carried: u64,
    /// The file that the log was before; none where nothing was folded.
    pub old: Option<PathBuf>,
    /// What stands in old files and is no whole line yet.
    pub left: Vec<Left>,
    /// Whether it passed the guard by force alone; the caller records the reason.
    pub forced: bool,
}

/// A stretch of the old file in whose place something else stands.
#[derive(Debug)]
struct Edit {
    offset: u64,
    bytes: u64,
    group: usize,
    /// The record of the group that stands here; none where the line is gone.
    record: Option<usize>,
}

/// What a compaction is to do.
#[derive(Debug, Default)]
struct Work {
    /// In the order of the file.
    edits: Vec<Edit>,
    groups: Vec<Group>,
    /// Where the last whole line ends.
    end: u64,
    is_unterminated: bool,
}

impl<F: Fs> Log<F> {
    /// Folds records that say one thing into one that counts them, and carries over what others appended to a file that
    /// the log was before.
    ///
    /// # Errors
    /// Those of [`Log::append`]; [`Error::Environment`] where the log and the workspace are on two filesystems.
    pub fn compact(&self, shown: &Shown) -> Result<Answer<Compacted>> {
        let mut held = self.lock.take(self.patience)?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.existing()?;
        held.raise(&pass)?;
        let archive = self.archive();
        // Of a compaction that was killed: its new file, or a second name of the log.
        sweep(&self.fs, &archive, &self.place.key())
            .map_err(|error| Error::environment("listing", &archive, error))?;
        let mut done = Compacted { forced: pass.forced, carried: self.carry_over()?, ..Compacted::default() };
        let folded = self.fold(&mut done).map_err(|error| match done.carried {
            0 => error,
            carried => self.indefinite(&format!("{carried} lines were carried over, and then: {error}")),
        });
        folded?;
        if !held.stands().unwrap_or(false) {
            return Err(self.indefinite("its lock was removed while it was held"));
        }
        let left = self.look_left();
        done.left = left.map_err(|error| match done.folded + done.carried {
            0 => error,
            _ => self.indefinite(&format!("it was compacted, and then: {error}")),
        })?;
        Ok(Ok(done))
    }

    fn fold(&self, done: &mut Compacted) -> Result<()> {
        let Some(file) = self.existing()? else { return Ok(()) };
        let mut work = self.work(&file)?;
        if work.is_folding() && work.is_unterminated {
            // As any append of ours does: what is torn becomes one bad line, and is kept.
            self.append_lines(&file, &[])?;
            work = self.work(&file)?;
        }
        if !work.is_folding() {
            return Ok(());
        }
        let temp = self.archive().join(temp_name(&self.place.key(), 0));
        let written = self.write_new(&file, &work, &temp)?;
        let old = self.keep_and_replace(&file, &work, &temp).inspect_err(|error| {
            if error.happened() == crate::Happened::No {
                let _ = self.fs.unlink(&temp);
            }
        })?;
        self.make_durable(written)?;
        done.folded = work.edits.iter().filter(|edit| edit.record.is_none()).count() as u64;
        done.old = Some(old);
        // What came in between the read and the rename.
        done.carried += self.carry_over().map_err(|error| self.indefinite(&error.to_string()))?;
        Ok(())
    }

    /// What there is to fold. Records are compared by a hash first: few of them are ever held.
    fn work(&self, file: &F::File) -> Result<Work> {
        let mut work = Work::default();
        let mut counts: HashMap<u64, u32> = HashMap::new();
        let scan = |until, then: &mut dyn FnMut(Line)| {
            scan_open(
                &self.fs,
                &self.place,
                file,
                until,
                |_| true,
                |line| {
                    then(line);
                    true
                },
            )
        };
        scan(u64::MAX, &mut |line| match line.what {
            What::Unterminated(_) => work.is_unterminated = true,
            What::Record { record, .. } => {
                work.end = line.offset + line.bytes;
                if let Some(saying) = saying(&record) {
                    *counts.entry(hash(&saying)).or_default() += 1;
                }
            }
            What::Blank | What::Damaged(_) => work.end = line.offset + line.bytes,
        })?;
        let mut at: HashMap<String, usize> = HashMap::new();
        let Work { edits, groups, end, .. } = &mut work;
        scan(*end, &mut |line| {
            let What::Record { record, .. } = line.what else { return };
            let Some(saying) = saying(&record).filter(|saying| counts.get(&hash(saying)) > Some(&1)) else {
                return;
            };
            let group = *at.entry(saying).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Group::default());
            }
            let record = match groups[group].add(record) {
                Went::First(number) => Some(number),
                Went::Into(_) => None,
            };
            edits.push(Edit { offset: line.offset, bytes: line.bytes, group, record });
        })?;
        Ok(work)
    }

    /// Writes the new file, like the old one in mode and owner.
    fn write_new(&self, from: &F::File, work: &Work, temp: &Path) -> Result<F::File> {
        let failed = |error| Error::environment("writing", temp, error);
        let stat = from.stat().map_err(failed)?;
        let to = self.fs.open(temp, How::CreateNew { mode: stat.mode & 0o700 }).map_err(failed)?;
        let written = work.write(from, &mut |bytes| append_all(&to, bytes));
        match written.and_then(|()| to.adopt(&stat)).and_then(|()| to.sync()) {
            Ok(()) => Ok(to),
            Err(error) => {
                let _ = self.fs.unlink(temp);
                Err(failed(error))
            }
        }
    }

    /// Gives the old file its name in `archive/`, and the new one the log's. Where the old one is.
    fn keep_and_replace(&self, file: &F::File, work: &Work, temp: &Path) -> Result<PathBuf> {
        let (path, archive) = (self.place.path(), self.archive());
        let stat = file.stat().map_err(|error| Error::environment("looking at", &path, error))?;
        let named = self.named()?;
        let n = named.iter().map(|old| old.n).max().unwrap_or(0) + 1;
        let old = self.old_path(n, work.end);
        let kept = match named.iter().find(|named| named.id == stat.id) {
            // A compaction was killed before its rename; the log has grown since.
            Some(named) => self.fs.rename_new(&named.path, &old),
            None => self.fs.link(&path, &old),
        };
        kept.map_err(|error| Error::environment("keeping the old file in", &archive, across(error)))?;
        self.fs.sync_dir(&archive).map_err(|error| Error::environment("syncing", &archive, error))?;
        let is_ours =
            |id| -> io::Result<bool> { Ok(self.fs.stat(&path)?.is_some_and(|at_path| at_path.id == id)) };
        let unchanged = is_ours(stat.id).and_then(|same| Ok(same && file.stat()?.len >= work.end));
        if !unchanged.map_err(|error| Error::environment("looking at", &path, error))? {
            let meanwhile = io::Error::other("another program cut or replaced it meanwhile; try again");
            return Err(Error::environment("compacting", &path, meanwhile));
        }
        match self.fs.rename(temp, &path) {
            Ok(()) => Ok(old),
            // An answer of the system that the disk contradicts: it was done, and may not be durable.
            Err(error) => match is_ours(stat.id) {
                Ok(true) => Err(Error::environment("renaming to", &path, error)),
                _ => Err(self.indefinite(&format!("renaming to it failed: {error}"))),
            },
        }
    }
}

impl Work {
    /// Whether any line goes.
    fn is_folding(&self) -> bool {
        self.edits.iter().any(|edit| edit.record.is_none())
    }

    /// Hands on the bytes of the new file.
    fn write(&self, from: &impl File, to: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut at = 0;
        for edit in &self.edits {
            let line = edit.record.map(|number| self.groups[edit.group].line(number));
            if line == Some(None) {
                // As it stood.
                continue;
            }
            copy(from, at..edit.offset, to)?;
            at = edit.offset + edit.bytes;
            if let Some(Some(line)) = line {
                to(format!("{line}\n").as_bytes())?;
            }
        }
        copy(from, at..self.end, to)
    }
}

/// Hands on a stretch of a file.
fn copy(
    from: &impl File,
    range: std::ops::Range<u64>,
    to: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut chunk = vec![0; 256 * 1024];
    let mut at = range.start;
    while at < range.end {
        let wanted = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(chunk.len());
        match from.read_at(at, &mut chunk[..wanted]) {
            Ok(0) => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "another program cut it meanwhile"));
            }
            Ok(count) => {
                to(&chunk[..count])?;
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A file has its second name on its own filesystem, or none.
fn across(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::CrossesDevices => io::Error::new(
            error.kind(),
            "the log is on another filesystem than the workspace, where its old file would be kept; \
             move one of them (`fencehold where` says where the workspace is)",
        ),
        _ => error,
    }
}
