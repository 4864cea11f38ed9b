//! How far an open journal file is known to be durable, and of which of its lines a sync may say so.
//!
//! Invariants: everything before `end` is durable; the lines behind it are the ones that were folded, in order. A sync
//! proves only what was written after its own description was opened: Linux reports a writeback error once to each
//! description that was open then, and calls the pages clean (fsync(2), ERRORS; lib/errseq.c). So lines that may be
//! older are written over with the same bytes before a sync of this description counts for them.

use std::collections::VecDeque;
use std::ops::Range;

use fencehold_model::Revision;
use fencehold_model::chain::{self, Checksum};

/// What is known of the lines of one open file.
#[derive(Debug)]
pub(super) struct Proof {
    /// Everything before this offset is durable.
    end: u64,
    /// The last revision before it.
    revision: Revision,
    /// The lines behind it.
    lines: VecDeque<Line>,
    /// A line that begins before this offset may have been written before the description was opened.
    opened_end: u64,
}

/// One folded line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Offset of its end.
    pub(super) end: u64,
    pub(super) revision: Revision,
    pub(super) checksum: Checksum,
}

impl Proof {
    /// Of a file whose line one, which was synced before the file had its name, ends at `end`; the description was
    /// opened when the file had `opened_end` bytes.
    pub(super) fn of_line_one(end: u64, revision: Revision, opened_end: u64) -> Self {
        Proof { end, revision, lines: VecDeque::new(), opened_end }
    }

    /// One more line was folded, or written.
    pub(super) fn push(&mut self, line: Line) {
        debug_assert!(
            line.end > self.lines.back().map_or(self.end, |last| last.end),
            "lines follow each other"
        );
        self.lines.push_back(line);
    }

    /// Everything before `offset` is durable.
    pub(super) fn up_to(&mut self, offset: u64) {
        while let Some(line) = self.lines.pop_front_if(|line| line.end <= offset) {
            self.end = line.end;
            self.revision = line.revision;
        }
    }

    /// Every line is durable.
    pub(super) fn all(&mut self) {
        self.up_to(u64::MAX);
    }

    /// Whether every line is known to be durable.
    pub(super) fn is_whole(&self) -> bool {
        self.lines.is_empty()
    }

    /// Offset up to which everything is known to be durable.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The last revision that is known to be durable.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// The lines that a sync of this description says nothing of, as a range of bytes; none where it counts for all.
    pub(super) fn unheard(&self) -> Option<Range<u64>> {
        let starts = std::iter::once(self.end).chain(self.lines.iter().map(|line| line.end));
        let unheard = self.lines.iter().zip(starts).take_while(|(_, start)| *start < self.opened_end);
        unheard.last().map(|(line, _)| self.end..line.end)
    }

    /// Whether `bytes`, read at `end`, are the lines that were folded from there.
    pub(super) fn are_the_lines(&self, bytes: &[u8]) -> bool {
        let mut start = 0;
        for line in &self.lines {
            let Ok(end) = usize::try_from(line.end - self.end) else { return false };
            if start == bytes.len() {
                return true;
            }
            let text = bytes.get(start..end).and_then(|bytes| bytes.strip_suffix(b"\n"));
            let text = text.and_then(|text| std::str::from_utf8(text).ok());
            if text.and_then(chain::verify) != Some(line.checksum) {
                return false;
            }
            start = end;
        }
        start == bytes.len()
    }

    /// What stood behind the last line was cut off: whatever comes there is younger than the description.
    pub(super) fn cut_off(&mut self) {
        self.opened_end = self.opened_end.min(self.lines.back().map_or(self.end, |last| last.end));
    }

    /// They were written over, all of them: a sync of this description counts for every line.
    pub(super) fn rewritten(&mut self) {
        self.opened_end = 0;
    }
}
