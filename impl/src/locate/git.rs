//! Finds the git repository around a folder by reading its files, as git does (gitrepository-layout(5)).

use std::io;
use std::path::{Path, PathBuf};

use super::git_config::GitConfig;
use crate::error::{Error, Result};
use crate::fs::{Fs, Kind, read_file};

/// The longest `.git` file, `commondir` or `config` that is read.
const SMALL_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One repository, seen from one of its worktrees.
#[derive(Debug)]
pub(super) struct Repository {
    /// The git directory of this worktree.
    pub(super) git_dir: PathBuf,
    /// What all worktrees share.
    pub(super) common_dir: PathBuf,
    /// The top of the working tree that it was found from; none in a bare repository.
    pub(super) worktree: Option<PathBuf>,
    /// The top of the main working tree; none where the repository is bare.
    pub(super) main_worktree: Option<PathBuf>,
    pub(super) config: GitConfig,
}

/// The repository of `start` (absolute, no symlinks) or of its nearest ancestor that is in one.
pub(super) fn find<F: Fs>(fs: &F, start: &Path) -> Result<Option<Repository>> {
    for dir in start.ancestors() {
        if let Some(found) = at(fs, dir)? {
            return Ok(Some(found));
        }
        if is_git_dir(fs, dir)? {
            return open(fs, dir, None).map(Some);
        }
    }
    Ok(None)
}

/// The repository whose `.git` stands in `dir`.
pub(super) fn at<F: Fs>(fs: &F, dir: &Path) -> Result<Option<Repository>> {
    let dot_git = dir.join(".git");
    match kind_behind(fs, &dot_git)? {
        Some((Kind::Dir, real)) if is_git_dir(fs, &real)? => open(fs, &real, Some(dir)).map(Some),
        Some((Kind::File, real)) => {
            let text = read_small(fs, &real)?.unwrap_or_default();
            let Some(target) = text.trim_end_matches(['\n', '\r']).strip_prefix("gitdir:") else {
                return Err(Error::usage(format!(
                    "{} is a file that does not begin with `gitdir:`; git cannot use it either. Mend or remove it",
                    dot_git.display()
                )));
            };
            let target = dir.join(target.trim());
            open(fs, &reach(fs, dir, &target)?, Some(dir)).map(Some)
        }
        _ => Ok(None),
    }
}

/// The repository that GIT_DIR names, as in a hook.
pub(super) fn named<F: Fs>(fs: &F, cwd: &Path, git_dir: &Path) -> Result<Repository> {
    let given = cwd.join(git_dir);
    let real = match fs.resolve(&given) {
        Ok(real) if is_git_dir(fs, &real)? => real,
        _ => {
            return Err(Error::usage(format!(
                "GIT_DIR is {}, which is no git directory; unset it, or give --root",
                given.display()
            )));
        }
    };
    let around = match find(fs, cwd) {
        Ok(Some(found)) if found.git_dir == real => found.worktree,
        _ => None,
    };
    let repository = open(fs, &real, around.as_deref())?;
    let worktree = match &repository {
        Repository { worktree: Some(known), .. } => Some(known.clone()),
        Repository { config: GitConfig { bare: true, .. }, .. } => None,
        // Without more to go by git takes the current directory for the top (git(1), GIT_WORK_TREE).
        _ => Some(cwd.to_owned()),
    };
    Ok(Repository { worktree, ..repository })
}

/// Opens the git directory `git_dir`, found from `worktree`.
fn open<F: Fs>(fs: &F, git_dir: &Path, worktree: Option<&Path>) -> Result<Repository> {
    let common_dir = match read_small(fs, &git_dir.join("commondir"))? {
        Some(text) => {
            reach(fs, worktree.unwrap_or(git_dir), &git_dir.join(text.trim_end_matches(['\n', '\r'])))?
        }
        None => git_dir.to_owned(),
    };
    if !is_git_dir(fs, &common_dir)? {
        return Err(unreachable(worktree.unwrap_or(git_dir), &common_dir));
    }
    let mut config = GitConfig::parse(&read_small(fs, &common_dir.join("config"))?.unwrap_or_default());
    if config.worktree_config {
        config.add(&read_small(fs, &common_dir.join("config.worktree"))?.unwrap_or_default());
    }
    let main_worktree = if config.bare {
        None
    } else if let Some(named) = &config.worktree {
        fs.resolve(&common_dir.join(named)).ok()
    } else if common_dir.file_name().is_some_and(|name| name == ".git") {
        common_dir.parent().map(Path::to_owned)
    } else if git_dir == common_dir {
        worktree.map(Path::to_owned)
    } else {
        None
    };
    let worktree = match worktree {
        Some(found) => Some(found.to_owned()),
        None if git_dir == common_dir => main_worktree.clone(),
        None => None,
    };
    Ok(Repository { git_dir: git_dir.to_owned(), common_dir, worktree, main_worktree, config })
}

/// The real path of what a worktree points at; refused where it is not there: never a second ledger.
fn reach<F: Fs>(fs: &F, from: &Path, target: &Path) -> Result<PathBuf> {
    match fs.resolve(target) {
        Ok(real) => Ok(real),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(unreachable(from, target))
        }
        Err(error) => Err(Error::environment("reaching", target, error)),
    }
}

fn unreachable(from: &Path, target: &Path) -> Error {
    Error::usage(format!(
        "{} belongs to the git repository at {}, which cannot be reached from here; a second set of locks is never \
         started beside it. Make that folder reachable here (mount it at the same path), or repair the link with \
         `git worktree repair`",
        from.display(),
        target.display()
    ))
}

/// As git tells: `HEAD` stands in it, and `objects` and `refs`, or `commondir`.
fn is_git_dir<F: Fs>(fs: &F, dir: &Path) -> Result<bool> {
    let there = |name: &str| stands(fs, &dir.join(name));
    Ok(there("HEAD")? && (there("commondir")? || (there("objects")? && there("refs")?)))
}

fn stands<F: Fs>(fs: &F, path: &Path) -> Result<bool> {
    match fs.stat(path) {
        Ok(stat) => Ok(stat.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Error::environment("looking at", path, error)),
    }
}

/// What stands behind `path`, symlinks followed.
pub(super) fn kind_behind<F: Fs>(fs: &F, path: &Path) -> Result<Option<(Kind, PathBuf)>> {
    let Some(stat) = fs.stat(path).map_err(|error| Error::environment("looking at", path, error))? else {
        return Ok(None);
    };
    if stat.kind != Kind::Symlink {
        return Ok(Some((stat.kind, path.to_owned())));
    }
    let failed = |error| Error::environment("following", path, error);
    let real = fs.resolve(path).map_err(failed)?;
    Ok(fs.stat(&real).map_err(failed)?.map(|stat| (stat.kind, real)))
}

pub(super) fn read_small<F: Fs>(fs: &F, path: &Path) -> Result<Option<String>> {
    let failed = |error| Error::environment("reading", path, error);
    let Some((_, real)) = kind_behind(fs, path)? else { return Ok(None) };
    let bytes = read_file(fs, &real, SMALL_FILE_BYTES_MAX).map_err(failed)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
