//! What git has of single files.
//!
//! Invariant: a file is clean only where git tracks it, looks at it, and has nothing to say of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::process::{Failed, Use, git, words};
use super::{LOCAL_PATIENCE, Repo};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::host::Deadline;

/// The most bytes of paths in one call: far below what any kernel takes.
const PATHS_BYTES_MAX: usize = 64 << 10;

/// What git has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) enum FileState {
    /// As it was committed, and nothing of it is staged.
    Clean,
    /// Changed and not staged.
    Unstaged,
    /// Changed and staged, or added.
    Staged,
    /// Not known to git.
    Untracked,
    /// Not known to git, which is told not to look.
    Ignored,
    /// In a merge that is not finished.
    Conflicted,
    /// Known to git, which is told not to look: `assume-unchanged`, `skip-worktree`, or out of a sparse checkout.
    Hidden,
    /// In another repository, whose top this is: a submodule, or a clone inside of the tree.
    Elsewhere { top: PathBuf },
}

impl FileState {
    /// Its word in answers.
    pub(in crate::cli::plan) fn word(&self) -> &'static str {
        match self {
            FileState::Clean => "clean",
            FileState::Unstaged => "unstaged",
            FileState::Staged => "staged",
            FileState::Untracked => "untracked",
            FileState::Ignored => "ignored",
            FileState::Conflicted => "conflicted",
            FileState::Hidden => "hidden",
            FileState::Elsewhere { .. } => "elsewhere",
        }
    }
}

impl fmt::Display for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileState::Clean => "it is as it was committed",
            FileState::Unstaged => "it has changes that are not committed",
            FileState::Staged => "it has changes that are staged and not committed",
            FileState::Untracked => "git does not know it yet",
            FileState::Ignored => "git ignores it",
            FileState::Conflicted => "it has conflicts of a merge",
            FileState::Hidden => "git is told not to look at it (assume-unchanged, skip-worktree or sparse)",
            FileState::Elsewhere { top } => {
                return write!(f, "it belongs to another repository, {}", top.display());
            }
        })
    }
}

/// A commit by what people say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) struct Commit {
    /// Its shortened id.
    pub(in crate::cli::plan) id: String,
    /// The first line of its message.
    pub(in crate::cli::plan) subject: String,
}

