//! Keeps a workspace's folder in git's config, by git's own protocol: a `config.lock` that is renamed.

use std::io;
use std::path::Path;

use super::git_config::{GitConfig, dir_setting};
use crate::error::{Error, Result};
use crate::fs::{Fs, create_synced, read_file};

/// The longest config that is rewritten.
const CONFIG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Sets `fencehold.dir` to `dir` in the config of `common_dir`; every other byte of it stays.
///
/// # Errors
/// Where another folder is set already, or the config cannot be written.
pub fn keep_in_git_config<F: Fs>(fs: &F, common_dir: &Path, dir: &Path) -> Result<()> {
    let config = common_dir.join("config");
    let Some(text) = dir.to_str() else {
        return Err(Error::usage(format!(
            "{} is not UTF-8; git's config cannot name it here",
            dir.display()
        )));
    };
    let real = fs.resolve(&config).map_err(|error| Error::environment("reaching", &config, error))?;
    let lock = common_dir.join("config.lock");
    let failed = |error| Error::environment("reading", &real, error);
    let mode = fs.stat(&real).map_err(failed)?.map_or(0o644, |stat| stat.mode);
    let mut bytes = read_file(fs, &real, CONFIG_BYTES_MAX).map_err(failed)?.unwrap_or_default();
    match GitConfig::parse(&String::from_utf8_lossy(&bytes)).fencehold_dir {
        Some(known) if known == text => return Ok(()),
        Some(known) => {
            return Err(Error::usage(format!(
                "{} names {known} already (fencehold.dir); end what uses it, then `git config --unset fencehold.dir`",
                config.display()
            )));
        }
        None => {}
    }
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(dir_setting(text).as_bytes());
    create_synced(fs, &lock, mode, &bytes).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::usage(format!(
            "{} exists: another git process is at work, or was killed. Try again, or remove it",
            lock.display()
        )),
        _ => Error::environment("writing", &lock, error),
    })?;
    fs.rename(&lock, &real).map_err(|error| {
        // Best effort: a lock file that stays stops git until someone removes it.
        let _ = fs.unlink(&lock);
        Error::environment("replacing", &real, error)
    })?;
    fs.sync_dir(common_dir)
        .map_err(|error| Error::indefinite(&config, format!("syncing its folder: {error}")))
}
