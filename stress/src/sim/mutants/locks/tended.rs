//! A lock for work that takes longer than its TTL, with the two things that this needs: the holder renews its grant as
//! it works, and what it writes shows the token of its grant, which the file refuses once it has seen a later one.
//!
//! The lock file is a list of records, of which the last counts, so that a kill takes nothing back and tokens only grow.

use std::io;

use fencehold::fs::{File, Fs, read_from};
use fencehold::host::Clock;

use super::record::{Record, locked};
use super::{LOCK, RESOURCE, TTL_MS};

pub(super) fn acquire<F: Fs>(fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
    let file = locked(fs, LOCK)?;
    let now_ms = host.reading().monotonic_ms;
    let (last, torn) = last(&file)?;
    let held = last.as_ref().is_some_and(|record| !record.lapsed(now_ms));
    let token = last.map_or(0, |record| record.token) + 1;
    let mine = Record { token, ..Record::new(me, now_ms) };
    if !held {
        add(&file, torn, &mine.bytes())?;
    }
    Ok((!held).then_some(mine))
}

/// The grant as renewed; none where another has it by now.
pub(super) fn renew<F: Fs>(fs: &F, host: &impl Clock, mine: &Record) -> io::Result<Option<Record>> {
    let file = locked(fs, LOCK)?;
    let (last, torn) = last(&file)?;
    if last.as_ref() != Some(mine) {
        return Ok(None);
    }
    let renewed = Record { expires_ms: host.reading().monotonic_ms + TTL_MS, ..mine.clone() };
    add(&file, torn, &renewed.bytes())?;
    Ok(Some(renewed))
}

pub(super) fn release<F: Fs>(fs: &F, mine: &Record) -> io::Result<()> {
    let file = locked(fs, LOCK)?;
    let (last, torn) = last(&file)?;
    if last.as_ref() == Some(mine) {
        add(&file, torn, &Record { expires_ms: 0, ..mine.clone() }.bytes())?;
    }
    Ok(())
}

/// Writes a line behind the fence: whether it was let in.
pub(super) fn write_fenced<F: Fs>(fs: &F, mine: &Record) -> io::Result<bool> {
    let file = locked(fs, RESOURCE)?;
    let bytes = read_from(&file, 0, 4096)?;
    let fresh = tokens(&bytes).last().is_none_or(|seen| *seen <= mine.token);
    if fresh {
        add(&file, is_torn(&bytes), &line(mine))?;
    }
    Ok(fresh)
}

/// M51: writes a line whatever has been written since.
pub(super) fn write_blindly<F: Fs>(fs: &F, mine: &Record) -> io::Result<()> {
    let file = locked(fs, RESOURCE)?;
    let torn = is_torn(&read_from(&file, 0, 4096)?);
    add(&file, torn, &line(mine))
}

/// The tokens of the lines of the resource, in the order in which these were written; a line that lacks its end alone
/// will get it from the next writer.
pub(super) fn tokens(bytes: &[u8]) -> Vec<u64> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let whole = lines.filter_map(|line| std::str::from_utf8(line).ok()?.strip_suffix(" written"));
    whole.filter_map(|token| token.parse().ok()).collect()
}

fn line(mine: &Record) -> Vec<u8> {
    format!("{} written\n", mine.token).into_bytes()
}

fn last(file: &impl File) -> io::Result<(Option<Record>, bool)> {
    let bytes = read_from(file, 0, 4096)?;
    Ok((Record::parse(&bytes), is_torn(&bytes)))
}

/// Whether the last line was never ended: its writer was killed.
fn is_torn(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|byte| *byte != b'\n')
}

/// Adds a line of its own.
fn add(file: &impl File, torn: bool, line: &[u8]) -> io::Result<()> {
    let line = if torn { [b"\n", line].concat() } else { line.to_vec() };
    file.append(&line).map(|_| ())
}
