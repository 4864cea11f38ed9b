//! What stands in a lock file, and the small steps that the protocols are made of.

use std::io;
use std::path::Path;
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, read_file};

use super::{LOCK, TTL_MS};

/// What stands in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it.
    pub holder: String,
    /// When it lapses, by the clock that the protocol goes by.
    pub expires_ms: u64,
    /// Which grant it is, where the protocol counts them.
    pub token: u64,
}

impl Record {
    pub(super) fn new(holder: &str, now_ms: u64) -> Self {
        Record { holder: holder.to_owned(), expires_ms: now_ms + TTL_MS, token: 0 }
    }

    pub(super) fn lapsed(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        format!("{} {} {}\n", self.holder, self.expires_ms, self.token).into_bytes()
    }

    /// A record exists when its newline does. Of several lines the last whole one counts.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let lines = std::str::from_utf8(bytes).ok()?.split_inclusive('\n');
        lines.filter_map(Self::of_line).next_back()
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.strip_suffix('\n')?.split(' ');
        let (holder, expires_ms, token) = (words.next()?, words.next()?, words.next()?);
        Some(Record {
            holder: holder.to_owned(),
            expires_ms: expires_ms.parse().ok()?,
            token: token.parse().ok()?,
        })
    }
}

/// Creates the lock file with a record; whether it was this call that created it.
pub(super) fn create<F: Fs>(fs: &F, record: &Record) -> io::Result<bool> {
    match fs.open(Path::new(LOCK), How::CreateNew { mode: 0o600 }) {
        Ok(file) => file.append(&record.bytes()).map(|_| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn read<F: Fs>(fs: &F) -> io::Result<Option<Record>> {
    Ok(read_file(fs, Path::new(LOCK), 4096)?.as_deref().and_then(Record::parse))
}

pub(super) fn unlink_if_there<F: Fs>(fs: &F) -> io::Result<()> {
    match fs.unlink(Path::new(LOCK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens `path` and waits for its OS lock.
pub(super) fn locked<F: Fs>(fs: &F, path: &str) -> io::Result<F::File> {
    let file = fs.open(Path::new(path), How::Append)?;
    match file.lock(LockMode::Exclusive, Duration::MAX) {
        Ok(()) => Ok(file),
        Err(LockError::TimedOut) => Err(io::ErrorKind::TimedOut.into()),
        Err(LockError::Io(error)) => Err(error),
    }
}
