//! Which plan files are meant: files, folders and globs, led to each file once.
//!
//! Invariants: a walk enters no folder of git, no workspace, no other repository, and no link, and ends; a file that was
//! named is looked at whatever it is, one that was walked to only where it is called `*.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fencehold_model::Pattern;

use super::super::session::Session;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, Kind, RealFs};
use crate::mark::{Last, Place};

/// The most files of one run.
const FILES_MAX: usize = 100_000;
/// The most entries that a walk looks at.
const ENTRIES_MAX: usize = 4_000_000;
/// How deep a walk goes.
const DEPTH_MAX: usize = 64;

/// A plan file.
#[derive(Debug, Clone)]
pub(super) struct PlanFile {
    pub(super) place: Place,
    /// Its path from the top of the worktree; what it is called in answers and in what is remembered.
    pub(super) name: String,
}

/// The files that these paths mean, in the order of their names.
pub(super) fn files(session: &Session, paths: &[PathBuf]) -> Result<Vec<PlanFile>> {
    let base = session.base()?;
    let mut found = BTreeMap::new();
    for path in paths {
        let at = base.join(path);
        match kind(&at)? {
            Some(Kind::Dir) => walk(session, &at, None, &mut found)?,
            Some(Kind::File) => add(session, &at, &mut found)?,
            Some(Kind::Symlink) => match RealFs.resolve(&at) {
                Ok(real) if kind(&real)? == Some(Kind::Dir) => walk(session, &real, None, &mut found)?,
                _ => return Err(not(path, "is a symbolic link; name what it leads to")),
            },
            Some(Kind::Other) => return Err(not(path, "is no regular file")),
            None => glob(session, path, &at, &mut found)?,
        }
    }
    Ok(found.into_values().collect())
}

fn not(path: &Path, why: &str) -> Error {
    Error::usage(format!("{} {why}; nothing was changed", path.display()))
}

fn kind(path: &Path) -> Result<Option<Kind>> {
    let stat = RealFs.stat(path).map_err(|error| Error::environment("looking at", path, error))?;
    Ok(stat.map(|stat| stat.kind))
}

fn add(session: &Session, path: &Path, found: &mut BTreeMap<String, PlanFile>) -> Result<()> {
    let place = session.rooted()?.locate(&session.fs, path, Last::Refuse)?;
    let at = place.path();
    let root = session.rooted()?;
    let below = at.strip_prefix(root.root()).unwrap_or(&at);
    let Some(name) = below.to_str() else { return Err(not(path, "is not called by UTF-8")) };
    found.insert(name.to_owned(), PlanFile { name: name.to_owned(), place });
    match found.len() {
        0..=FILES_MAX => Ok(()),
        _ => Err(Error::usage(format!("more than {FILES_MAX} files; name fewer. Nothing was changed"))),
    }
}

/// The files that a text with wildcards covers, from the deepest folder that it names on.
fn glob(session: &Session, typed: &Path, at: &Path, found: &mut BTreeMap<String, PlanFile>) -> Result<()> {
    let missing = || not(typed, "is not there");
    let root = session.rooted()?;
    let below = at.strip_prefix(root.root()).map_err(|_| missing())?.to_str().ok_or_else(missing)?;
    let pattern = Pattern::new(below).map_err(|bad| not(typed, &format!("is no glob: {bad}")))?;
    if !pattern.is_glob() {
        return Err(missing());
    }
    let from = root.root().join(pattern.prefix());
    let before = found.len();
    if kind(&from)? == Some(Kind::Dir) {
        walk(session, &from, Some(&pattern), found)?;
    }
    if found.len() == before {
        return Err(not(typed, "meets no file"));
    }
    Ok(())
}

fn walk(
    session: &Session,
    top: &Path,
    pattern: Option<&Pattern>,
    found: &mut BTreeMap<String, PlanFile>,
) -> Result<()> {
    let root = session.rooted()?.root().to_owned();
    let mut folders = vec![(top.to_owned(), 0)];
    let mut looked_at = 0;
    while let Some((folder, depth)) = folders.pop() {
        let mut entries =
            RealFs.entries(&folder).map_err(|error| Error::environment("listing", &folder, error))?;
        let is_git = |(path, _): &(PathBuf, Kind)| path.file_name().is_some_and(|name| name == ".git");
        if depth > 0 && entries.iter().any(is_git) {
            continue;
        }
        looked_at += entries.len();
        if looked_at > ENTRIES_MAX || depth > DEPTH_MAX {
            return Err(Error::usage(format!(
                "{}: more than {ENTRIES_MAX} entries, or deeper than {DEPTH_MAX} folders; name the folders that plans \
                 are in. Nothing was changed",
                top.display()
            )));
        }
        entries.retain(|entry| !is_git(entry) && entry.0 != session.place.dir);
        for (path, kind) in entries {
            let is_markdown = path.extension().is_some_and(|extension| extension == "md");
            let is_covered = |pattern: &Pattern| {
                path.strip_prefix(&root)
                    .ok()
                    .and_then(Path::to_str)
                    .is_some_and(|below| pattern.covers(below))
            };
            match kind {
                Kind::Dir => folders.push((path, depth + 1)),
                Kind::File if pattern.map_or(is_markdown, is_covered) => add(session, &path, found)?,
                _ => {}
            }
        }
    }
    Ok(())
}
