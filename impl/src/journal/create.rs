//! Making a workspace: whole, or not at all.
//!
//! Invariant: the folder is built under another name, synced, and renamed into place; so one in place is complete, and
//! what is missing from it later is damage.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::record::{self, Head};
use fencehold_model::{State, WorkspaceId};

use super::floor::{Floor, STEP};
use super::layout::{self, FLOOR, FOLDERS, LOCK};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, How, LockMode, create_synced};
use crate::host::Host;

/// How often a folder may be swept by another creator before its lock is held.
const SWEPT_MAX: usize = 64;

/// Who may use a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Modes {
    /// Its owner alone.
    #[default]
    Owner,
    /// Its group: group-writable and setgid, whatever the umask.
    Group,
}

impl Modes {
    fn dir(self) -> u32 {
        match self {
            Modes::Owner => 0o700,
            Modes::Group => 0o2770,
        }
    }

    fn file(self) -> u32 {
        match self {
            Modes::Owner => 0o600,
            Modes::Group => 0o660,
        }
    }
}

/// Creates the workspace folder `dir`, whose parent exists. False where another process was faster.
///
/// # Errors
/// Where something cannot be written: then there is no workspace, unless the error is indefinite.
pub fn create<F: Fs>(fs: &F, host: &impl Host, dir: &Path, modes: Modes) -> Result<bool> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::usage(format!("{} cannot be a workspace folder", dir.display())));
    };
    let failed = |error| Error::environment("creating", dir, error);
    sweep(fs, parent, name);
    let (building, lock) = begin(fs, host, parent, name, modes).map_err(failed)?;
    let renamed = fill(fs, host, &building, &lock, modes).and_then(|()| fs.rename(&building, dir));
    match renamed {
        Ok(()) => {
            let synced = fs.sync_dir(parent);
            let _ = lock.unlock();
            synced.map_err(|error| Error::indefinite(dir, format!("created, but not synced: {error}")))?;
            Ok(true)
        }
        Err(error) => {
            remove(fs, &building);
            let taken = layout::is_workspace(fs, dir).unwrap_or(false);
            if taken { Ok(false) } else { Err(failed(error)) }
        }
    }
}

/// Makes the folder to build in, its `lock` held, so that a sweep by another creator leaves it alone. One that was
/// swept before its lock was held, be it before it had its mode, is given up for a new one.
fn begin<F: Fs>(
    fs: &F,
    host: &impl Host,
    parent: &Path,
    name: &str,
    modes: Modes,
) -> io::Result<(PathBuf, F::File)> {
    let mut swept = None;
    for _ in 0..SWEPT_MAX {
        let building = parent.join(format!("{name}.new-{:032x}", host.random()));
        let path = building.join(LOCK);
        match fs.make_dir(&building, modes.dir()) {
            Ok(()) => {}
            // Swept before it had its mode; or there is no parent, which the last one says.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                swept = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        }
        let lock = match fs.open(&path, How::CreateNew { mode: modes.file() }) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let _ = fs.remove_dir(&building);
                return Err(error);
            }
        };
        let held = lock.lock(LockMode::Exclusive, Duration::ZERO).is_ok();
        let id = lock.stat()?.id;
        if held && fs.stat(&path)?.is_some_and(|stat| stat.id == id) {
            return Ok((building, lock));
        }
    }
    Err(swept.unwrap_or_else(|| io::Error::other(format!("other creators swept it away {SWEPT_MAX} times"))))
}

fn fill<F: Fs>(fs: &F, host: &impl Host, dir: &Path, lock: &F::File, modes: Modes) -> io::Result<()> {
    let id = WorkspaceId::new(&format!("{:032x}", host.random())).expect("hexadecimal digits are an id");
    let floor = Floor { workspace: id.clone(), lock: lock.stat()?.id.to_string(), floor: STEP };
    create_synced(fs, &dir.join(FLOOR), modes.file(), floor.line().as_bytes())?;
    let (line, _) = record::write_head(&Head { workspace: id, n: 1, state: State::default() }, 0);
    create_synced(fs, &layout::journal_path(dir, 1), modes.file(), line.as_bytes())?;
    for name in FOLDERS {
        fs.make_dir(&dir.join(name), modes.dir())?;
    }
    fs.sync_dir(dir)
}

/// Removes what killed creators left beside `name`: whose `lock` nobody holds. The lock is held while it is removed.
fn sweep<F: Fs>(fs: &F, parent: &Path, name: &str) {
    let prefix = format!("{name}.new-");
    let left: Vec<PathBuf> = fs
        .list(parent)
        .unwrap_or_default()
        .iter()
        .filter(|entry| entry.strip_prefix(&prefix).is_some_and(|random| random.len() == 32))
        .map(|entry| parent.join(entry))
        .collect();
    for dir in left {
        let Ok(lock) = fs.open(&dir.join(LOCK), How::Read) else {
            // Left between its making and its lock's; only an empty one goes, and a living creator makes another.
            let _ = fs.remove_dir(&dir);
            continue;
        };
        if lock.lock(LockMode::Exclusive, Duration::ZERO).is_ok() {
            remove(fs, &dir);
        }
    }
}

/// Removes a folder that was being built; what cannot be removed stays for the next sweep.
fn remove<F: Fs>(fs: &F, dir: &Path) {
    for name in FOLDERS {
        let _ = fs.remove_dir(&dir.join(name));
    }
    // The lock goes last: a folder without one is not known as abandoned.
    for path in [dir.join(FLOOR), layout::journal_path(dir, 1), dir.join(LOCK)] {
        let _ = fs.unlink(&path);
    }
    let _ = fs.remove_dir(dir);
}