impl Repo {
    /// What git has of each of these files, in their order. Paths are absolute, and below the top.
    ///
    /// # Errors
    /// Where git cannot say, or a file is not below the top; nothing was changed.
    pub(in crate::cli::plan) fn states(&self, files: &[&Path]) -> Result<Vec<FileState>> {
        let mut inner: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
        let mut states = Vec::new();
        let mut asked: Vec<(usize, PathBuf)> = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let below = self.below(file)?;
            let dir = below.parent().unwrap_or(Path::new("")).to_owned();
            let top = inner.entry(dir.clone()).or_insert_with(|| self.inner_top(&dir)).clone();
            match top {
                Some(top) => states.push(FileState::Elsewhere { top }),
                None => {
                    // Until git says otherwise.
                    states.push(FileState::Untracked);
                    asked.push((index, below));
                }
            }
        }
        for chunk in chunks(&asked) {
            let paths: Vec<&Path> = chunk.iter().map(|(_, below)| below.as_path()).collect();
            let told = self.told(&paths).map_err(|failed| self.failed("status", &failed))?;
            for (index, below) in chunk {
                if let Some(state) = told.get(below.as_os_str().as_bytes()) {
                    states[*index] = state.clone();
                }
            }
        }
        Ok(states)
    }

    /// The last commit that changed a file; none where there is none.
    pub(in crate::cli::plan) fn last_commit_of(&self, file: &Path) -> Option<Commit> {
        let mut args =
            words(["log", "--max-count=1", "--no-show-signature", "--format=%h%x00%s", "HEAD", "--"]);
        args.push(literal(&self.below(file).ok()?));
        let until = Deadline::after(LOCAL_PATIENCE);
        let printed = git(self.top(), Use::Look, args, &[], until).ok()?;
        let printed = String::from_utf8_lossy(&printed);
        let (id, subject) = printed.trim_end_matches('\n').split_once('\0')?;
        Some(Commit { id: id.to_owned(), subject: subject.to_owned() })
    }

    /// The commit that is checked out; none where there is none yet.
    ///
    /// # Errors
    /// Where git cannot say; nothing was changed.
    pub(in crate::cli::plan) fn head(&self) -> Result<Option<String>> {
        let asked = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
        self.line(asked, Deadline::after(LOCAL_PATIENCE)).map_err(|failed| self.failed("rev-parse", &failed))
    }

    /// Whether what is checked out has `commit` in its history, as far as the history is here.
    ///
    /// # Errors
    /// Where git cannot say; nothing was changed.
    pub(in crate::cli::plan) fn descends(&self, commit: &str) -> Result<bool> {
        let until = Deadline::after(LOCAL_PATIENCE);
        let failed = |failed| self.failed("merge-base", &failed);
        let there = format!("{commit}^{{commit}}");
        if self.line(["rev-parse", "--verify", "--quiet", &there], until).map_err(failed)?.is_none() {
            return Ok(false);
        }
        let asked = ["merge-base", "--is-ancestor", commit, "HEAD"];
        Ok(self.line(asked, until).map_err(failed)?.is_some())
    }

    /// The path of a file from the top. The folder that it is in may be named through links.
    pub(super) fn below(&self, file: &Path) -> Result<PathBuf> {
        let outside = || {
            Error::usage(format!(
                "{} is not in the worktree {}; nothing was changed",
                file.display(),
                self.top().display()
            ))
        };
        if let Ok(below) = file.strip_prefix(self.top())
            && below.components().all(|part| matches!(part, std::path::Component::Normal(_)))
        {
            return Ok(below.to_owned());
        }
        let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else { return Err(outside()) };
        let dir = RealFs.resolve(dir).map_err(|error| Error::environment("looking at", dir, error))?;
        dir.join(name).strip_prefix(self.top()).map(Path::to_owned).map_err(|_| outside())
    }

    /// The top of the innermost repository that a folder below the top is in; none where it is this one.
    fn inner_top(&self, dir: &Path) -> Option<PathBuf> {
        let inner = dir.ancestors().filter(|dir| !dir.as_os_str().is_empty()).map(|dir| self.top().join(dir));
        inner.into_iter().find(|dir| matches!(RealFs.stat(&dir.join(".git")), Ok(Some(_))))
    }

    fn told(&self, paths: &[&Path]) -> std::result::Result<BTreeMap<Vec<u8>, FileState>, Failed> {
        let until = Deadline::after(LOCAL_PATIENCE);
        let ask = |args: Vec<OsString>| {
            let args = args.into_iter().chain(["--".into()]).chain(paths.iter().map(|path| literal(path)));
            git(self.top(), Use::Look, args, &[], until)
        };
        let mut states = BTreeMap::new();
        for entry in entries(&ask(words(["ls-files", "-v", "-z", "--full-name"]))?) {
            let (tag, path) = (entry[0], entry.get(2..).unwrap_or_default());
            let is_hidden = tag.is_ascii_lowercase() || tag == b'S';
            let state = if is_hidden { FileState::Hidden } else { FileState::Clean };
            states.insert(path.to_vec(), state);
        }
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored"];
        for entry in entries(&ask(words(status))?) {
            let (word, path) = (entry.get(..2).unwrap_or_default(), entry.get(3..).unwrap_or_default());
            let state = match word {
                b"??" => FileState::Untracked,
                b"!!" => FileState::Ignored,
                [b'U', _] | [_, b'U'] | b"AA" | b"DD" => FileState::Conflicted,
                [b' ', _] => FileState::Unstaged,
                _ => FileState::Staged,
            };
            states.insert(path.to_vec(), state);
        }
        Ok(states)
    }
}

/// The pathspec of exactly this path (gitglossary(7), *pathspec*).
pub(super) fn literal(below: &Path) -> OsString {
    let mut spec = b":(top,literal)".to_vec();
    spec.extend_from_slice(below.as_os_str().as_bytes());
    OsString::from_vec(spec)
}

/// What stands between the NULs of an answer.
pub(super) fn entries(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty())
}

fn chunks(asked: &[(usize, PathBuf)]) -> Vec<&[(usize, PathBuf)]> {
    let mut chunks = Vec::new();
    let (mut begun, mut bytes) = (0, 0);
    for (at, (_, below)) in asked.iter().enumerate() {
        bytes += below.as_os_str().len() + 32;
        if bytes > PATHS_BYTES_MAX {
            chunks.push(&asked[begun..at]);
            (begun, bytes) = (at, below.as_os_str().len() + 32);
        }
    }
    chunks.push(&asked[begun..]);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}
