//! The names in a workspace folder.

use std::io;
use std::path::{Path, PathBuf};

use fencehold_model::NUMBER_BOUND;

use crate::fs::{Fs, Kind};

pub(super) const LOCK: &str = "lock";
pub(super) const FLOOR: &str = "floor.json";
pub(super) const SYNCED: &str = "synced";
pub(super) const ARCHIVE: &str = "archive";
pub(super) const QUARANTINE: &str = "quarantine";
pub(super) const DOC: &str = "doc";

/// The folders in a workspace folder.
pub const FOLDERS: [&str; 3] = [DOC, ARCHIVE, QUARANTINE];

/// The name of journal file `n`.
pub(super) fn journal_name(n: u64) -> String {
    format!("journal.{n}.ndjson")
}

/// The journal file `n` in `dir`.
pub(super) fn journal_path(dir: &Path, n: u64) -> PathBuf {
    dir.join(journal_name(n))
}

/// The part of the index of ended leases that was written as journal file `n` began.
pub(super) fn ended_name(n: u64) -> String {
    format!("leases.{n}.ndjson")
}

/// The numbers of the parts in `dir`, rising; none where there is no such folder.
pub(super) fn ended_numbers<F: Fs>(fs: &F, dir: &Path) -> io::Result<Vec<u64>> {
    let names = match fs.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name, "leases.")).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The mark left beside journal file `n` by whoever saw a sync of it fail.
pub(super) fn condemned_path(dir: &Path, n: u64) -> PathBuf {
    dir.join(format!("journal.{n}.condemned"))
}

/// The `n` of a journal file's name.
pub(super) fn journal_number(name: &str) -> Option<u64> {
    number(name, "journal.")
}

fn number(name: &str, prefix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(".ndjson")?;
    digits.parse().ok().filter(|n: &u64| *n < NUMBER_BOUND && n.to_string() == digits)
}

/// The numbers of the journal files in `dir`, rising.
pub(super) fn journal_numbers<F: Fs>(fs: &F, dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> = fs.list(dir)?.iter().filter_map(|name| journal_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether a workspace stands at `dir`: a folder with a `lock`, a floor or a journal. What of these is missing then is
/// damage; an empty folder is none.
///
/// # Errors
/// Where the folder cannot be looked at.
pub fn is_workspace<F: Fs>(fs: &F, dir: &Path) -> io::Result<bool> {
    match fs.stat(dir)? {
        Some(stat) if stat.kind == Kind::Dir => {
            let known = |name: &String| name == LOCK || name == FLOOR || journal_number(name).is_some();
            Ok(fs.list(dir)?.iter().any(known))
        }
        _ => Ok(false),
    }
}
