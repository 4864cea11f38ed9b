//! What stands in the tree: looked at without being led out of it.

use std::io;
use std::path::{Path, PathBuf};

use super::Found;
use crate::fs::{File as _, Fs as _, How, Kind, RealFile, RealFs};
use crate::locate::Place;

/// The most of a file that is read for a byte that is no white space.
const READ_BYTES_MAX: u64 = 64 << 20;

/// The files of a worktree.
pub(super) struct Files {
    /// Its top, without symlinks.
    root: PathBuf,
}

impl Files {
    /// Those of a worktree; why not, where there is none.
    pub(super) fn of(place: &Place) -> Found<Self> {
        if place.common_dir.as_ref() == Some(&place.root) {
            return Err("there is no work tree here".to_owned());
        }
        let root = RealFs.resolve(&place.root).map_err(|error| format!("the top of the tree: {error}"))?;
        Ok(Files { root })
    }

    /// Whether something stands at a path.
    pub(super) fn is_there(&self, path: &str) -> Found<bool> {
        Ok(self.stands(path)?.is_some())
    }

    /// Opens the regular file at a path.
    pub(super) fn open(&self, path: &str) -> Found<RealFile> {
        let Some((place, kind)) = self.stands(path)? else { return Err("it does not exist".to_owned()) };
        match kind {
            Kind::File => {
                RealFs.open(&place, How::Read).map_err(|error| format!("it cannot be read: {error}"))
            }
            Kind::Dir => Err("it is a folder, not a file".to_owned()),
            Kind::Symlink => Err("it is a symbolic link, not a file".to_owned()),
            Kind::Other => Err("it is no regular file".to_owned()),
        }
    }

    fn stands(&self, path: &str) -> Found<Option<(PathBuf, Kind)>> {
        if path == "." {
            return Ok(Some((self.root.clone(), Kind::Dir)));
        }
        let path = self.root.join(path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err("it names nothing".to_owned());
        };
        let dir = match RealFs.resolve(parent) {
            Ok(dir) => dir,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(format!("it cannot be reached: {error}")),
        };
        if !dir.starts_with(&self.root) {
            return Err("a symbolic link leads out of the tree".to_owned());
        }
        let place = dir.join(Path::new(name));
        match RealFs.stat(&place) {
            Ok(stat) => Ok(stat.map(|stat| (place, stat.kind))),
            Err(error) => Err(format!("it cannot be looked at: {error}")),
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether a file holds a byte that is neither white space nor NUL.
pub(super) fn holds_something(file: &RealFile) -> Found<()> {
    let (mut offset, mut chunk) = (0_u64, [0_u8; 16 * 1024]);
    while offset < READ_BYTES_MAX {
        match file.read_at(offset, &mut chunk) {
            Ok(0) if offset == 0 => return Err("it is empty".to_owned()),
            Ok(0) => return Err("it holds nothing but white space".to_owned()),
            Ok(count) if chunk[..count].iter().any(|byte| !byte.is_ascii_whitespace() && *byte != 0) => {
                return Ok(());
            }
            Ok(count) => offset += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("it cannot be read: {error}")),
        }
    }
    Err("it begins with too much white space to look further".to_owned())
}
