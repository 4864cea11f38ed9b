//! The settings files that ask us, as far as they are known: the harnesses' own ones of this worktree and of the main
//! one, and those that an install has left word of.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::session::Session;
use super::before;
use super::git_hooks;
use super::install::remove_from;
use super::wired::commands;
use crate::document::DOCUMENT_BYTES_MAX;
use crate::error::{Error, Result};
use crate::fs::{RealFs, read_file};
use crate::locate::{self, Start};

/// The harnesses' own settings that are not committed, from the top of a worktree.
pub(super) const CLAUDE: &str = ".claude/settings.local.json";
/// The same of Codex.
pub(super) const CODEX: &str = ".codex/hooks.json";

/// What asks us: a settings file, or a folder of git's hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Asking {
    /// A harness's settings.
    Settings(PathBuf),
    /// Git's hooks.
    Git(PathBuf),
}

impl Asking {
    /// Where it asks from.
    pub(in super::super) fn path(&self) -> &Path {
        let (Asking::Settings(path) | Asking::Git(path)) = self;
        path
    }

    /// What it is, and the command that ends it.
    pub(in super::super) fn told(&self) -> String {
        match self {
            Asking::Settings(file) => {
                let folder = file.parent().unwrap_or(file).display();
                let shown = file.display();
                format!(
                    "{shown} asks before each tool call: `fencehold --root {folder} hook uninstall --settings {shown}`"
                )
            }
            Asking::Git(dir) => {
                format!("{} asks before each commit or push: `fencehold hook uninstall --git`", dir.display())
            }
        }
    }
}

/// All that asks us.
pub(in super::super) fn installed(session: &Session) -> Result<Vec<Asking>> {
    let git = git_hooks::installed(&session.place.dir)?;
    Ok(settings(session)?.into_iter().map(Asking::Settings).chain(git.into_iter().map(Asking::Git)).collect())
}

/// The settings that ask us. One that names us and cannot be read counts: whether it asks cannot be told.
fn settings(session: &Session) -> Result<Vec<PathBuf>> {
    let tops = [Some(&session.place.root), session.place.main_worktree.as_ref()];
    let own = tops.into_iter().flatten().flat_map(|top| [top.join(CLAUDE), top.join(CODEX)]);
    let mut files: Vec<PathBuf> = own.chain(before::files(&session.place.dir)?).collect();
    files.sort();
    files.dedup();
    let mut asking = Vec::new();
    for file in files {
        let read = read_file(&RealFs, &file, DOCUMENT_BYTES_MAX);
        let Some(bytes) = read.map_err(|error| Error::environment("reading", &file, error))? else {
            continue;
        };
        let asks = match serde_json::from_slice::<Value>(&bytes) {
            Ok(settings) => commands(&settings).next().is_some(),
            Err(_) => String::from_utf8_lossy(&bytes).contains("fencehold"),
        };
        if asks {
            asking.push(file);
        }
    }
    Ok(asking)
}

/// Uninstalls from one of them, which may be another worktree's.
pub(in super::super) fn uninstall(session: &Session, asking: &Asking) -> Result<()> {
    match asking {
        Asking::Settings(file) => uninstall_settings(session, file),
        Asking::Git(dir) => git_hooks::remove(session, dir).map(|_| ()),
    }
}

fn uninstall_settings(session: &Session, file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    let place = locate::locate(&RealFs, Start { at: folder, git_dir: None })?;
    if place.dir != session.place.dir {
        return Err(Error::usage(format!(
            "{} asks fencehold, and belongs to another workspace, {}; take the hooks out there",
            file.display(),
            place.dir.display()
        )));
    }
    remove_from(&Session::at(RealFs, session.out, place)?, file).map(|_| ())
}
