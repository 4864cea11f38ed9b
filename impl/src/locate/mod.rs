//! Where the workspace of a folder is, and why there.
//!
//! Invariants:
//! - every subdirectory, symlinked spelling and linked worktree of one git repository comes to one folder, inside the
//!   git *common* directory: shared by all worktrees, never committed, out of the reach of `git clean -fdx`;
//! - a worktree whose common directory is not there is refused: never a second ledger;
//! - it is found by reading `.git`, `commondir`, `HEAD` and git's `config`; no process is started, nothing is created.

mod branch;
mod check;
mod git;
mod git_config;
mod git_index;
mod setting;
#[cfg(feature = "cli")]
mod unset;

pub use branch::branch;
pub use check::{check, check_filesystem};
pub use setting::keep_in_git_config;
#[cfg(feature = "cli")]
pub(crate) use unset::{setting_in, without_setting};

use std::path::{Path, PathBuf};

use crate::document::settle;
use crate::error::{Error, Result};
use crate::fs::{Fs, How, Kind};
use git::Repository;

/// The name of the workspace folder inside a git directory.
pub const NAME_IN_GIT: &str = "fencehold";
/// The name of the workspace folder in a tree.
pub const NAME_IN_TREE: &str = ".fencehold";

/// A workspace's place; it need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workspace folder, absolute, its parent without symlinks.
    pub dir: PathBuf,
    /// The top of the tree whose files it guards: this worktree, or the folder that holds `.fencehold`.
    pub root: PathBuf,
    /// Why there, as a clause that goes on after "the workspace is DIR: ".
    pub why: String,
    /// Whether something stands at `dir`.
    pub exists: bool,
    /// Git's config, where that is what names the folder.
    pub named_in: Option<PathBuf>,
    /// The git common directory, in a git repository.
    pub common_dir: Option<PathBuf>,
    /// The git directory of this worktree, in a git repository.
    pub git_dir: Option<PathBuf>,
    /// The main working tree, where there is one.
    pub main_worktree: Option<PathBuf>,
    /// Whether git's `core.sharedRepository` asks for a group's access.
    pub shared: bool,
    /// Whether git's `core.ignorecase` says that upper and lower case are one.
    pub ignores_case: bool,
    /// Tops of working trees and their indexes, to look into for a tracked workspace folder.
    indexes: Vec<(PathBuf, PathBuf)>,
    /// Whether the repository's object ids are SHA-256.
    sha256: bool,
}

/// From where to look.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The folder to begin at: `--root`, or the current one.
    pub at: &'a Path,
    /// What GIT_DIR says, where it is set and `--root` is not given.
    pub git_dir: Option<&'a Path>,
}

/// Finds the workspace for a folder.
///
/// # Errors
/// Where `start` is no folder, a git repository cannot be reached, or there would be two workspaces.
pub fn locate<F: Fs>(fs: &F, start: Start<'_>) -> Result<Place> {
    let at = real_folder(fs, start.at)?;
    let repository = match start.git_dir {
        Some(git_dir) => Some(git::named(fs, &at, git_dir)?),
        None => git::find(fs, &at)?,
    };
    match repository {
        Some(repository) => in_repository(fs, repository),
        None => outside_git(fs, &at),
    }
}

/// The workspace of exactly this folder, as the target protocol's `hello` means it: `root/.git` counts, no ancestor
/// and no GIT_DIR does.
///
/// # Errors
/// As [`locate`].
pub fn locate_exact<F: Fs>(fs: &F, root: &Path) -> Result<Place> {
    let root = real_folder(fs, root)?;
    match git::at(fs, &root)? {
        Some(repository) => in_repository(fs, repository),
        None => place_in_tree(fs, &root, "the folder itself holds it".to_owned()),
    }
}

