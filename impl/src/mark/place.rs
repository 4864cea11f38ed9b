//! Where a file is: a path from outside, kept inside its root, every spelling led to one name.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::name::{escape, is_temp};
use crate::error::{Error, Result};
use crate::fs::{FileId, Fs, Kind};

/// What a symlink in the last component of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Another spelling of its target, which must be there.
    Follow,
    /// An error: the file is opened by its own name or not at all.
    Refuse,
}

/// The root that paths are relative to and may not leave, and the workspace folder that they may not enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooted {
    root: PathBuf,
    workspace: PathBuf,
}

/// A file's place: the directory it stands in, without symlinks, and its name there. The file may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub dir: PathBuf,
    /// Device and inode of the directory.
    pub dir_id: FileId,
    /// The file's name.
    pub name: String,
}

impl Rooted {
    /// Takes an existing directory as the root, and the workspace folder, which need not exist.
    ///
    /// # Errors
    /// [`Error::Environment`] where the root cannot be resolved.
    pub fn new<F: Fs>(fs: &F, root: &Path, workspace: &Path) -> Result<Self> {
        let resolved = fs.resolve(root).map_err(|error| Error::environment("resolving", root, error))?;
        let workspace = match fs.resolve(workspace) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => workspace.to_owned(),
            Err(error) => return Err(Error::environment("resolving", workspace, error)),
        };
        Ok(Rooted { root: resolved, workspace })
    }

    /// The root, without symlinks.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Leads `file`, a path relative to the root or an absolute one inside it, to its place.
    ///
    /// # Errors
    /// [`Error::Usage`] where the path leaves the root, enters the workspace folder or names no file;
    /// [`Error::Environment`] where its directory, or the target of a symlink to be followed, cannot be resolved.
    pub fn locate<F: Fs>(&self, fs: &F, file: &Path, last: Last) -> Result<Place> {
        check_spelling(file)?;
        let path = self.root.join(file);
        let stat = fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        if stat.is_some_and(|stat| stat.kind == Kind::Symlink) {
            if last == Last::Refuse {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "a symbolic link; name its target");
                return Err(Error::environment("opening", &path, source));
            }
            let target = fs.resolve(&path).map_err(|error| Error::environment("resolving", &path, error))?;
            return self.place(fs, &target, file);
        }
        self.place(fs, &path, file)
    }

    fn place<F: Fs>(&self, fs: &F, path: &Path, shown: &Path) -> Result<Place> {
        let no_file = || Error::usage(format!("{} names no file", shown.display()));
        let parent = path.parent().ok_or_else(no_file)?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(no_file)?;
        let dir = fs.resolve(parent).map_err(|error| Error::environment("resolving", parent, error))?;
        if !dir.starts_with(&self.root) {
            return Err(leaves(shown, &self.root));
        }
        if dir.starts_with(&self.workspace) {
            return Err(Error::usage(format!(
                "{} lies in the workspace folder {}, which only fencehold writes",
                shown.display(),
                self.workspace.display()
            )));
        }
        if is_temp(name) {
            return Err(Error::usage(format!("{} is named like a temporary file of ours", shown.display())));
        }
        match fs.stat(&dir).map_err(|error| Error::environment("looking at", &dir, error))? {
            Some(stat) => Ok(Place { dir_id: stat.id, name: name.to_owned(), dir }),
            None => Err(Error::environment("looking at", &dir, io::ErrorKind::NotFound.into())),
        }
    }
}

impl Place {
    /// The whole path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// What its lock and mark are called.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}-{}-{}", self.dir_id.dev, self.dir_id.ino, escape(&self.name))
    }
}

fn leaves(file: &Path, root: &Path) -> Error {
    Error::usage(format!("{} leaves the root {}", file.display(), root.display()))
}

/// Refuses what can be seen to be wrong without looking at the disk.
fn check_spelling(file: &Path) -> Result<()> {
    let Some(text) = file.to_str() else {
        return Err(Error::usage(format!("{} is not UTF-8", file.display())));
    };
    if text.trim().is_empty() || text.contains('\0') || text.ends_with('/') || file.file_name().is_none() {
        return Err(Error::usage(format!("{text:?} names no file")));
    }
    let mut depth = 0_usize;
    for component in file.components().filter(|_| file.is_relative()) {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth == 0 => {
                return Err(Error::usage(format!("{text} leaves the root")));
            }
            Component::ParentDir => depth -= 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(())
}
