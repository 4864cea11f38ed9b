//! The lines of a log, a piece of the file at a time: memory is bounded by the longest line, not by the file.

use std::io;

use fencehold_model::ndjson::{self, Kind};
use serde_json::{Map, Value};

use super::LINE_BYTES_MAX;
use crate::document::settle;
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How};
use crate::mark::Place;

const CHUNK_BYTES: usize = 256 * 1024;

/// A stretch of a log between two newlines, or behind the last one.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) offset: u64,
    /// Its newline included.
    pub(super) bytes: u64,
    pub(super) what: What,
}

pub(super) enum What {
    Record {
        id: String,
        record: Map<String, Value>,
    },
    Blank,
    Damaged(String),
    /// Its bytes, the last of them where they are more than a line has.
    Unterminated(Vec<u8>),
}

/// Hands on the lines of the log that end by `until`, while there are more and `then` wants them. Returns the byte at
/// which it ended. What was handed on is durable when it returns: its writer may have been killed before its sync.
pub(super) fn scan<F: Fs>(fs: &F, place: &Place, until: u64, then: impl FnMut(Line) -> bool) -> Result<u64> {
    scan_where(fs, place, until, |_| true, then)
}

/// As [`scan`], of the lines of text that are `wanted`, and of whatever is no text: to read a JSON object costs far more
/// than to look for a word in it.
pub(super) fn scan_where<F: Fs>(
    fs: &F,
    place: &Place,
    until: u64,
    wanted: impl Fn(&str) -> bool,
    then: impl FnMut(Line) -> bool,
) -> Result<u64> {
    let path = place.path();
    match fs.open(&path, How::Read) {
        Ok(file) => scan_open(fs, place, &file, until, wanted, then),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::environment("reading", &path, error)),
    }
}

/// As [`scan_where`], of a log that is open.
pub(super) fn scan_open<F: Fs>(
    fs: &F,
    place: &Place,
    file: &F::File,
    until: u64,
    wanted: impl Fn(&str) -> bool,
    mut then: impl FnMut(Line) -> bool,
) -> Result<u64> {
    let path = place.path();
    let failed = |error| Error::environment("reading", &path, error);
    let mut lines = Lines::new(until);
    while lines.fill(file).map_err(failed)? {
        if !lines.drain(&wanted, &mut then) {
            break;
        }
    }
    lines.tail(&mut then);
    settle(fs, &place.dir, file).map_err(|error| Error::environment("syncing", &path, error))?;
    Ok(lines.offset)
}

struct Lines {
    /// Bytes that were read and not handed on.
    rest: Vec<u8>,
    /// Where `rest` begins, after the bytes that were dropped.
    offset: u64,
    number: u64,
    /// How many bytes of a line past the bound were dropped.
    dropped: u64,
    stopped: bool,
    until: u64,
}

impl Lines {
    fn new(until: u64) -> Self {
        Lines { rest: Vec::new(), offset: 0, number: 0, dropped: 0, stopped: false, until }
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self, file: &impl File) -> io::Result<bool> {
        let start = self.rest.len();
        let at = self.offset + self.dropped + start as u64;
        let wanted = self.until.saturating_sub(at).min(CHUNK_BYTES as u64);
        self.rest.resize(start + usize::try_from(wanted).unwrap_or(CHUNK_BYTES), 0);
        let read = loop {
            match file.read_at(at, &mut self.rest[start..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.rest.truncate(start + read.as_ref().map_or(0, |&count| count));
        Ok(read? > 0)
    }

    /// Hands on the whole lines that were read; false where no more are wanted.
    fn drain(&mut self, wanted: &impl Fn(&str) -> bool, then: &mut impl FnMut(Line) -> bool) -> bool {
        let bytes = std::mem::take(&mut self.rest);
        let mut done = 0;
        for frame in ndjson::frames(&bytes, LINE_BYTES_MAX) {
            if frame.kind == Kind::Unterminated {
                break;
            }
            done = frame.bytes.end;
            let len = self.dropped + frame.bytes.len() as u64;
            self.number += 1;
            if matches!(&frame.kind, Kind::Line { text, .. } if self.dropped == 0 && !wanted(text)) {
                self.offset += len;
                continue;
            }
            let what = match self.dropped {
                0 => what(&frame.kind, self.number == 1),
                _ => What::Damaged(too_long()),
            };
            let line = Line { number: self.number, offset: self.offset, bytes: len, what };
            self.dropped = 0;
            self.stopped = !then(line);
            if self.stopped {
                return false;
            }
            self.offset += len;
        }
        self.rest = bytes[done..].to_vec();
        if self.rest.len() > LINE_BYTES_MAX {
            self.dropped += self.rest.len() as u64;
            self.rest.clear();
        }
        true
    }

    /// Hands on what stands behind the last newline.
    fn tail(&mut self, then: &mut impl FnMut(Line) -> bool) {
        let bytes = self.dropped + self.rest.len() as u64;
        if bytes > 0 && !self.stopped {
            then(Line {
                number: self.number + 1,
                offset: self.offset,
                bytes,
                what: What::Unterminated(std::mem::take(&mut self.rest)),
            });
        }
    }
}

fn what(kind: &Kind<'_>, first: bool) -> What {
    let text = match kind {
        Kind::Line { text, .. } => text,
        Kind::Damaged(damage) => return What::Damaged(damage.to_string()),
        Kind::Unterminated => return What::Unterminated(Vec::new()),
    };
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').filter(|_| first).unwrap_or(text);
    if text.trim().is_empty() {
        return What::Blank;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(record)) => match record.get("id").and_then(Value::as_str) {
            Some(id) => What::Record { id: id.to_owned(), record },
            None => What::Damaged("an object without a string `id`".to_owned()),
        },
        Ok(_) => What::Damaged("not a JSON object".to_owned()),
        Err(error) => What::Damaged(format!("not JSON: {error}")),
    }
}

fn too_long() -> String {
    ndjson::Damage::TooLong { bound_bytes: LINE_BYTES_MAX }.to_string()
}
