//! Appending one record.

use std::collections::HashSet;
use std::io;
use std::sync::PoisonError;

use fencehold_model::ndjson::{self, Kind};
use serde_json::{Map, Value};

use super::{LINE_BYTES_MAX, Log, union_merge};
use crate::document::new_file_mode;
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, read_from};
use crate::mark::{Access, Answer, Held, Pass, Shown};

/// How often a record is written again that a foreign half line swallowed.
const SWALLOWED_MAX: usize = 16;
/// How often the file may come and go while it is opened.
const OPEN_TRIES_MAX: usize = 8;
/// How much foreign writers may add between our look at the tail and our look at what stands, in bytes.
pub(super) const MEANWHILE_BYTES_MAX: usize = 64 << 20;
/// From how many bytes on the next line of many begins a write of its own.
const PIECE_BYTES: usize = 256 * 1024;

/// A record that was appended, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The byte at which its line begins.
    pub offset: u64,
    /// What did not go as it should have, beside the append.
    pub note: Option<Note>,
    /// Whether it passed the guard by force alone; the caller records the reason.
    pub forced: bool,
}

/// What the person in front of it should know though nothing failed; a line for stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(pub String);

impl<F: Fs> Log<F> {
    /// Appends `record`, an object with a string `id`.
    ///
    /// # Errors
    /// [`Error::Usage`] where it has no such id or its line is longer than [`LINE_BYTES_MAX`]; [`Error::Environment`]
    /// where no complete record can be seen: at most a piece of it stays, as one bad line; [`Error::Indefinite`] where
    /// it may stand, or may not be durable; [`Error::Busy`], [`Error::Newer`], [`Error::Damaged`] as of the lock and
    /// the mark.
    pub fn append(&self, record: &Map<String, Value>, shown: &Shown) -> Result<Answer<Appended>> {
        let line = line(record)?;
        let mut held = self.lock.take(self.patience)?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let appended = self.append_held(&mut held, &pass, &line)?;
        if !held.stands().unwrap_or(false) {
            return Err(self.indefinite("its lock was removed while it was held"));
        }
        Ok(Ok(appended))
    }

    /// Appends a line under the log's lock.
    pub(super) fn append_held(&self, held: &mut Held<'_, F>, pass: &Pass, line: &str) -> Result<Appended> {
        // What cannot be opened is said before the mark is raised.
        let existing = self.existing()?;
        held.raise(pass)?;
        let file = existing.map_or_else(|| self.existing_or_new(), Ok)?;
        let offset = self.write(&file, line)?;
        self.finish(file, offset, pass)
    }

    /// Makes durable what was appended at `offset`, and git unite what two branches append; still under the log's lock, so
    /// that two appends do not both add the line.
    pub(super) fn finish(&self, file: F::File, offset: u64, pass: &Pass) -> Result<Appended> {
        self.make_durable(file)?;
        let note = self.git.as_ref().and_then(|git| union_merge(&self.fs, git, &self.place.path()));
        Ok(Appended { offset, note, forced: pass.forced })
    }

