//! What the workspace left in git's own files, taken out of them.

use std::io;
use std::path::Path;

use super::super::session::Session;
use super::super::union_lines::{Added, without};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, read_file};
use crate::host::{Host as _, RealHost};
use crate::locate;
use crate::log::GitCheckout;

/// The longest attributes that are rewritten.
const ATTRIBUTES_BYTES_MAX: usize = 1 << 20;

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

/// Takes `fencehold.dir` out of git's config, where `init --dir` wrote it. Whether it stood there.
pub(super) fn setting(session: &Session) -> Result<bool> {
    let place = &session.place;
    match &place.common_dir {
        Some(common_dir) => locate::forget_in_git_config(&session.fs, common_dir, &place.dir),
        None => Ok(false),
    }
}

/// Whether git's config names the folder otherwise than `init --dir` writes it.
pub(super) fn setting_by_hand(session: &Session) -> Result<bool> {
    let place = &session.place;
    match &place.common_dir {
        Some(common_dir) => {
            Ok(locate::is_kept_in_git_config(&session.fs, common_dir, &place.dir)? == Some(false))
        }
        None => Ok(false),
    }
}
