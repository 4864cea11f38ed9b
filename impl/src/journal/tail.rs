//! One journal file, read up to its last valid line.
//!
//! Invariants: `end` is the end of a line; what was folded is an unbroken chain from line one; bytes after `end` were
//! never kept between two reads; lines that an earlier boot wrote are durable, as they have survived it.

use std::path::{Path, PathBuf};

use fencehold_model::chain::{self, Checksum};
use fencehold_model::id::BootId;
use fencehold_model::ndjson::{self, Kind};
use fencehold_model::record::{self, Broken, LINE_BYTES_MAX, LINE_ONE_BYTES_MAX};
use fencehold_model::{Entry, Event, Revision, State, WorkspaceId};

use super::layout;
use super::proof::{Line, Proof};
use crate::error::{Error, Result};
use crate::fs::{File as _, FileId, Fs, How, read_from};

/// More unread bytes than this are not read in one go: a file of ours never grows so far.
pub(super) const UNREAD_BYTES_MAX: usize = LINE_ONE_BYTES_MAX + 64 * 1024 * 1024;

/// An open journal file and what its lines come to.
#[derive(Debug)]
pub(super) struct Tail<F: Fs> {
    pub(super) file: F::File,
    pub(super) id: FileId,
    pub(super) path: PathBuf,
    pub(super) n: u64,
    pub(super) writable: bool,
    pub(super) workspace: WorkspaceId,
    pub(super) state: State,
    /// The checksum of line one.
    pub(super) head: Checksum,
    /// The checksum of the last line.
    pub(super) checksum: Checksum,
    /// Offset of the end of the last valid line.
    pub(super) end: u64,
    /// How many lines there are up to `end`.
    pub(super) lines: u64,
    /// Length of line one.
    pub(super) head_bytes: u64,
    /// How far it is known to be durable.
    pub(super) proof: Proof,
    /// The highest revision that a line says is durable.
    claimed: Revision,
    /// Whether `synced` was looked at for this file.
    pub(super) learned: bool,
    /// The highest offset that `synced` said everything before was durable.
    pub(super) durable_end: u64,
    /// Whether the directory entries of the file are known to be durable.
    pub(super) entries_durable: bool,
    /// `floor.json` is known to be durable as it says this; 0 where that is not known.
    pub(super) floor_durable: Revision,
    /// `synced`, opened as the file is.
    pub(super) synced: Option<F::File>,
    boot: BootId,
}

/// What the lines of a file came to that was followed by another.
#[derive(Debug)]
pub(super) struct Before {
    workspace: WorkspaceId,
    state: State,
}

/// What stands after the last valid line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Clean,
    /// Bytes without a newline.
    Unterminated,
    /// A terminated line that does not continue the chain.
    Broken {
        why: Broken,
        /// Whether a valid line after it says that what is lost here was durable.
        claimed_durable: bool,
    },
}

/// Why a file cannot be opened as a journal file.
pub(super) enum NoTail {
    Error(Error),
    /// Its line one is not there, or damaged.
    Headless(String),
}

impl<F: Fs> Tail<F> {
    /// Opens journal file `n` and reads it, in this boot.
    pub(super) fn open(
        fs: &F,
        dir: &Path,
        n: u64,
        writable: bool,
        boot: BootId,
    ) -> std::result::Result<(Self, Rest), NoTail> {
        Self::open_at(fs, layout::journal_path(dir, n), n, writable, boot, None)
    }

    /// Opens the journal file `n` that stands at `path`, as an archived one does; `before` is what the lines before it
    /// came to, where they were folded.
    pub(super) fn open_at(
        fs: &F,
        path: PathBuf,
        n: u64,
        writable: bool,
        boot: BootId,
        before: Option<Before>,
    ) -> std::result::Result<(Self, Rest), NoTail> {
        let environment = |error| NoTail::Error(Error::environment("opening", &path, error));
        let file = fs.open(&path, if writable { How::Append } else { How::Read }).map_err(environment)?;
        let opened = file.stat().map_err(environment)?;
        let bytes = read_from(&file, 0, UNREAD_BYTES_MAX)
            .map_err(|error| NoTail::Error(Error::environment("reading", &path, error)))?;
        if bytes.is_empty() {
            return Err(NoTail::Headless("the file is empty".to_owned()));
        }
        let head = ndjson::first(&bytes, LINE_ONE_BYTES_MAX);
        let Kind::Line { text, crlf: false } = head.kind else {
            return Err(NoTail::Headless("line one is not a whole line of text".to_owned()));
        };
        let expected =
            before.and_then(|before| record::expect_head(text, n, &before.workspace, before.state));
        let line = match expected.map_or_else(|| record::read_head(text, n), Ok) {
            Ok(line) => line,
            Err(Broken::Newer(what)) => return Err(NoTail::Error(Error::Newer { path, what })),
            Err(broken) => return Err(NoTail::Headless(format!("line one: {broken}"))),
        };
        let end = head.bytes.end as u64;
        let mut tail = Tail {
            file,
            id: opened.id,
            path,
            n,
            writable,
            workspace: line.content.workspace,
            proof: Proof::of_line_one(end, line.content.state.revision, opened.len),
            state: line.content.state,
            head: line.checksum,
            checksum: line.checksum,
            end,
            lines: 1,
            head_bytes: end,
            claimed: line.durable,
            learned: false,
            durable_end: 0,
            entries_durable: false,
            floor_durable: 0,
            synced: None,
            boot,
        };
        let rest = tail.fold(&bytes[head.bytes.end..]).map_err(NoTail::Error)?;
        if tail.state.boot.as_ref().is_none_or(|boot| boot.boot != tail.boot) {
            // No line is of this boot: the first one would have been its event.
            tail.proof.all();
        }
        Ok((tail, rest))
    }

