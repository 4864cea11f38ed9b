//! Takes a workspace's folder out of git's config again, by git's own protocol as [`super::setting`] does.
//!
//! Invariant: only what was written there by us goes, as it was written; every other byte stays.

use std::io;
use std::path::{Path, PathBuf};

use super::git_config::{GitConfig, dir_setting};
use super::setting::read;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, How, append_all};

/// Whether `fencehold.dir` of the config of `common_dir` names `dir`, and stands there as [`super::keep_in_git_config`] writes
/// it; none where it is not set.
///
/// # Errors
/// Where the config cannot be read, or names another folder.
pub fn is_kept_in_git_config<F: Fs>(fs: &F, common_dir: &Path, dir: &Path) -> Result<Option<bool>> {
    let config = common_dir.join("config");
    let real = match fs.resolve(&config) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        resolved => resolved.map_err(|error| Error::environment("reaching", &config, error))?,
    };
    let text = dir.to_string_lossy();
    let found = read(fs, &real, &text)?;
    Ok(found.names_it.then(|| without(&found.bytes, &text).is_some()))
}

/// Takes what [`super::keep_in_git_config`] wrote out of the config again; every other byte of it stays. False where it does not
/// stand there as it was written.
///
/// # Errors
/// As [`super::keep_in_git_config`].
pub fn forget_in_git_config<F: Fs>(fs: &F, common_dir: &Path, dir: &Path) -> Result<bool> {
    if is_kept_in_git_config(fs, common_dir, dir)? != Some(true) {
        return Ok(false);
    }
    let (config, text) = (common_dir.join("config"), dir.to_string_lossy());
    let real = fs.resolve(&config).map_err(|error| Error::environment("reaching", &config, error))?;
    let mode = read(fs, &real, &text)?.mode;
    let mut stood = true;
    replace(fs, &real, mode, |lock, file| {
        // Read under the lock: what git changed before stays.
        let bytes = read(fs, &real, &text)?.bytes;
        let kept = without(&bytes, &text);
        stood = kept.is_some();
        append_all(file, kept.as_deref().unwrap_or(&bytes))
            .and_then(|()| file.sync())
            .map_err(|error| Error::environment("writing", lock, error))
    })?;
    let folder = real.parent().unwrap_or(common_dir);
    fs.sync_dir(folder)
        .map_err(|error| Error::indefinite(&config, format!("syncing its folder: {error}")))?;
    Ok(stood)
}

/// The config without our section, where that stands as it was written and the setting is gone with it.
fn without(bytes: &[u8], dir: &str) -> Option<Vec<u8>> {
    let section = dir_setting(dir);
    let ours = section.as_bytes();
    let at = (0..bytes.len()).rev().find(|&at| {
        let begins_a_line = at == 0 || bytes[at - 1] == b'\n';
        // A key behind it would be taken for one of the section before.
        let ends_the_section = |rest: &[u8]| rest.is_empty() || rest.starts_with(b"[");
        begins_a_line && bytes[at..].strip_prefix(ours).is_some_and(ends_the_section)
    })?;
    let kept = [&bytes[..at], &bytes[at + ours.len()..]].concat();
    GitConfig::parse(&String::from_utf8_lossy(&kept)).fencehold_dir.is_none().then_some(kept)
}

/// Replaces a config by what `fill` writes to its lock file.
fn replace<F: Fs>(
    fs: &F,
    real: &Path,
    mode: u32,
    fill: impl FnOnce(&Path, &F::File) -> Result<()>,
) -> Result<()> {
    // Beside the file that a link leads to: there git takes it, too.
    let mut lock = real.to_owned().into_os_string();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let file = fs.open(&lock, How::CreateNew { mode }).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::usage(format!(
            "{} exists: another git process is at work, or was killed. Try again, or remove it",
            lock.display()
        )),
        _ => Error::environment("writing", &lock, error),
    })?;
    let replaced = fill(&lock, &file)
        .and_then(|()| fs.rename(&lock, real).map_err(|error| Error::environment("replacing", real, error)));
    replaced.inspect_err(|_| {
        // Best effort: a lock file that stays stops git until someone removes it.
        let _ = fs.unlink(&lock);
    })
}
