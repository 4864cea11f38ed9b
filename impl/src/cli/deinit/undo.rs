//! What the workspace left in git's own files, taken out of them.

use std::io;
use std::path::{Path, PathBuf};

use super::super::session::Session;
use super::super::union_lines::{Added, without};
use super::setting;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, create_synced, read_file};
use crate::host::{Host as _, RealHost};
use crate::log::GitCheckout;
use crate::mark::{sweep, temp_name};

/// The longest attributes that are rewritten.
const ATTRIBUTES_BYTES_MAX: usize = 1 << 20;
/// Where a run leaves which folder it is at, in the git directory.
const POINTER: &str = "fencehold.deinit";

/// Takes the lines that logs added out of git's attributes, and gives them. A file and a folder that were made for them
/// and hold nothing else go as well.
pub(super) fn union_lines(session: &Session, added: &[Added]) -> Result<Vec<String>> {
    let place = &session.place;
    let Some(common_dir) = place.common_dir.clone() else { return Ok(Vec::new()) };
    let path = GitCheckout { common_dir, top: place.root.clone() }.attributes();
    let failed = |error| Error::environment("taking our lines out of", &path, error);
    let Some(old) = read_file(&RealFs, &path, ATTRIBUTES_BYTES_MAX).map_err(failed)? else {
        return Ok(Vec::new());
    };
    let (kept, removed) = without(&old, added);
    if removed.is_empty() {
        return Ok(removed);
    }
    if kept.is_empty() && added.iter().any(|added| added.made_file) {
        RealFs.unlink(&path).map_err(failed)?;
        if let (true, Some(info)) = (added.iter().any(|added| added.made_info), path.parent()) {
            // Not empty: others use it.
            let _ = RealFs.remove_dir(info);
        }
    } else {
        rewrite(&path, &kept).map_err(failed)?;
    }
    Ok(removed)
}

/// Puts these bytes in the place of a file, with its mode and owner.
fn rewrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let stat = RealFs.stat(path)?.ok_or(io::ErrorKind::NotFound)?;
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let random = RealHost::new().map_err(io::Error::other)?.random();
    let temp = folder.join(format!(".attributes.fencehold-{random:032x}"));
    let file = RealFs.open(&temp, How::CreateNew { mode: stat.mode })?;
    let written = append_all(&file, bytes)
        .and_then(|()| file.adopt(&stat))
        .and_then(|()| file.sync())
        .and_then(|()| RealFs.rename(&temp, path));
    written.inspect_err(|_| {
        let _ = RealFs.unlink(&temp);
    })?;
    RealFs.sync_dir(folder)
}

/// Takes `fencehold.dir` out of git's config, where `init --dir` wrote it, so that whoever comes now looks elsewhere. The
/// folder's path is left beside the config first: a run that is killed after this finds it again. Whether it stood there.
pub(super) fn setting(session: &Session) -> Result<bool> {
    let place = &session.place;
    let Some(common_dir) = &place.common_dir else { return Ok(false) };
    if setting::is_ours(common_dir, &place.dir)? != Some(true) {
        return Ok(false);
    }
    let path = common_dir.join(POINTER);
    let failed = |error| Error::environment("writing", &path, error);
    let temp = common_dir.join(temp_name(POINTER, RealHost::new()?.random()));
    sweep(&RealFs, common_dir, POINTER).map_err(failed)?;
    create_synced(&RealFs, &temp, 0o600, place.dir.to_string_lossy().as_bytes()).map_err(failed)?;
    RealFs.rename(&temp, &path).and_then(|()| RealFs.sync_dir(common_dir)).map_err(failed)?;
    setting::forget(common_dir, &place.dir)
}

/// The folder that a killed run was at, where git's config names it no more.
pub(super) fn pointed_at(session: &Session) -> Result<Option<PathBuf>> {
    let Some(common_dir) = &session.place.common_dir else { return Ok(None) };
    let path = common_dir.join(POINTER);
    let bytes = read_file(&RealFs, &path, ATTRIBUTES_BYTES_MAX)
        .map_err(|error| Error::environment("reading", &path, error))?;
    let dir = bytes.map(|bytes| PathBuf::from(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(dir.filter(|dir| dir.is_absolute() && *dir != session.place.dir))
}

/// Removes what was left beside the config: all that it leads to is gone.
pub(super) fn forget_pointer(session: &Session) -> Result<()> {
    let Some(common_dir) = &session.place.common_dir else { return Ok(()) };
    let path = common_dir.join(POINTER);
    match RealFs.unlink(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed
            .and_then(|()| RealFs.sync_dir(common_dir))
            .map_err(|error| Error::environment("removing", &path, error)),
    }
}

/// Whether git's config names the folder otherwise than `init --dir` writes it.
pub(super) fn setting_by_hand(session: &Session) -> Result<bool> {
    let place = &session.place;
    match &place.common_dir {
        Some(common_dir) => Ok(setting::is_ours(common_dir, &place.dir)? == Some(false)),
        None => Ok(false),
    }
}
