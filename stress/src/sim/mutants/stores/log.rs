//! The log: a record is a line `id text end`, and exists when its newline does.
//!
//! Done with care: under the OS lock of the log, an id is one more than the highest that was ever begun, and a record
//! begins on a line of its own. A reader takes no lock and passes over what is no record.

use std::path::Path;

use fencehold::fs::{Fs, How, read_from};

use super::Defect;
use super::client::{Client, Trouble, append_whole, locked};
use super::starts::LOG;

/// The most bytes of a log here.
const BYTES_MAX: usize = 64 * 1024;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) text: String,
}

impl Record {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (id, text, end) = (words.next()?, words.next()?, words.next()?);
        let whole = end == "end" && words.next().is_none();
        Some(Record { id: id.parse().ok()?, text: text.to_owned() }).filter(|_| whole)
    }
}

/// The records of a log, what is no record left out.
pub(super) fn records(bytes: &[u8]) -> Vec<Record> {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive('\n').filter_map(|line| Record::parse(line.strip_suffix('\n')?)).collect()
}

impl<F: Fs> Client<F> {
    /// Appends a record; its id.
    pub(super) fn append(&self, text: &str) -> Result<u64, Trouble> {
        let file = self.fs.open(Path::new(LOG), How::Append)?;
        let counted = match self.is(Defect::LengthId) {
            true => Some(
                read_from(&file, 0, BYTES_MAX)?.split_inclusive(|byte| *byte == b'\n').count() as u64 + 1,
            ),
            false => None,
        };
        locked(&file)?;
        let there = read_from(&file, 0, BYTES_MAX)?;
        let id = counted.unwrap_or_else(|| highest(&there) + 1);
        let torn = there.last().is_some_and(|byte| *byte != b'\n') && !self.is(Defect::TornTailGlue);
        let line = format!("{}{id} {text} end\n", if torn { "\n" } else { "" });
        append_whole(&file, line.as_bytes()).map(|()| id)
    }

    /// Reads the records, without a lock.
    pub(super) fn records(&self) -> Result<Vec<Record>, Trouble> {
        let file = self.fs.open(Path::new(LOG), How::Read)?;
        let bytes = read_from(&file, 0, BYTES_MAX)?;
        let mut all = records(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let Some(tail) = text.split_inclusive('\n').next_back().filter(|line| !line.ends_with('\n')) else {
            return Ok(all);
        };
        if self.is(Defect::TailThrows) {
            Record::parse(tail).ok_or_else(|| Trouble::Unreadable(format!("{tail:?} is no record")))?;
        }
        if self.is(Defect::TailReturned) {
            let mut words = tail.split(' ');
            let id = words.next().and_then(|id| id.parse().ok()).unwrap_or(0);
            all.push(Record { id, text: words.next().unwrap_or("").to_owned() });
        }
        Ok(all)
    }
}

/// The highest id that stands there: of a last line without its newline too, which the next writer ends.
fn highest(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(Record::parse).map(|record| record.id).max().unwrap_or(0)
}
