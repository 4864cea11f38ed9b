//! `merge=union` for a log, in the checkout's own attributes: two branches that each appended a line are merged with
//! both, where git would else call it a conflict (gitattributes(5), *merge*).
//!
//! Invariants: a line is added once; what else stands there stays; a failure never fails the append. Who adds the line
//! makes it durable, and its file and folder, whoever made them: their maker may have been killed before its syncs. Who
//! finds the line there does not: what a killed one left may be lost with the power, and the next append adds it again.

use std::io;
use std::path::{Path, PathBuf};

use super::Note;
use crate::document::new_file_mode;
use crate::fs::{File, Fs, How, append_all, read_from};

/// More than any attributes file that a person reads.
const ATTRIBUTES_BYTES_MAX: usize = 1 << 20;

/// The git checkout that a log stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitCheckout {
    /// The common directory: `.git` of the main worktree, whichever worktree this is.
    pub common_dir: PathBuf,
    /// The top of this worktree, without symlinks.
    pub top: PathBuf,
}

impl GitCheckout {
    /// The attributes of all worktrees that are not committed (gitattributes(5), *FILES*).
    pub(crate) fn attributes(&self) -> PathBuf {
        self.common_dir.join("info").join("attributes")
    }
}

/// The line for the file at `path`, without its newline; none for one outside of the worktree.
pub(crate) fn union_line(git: &GitCheckout, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(&git.top).ok()?.to_str()?;
    Some(format!("{} merge=union", pattern(relative)))
}

/// Makes git unite the lines of the file at `path`. Nothing is done where the file is outside the worktree or the
/// line is there already. The caller holds the lock of the file.
pub fn union_merge<F: Fs>(fs: &F, git: &GitCheckout, path: &Path) -> Option<Note> {
    let attributes = git.attributes();
    let line = format!("{}\n", union_line(git, path)?);
    let (line_is, error) = match add(fs, &attributes, &line) {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => ("added, and may be lost with the power", error),
        Err(error) => ("not added", error),
    };
    Some(Note(format!(
        "`{}` was {line_is}, in {}: {error}; without it git calls appends of two branches a conflict",
        line.trim_end(),
        attributes.display()
    )))
}

/// Adds the line where it is missing; within, whether it is durable then.
fn add<F: Fs>(fs: &F, path: &Path, line: &str) -> io::Result<io::Result<()>> {
    let (info, common_dir) = folders(path)?;
    let file = match fs.open(path, How::Append) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(fs, path)?,
        opened => opened?,
    };
    let old = read_from(&file, 0, ATTRIBUTES_BYTES_MAX)?;
    if old.split_inclusive(|&byte| byte == b'\n').any(|old| old.trim_ascii() == line.trim_ascii().as_bytes())
    {
        return Ok(Ok(()));
    }
    let torn = !old.is_empty() && !old.ends_with(b"\n");
    append_all(&file, format!("{}{line}", if torn { "\n" } else { "" }).as_bytes())?;
    Ok(file.sync().and_then(|()| fs.sync_dir(info)).and_then(|()| fs.sync_dir(common_dir)))
}

/// The folder of the attributes, and the one that it stands in.
fn folders(path: &Path) -> io::Result<(&Path, &Path)> {
    let info = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((info, info.parent().ok_or(io::ErrorKind::InvalidInput)?))
}

fn create<F: Fs>(fs: &F, path: &Path) -> io::Result<F::File> {
    let (info, common_dir) = folders(path)?;
    let mode = fs.stat(common_dir)?.ok_or(io::ErrorKind::NotFound)?.mode;
    match fs.make_dir(info, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    match fs.open(path, How::CreateNew { mode: new_file_mode(mode) }) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs.open(path, How::Append),
        created => created,
    }
}

/// A pattern that matches this one file: anchored at the top by its slash, what is special escaped, and quoted as a C
/// string where white space would end it.
fn pattern(relative: &str) -> String {
    let mut glob = String::from("/");
    for char in relative.chars() {
        if matches!(char, '\\' | '*' | '?' | '[') {
            glob.push('\\');
        }
        glob.push(char);
    }
    if !glob.contains(|char: char| char.is_whitespace() || char.is_control() || char == '"') {
        return glob;
    }
    let mut quoted = String::from("\"");
    for char in glob.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