    /// The file, if it is there, opened; nothing is created.
    pub(super) fn existing(&self) -> Result<Option<F::File>> {
        let (dir, path) = (&self.place.dir, self.place.path());
        let stat = self.fs.stat(dir).map_err(|error| Error::environment("looking at", dir, error))?;
        if stat.is_none_or(|stat| stat.id != self.place.dir_id) {
            let gone = io::Error::new(io::ErrorKind::NotFound, "it was removed or replaced meanwhile");
            return Err(Error::environment("looking at", dir, gone));
        }
        match self.fs.open(&path, How::Append) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::environment("opening", &path, error)),
            Ok(file) => Ok(Some(file)),
        }
    }

    pub(super) fn existing_or_new(&self) -> Result<F::File> {
        let path = self.place.path();
        for _ in 0..OPEN_TRIES_MAX {
            if let Some(file) = self.existing()? {
                return Ok(file);
            }
            let dir = self.fs.stat(&self.place.dir);
            let dir = dir.map_err(|error| Error::environment("looking at", &self.place.dir, error))?;
            let mode = new_file_mode(dir.map_or(0, |dir| dir.mode));
            match self.fs.open(&path, How::CreateNew { mode }) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::environment("creating", &path, error)),
                Ok(file) => return Ok(file),
            }
        }
        Err(Error::environment("opening", &path, io::Error::other("it comes and goes; try again")))
    }

    /// Writes the line until it stands on a line of its own, and returns where.
    fn write(&self, file: &F::File, line: &str) -> Result<u64> {
        let path = self.place.path();
        let mut written = false;
        for _ in 0..SWALLOWED_MAX {
            let failed = |doing, error| match written {
                // What was swallowed is a piece of a foreign line, but only a look could tell.
                true => self.indefinite(&format!("{doing} failed: {error}")),
                false => Error::environment(doing, &path, error),
            };
            let len = file.stat().map_err(|error| failed("looking at", error))?.len;
            let torn = !ends_in_newline(file, len).map_err(|error| failed("reading", error))?;
            let text = format!("{}{line}\n", if torn { "\n" } else { "" });
            match append_once(file, text.as_bytes()) {
                Ok(count) if count == text.len() => written = true,
                // All but the newline: the next append ends the line, and then it is a record.
                Ok(count) if count + 1 == text.len() || written => {
                    return Err(
                        self.indefinite(&format!("only {count} of {} bytes were written", text.len()))
                    );
                }
                Ok(count) => {
                    let short =
                        format!("only {count} of {} bytes were written; they are one bad line", text.len());
                    return Err(Error::environment(
                        "appending to",
                        &path,
                        io::Error::new(io::ErrorKind::StorageFull, short),
                    ));
                }
                Err(error) => return Err(failed("appending to", error)),
            }
            match self.standing(file, len, torn, line) {
                Ok(Some(offset)) => return Ok(offset),
                Ok(None) => {}
                Err(error) => return Err(self.indefinite(&format!("reading it back failed: {error}"))),
            }
        }
        Err(self.indefinite("another program keeps writing half lines to it"))
    }

    /// Appends lines, none of which holds a newline, until each stands on a line of its own; a torn tail is ended first.
    /// They are not durable yet.
    pub(super) fn append_lines(&self, file: &F::File, lines: &[Vec<u8>]) -> Result<()> {
        let path = self.place.path();
        let mut missing: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut written = false;
        for _ in 0..SWALLOWED_MAX {
            let failed = |doing, error, written| match written {
                true => self.indefinite(&format!("{doing} failed: {error}; what of it stands stays")),
                false => Error::environment(doing, &path, error),
            };
            let len = file.stat().map_err(|error| failed("looking at", error, written))?.len;
            let torn = !ends_in_newline(file, len).map_err(|error| failed("reading", error, written))?;
            for piece in pieces(torn, &missing) {
                match append_once(file, &piece) {
                    Ok(count) if count == piece.len() => written = true,
                    Ok(count) => {
                        let what = format!("only {count} of {} bytes were written", piece.len());
                        return Err(self.indefinite(&format!("{what}; what of them stands stays")));
                    }
                    Err(error) => return Err(failed("appending to", error, written)),
                }
            }
            let behind =
                read_from(file, len, MEANWHILE_BYTES_MAX + lines.iter().map(Vec::len).sum::<usize>());
            let behind = behind.map_err(|error| failed("reading back", error, written))?;
            let standing: HashSet<&[u8]> =
                behind.split(|&byte| byte == b'\n').skip(usize::from(torn)).collect();
            missing.retain(|line| !standing.contains(line));
            if missing.is_empty() {
                return Ok(());
            }
        }
        Err(self.indefinite("another program keeps writing half lines to it"))
    }

    /// Where `line` stands whole among what was written behind `from`, if it does. `inside`: whether `from` is inside
    /// a line.
    fn standing(&self, file: &F::File, from: u64, inside: bool, line: &str) -> io::Result<Option<u64>> {
        if file.stat()?.len < from {
            return Err(io::Error::other("another program cut it meanwhile"));
        }
        let bytes = read_from(file, from, MEANWHILE_BYTES_MAX)?;
        let found = ndjson::frames(&bytes, LINE_BYTES_MAX).skip(usize::from(inside)).find(|frame| {
            // White space that a foreign writer put before it does no harm.
            matches!(frame.kind, Kind::Line { text, .. } if text.trim() == line)
        });
        Ok(found.map(|frame| from + frame.bytes.start as u64))
    }

    pub(super) fn make_durable(&self, file: F::File) -> Result<()> {
        file.sync().map_err(|error| self.indefinite(&format!("syncing it failed: {error}")))?;
        let id = file.stat().map_err(|error| self.indefinite(&format!("looking at it failed: {error}")))?.id;
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.as_ref().is_none_or(|(known, _)| *known != id) {
            // Whoever created it may have been killed before the directory was synced.
            self.fs
                .sync_dir(&self.place.dir)
                .map_err(|error| self.indefinite(&format!("syncing its directory failed: {error}")))?;
            *entry = Some((id, file));
        }
        match self.fs.stat(&self.place.path()) {
            Ok(Some(stat)) if stat.id == id => Ok(()),
            _ => Err(self.indefinite("it was removed or replaced while it was appended to")),
        }
    }

    pub(super) fn indefinite(&self, what: &str) -> Error {
        Error::indefinite(&self.place.path(), what)
    }
}

/// Refuses what can never be appended.
///
/// # Errors
/// [`Error::Usage`] where it has no `id` that is a string and not blank, or its line is longer than [`LINE_BYTES_MAX`].
pub fn check_record(record: &Map<String, Value>) -> Result<()> {
    line(record).map(|_| ())
}

/// The line of a record, without its newline.
pub(super) fn line(record: &Map<String, Value>) -> Result<String> {
    match record.get("id").and_then(Value::as_str) {
        Some(id) if !id.trim().is_empty() => {}
        _ => return Err(Error::usage("a record needs a string `id` that is not blank; nothing was changed")),
    }
    let line = serde_json::to_string(record)
        .map_err(|error| Error::usage(format!("the record cannot be written as JSON: {error}")))?;
    if line.len() > LINE_BYTES_MAX {
        let len = line.len();
        return Err(Error::usage(format!(
            "the record has {len} bytes as a line, the most is {LINE_BYTES_MAX}; nothing was changed"
        )));
    }
    Ok(line)
}

pub(super) fn append_once(file: &impl File, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match file.append(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The bytes of lines, as few writes as are not too long each; behind a torn tail the first begins with a newline.
fn pieces(torn: bool, lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut pieces = vec![if torn { b"\n".to_vec() } else { Vec::new() }];
    for line in lines {
        if pieces.last().is_none_or(|piece| piece.len() > PIECE_BYTES) {
            pieces.push(Vec::new());
        }
        let piece = pieces.last_mut().expect("there is one");
        piece.extend_from_slice(line);
        piece.push(b'\n');
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

pub(super) fn ends_in_newline(file: &impl File, len: u64) -> io::Result<bool> {
    let mut last = [0_u8];
    loop {
        match len.checked_sub(1).map(|at| file.read_at(at, &mut last)) {
            // Empty, or cut to nothing meanwhile: a newline too many harms nobody.
            None => return Ok(true),
            Some(Ok(count)) => return Ok(count == 1 && last == *b"\n"),
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(Err(error)) => return Err(error),
        }
    }
}
