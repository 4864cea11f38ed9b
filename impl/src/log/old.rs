//! The files that a log was before it was compacted, in `archive/`, and what somebody who takes no lock appended to one
//! since.
//!
//! Invariants:
//! - the name says the log's key, which of its files it is, and up to which byte the log has what stands in it: what is
//!   behind that byte was appended by somebody who had the file open, and is owed to the log;
//! - such a file is the very inode that the log was, so nothing that is written to it is ever out of sight;
//! - one that the log itself still is (its compaction was killed) is not old yet, and owes nothing.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use super::Log;
use super::append::MEANWHILE_BYTES_MAX;
use crate::document::each_chunk;
use crate::error::{Error, Result};
use crate::fs::{File, FileId, Fs, How, read_from};
use crate::mark::missing;

const ENDING: &str = ".ndjson";

/// A file that a log was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Old {
    /// Which of them: they count up.
    pub(super) n: u64,
    /// Up to which byte the log has what stands in it.
    pub(super) has_bytes: u64,
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) len: u64,
}

/// What stands in an old file of a log and not in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The file.
    pub path: PathBuf,
    /// Its byte from which it stands there.
    pub offset: u64,
    /// Whole lines: the next compaction carries them over.
    pub lines: u64,
    /// Bytes behind them without a newline: a line that is being written, or never will be whole.
    pub unterminated_bytes: u64,
}

/// Whether `name` is what such a file is called.
#[cfg(feature = "cli")]
pub(crate) fn is_old_name(name: &str) -> bool {
    name.rsplit_once('@').is_some_and(|(key, rest)| !key.is_empty() && numbers(rest).is_some())
}

fn numbers(rest: &str) -> Option<(u64, u64)> {
    let (n, bytes) = rest.strip_suffix(ENDING)?.split_once('-')?;
    Some((n.parse().ok()?, bytes.parse().ok()?))
}

impl<F: Fs> Log<F> {
    pub(super) fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    pub(super) fn old_path(&self, n: u64, has_bytes: u64) -> PathBuf {
        self.archive().join(format!("{}@{n}-{has_bytes}{ENDING}", self.place.key()))
    }

    /// What stands in old files and not in the log. Takes no lock, and writes nothing.
    ///
    /// # Errors
    /// [`Error::Environment`] where they cannot be read.
    pub fn left(&self) -> Result<Vec<Left>> {
        let left = self.look_left()?;
        if left.is_empty() {
            return Ok(left);
        }
        // A compaction may be at it just now.
        match self.lock.share(self.patience.min(super::PATIENCE_OF_READERS)) {
            Ok(_shared) => self.look_left(),
            Err(_) => Ok(left),
        }
    }

    pub(super) fn look_left(&self) -> Result<Vec<Left>> {
        let mut left = Vec::new();
        for old in self.olds()?.into_iter().filter(|old| old.len > old.has_bytes) {
            let (lines, end) = self.behind(&old)?;
            let lines = lines.len() as u64;
            let unterminated_bytes = old.len.saturating_sub(end);
            if lines > 0 || unterminated_bytes > 0 {
                left.push(Left { path: old.path, offset: old.has_bytes, lines, unterminated_bytes });
            }
        }
        Ok(left)
    }

    /// The old files of this log, the first one first; what the log itself still is, is none.
    pub(super) fn olds(&self) -> Result<Vec<Old>> {
        let at_path = self.id_at_path()?;
        Ok(self.named()?.into_iter().filter(|old| Some(old.id) != at_path).collect())
    }

    fn id_at_path(&self) -> Result<Option<FileId>> {
        let path = self.place.path();
        let stat = self.fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        Ok(stat.map(|stat| stat.id))
    }

    /// All that is named as an old file of this log, the first one first.
    pub(super) fn named(&self) -> Result<Vec<Old>> {
        let (archive, key) = (self.archive(), self.place.key());
        let failed = |error| Error::environment("looking into", &archive, error);
        let names = match self.fs.list(&archive) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(failed(missing())),
            listed => listed.map_err(failed)?,
        };
        let mut olds = Vec::new();
        for name in names {
            let Some((of, rest)) = name.rsplit_once('@') else { continue };
            let Some((n, has_bytes)) = numbers(rest).filter(|_| of == key) else { continue };
            let path = archive.join(&name);
            // Another compaction may have named it anew just now.
            if let Some(stat) = self.fs.stat(&path).map_err(failed)? {
                olds.push(Old { n, has_bytes, path, id: stat.id, len: stat.len });
            }
        }
        olds.sort_by_key(|old| (old.n, old.has_bytes));
        Ok(olds)
    }

    /// The whole lines in an old file that the log has not, without their newlines, and where they end.
    fn behind(&self, old: &Old) -> Result<(Vec<Vec<u8>>, u64)> {
        let failed = |error| Error::environment("reading", &old.path, error);
        let file = match self.fs.open(&old.path, How::Read) {
            // Named anew, and carried over, meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), old.len)),
            opened => opened.map_err(failed)?,
        };
        let bytes = read_from(&file, old.has_bytes, MEANWHILE_BYTES_MAX).map_err(failed)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes[..whole].split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
        let lines = lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        Ok((lines, old.has_bytes + whole as u64))
    }

    /// Appends to the log what was appended to its old files, and notes how far. The caller holds the lock. How many
    /// lines.
    pub(super) fn carry_over(&self) -> Result<u64> {
        let mut carried = 0;
        for old in self.olds()?.into_iter().filter(|old| old.len > old.has_bytes) {
            let (lines, end) = self.behind(&old)?;
            if end == old.has_bytes {
                continue;
            }
            carried += self.add_absent(lines)?;
            let (to, archive) = (self.old_path(old.n, end), self.archive());
            self.fs.rename_new(&old.path, &to).map_err(|error| self.not_noted(&old, &error))?;
            self.fs.sync_dir(&archive).map_err(|error| self.not_noted(&old, &error))?;
        }
        Ok(carried)
    }

    fn not_noted(&self, old: &Old, error: &io::Error) -> Error {
        self.indefinite(&format!(
            "what stood in {} was carried over, and is owed once more: {error}",
            old.path.display()
        ))
    }

    /// Appends those of the lines that do not stand in the log, durably; how many these were.
    fn add_absent(&self, lines: Vec<Vec<u8>>) -> Result<u64> {
        let file = self.existing_or_new()?;
        let path = self.place.path();
        let standing =
            standing(&file, &lines).map_err(|error| Error::environment("reading", &path, error))?;
        let mut seen = HashSet::new();
        let absent: Vec<Vec<u8>> =
            lines.into_iter().filter(|line| !standing.contains(line) && seen.insert(line.clone())).collect();
        self.append_lines(&file, &absent)?;
        self.make_durable(file)?;
        Ok(absent.len() as u64)
    }
}

/// Which of these lines stand in the file.
fn standing(file: &impl File, lines: &[Vec<u8>]) -> io::Result<HashSet<Vec<u8>>> {
    let wanted: HashSet<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0);
    let (mut found, mut rest) = (HashSet::new(), Vec::new());
    each_chunk(file, 0, |chunk| {
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            // Of a line that is longer than any of ours no more is kept than shows that it is.
            if rest.len() <= longest + 2 {
                rest.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                let line = rest.trim_ascii_end();
                if wanted.contains(line) {
                    found.insert(line.to_vec());
                }
                rest.clear();
            }
        }
        Ok(())
    })?;
    Ok(found)
}
