//! What a user types as the write set of a lease, led to patterns that two processes can compare.
//!
//! Invariants:
//! - an entry is relative to the top of the worktree, so that the same file of two worktrees is the same entry, and
//!   every spelling of one path, through symlinks and `..`, is one entry;
//! - what is a folder here is a folder entry, with a `/` at its end or without as it was typed;
//! - no entry leads out of the worktree, into another one inside it, into its workspace folder or into `.git`;
//! - where the filesystem takes upper and lower case for one, every entry is folded, or none is;
//! - nothing is created, and only the names along the path are looked at.

mod guarded;
mod walk;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fencehold_model::pattern::{self, BadPattern, Pattern};

use crate::error::{Error, Result};
use crate::fs::{FileId, Fs, RealFs};
use crate::locate::{Place, locate_exact};
use walk::{At, Walked};

/// A worktree whose paths are entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    root: PathBuf,
    root_id: FileId,
    common_dir: Option<PathBuf>,
    folds_case: bool,
    /// Folders inside the tree that only their own programs write.
    closed: Vec<Pattern>,
}

/// Where a file lies that a program is about to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// In the tree, under this name.
    Entry(Pattern),
    /// In the workspace folder or in `.git`.
    Closed,
    /// Outside of the tree.
    Outside,
}

/// The absolute path that `path`, relative to `cwd`, leads to: symlinks and `..` followed as far as it exists. A wildcard
/// in it is a character as any other. Behind it are the other names of the same file: its path through each symlink that
/// was followed, which is what a program changes that replaces or removes the link.
///
/// # Errors
/// [`Error::Usage`] where it goes through a file or a symlink to nothing; [`Error::Environment`] where it cannot be
/// looked at.
pub fn plain_path<F: Fs>(fs: &F, cwd: &Path, path: &str) -> Result<(PathBuf, Vec<PathBuf>)> {
    walk::walk_plain(fs, cwd, path)
}

/// Whether the files of a workspace's tree have one name in upper and lower case: git's `core.ignorecase` says so, or
/// the attribute of the tree's top (ioctl_iflags(2), FS_CASEFOLD_FL), which what is made below it inherits. A folder
/// that folds case in a tree whose top does not is not noticed.
///
/// # Errors
/// [`Error::Environment`] where the top cannot be read.
pub fn folds_case(fs: RealFs, place: &Place) -> Result<bool> {
    let failed = |error| Error::environment("reading the attributes of", &place.root, error);
    Ok(place.ignores_case || fs.folds_case(&place.root).map_err(failed)?)
}

