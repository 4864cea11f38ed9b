//! What stands in a workspace folder: ours by its name and kind, or not.

use std::path::{Path, PathBuf};

use super::super::log::imported;
use super::super::{hook, init, plan, settings, union_lines, waiting};
use crate::error::{Error, Result};
use crate::fs::{Kind, RealFs};
use crate::log::is_old_name;

/// Ours whatever is in them.
const FILES: [&str; 8] = [
    "lock",
    "floor.json",
    "synced",
    init::IGNORE,
    settings::FILE,
    hook::FAILED_OPEN,
    union_lines::FILE,
    imported::FILE,
];
/// Copies of damaged bytes stand here, and nowhere else.
const QUARANTINE: &str = "quarantine";

/// What of a workspace folder somebody may miss, a clause each: what is not ours, and what was set aside as damaged.
pub(super) fn missed(dir: &Path) -> Result<Vec<String>> {
    let mut missed = Vec::new();
    for (path, kind) in list(dir)? {
        match (name(&path), kind) {
            (Some("doc"), Kind::Dir) => missed.extend(strange(&path, is_key)?),
            (Some(waiting::FOLDER), Kind::Dir) => missed.extend(strange(&path, waiting::is_name)?),
            (Some(plan::FOLDER), Kind::Dir) => missed.extend(strange(&path, plan::is_name)?),
            (Some("archive"), Kind::Dir) => {
                missed.extend(strange(&path, |name| is_numbered(name) || is_old_name(name))?);
                let old = list(&path)?.into_iter().filter(|(path, _)| name(path).is_some_and(is_old_name));
                missed.extend(old.map(|(path, _)| {
                    format!("{} is a log as it was before it was compacted", path.display())
                }));
            }
            (Some(QUARANTINE), Kind::Dir) => {
                let copies = list(&path)?.into_iter().filter(|(path, _)| !name(path).is_some_and(is_temp));
                missed.extend(copies.map(|(path, _)| {
                    format!("{} is what was set aside as damaged, and perhaps the only copy", path.display())
                }));
            }
            (Some(name), Kind::File) if is_file_of_ours(name) => {}
            _ => missed.push(foreign(&path)),
        }
    }
    missed.sort();
    Ok(missed)
}

/// What stands in a folder of ours that is not called as ours are.
fn strange(dir: &Path, is_ours: fn(&str) -> bool) -> Result<Vec<String>> {
    let known = |(path, kind): &(PathBuf, Kind)| {
        *kind == Kind::File && name(path).is_some_and(|name| is_temp(name) || is_ours(name))
    };
    let entries = match list(dir) {
        // Gone since it was listed itself, as `waiting` goes with the last who waits.
        Err(error) if error.is_not_found() => Vec::new(),
        listed => listed?,
    };
    Ok(entries.iter().filter(|entry| !known(entry)).map(|(path, _)| foreign(path)).collect())
}

fn foreign(path: &Path) -> String {
    format!("{} is not fencehold's", path.display())
}

fn list(dir: &Path) -> Result<Vec<(PathBuf, Kind)>> {
    RealFs.entries(dir).map_err(|error| Error::environment("listing", dir, error))
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

fn is_file_of_ours(name: &str) -> bool {
    FILES.contains(&name) || is_numbered(name) || hook::is_kept(name) || is_temp(name)
}

/// `journal.7.ndjson`, `journal.7.condemned`, `leases.7.ndjson`.
fn is_numbered(name: &str) -> bool {
    let mut parts = name.split('.');
    let (what, number, end) = (parts.next(), parts.next(), parts.next());
    let known = matches!(
        (what, end),
        (Some("journal"), Some("ndjson" | "condemned")) | (Some("leases"), Some("ndjson"))
    );
    known && parts.next().is_none() && number.is_some_and(is_number)
}

/// The lock and mark of a file: the device and inode of its folder, and its name.
fn is_key(name: &str) -> bool {
    let mut parts = name.splitn(3, '-');
    parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number) && parts.next().is_some()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a killed process left half written.
fn is_temp(name: &str) -> bool {
    name.starts_with('.') && name.contains(".fencehold-")
}
