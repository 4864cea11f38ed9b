//! Everything of `plan` that talks to git.
//!
//! Invariants:
//! - no call waits for ever, and none asks anybody anything ([`process`]);
//! - what cannot be told is a state of its own, never that of a branch in step;
//! - a commit holds exactly one file, and what the user has staged is staged after it as it was before.
//!
//! The order of a fix: [`Repo::at`], where asked for [`Repo::pull_ff`], [`Repo::upstream`] with its fetch, and nothing is
//! written unless [`Upstream::may_write`](upstream::Upstream::may_write); [`Repo::ready`] and [`Repo::unpushed_automatic`]
//! before the first file is written; for each file [`Repo::states`], [`Repo::moved`], the file, [`Repo::commit_only`], and
//! where that is [`Committed::Not`] the bytes of before, if what stands there is still ours.

mod commit;
mod files;
mod process;
#[cfg(test)]
mod tests;
mod upstream;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::process::{Failed, Use, git, words};
use crate::error::{Error, Result};
use crate::host::Deadline;

pub(super) use commit::{Committed, UNPUSHED_MAX};
pub(super) use files::FileState;
pub(super) use upstream::{At, Pulled};

/// How long git may take where it asks nobody but the disk.
pub(super) const LOCAL_PATIENCE: Duration = Duration::from_secs(30);
/// How long a commit may take, with the hooks of the repository.
pub(super) const COMMIT_PATIENCE: Duration = Duration::from_secs(120);

/// A worktree of git.
#[derive(Debug, Clone)]
pub(super) struct Repo {
    /// Its top, without links.
    top: PathBuf,
    /// The folder of git that is this worktree's own: where its HEAD and its index are.
    git_dir: PathBuf,
}

impl Repo {
    /// The worktree whose top is `root`; none where it is not the top of one.
    ///
    /// # Errors
    /// Where git cannot say; nothing was changed.
    pub(super) fn at(root: &Path) -> Result<Option<Repo>> {
        let until = Deadline::after(LOCAL_PATIENCE);
        // One line for each answer; a folder whose name has a line end is none that we work in.
        let asked = ["rev-parse", "--is-inside-work-tree", "--git-dir", "--show-toplevel"];
        let printed = match git(root, Use::Look, words(asked), &[], until) {
            Ok(printed) => printed,
            Err(Failed::Said { why, .. }) if why.contains("not a git repository") => return Ok(None),
            // In a bare repository, or in what is git's own.
            Err(Failed::Said { why, .. }) if why.contains("must be run in a work tree") => return Ok(None),
            Err(failed) => return Err(failed_at(root, "rev-parse", &failed)),
        };
        let lines: Vec<&[u8]> = printed.split(|byte| *byte == b'\n').collect();
        let [b"true", git_dir, top, b""] = lines.as_slice() else {
            return Err(Error::usage(format!(
                "{}: git names this worktree in a way that cannot be read; nothing was changed",
                root.display()
            )));
        };
        let path = |bytes: &[u8]| -> PathBuf {
            use std::os::unix::ffi::OsStringExt as _;
            OsString::from_vec(bytes.to_vec()).into()
        };
        let repo = Repo { top: path(top), git_dir: root.join(path(git_dir)) };
        Ok(is_same(root, &repo.top).then_some(repo))
    }

    /// The top of the worktree, without links.
    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// Asks git what only reads.
    fn look<const N: usize>(&self, args: [&str; N], until: Deadline) -> std::result::Result<Vec<u8>, Failed> {
        git(&self.top, Use::Look, words(args), &[], until)
    }

    /// As [`Repo::look`], for what prints one line; none where git says no without a word (exit 1).
    fn line<const N: usize>(
        &self,
        args: [&str; N],
        until: Deadline,
    ) -> std::result::Result<Option<String>, Failed> {
        match self.look(args, until) {
            Ok(printed) => Ok(Some(String::from_utf8_lossy(&printed).trim_end_matches('\n').to_owned())),
            Err(Failed::Said { code: Some(1), .. }) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    fn failed(&self, what: &str, failed: &Failed) -> Error {
        failed_at(&self.top, what, failed)
    }
}

fn failed_at(dir: &Path, what: &str, failed: &Failed) -> Error {
    Error::usage(format!("{}: {}; nothing was changed", dir.display(), failed.words(what)))
}

fn is_same(one: &Path, other: &Path) -> bool {
    use crate::fs::{Fs as _, RealFs};
    match (RealFs.stat(one), RealFs.stat(other)) {
        (Ok(Some(one)), Ok(Some(other))) => one.id == other.id,
        _ => false,
    }
}