impl Tree {
    /// Takes the tree of a workspace.
    ///
    /// # Errors
    /// [`Error::Environment`] where its top cannot be looked at.
    pub fn new<F: Fs>(fs: &F, place: &Place, folds_case: bool) -> Result<Self> {
        let root = place.root.clone();
        let stat = fs.stat(&root).map_err(|error| Error::environment("looking at", &root, error))?;
        let Some(stat) = stat else {
            return Err(Error::environment("looking at", &root, io::ErrorKind::NotFound.into()));
        };
        let mut tree = Tree {
            root,
            root_id: stat.id,
            common_dir: place.common_dir.clone(),
            folds_case,
            closed: Vec::new(),
        };
        for dir in place.common_dir.iter().chain([&place.dir]) {
            let inside = dir.strip_prefix(&tree.root).ok().and_then(Path::to_str);
            // A bare repository is its own tree; what it holds is not closed as a whole.
            if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
                let closed = Pattern::folder(inside).map_err(|why| no_entry(dir.as_os_str(), &why))?;
                tree.closed.push(tree.folded(closed).map_err(|why| no_entry(dir.as_os_str(), &why))?);
            }
        }
        Ok(tree)
    }

    /// The entries of these texts, each once, in order; see [`Tree::entry`].
    ///
    /// # Errors
    /// As [`Tree::entry`], and [`Error::Usage`] where they are more than a write set may have.
    pub fn write_set<F: Fs, S: AsRef<OsStr>>(
        &self,
        fs: &F,
        cwd: &Path,
        texts: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Pattern>> {
        let mut entries = Vec::new();
        for text in texts {
            entries.push(self.entry(fs, cwd, text.as_ref())?);
        }
        entries.sort_unstable();
        entries.dedup();
        pattern::check_set(&entries).map_err(|why| Error::usage(why.to_string()))?;
        Ok(entries)
    }

    /// The entry that `text` names: an absolute path, or one relative to `cwd`. What exists of it is followed as the
    /// kernel does, symlinks and `..` too; the rest need not exist yet. What exists is a folder or a file as it stands;
    /// what does not is a folder where `text` says so by its end (`/`, `/.` or `/..`), and else a file.
    ///
    /// From the first component with a wildcard on, the text is kept as a glob. A component is taken for a plain name
    /// where something of exactly this name exists and the glob would not match it: `app/[id]/page.tsx` names that
    /// page and not those of `i` and `d`, while `*.rs` stays a glob beside a file called `*.rs`, which it covers. A
    /// symlink that only a wildcard leads to is not followed.
    ///
    /// # Errors
    /// [`Error::Usage`] where it leads out of the tree, into another worktree of the repository, the workspace folder
    /// or `.git`, goes through a file or a symlink to nothing, ends as a folder where a file stands, is not UTF-8, or is
    /// no pattern; [`Error::Environment`] where it cannot be looked at.
    pub fn entry<F: Fs>(&self, fs: &F, cwd: &Path, text: &OsStr) -> Result<Pattern> {
        let Some(typed) = text.to_str() else {
            return Err(Error::usage(format!(
                "{} is not UTF-8, which no write set can name; name the folder above it",
                text.display()
            )));
        };
        let Walked { path, rest, at } = walk::walk(fs, cwd, typed)?;
        let inside = self.inside(fs, typed, &path)?;
        let ends_as_folder = matches!(typed.rsplit('/').next(), Some("" | "." | ".."));
        let entry = match at {
            _ if !rest.is_empty() => glob(&inside, &rest.join("/")),
            At::NoDir if ends_as_folder => {
                return Err(Error::usage(format!(
                    "{typed:?} ends as a folder, but {} is none; name it without the `/`",
                    path.display()
                )));
            }
            At::Dir => Pattern::folder(&inside),
            At::Nothing if ends_as_folder => Pattern::folder(&inside),
            At::Nothing | At::NoDir => Pattern::literal(&inside),
        };
        let entry = entry.and_then(|entry| self.folded(entry)).map_err(|why| no_entry(text, &why))?;
        self.check_open(typed, &entry)?;
        Ok(entry)
    }

    /// Where the file at `path` lies, which [`plain_path`] gave: a program is about to write it. It need not exist.
    ///
    /// # Errors
    /// As [`Tree::entry`], but for what lies outside or is closed.
    pub fn target<F: Fs>(&self, fs: &F, path: &Path) -> Result<Target> {
        let Some(inside) = self.relative(fs, path)? else { return Ok(Target::Outside) };
        let Some(inside) = inside.to_str() else {
            return Err(Error::usage(format!("{} is not UTF-8, so no write set names it", path.display())));
        };
        let entry = Pattern::literal(if inside.is_empty() { "." } else { inside });
        let entry =
            entry.and_then(|entry| self.folded(entry)).map_err(|why| no_entry(path.as_os_str(), &why))?;
        Ok(if self.closed_by(&entry).is_some() { Target::Closed } else { Target::Entry(entry) })
    }

    /// The path relative to the root, `.` for the root itself.
    fn inside<F: Fs>(&self, fs: &F, typed: &str, path: &Path) -> Result<String> {
        let inside = self.relative(fs, path)?;
        let Some(inside) = inside else {
            return Err(Error::usage(format!(
                "{typed:?} is {}, outside of {}; a write set names what lies inside",
                path.display(),
                self.root.display()
            )));
        };
        self.check_same_worktree(fs, typed, path, &inside)?;
        match inside.to_str() {
            Some("") => Ok(".".to_owned()),
            Some(inside) => Ok(inside.to_owned()),
            None => Err(Error::usage(format!(
                "{typed:?} is {}, which is not UTF-8; name the folder above it",
                path.display()
            ))),
        }
    }

    /// The path relative to the root; none where it lies outside.
    fn relative<F: Fs>(&self, fs: &F, path: &Path) -> Result<Option<PathBuf>> {
        let mut inside = path.strip_prefix(&self.root).ok();
        // Where case is folded, or a folder mounted twice, the root has other spellings.
        let mut above = path.ancestors().filter(|above| !above.as_os_str().is_empty());
        while inside.is_none() {
            let Some(above) = above.next() else { break };
            let stat = match fs.stat(above) {
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
                looked => looked.map_err(|error| Error::environment("looking at", above, error))?,
            };
            if stat.is_some_and(|stat| stat.id == self.root_id) {
                inside = path.strip_prefix(above).ok();
            }
        }
        Ok(inside.map(Path::to_owned))
    }

    /// Refuses a linked worktree that stands inside this one: there the same file is another entry, and the two would
    /// not meet. A submodule is another repository, and its files are this tree's.
    fn check_same_worktree<F: Fs>(&self, fs: &F, typed: &str, path: &Path, inside: &Path) -> Result<()> {
        if self.common_dir.is_none() {
            return Ok(());
        }
        for dir in path.ancestors().take(inside.components().count()) {
            // What cannot be looked at, or is no folder, holds no worktree that work goes on in.
            let stands = fs.stat(&dir.join(".git")).is_ok_and(|stat| stat.is_some());
            if stands && locate_exact(fs, dir).is_ok_and(|place| place.common_dir == self.common_dir) {
                return Err(Error::usage(format!(
                    "{typed:?} is in {}, another worktree of this repository; ask from there, or with `--root` of it",
                    dir.display()
                )));
            }
        }
        Ok(())
    }

    fn check_open(&self, typed: &str, entry: &Pattern) -> Result<()> {
        match self.closed_by(entry) {
            Some(closed) => Err(Error::usage(format!(
                "{typed:?} leads into {closed}, which no work writes by hand; leave it out of the write set"
            ))),
            None => Ok(()),
        }
    }

    /// The folder that only its own programs write, in which an entry lies.
    fn closed_by(&self, entry: &Pattern) -> Option<&str> {
        let closed = self.closed.iter().find(|closed| closed.covers(&entry.prefix())).map(Pattern::as_str);
        closed.or_else(|| entry.as_str().split('/').any(|name| name == ".git").then_some(".git"))
    }

    fn folded(&self, entry: Pattern) -> std::result::Result<Pattern, BadPattern> {
        if self.folds_case { entry.folded() } else { Ok(entry) }
    }
}

/// The glob `rest` in the folder `inside`.
fn glob(inside: &str, rest: &str) -> std::result::Result<Pattern, BadPattern> {
    let inside = Pattern::literal(inside)?;
    match inside.as_str() {
        "." => Pattern::new(rest),
        prefix => Pattern::new(&format!("{prefix}/{rest}")),
    }
}

fn no_entry(text: &OsStr, why: &BadPattern) -> Error {
    Error::usage(format!("{} cannot stand in a write set: {why}", text.display()))
}