/// The places where `init` may put a workspace, beside the one that [`locate`] finds.
///
/// # Errors
/// Where the repository has no main working tree.
pub fn in_tree<F: Fs>(fs: &F, found: &Place) -> Result<Place> {
    let Some(_) = &found.common_dir else { return Ok(found.clone()) };
    let Some(main) = &found.main_worktree else {
        return Err(Error::usage(
            "this repository has no main working tree to put .fencehold into; use `fencehold init`, or \
             `fencehold init --dir PATH`",
        ));
    };
    let why = "it stands in the main working tree".to_owned();
    let dir = main.join(NAME_IN_TREE);
    Ok(Place { exists: stands(fs, &dir)?, dir, why, ..found.clone() })
}

/// Makes sure that others come to this place as well, before anything is answered there: no other was chosen while this
/// one did not exist yet, and the setting that names it outlives a loss of power.
///
/// Whoever makes a workspace, or chooses its place, does that first and looks for another then; so of two who choose
/// differently at once one sees the other, at the latest.
///
/// # Errors
/// Where there are two workspaces now, or the setting could not be made durable.
pub fn confirm<F: Fs>(fs: &F, place: &Place) -> Result<()> {
    if !place.exists {
        confirm_anew(fs, place)?;
    }
    let Some(config) = &place.named_in else { return Ok(()) };
    // Whoever wrote the setting may have been killed before its sync, and git syncs no config.
    let failed = |error| Error::environment("syncing", config, error);
    let real = fs.resolve(config).map_err(failed)?;
    let file = fs.open(&real, How::Read).map_err(failed)?;
    settle(fs, real.parent().unwrap_or(config), &file).map_err(failed)
}

/// Makes sure that others come to a workspace that was made just now, whatever stood there before.
///
/// # Errors
/// Where they come to another.
pub(crate) fn confirm_anew<F: Fs>(fs: &F, place: &Place) -> Result<()> {
    let Some(common_dir) = &place.common_dir else { return Ok(()) };
    let again = locate(fs, Start { at: common_dir, git_dir: None })?;
    if again.dir == place.dir { Ok(()) } else { Err(two(&place.dir, &again.dir)) }
}

/// The place for `init --dir`: this folder, which need not exist while its parent does.
///
/// # Errors
/// Where the parent of `dir` is not there.
pub fn at_dir<F: Fs>(fs: &F, found: &Place, dir: &Path) -> Result<Place> {
    let dir = spelled_once(fs, dir)?;
    let why = "git's config names it (fencehold.dir)".to_owned();
    Ok(Place { exists: stands(fs, &dir)?, dir, why, ..found.clone() })
}

fn in_repository<F: Fs>(fs: &F, repository: Repository) -> Result<Place> {
    let Repository { git_dir, common_dir, worktree, main_worktree, config } = repository;
    let standard = common_dir.join(NAME_IN_GIT);
    let in_tree = main_worktree.as_ref().map(|main| main.join(NAME_IN_TREE));
    let standard_exists = stands(fs, &standard)?;
    let in_tree_exists = match &in_tree {
        Some(dir) => stands(fs, dir)?,
        None => false,
    };
    let mut named_in = None;
    let (dir, why) = if let Some(named) = &config.fencehold_dir {
        let named = Path::new(named);
        named_in = Some(common_dir.join("config"));
        if !named.is_absolute() {
            return Err(Error::usage(format!(
                "fencehold.dir in {} is {}, which is not absolute; set it again with `git config fencehold.dir \
                 /ABSOLUTE/PATH`",
                common_dir.join("config").display(),
                named.display()
            )));
        }
        let named = spelled_once(fs, named)?;
        for other in [Some(&standard), in_tree.as_ref()].into_iter().flatten() {
            if *other != named && holds_something(fs, other)? {
                return Err(two(&named, other));
            }
        }
        (named, format!("{} names it (fencehold.dir)", common_dir.join("config").display()))
    } else {
        match in_tree {
            Some(in_tree) if in_tree_exists && standard_exists => return Err(two(&standard, &in_tree)),
            Some(in_tree) if in_tree_exists => {
                (in_tree, "it stands in the main working tree (fencehold init --in-tree)".to_owned())
            }
            _ => {
                let why = if main_worktree.is_none() {
                    "the common directory of this git repository holds it, which has no main working tree"
                } else {
                    "the common directory of this git repository holds it, for all of its worktrees"
                };
                (standard, why.to_owned())
            }
        }
    };
    let of_main = main_worktree.clone().map(|top| (top, common_dir.join("index")));
    let of_this = worktree.clone().map(|top| (top, git_dir.join("index")));
    Ok(Place {
        exists: stands(fs, &dir)?,
        dir,
        why,
        root: worktree.or_else(|| main_worktree.clone()).unwrap_or_else(|| common_dir.clone()),
        shared: config.is_shared(),
        ignores_case: config.ignores_case,
        indexes: of_main.into_iter().chain(of_this).collect(),
        sha256: config.sha256,
        named_in,
        common_dir: Some(common_dir),
        git_dir: Some(git_dir),
        main_worktree,
    })
}

