//! `fencehold.dir` in git's config, taken out by git's own protocol: a `config.lock` that is renamed.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, read_file};
use crate::locate::{setting_in, without_setting};

/// The longest config that is rewritten.
const CONFIG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where a config really stands, and its bytes; none where there is none.
fn read(common_dir: &Path) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let config = common_dir.join("config");
    let failed = |error| Error::environment("reading", &config, error);
    let real = match RealFs.resolve(&config) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        resolved => resolved.map_err(failed)?,
    };
    let bytes = read_file(&RealFs, &real, CONFIG_BYTES_MAX).map_err(failed)?;
    Ok(bytes.map(|bytes| (real, bytes)))
}

/// Whether the setting names `dir`, and stands there as `init --dir` writes it; none where it does not name it.
pub(super) fn is_ours(common_dir: &Path, dir: &Path) -> Result<Option<bool>> {
    let Some((_, bytes)) = read(common_dir)? else { return Ok(None) };
    let text = dir.to_string_lossy();
    let names_it = setting_in(&bytes).is_some_and(|named| Path::new(&named) == dir);
    Ok(names_it.then(|| without_setting(&bytes, &text).is_some()))
}

/// Takes it out; every other byte stays. False where it does not stand there as it was written.
pub(super) fn forget(common_dir: &Path, dir: &Path) -> Result<bool> {
    let Some((real, _)) = read(common_dir)? else { return Ok(false) };
    // Beside the file that a link leads to: there git takes it, too.
    let mut lock = real.clone().into_os_string();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let failed = |error| Error::environment("writing", &lock, error);
    let mode = RealFs.stat(&real).map_err(failed)?.map_or(0o644, |stat| stat.mode);
    let file = RealFs.open(&lock, How::CreateNew { mode }).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::usage(format!(
            "{} exists: another git process is at work, or was killed. Try again, or remove it",
            lock.display()
        )),
        _ => failed(error),
    })?;
    // Read under the lock: what git changed before stays.
    let replaced = read(common_dir).and_then(|read| {
        let kept = read.and_then(|(_, bytes)| without_setting(&bytes, &dir.to_string_lossy()));
        let Some(kept) = kept else { return Ok(false) };
        append_all(&file, &kept).and_then(|()| file.sync()).map_err(failed)?;
        RealFs.rename(&lock, &real).map_err(|error| Error::environment("replacing", &real, error))?;
        Ok(true)
    });
    if !matches!(replaced, Ok(true)) {
        // A lock file that stays stops git until someone removes it.
        let _ = RealFs.unlink(&lock);
    }
    if replaced? {
        let folder = real.parent().unwrap_or(common_dir);
        RealFs
            .sync_dir(folder)
            .map_err(|error| Error::indefinite(&real, format!("syncing its folder: {error}")))?;
        return Ok(true);
    }
    Ok(false)
}
