//! Copying damaged bytes to `quarantine/`.
//!
//! Invariants: the name says which file, from which offset to its end (0: a document is copied whole) and which bytes,
//! so the same damage is copied once, however often it is met and wherever the copying was killed; a copy is whole and durable
//! before it has its name; nothing there is ever overwritten. The caller holds the lock of the file.

use std::io;
use std::path::{Path, PathBuf};

use crate::document::{Sum, Version, each_chunk};
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, make_dir_if_missing};
use crate::host::Host;
use crate::mark::{missing, sweep, temp_name};

/// A copy in quarantine.
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
}

/// Copies the file from `offset` to its end, unless the same bytes of it are there already.
pub(crate) fn keep<F: Fs>(
    fs: &F,
    host: &impl Host,
    workspace: &Path,
    key: &str,
    file: &F::File,
    offset: u64,
) -> Result<Kept> {
    let dir = workspace.join("quarantine");
    let failed = |error| Error::environment("copying to", &dir, error);
    make_dir_if_missing(fs, &dir).map_err(failed)?;
    let version = Version::of_file(file, offset).map_err(failed)?;
    let path = dir.join(name(key, offset, &version));
    if fs.stat(&path).map_err(failed)?.is_some() {
        // Who made it may have been killed before this.
        fs.sync_dir(&dir).map_err(failed)?;
        return Ok(Kept { path, version });
    }
    if fs.stat(&dir).map_err(failed)?.is_none() {
        return Err(failed(missing()));
    }
    sweep(fs, &dir, key).map_err(failed)?;
    let temp = dir.join(temp_name(key, host.random()));
    let kept = copy(fs, &temp, (key, offset), file).map_err(|error| {
        let _ = fs.unlink(&temp);
        failed(error)
    })?;
    fs.sync_dir(&dir).map_err(failed)?;
    Ok(kept)
}

fn name(key: &str, offset: u64, version: &Version) -> String {
    format!("{key}@{offset}-{version}")
}

fn copy<F: Fs>(fs: &F, temp: &Path, (key, offset): (&str, u64), from: &F::File) -> io::Result<Kept> {
    let dir = temp.parent().expect("a temp stands in a folder");
    let folder = fs.stat(dir)?.ok_or(io::ErrorKind::NotFound)?;
    // No wider than the file was, nor than the folder is.
    let mode = (from.stat()?.mode & folder.mode & 0o666) | 0o600;
    let to = fs.open(temp, How::CreateNew { mode })?;
    let mut sum = Sum::default();
    each_chunk(from, offset, |chunk| {
        sum.add(chunk);
        crate::fs::append_all(&to, chunk)
    })?;
    to.sync()?;
    // Named by what was copied, should the file have changed since it was looked at.
    let version = sum.version();
    let path = dir.join(name(key, offset, &version));
    match fs.rename_new(temp, &path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs.unlink(temp)?,
        renamed => renamed?,
    }
    Ok(Kept { path, version })
}
