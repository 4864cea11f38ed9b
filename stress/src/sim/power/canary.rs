//! Recoveries that are wrong on purpose, one idea each: a harness that passes one is blind.

use std::io;
use std::path::{Path, PathBuf};

use fencehold::fs::{File as _, Fs as _, How, read_file};
use fencehold::host::Clock as _;
use fencehold_model::chain::{Checksum, verify};
use fencehold_model::record::{read_entry, read_head, write_entry};

use super::Power;
use super::door::PowerFs;
use super::operations::{self, NEXT, Operation, op};
use super::starts;
use super::user::User;
use crate::sim::disk::Persistence;
use crate::sim::workspace::DIR;

/// What the next process does before it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// What the shipped code does.
    Shipped,
    /// It saves what stands behind the last line under one name and cuts it off; the second call saves nothing, over what
    /// the first one saved.
    SavesOver,
    /// Once in a boot, it takes what was saved before for rubbish.
    Sweeps,
    /// It leaves out what is broken, and links what stands behind it to the last whole line.
    PastBreaks,
}

impl Recovery {
    /// Those that must be found.
    pub const CANARIES: [Recovery; 3] = [Recovery::SavesOver, Recovery::Sweeps, Recovery::PastBreaks];

    /// What is added to the name of a case.
    pub(super) fn name(self) -> &'static str {
        match self {
            Recovery::Shipped => "",
            Recovery::SavesOver => ", second-call-wipe",
            Recovery::Sweeps => ", saved-is-rubbish",
            Recovery::PastBreaks => ", past-a-break",
        }
    }

    /// The next process, that recovers so.
    pub(super) fn next(self) -> Operation {
        match self {
            Recovery::Shipped => NEXT,
            Recovery::SavesOver => op("the next process, second-call-wipe", |user| {
                Recovery::SavesOver.recover(user);
                (NEXT.act)(user)
            }),
            Recovery::Sweeps => op("the next process, saved-is-rubbish", |user| {
                Recovery::Sweeps.recover(user);
                (NEXT.act)(user)
            }),
            Recovery::PastBreaks => op("the next process, past-a-break", |user| {
                Recovery::PastBreaks.recover(user);
                (NEXT.act)(user)
            }),
        }
    }

    /// Recovers. It stops where it cannot go on: the shipped code comes next, and says so.
    pub(super) fn recover(self, user: &User) {
        let _ = match self {
            Recovery::Shipped => Ok(()),
            Recovery::SavesOver => save_over(&user.fs),
            Recovery::Sweeps => sweep(&user.fs, user.host.boot().as_str().as_bytes()),
            Recovery::PastBreaks => past_breaks(&user.fs),
        };
    }
}

/// A case for each recovery that is wrong on purpose, in which it does harm.
#[must_use]
pub fn canaries(model: Persistence) -> Vec<Power> {
    Recovery::CANARIES.map(|canary| harmed(model, canary).recovering(canary)).into()
}

/// The case in which a wrong recovery does harm; without it nothing is wrong there.
#[must_use]
pub fn harmed(model: Persistence, canary: Recovery) -> Power {
    let on = |name| starts::all().iter().find(|start| start.name == name).expect("a start that is listed");
    let (start, operation) = match canary {
        // Nobody comes before the one that recovers: the half line is still there.
        Recovery::SavesOver => ("half a line, after a reboot", "look"),
        // The first boot saves the half line.
        Recovery::Shipped | Recovery::Sweeps => ("half a line", "lock acquire"),
        // Of two lines that nobody was told to be durable the second is there.
        Recovery::PastBreaks => ("a hole and a line, after a reboot", "look"),
    };
    Power::new(on(start), model, operations::named(operation), None)
}

fn journal() -> PathBuf {
    Path::new(DIR).join("journal.1.ndjson")
}

fn quarantine() -> PathBuf {
    Path::new(DIR).join("quarantine")
}

fn bytes(fs: &PowerFs) -> io::Result<Vec<u8>> {
    read_file(fs, &journal(), usize::MAX)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn save_over(fs: &PowerFs) -> io::Result<()> {
    let bytes = bytes(fs)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let saved = quarantine().join("tail");
    let saved = match fs.open(&saved, How::Write) {
        Err(_) => fs.open(&saved, How::CreateNew { mode: 0o600 })?,
        there => there?,
    };
    saved.truncate(0)?;
    saved.write_at(0, &bytes[whole..])?;
    saved.sync()?;
    fs.sync_dir(&quarantine())?;
    let journal = fs.open(&journal(), How::Write)?;
    journal.truncate(whole as u64)?;
    journal.sync()
}

fn sweep(fs: &PowerFs, boot: &[u8]) -> io::Result<()> {
    let swept = Path::new(DIR).join("swept");
    if read_file(fs, &swept, usize::MAX)?.is_some_and(|by| by == boot) {
        return Ok(());
    }
    let file = match fs.open(&swept, How::Write) {
        Err(_) => fs.open(&swept, How::CreateNew { mode: 0o600 })?,
        there => there?,
    };
    file.write_at(0, boot)?;
    for name in fs.list(&quarantine())? {
        fs.unlink(&quarantine().join(name))?;
    }
    fs.sync_dir(&quarantine())
}

fn past_breaks(fs: &PowerFs) -> io::Result<()> {
    let before = bytes(fs)?;
    let after = relinked(&before).ok_or(io::ErrorKind::InvalidData)?;
    if after == before {
        return Ok(());
    }
    let journal = fs.open(&journal(), How::Write)?;
    journal.truncate(0)?;
    journal.write_at(0, &after)?;
    journal.sync()
}

/// The lines that are whole, each linked to the one before it.
fn relinked(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split_inclusive('\n');
    let first = lines.next()?;
    let head = read_head(first.strip_suffix('\n')?, 1).ok()?;
    let (mut state, mut prev, mut all) = (head.content.state, head.checksum, first.to_owned());
    for line in lines.filter_map(|line| line.strip_suffix('\n')) {
        // A line that begins with a hole is whole behind it.
        let line = line.trim_start_matches('\0');
        let own = link_of(line).filter(|_| verify(line).is_some());
        let Some(Ok(read)) = own.map(|own| read_entry(line, own, &state)) else { continue };
        let (linked, checksum) = write_entry(&read.content, read.durable, prev);
        all.push_str(&linked);
        state.apply(&read.content);
        prev = checksum;
    }
    Some(all.into_bytes())
}

/// The checksum that a line says it continues from.
fn link_of(line: &str) -> Option<Checksum> {
    let (_, rest) = line.rsplit_once(",\"prev\":\"")?;
    Checksum::from_hex(rest.get(..8)?)
}