/// That there are two, and what to do.
pub(crate) fn two(one: &Path, other: &Path) -> Error {
    Error::usage(format!(
        "there are two workspaces for this repository, {} and {}, and a lock in one says nothing to the other. See \
         what each holds, then move the one that is not in use away",
        one.display(),
        other.display()
    ))
}

fn outside_git<F: Fs>(fs: &F, at: &Path) -> Result<Place> {
    for dir in at.ancestors() {
        if stands(fs, &dir.join(NAME_IN_TREE))? {
            let why = if dir == at {
                "it stands in this folder, which is in no git repository"
            } else {
                "it stands in the nearest folder above that has one; this is no git repository"
            };
            return place_in_tree(fs, dir, why.to_owned());
        }
    }
    let why = "this is no git repository, and no folder above has a .fencehold; it would be created here";
    place_in_tree(fs, at, why.to_owned())
}

fn place_in_tree<F: Fs>(fs: &F, root: &Path, why: String) -> Result<Place> {
    let dir = root.join(NAME_IN_TREE);
    Ok(Place {
        exists: stands(fs, &dir)?,
        dir,
        root: root.to_owned(),
        why,
        named_in: None,
        common_dir: None,
        git_dir: None,
        main_worktree: None,
        shared: false,
        ignores_case: false,
        indexes: Vec::new(),
        sha256: false,
    })
}

fn stands<F: Fs>(fs: &F, path: &Path) -> Result<bool> {
    Ok(fs.stat(path).map_err(|error| Error::environment("looking at", path, error))?.is_some())
}

/// Whether it is a folder with something in it, as a workspace is from the moment that it has its name.
fn holds_something<F: Fs>(fs: &F, dir: &Path) -> Result<bool> {
    let failed = |error| Error::environment("looking at", dir, error);
    match fs.stat(dir).map_err(failed)? {
        Some(stat) if stat.kind == Kind::Dir => Ok(!fs.list(dir).map_err(failed)?.is_empty()),
        _ => Ok(false),
    }
}

fn real_folder<F: Fs>(fs: &F, path: &Path) -> Result<PathBuf> {
    let failed = |error| Error::environment("starting at", path, error);
    let real = fs.resolve(path).map_err(failed)?;
    match fs.stat(&real).map_err(failed)? {
        Some(stat) if stat.kind == Kind::Dir => Ok(real),
        _ => Err(Error::usage(format!("{} is no folder; name the top of a tree", path.display()))),
    }
}

/// One spelling for all: the parent without symlinks, the last component as it stands.
fn spelled_once<F: Fs>(fs: &F, dir: &Path) -> Result<PathBuf> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
        return Err(Error::usage(format!("{} cannot be a workspace folder; name a new one", dir.display())));
    };
    let parent = fs.resolve(parent).map_err(|error| Error::environment("reaching", parent, error))?;
    Ok(parent.join(name))
}
