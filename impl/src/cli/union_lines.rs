//! Which lines of git's attributes our logs added: kept in the workspace folder before one is added, so that `deinit`
//! takes out those and no other.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, read_file};
use crate::log::{GitCheckout, union_line};

/// Its name in the workspace folder.
pub(super) const FILE: &str = "union-lines.ndjson";
/// More than a checkout has logs.
const BYTES_MAX: usize = 16 << 20;
/// The longest attributes that are read.
const ATTRIBUTES_BYTES_MAX: usize = 1 << 20;

/// A line that was added, and what was made for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) line: String,
    /// The line before had no newline, and was given one.
    pub(super) torn: bool,
    /// There was no file.
    pub(super) made_file: bool,
    /// There was no folder for it.
    pub(super) made_info: bool,
}

/// Notes that the log at `path` is about to add its line, unless it stands. Where that fails the line will stay after a
/// `deinit`, which fails no append.
pub(super) fn note(fs: RealFs, workspace: &Path, git: &GitCheckout, path: &Path) {
    let _ = try_note(fs, workspace, git, path);
}

fn try_note(fs: RealFs, workspace: &Path, git: &GitCheckout, path: &Path) -> io::Result<()> {
    let Some(line) = union_line(git, path) else { return Ok(()) };
    let attributes = git.attributes();
    let old = read_file(&fs, &attributes, ATTRIBUTES_BYTES_MAX)?;
    let made_file = old.is_none();
    let old = old.unwrap_or_default();
    if old.split(|byte| *byte == b'\n').any(|old| old.trim_ascii() == line.trim_ascii().as_bytes()) {
        return Ok(());
    }
    let made_info = match attributes.parent() {
        Some(info) => fs.stat(info)?.is_none(),
        None => false,
    };
    let torn = !old.is_empty() && !old.ends_with(b"\n");
    let record = json!({ "line": line, "torn": torn, "made_file": made_file, "made_info": made_info });
    let notes = workspace.join(FILE);
    let file = match fs.open(&notes, How::Append) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mode = fs.stat(workspace)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600);
            match fs.open(&notes, How::CreateNew { mode }) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs.open(&notes, How::Append)?,
                created => created?,
            }
        }
        opened => opened?,
    };
    append_all(&file, format!("{record}\n").as_bytes())?;
    file.sync()?;
    fs.sync_dir(workspace)
}

/// The lines that were noted; what is no note is passed over, and its line stays.
pub(super) fn added(fs: RealFs, workspace: &Path) -> Result<Vec<Added>> {
    let path = workspace.join(FILE);
    let bytes =
        read_file(&fs, &path, BYTES_MAX).map_err(|error| Error::environment("reading", &path, error))?;
    let bytes = bytes.unwrap_or_default();
    let notes =
        bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let read = |note: Value| {
        let line = note["line"].as_str()?.to_owned();
        let flag = |name: &str| note[name] == true;
        Some(Added { line, torn: flag("torn"), made_file: flag("made_file"), made_info: flag("made_info") })
    };
    Ok(notes.filter_map(read).collect())
}

/// The attributes without the lines that were added, and those lines.
pub(super) fn without(attributes: &[u8], added: &[Added]) -> (Vec<u8>, Vec<String>) {
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    let mut torn_at = None;
    for line in attributes.split_inclusive(|byte| *byte == b'\n') {
        let ours = |added: &&Added| {
            line.strip_suffix(b"\n").unwrap_or(line) == added.line.as_bytes()
                && !removed.contains(&added.line)
        };
        match added.iter().find(ours) {
            Some(added) => {
                removed.push(added.line.clone());
                torn_at = torn_at.or(added.torn.then_some(kept.len()));
            }
            None => kept.extend_from_slice(line),
        }
    }
    // The newline that the first of them was given room by.
    if torn_at.is_some_and(|at| at == kept.len()) && kept.last() == Some(&b'\n') {
        kept.pop();
    }
    (kept, removed)
}

#[cfg(test)]
mod tests {
    use super::{Added, without};

    fn added(line: &str, torn: bool) -> Added {
        Added { line: line.to_owned(), torn, made_file: false, made_info: false }
    }

    #[test]
    fn our_lines_go_and_the_others_stay_byte_for_byte() {
        let (a, b) = (added("/a merge=union", true), added("/b merge=union", false));
        for (before, after) in [
            ("/a merge=union\n/b merge=union\n", ""),
            ("*.c diff\n/a merge=union\n/b merge=union\n", "*.c diff"),
            ("*.c diff\n/a merge=union\n*.h diff\n/b merge=union\n", "*.c diff\n*.h diff\n"),
            // Edited, or written twice: not ours.
            (" /a merge=union\n/b merge=union # mine\n", " /a merge=union\n/b merge=union # mine\n"),
            ("/b merge=union\n/b merge=union\n", "/b merge=union\n"),
            ("/c merge=union", "/c merge=union"),
        ] {
            let (kept, _) = without(before.as_bytes(), &[a.clone(), b.clone()]);
            assert_eq!(String::from_utf8(kept).unwrap(), after, "{before:?}");
        }
    }
}