    /// Reads and folds what was appended since.
    pub(super) fn catch_up(&mut self) -> Result<Rest> {
        let bytes = read_from(&self.file, self.end, UNREAD_BYTES_MAX)
            .map_err(|error| Error::environment("reading", &self.path, error))?;
        self.fold(&bytes)
    }

    fn fold(&mut self, bytes: &[u8]) -> Result<Rest> {
        for frame in ndjson::frames(bytes, LINE_BYTES_MAX) {
            let broken = match frame.kind {
                Kind::Unterminated => return Ok(Rest::Unterminated),
                Kind::Damaged(damage) => Broken::Content(damage.to_string()),
                Kind::Line { crlf: true, .. } => Broken::Content("it ends with CR LF".to_owned()),
                Kind::Line { text, crlf: false } => {
                    match record::read_entry(text, self.checksum, &self.state) {
                        Ok(line) => {
                            self.claimed = self.claimed.max(line.durable);
                            self.take(&line.content, line.checksum, frame.bytes.len());
                            continue;
                        }
                        Err(Broken::Newer(what)) => {
                            return Err(Error::Newer { path: self.path.clone(), what });
                        }
                        Err(broken) => broken,
                    }
                }
            };
            let claimed_durable = self.claims_durable(&bytes[frame.bytes.end..]);
            return Ok(Rest::Broken { why: broken, claimed_durable });
        }
        Ok(Rest::Clean)
    }

    /// Goes on behind a line of so many bytes, which is whole and stands at the end.
    pub(super) fn take(&mut self, entry: &Entry, checksum: Checksum, bytes: usize) {
        if matches!(&entry.event, Event::Boot { boot, .. } if *boot == self.boot) {
            // What stands before the first event of this boot has survived the one before.
            self.proof.all();
        }
        self.state.apply(entry);
        self.checksum = checksum;
        self.end += bytes as u64;
        self.lines += 1;
        self.proof.push(Line { end: self.end, revision: entry.revision, checksum });
    }

    /// What its lines came to.
    pub(super) fn into_before(self) -> Before {
        Before { workspace: self.workspace, state: self.state }
    }

    /// The highest revision that is known to be durable.
    pub(super) fn durable(&self) -> Revision {
        self.claimed.max(self.proof.revision())
    }

    /// Whether a whole line among `after` knew that something past the last valid line was durable.
    fn claims_durable(&self, after: &[u8]) -> bool {
        ndjson::frames(after, LINE_BYTES_MAX).any(|frame| {
            let Kind::Line { text, .. } = frame.kind else { return false };
            chain::verify(text).is_some()
                && serde_json::from_str::<serde_json::Value>(text)
                    .is_ok_and(|line| line["durable"].as_u64().is_some_and(|at| at > self.state.revision))
        })
    }

    /// Bytes of lines after line one: what a rotation would fold.
    pub(super) fn tail_bytes(&self) -> u64 {
        self.end - self.head_bytes
    }

    /// The damage behind the last valid line, as an error.
    pub(super) fn damaged(&self, why: &Broken) -> Error {
        self.damaged_behind(why.to_string())
    }

    /// The same where all is missing of what was durable up to `end`.
    pub(super) fn cut_off(&self, end: u64) -> Error {
        self.damaged_behind(format!(
            "the chain ends at byte {}, and {end} were durable in this boot",
            self.end
        ))
    }

    fn damaged_behind(&self, what: String) -> Error {
        let (path, line) = (self.path.clone(), Some(self.lines + 1));
        Error::Damaged { path, line, what, advice: REPAIR.to_owned() }
    }
}

/// What to do about a damaged journal.
pub(super) const REPAIR: &str =
    "Every command refuses until `fencehold repair`, which sets the damaged part aside";

impl NoTail {
    /// As an error about the file `path`.
    pub(super) fn into_error(self, path: &Path) -> Error {
        match self {
            NoTail::Error(error) => error,
            NoTail::Headless(what) => {
                Error::Damaged { path: path.to_owned(), line: Some(1), what, advice: REPAIR.to_owned() }
            }
        }
    }
}
