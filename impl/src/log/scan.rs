//! Reading a log: every byte is looked at, one bad line hides nothing.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::lines::{What, scan, scan_where};
use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::mark::Place;

/// How many damaged lines a check names; it counts all.
const DAMAGED_NAMED_MAX: usize = 100;

/// Which part of a log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The byte to begin at: 0, or what an earlier page gave as `next` or `end`.
    pub after: u64,
    /// The most records, at least one.
    pub records_max: usize,
    /// The most bytes of lines; a first line that alone is longer is read all the same.
    pub bytes_max: usize,
}

impl Default for Page {
    /// All of it.
    fn default() -> Self {
        Page { after: 0, records_max: usize::MAX, bytes_max: usize::MAX }
    }
}

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Which line, counted from 1.
    pub line: u64,
    /// Where it begins.
    pub offset: u64,
    /// How long it is, its newline included.
    pub bytes: u64,
    /// What is wrong with it.
    pub why: String,
}

/// A page of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// The records, in the order of the file; each has a string `id`.
    pub records: Vec<Map<String, Value>>,
    /// The lines of this page that are none.
    pub damaged: Vec<Damaged>,
    /// The ids of this page that occurred before, in it or in front of it.
    pub duplicates: BTreeSet<String>,
    /// Bytes after the last newline, where this page reaches it: a write in progress, or one that was cut. No damage.
    pub unterminated_bytes: u64,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
    /// The end of the last whole line of this page: where to go on once more was written.
    pub end: u64,
}

/// What a log holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Whole records.
    pub records: u64,
    /// Lines that are none.
    pub damaged_count: u64,
    /// The first hundred of these.
    pub damaged: Vec<Damaged>,
    /// Ids that occur more than once.
    pub duplicates: BTreeSet<String>,
    /// Bytes after the last newline.
    pub unterminated_bytes: u64,
}

/// Reads a page of the log at `place`; where there is no file there are no records. The file is read from its
/// beginning, to know which ids occurred before.
///
/// # Errors
/// [`Error::Usage`] where `after` is not the beginning of a line; [`Error::Environment`] where it cannot be read, or
/// what was read cannot be made durable.
pub fn read<F: Fs>(fs: &F, place: &Place, page: &Page) -> Result<Records> {
    read_until(fs, place, u64::MAX, page)
}

/// As [`read`], of the first `until` bytes.
pub(super) fn read_until<F: Fs>(fs: &F, place: &Place, until: u64, page: &Page) -> Result<Records> {
    let mut records = Records { end: page.after, ..Records::default() };
    let (mut seen, mut begins, mut bytes) = (HashSet::new(), page.after == 0, 0_u64);
    let end = scan(fs, place, until, |line| {
        begins |= line.offset == page.after;
        if line.offset < page.after {
            if let What::Record { id, .. } = line.what {
                seen.insert(id);
            }
            return true;
        }
        if let What::Unterminated(_) = line.what {
            records.unterminated_bytes = line.bytes;
            return false;
        }
        bytes += line.bytes;
        let full = records.records.len() >= page.records_max.max(1)
            || (bytes > page.bytes_max as u64 && records.end > page.after);
        if full {
            records.next = Some(line.offset);
            return false;
        }
        records.end = line.offset + line.bytes;
        match line.what {
            What::Record { id, record } => {
                if !seen.insert(id.clone()) {
                    records.duplicates.insert(id);
                }
                records.records.push(record);
            }
            What::Damaged(why) => records.damaged.push(Damaged {
                line: line.number,
                offset: line.offset,
                bytes: line.bytes,
                why,
            }),
            What::Blank | What::Unterminated(_) => {}
        }
        true
    })?;
    if begins || end == page.after {
        return Ok(records);
    }
    let (path, after) = (place.path(), page.after);
    Err(Error::usage(format!("{}: no line begins at byte {after}; was it replaced?", path.display())))
}

/// What a look through a log passed by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Lines that were looked at and are no records.
    pub damaged_count: u64,
    /// The first hundred of these.
    pub damaged: Vec<Damaged>,
}

/// Takes in the records whose line is `wanted`, in the order of the file; the lines of which `wanted` says no are not
/// read as JSON, so that what is damaged among them is not noticed. Memory is bounded by what is taken in.
///
/// # Errors
/// [`Error::Environment`] where the log cannot be read, or what was read cannot be made durable.
pub fn look<F: Fs, T: Default>(
    fs: &F,
    place: &Place,
    wanted: impl Fn(&str) -> bool,
    take_in: impl FnMut(&mut T, Map<String, Value>),
) -> Result<(T, Passed)> {
    look_until(fs, place, u64::MAX, wanted, take_in)
}

/// As [`look`], of the first `until` bytes.
pub(super) fn look_until<F: Fs, T: Default>(
    fs: &F,
    place: &Place,
    until: u64,
    wanted: impl Fn(&str) -> bool,
    mut take_in: impl FnMut(&mut T, Map<String, Value>),
) -> Result<(T, Passed)> {
    let (mut taken, mut passed) = (T::default(), Passed::default());
    scan_where(fs, place, until, wanted, |line| {
        match line.what {
            What::Record { record, .. } => take_in(&mut taken, record),
            What::Damaged(why) => {
                passed.damaged_count += 1;
                if passed.damaged.len() < DAMAGED_NAMED_MAX {
                    let (line, offset, bytes) = (line.number, line.offset, line.bytes);
                    passed.damaged.push(Damaged { line, offset, bytes, why });
                }
            }
            What::Blank | What::Unterminated(_) => {}
        }
        true
    })?;
    Ok((taken, passed))
}

/// Counts what the log at `place` holds.
///
/// # Errors
/// [`Error::Environment`] where it cannot be read.
pub fn check<F: Fs>(fs: &F, place: &Place) -> Result<Checked> {
    check_until(fs, place, u64::MAX)
}

/// As [`check`], of the first `until` bytes.
pub(super) fn check_until<F: Fs>(fs: &F, place: &Place, until: u64) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut seen = HashSet::new();
    scan(fs, place, until, |line| {
        match line.what {
            What::Record { id, .. } => {
                checked.records += 1;
                if !seen.insert(id.clone()) {
                    checked.duplicates.insert(id);
                }
            }
            What::Damaged(why) => {
                checked.damaged_count += 1;
                if checked.damaged.len() < DAMAGED_NAMED_MAX {
                    checked.damaged.push(Damaged {
                        line: line.number,
                        offset: line.offset,
                        bytes: line.bytes,
                        why,
                    });
                }
            }
            What::Unterminated(_) => checked.unterminated_bytes = line.bytes,
            What::Blank => {}
        }
        true
    })?;
    Ok(checked)
}
