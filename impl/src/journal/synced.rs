//! `synced`: how far the current file is known to be durable, told from one process to the next.
//!
//! It is a hint that saves syncs, volatile and never synced itself: the loss of it costs a sync and nothing else.
//! Invariants: it is written only by who knows what it says: everything before `end` was synced, the directory entries
//! of the file with it, and `floor.json` when that said `floor`. It counts in the boot, for the file (its number, device
//! and inode, and the checksum of its line one) that it names; one that is torn, damaged or unreadable counts as absent.

use std::path::PathBuf;

use fencehold_model::chain::{self, Checksum};
use fencehold_model::id::BootId;
use fencehold_model::json::{Fields, Malformed, Tree, Writer};
use fencehold_model::{NUMBER_BOUND, Revision};

use super::file::{FileJournal, Inner};
use super::layout;
use super::tail::Tail;
use crate::fs::{File as _, Fs, How};
use crate::host::Host;

/// The longest line: every field is bounded far below, so that it lies in one page.
const BYTES_MAX: usize = 1024;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Synced {
    boot: BootId,
    n: u64,
    /// Device and inode, as `dev:ino`: what a copy brings along is none of its own.
    file: String,
    /// The checksum of line one.
    head: Checksum,
    /// Everything before this offset is durable.
    end: u64,
    /// `floor.json` is durable as it says this; 0 where that is not known.
    floor: Revision,
}

impl Synced {
    fn line(&self) -> String {
        let mut line = String::with_capacity(192);
        let mut to = Writer::new(&mut line);
        to.text("boot", self.boot.as_str()).number("n", self.n).text("file", &self.file);
        to.text("head", &self.head.hex()).number("end", self.end).number("floor", self.floor);
        chain::seal(&mut line);
        line
    }

    /// What the first line of `bytes` says; none where it is not whole.
    fn read(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|byte| *byte == b'\n').next().filter(|line| line.len() < bytes.len())?;
        let line = std::str::from_utf8(line).ok()?;
        chain::verify(line)?;
        Self::parse(&serde_json::from_str(line).ok()?).ok().flatten()
    }

    fn parse(value: &Tree<'_>) -> Result<Option<Self>, Malformed> {
        let fields = Fields::of(value)?;
        let Some(head) = Checksum::from_hex(fields.text("head")?) else { return Ok(None) };
        Ok(Some(Synced {
            boot: fields.id("boot")?,
            n: fields.number("n")?,
            file: fields.text("file")?.to_owned(),
            head,
            end: fields.number("end")?,
            floor: fields.number("floor")?,
        }))
    }
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Takes over what `synced` says of the file at hand. Where it says that more is durable than was read: up to where.
    pub(super) fn learn(&self, inner: &mut Inner<F>) -> Option<u64> {
        let tail = inner.tail.as_mut()?;
        tail.learned = true;
        let said = self.said(tail)?;
        tail.entries_durable = true;
        tail.floor_durable = tail.floor_durable.max(said.floor);
        tail.durable_end = tail.durable_end.max(said.end);
        tail.proof.up_to(said.end);
        (said.end > tail.end).then_some(said.end)
    }

    /// Tells the next process what this one knows. Where that fails, the next one syncs once more.
    pub(super) fn tell(&self, inner: &mut Inner<F>) {
        let floor = inner.floor;
        let Some(tail) = inner.tail.as_mut().filter(|_| !self.relaxed()) else { return };
        if !tail.entries_durable || tail.proof.end() >= NUMBER_BOUND {
            return;
        }
        tail.floor_durable = tail.floor_durable.max(floor);
        let says = self.says(tail);
        // One that says as much may be newer: it is left, so that what two processes tell does not go back and forth.
        if self.said(tail).is_some_and(|said| said.end >= says.end && said.floor >= says.floor) {
            return;
        }
        if !tail.writable || tail.synced.is_none() {
            tail.synced = self.make_synced();
        }
        if let Some(synced) = &tail.synced {
            let _ = synced.write_at(0, says.line().as_bytes());
        }
    }

    fn says(&self, tail: &Tail<F>) -> Synced {
        Synced {
            boot: self.host.boot(),
            n: tail.n,
            file: tail.id.to_string(),
            head: tail.head,
            end: tail.proof.end(),
            floor: tail.floor_durable,
        }
    }

    /// What the file says of `tail`, if it does.
    fn said(&self, tail: &mut Tail<F>) -> Option<Synced> {
        if tail.synced.is_none() {
            // A reader writes nothing, and need not be allowed to.
            let how = if tail.writable { How::Write } else { How::Read };
            tail.synced = self.fs.open(&self.synced_path(), how).ok();
        }
        let mut bytes = [0; BYTES_MAX];
        let count = tail.synced.as_ref()?.read_at(0, &mut bytes).ok()?;
        let said = Synced::read(&bytes[..count])?;
        let about = Synced { end: said.end, floor: said.floor, ..self.says(tail) };
        (said == about).then_some(said)
    }

    fn make_synced(&self) -> Option<F::File> {
        let path = self.synced_path();
        // What it is created with writes at the end, wherever it is told to (pwrite(2), BUGS).
        drop(self.fs.open(&path, How::CreateNew { mode: self.file_mode().ok()? }));
        self.fs.open(&path, How::Write).ok()
    }

    fn synced_path(&self) -> PathBuf {
        self.dir.join(layout::SYNCED)
    }
}
