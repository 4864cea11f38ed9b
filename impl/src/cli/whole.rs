//! Files of others, read whole or replaced whole: a temporary file, synced, renamed, its directory synced.

use std::path::Path;

use super::session::Session;
use crate::document::new_file_mode;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, Kind, RealFs, create_synced, read_file};
use crate::host::{Host as _, RealHost};
use crate::mark::temp_name;

/// The bytes of the file at `path`, a symlink followed.
pub(super) fn read(fs: RealFs, path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let failed = |error| Error::environment("reading", path, error);
    let real = fs.resolve(path).map_err(failed)?;
    let bytes = read_file(&fs, &real, bytes_max).map_err(failed)?;
    bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))
}

/// Puts `bytes` in the place of what stands at `path`, a symlink followed: nobody reads a part of them. A file that is not
/// empty is replaced only where it `begins` as this one does.
pub(super) fn replace(
    session: &Session,
    host: &RealHost,
    path: &Path,
    bytes: &[u8],
    begins: &str,
) -> Result<()> {
    let fs = session.fs;
    let looking = |error| Error::environment("looking at", path, error);
    let path = match fs.stat(path).map_err(looking)? {
        Some(stat) if stat.kind == Kind::Symlink => fs.resolve(path).map_err(looking)?,
        _ => path.to_owned(),
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::usage(format!("{} names no file; nothing was written", path.display())));
    };
    let failed = |error| Error::environment("writing", &path, error);
    let dir = fs.resolve(parent).map_err(failed)?;
    if fs.resolve(&session.place.dir).is_ok_and(|workspace| dir.starts_with(workspace)) {
        return Err(Error::usage(format!(
            "{} lies in the workspace folder, which only fencehold writes; nothing was written",
            path.display()
        )));
    }
    let mode = match fs.stat(&path).map_err(failed)? {
        Some(stat) if stat.kind != Kind::File => {
            return Err(Error::usage(format!("{} is no regular file; nothing was written", path.display())));
        }
        Some(stat) => {
            let file = fs.open(&path, How::Read).map_err(failed)?;
            let mut found = vec![0; begins.len()];
            let count = file.read_at(0, &mut found).map_err(failed)?;
            if count > 0 && found != begins.as_bytes() {
                return Err(Error::usage(format!(
                    "{} is something else and would be lost; nothing was written. Name another file, or remove it",
                    path.display()
                )));
            }
            stat.mode & 0o777
        }
        None => new_file_mode(fs.stat(&dir).map_err(failed)?.map_or(0, |stat| stat.mode)),
    };
    let temp = dir.join(temp_name(name, host.random()));
    create_synced(&fs, &temp, mode, bytes).map_err(failed)?;
    if let Err(error) = fs.rename(&temp, &path) {
        let _ = fs.unlink(&temp);
        return Err(failed(error));
    }
    fs.sync_dir(&dir)
        .map_err(|error| Error::indefinite(&path, format!("its directory could not be synced: {error}")))
}
