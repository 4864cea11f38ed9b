//! Putting new bytes in the place of a file: the only steps of an update that others can see.

use std::io;
use std::path::Path;

use super::{Version, Was};
use crate::error::{Error, Result};
use crate::fs::{File, Fs, How, append_all, create_synced};
use crate::mark::{Answer, Place, Refusal};

/// Replaces what stands at `place`, which was `was`, by `bytes`, through a file called `temp`. The caller holds the
/// lock. Refused where the file is another by now; an error from before the rename leaves it as it was.
pub(crate) fn replace<F: Fs>(
    fs: &F,
    place: &Place,
    was: Option<&Was>,
    bytes: &[u8],
    temp: &str,
) -> Result<Answer<Version>> {
    let (path, temp) = (place.path(), place.dir.join(temp));
    let written = write(fs, place, was, bytes, &temp)?;
    let give_up = |error: Error| {
        let _ = fs.unlink(&temp);
        error
    };
    let now = version_unless_same(fs, &path, was)
        .map_err(|error| give_up(Error::environment("reading", &path, error)))?;
    if let Some(found) = now {
        let _ = fs.unlink(&temp);
        return Ok(Err(Refusal::Version { found, meanwhile: true }));
    }
    let renamed = match was {
        Some(_) => fs.rename(&temp, &path),
        None => fs.rename_new(&temp, &path),
    };
    match renamed {
        Err(error) if was.is_none() && error.kind() == io::ErrorKind::AlreadyExists => {
            let now = version_unless_same(fs, &path, None);
            let found = now.map_err(|error| give_up(Error::environment("reading", &path, error)))?;
            let _ = fs.unlink(&temp);
            return Ok(Err(Refusal::Version {
                found: found.unwrap_or_else(Version::absent),
                meanwhile: true,
            }));
        }
        Err(error) => {
            // An answer of the system that the disk contradicts: it was done, and may not be durable.
            return Err(match (written.stat(), fs.stat(&path)) {
                (Ok(ours), Ok(at_path)) if at_path.is_none_or(|at_path| at_path.id != ours.id) => {
                    give_up(Error::environment("renaming to", &path, error))
                }
                _ => Error::indefinite(&path, format!("renaming to it failed: {error}")),
            });
        }
        Ok(()) => {}
    }
    match fs.sync_dir(&place.dir) {
        Ok(()) => Ok(Ok(Version::of(bytes))),
        Err(error) => Err(Error::indefinite(&path, format!("its directory could not be synced: {error}"))),
    }
}

/// Writes the temporary file, like `was` in mode and owner from before it has any bytes that could be seen.
fn write<F: Fs>(fs: &F, place: &Place, was: Option<&Was>, bytes: &[u8], temp: &Path) -> Result<F::File> {
    let failed = |error| Error::environment("writing", temp, error);
    let Some(was) = was else {
        let dir =
            fs.stat(&place.dir).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        return create_synced(fs, temp, new_file_mode(dir.mode), bytes).map_err(failed);
    };
    // Nobody but us until the owner is right.
    let how = How::CreateNew { mode: was.stat.mode & 0o700 };
    let file = fs.open(temp, how).map_err(failed)?;
    // Mode and owner go with the length that this sync makes durable, and with the directory at the latest.
    let written = append_all(&file, bytes).and_then(|()| file.adopt(&was.stat)).and_then(|()| file.sync());
    match written {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = fs.unlink(temp);
            Err(failed(error))
        }
    }
}

/// Who may write in the directory may write a new file in it; others than its group never.
pub(crate) fn new_file_mode(dir_mode: u32) -> u32 {
    (dir_mode & 0o664) | 0o600
}

/// None where `was` still stands at `path`, else the version of what does.
fn version_unless_same<F: Fs>(fs: &F, path: &Path, was: Option<&Was>) -> io::Result<Option<Version>> {
    let file = match fs.open(path, How::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(was.map(|_| Version::absent()));
        }
        Err(error) => return Err(error),
    };
    let (stat, version) = (file.stat()?, Version::of_file(&file, 0)?);
    let same = was.is_some_and(|was| was.stat.id == stat.id && was.version == version);
    Ok((!same).then_some(version))
}
