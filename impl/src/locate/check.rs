//! What is refused as a workspace folder, each with the command that mends it.

use std::io;
use std::path::Path;

use super::{Place, git_index};
use crate::error::{Error, Result};
use crate::fs::{Fs, Kind, RealFs};

/// Permission bit: the group may write.
const GROUP_WRITES: u32 = 0o020;

/// The filesystems on which an OS lock and a sync are known to do what the journal needs, by the number that
/// statfs(2) gives. That a lock works between two local processes proves nothing about NFS, 9p or drvfs.
const FILESYSTEMS: [(u32, &str); 7] = [
    (0xef53, "ext2, ext3 or ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0xf2f5_2010, "f2fs"),
    (0x2fc1_2fc1, "zfs"),
    (0x0102_1994, "tmpfs"),
    (0x794c_7630, "overlayfs"),
];
const TMPFS: u32 = 0x0102_1994;

/// Refuses a folder that is a symlink, no folder, another user's and not shared, or tracked by git.
///
/// # Errors
/// [`Error::Usage`] with the command that mends it.
pub fn check<F: Fs>(fs: &F, place: &Place) -> Result<()> {
    let dir = &place.dir;
    let looked = fs.stat(dir).map_err(|error| Error::environment("looking at", dir, error))?;
    let Some(stat) = looked else { return tracked(fs, place) };
    let shown = dir.display();
    match stat.kind {
        Kind::Dir => {}
        Kind::Symlink => {
            return Err(Error::usage(format!(
                "{shown} is a symbolic link, and a workspace folder must stand where it is named; nothing was \
                 changed. Remove the link (`rm {shown}`), and name its target once: `fencehold init --dir TARGET`"
            )));
        }
        Kind::File | Kind::Other => {
            return Err(Error::usage(format!(
                "{shown} is no folder, and the workspace would be one; nothing was changed. Move it away: \
                 `mv {shown} {shown}.old`"
            )));
        }
    }
    let me = rustix::process::geteuid().as_raw();
    if stat.uid != me && stat.mode & GROUP_WRITES == 0 {
        return Err(Error::usage(format!(
            "{shown} belongs to user {} and is not shared, and you are user {me}; nothing was changed. Share it, as \
             its owner: `fencehold init --shared`",
            stat.uid
        )));
    }
    // What is written into one of these by name would be written wherever a link leads.
    for name in crate::journal::FOLDERS {
        let path = dir.join(name);
        let looked = fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        if looked.is_some_and(|stat| stat.kind != Kind::Dir) {
            let shown = path.display();
            return Err(Error::usage(format!(
                "{shown} is no folder, or a link to one, and fencehold's own stands there; nothing was changed. Move \
                 it away: `mv {shown} {shown}.old && mkdir {shown}`"
            )));
        }
    }
    tracked(fs, place)
}

fn tracked<F: Fs>(fs: &F, place: &Place) -> Result<()> {
    for (top, index) in &place.indexes {
        let below = place.dir.strip_prefix(top).ok().and_then(Path::to_str);
        let Some(folder) = below.filter(|folder| !folder.is_empty() && !folder.starts_with(".git/")) else {
            continue;
        };
        let found = git_index::tracks(fs, index, folder, place.sha256);
        if found.map_err(|error| unreadable(index, error))? {
            return Err(Error::usage(format!(
                "{} is tracked by git, so every clone and every branch would carry a copy of its locks; nothing was \
                 changed. Take it out: `git rm -r --cached {folder}`, and commit that",
                place.dir.display()
            )));
        }
    }
    Ok(())
}

fn unreadable(index: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::usage(format!(
            "{}: {error}, so whether git tracks the workspace folder cannot be told; see what `git status` says",
            index.display()
        )),
        _ => Error::environment("reading", index, error),
    }
}

/// Refuses a filesystem that is not known to lock and sync as the journal needs; gives a note where it forgets.
///
/// # Errors
/// [`Error::Usage`] where it is not on the list, [`Error::Environment`] where it cannot be asked.
pub fn check_filesystem(fs: RealFs, dir: &Path) -> Result<(&'static str, Option<String>)> {
    for at in dir.ancestors() {
        let magic = match fs.filesystem(at) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            other => other.map_err(|error| Error::environment("asking the filesystem of", at, error))?,
        };
        let Some((_, name)) = FILESYSTEMS.iter().find(|(known, _)| *known == magic) else {
            return Err(Error::usage(format!(
                "{} is on a filesystem of type {magic:#x}, where a lock and a sync are not known to hold (NFS, 9p and \
                 FUSE are such); nothing was changed. Put the workspace on a local disk, once for all worktrees: \
                 `fencehold init --dir PATH`",
                dir.display()
            )));
        };
        let note = (magic == TMPFS)
            .then(|| format!("{} is on tmpfs: what is written there is gone after a reboot", dir.display()));
        return Ok((*name, note));
    }
    Err(Error::usage(format!("{} has no folder above it that exists", dir.display())))
}
