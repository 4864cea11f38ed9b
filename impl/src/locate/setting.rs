//! Keeps a workspace's folder in git's config, by git's own protocol: a `config.lock` that is renamed.
//!
//! Invariants:
//! - whoever is told that the setting stands finds it there after a power cut, whoever wrote it;
//! - what is renamed is the file that was created here, and so is what is removed: the lock's name may lead to another's
//!   by then, as who finds it is told to remove it. (What happens between that look and the rename is seen after it.)

use std::io;
use std::path::{Path, PathBuf};

use super::git_config::{GitConfig, dir_setting};
use crate::document::settle;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, How, Stat, append_all, read_from};

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
    // Where a link leads elsewhere, the entry that is replaced stands there.
    let folder = real.parent().unwrap_or(common_dir);
    if already(fs, &real, folder, text)? {
        return Ok(());
    }
    // Beside the file that a link leads to: there git takes it, too.
    let mut lock = real.clone().into_os_string();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    // Until it is known who may read the config.
    let file = fs.open(&lock, How::CreateNew { mode: 0o600 }).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::usage(format!(
            "{} exists: another git process is at work, or was killed. Try again, or remove it",
            lock.display()
        )),
        _ => Error::environment("writing", &lock, error),
    })?;
    let stands = |path: &Path| stands(fs, path, &file);
    let replaced = write(fs, (&lock, &file), &real, text).and_then(|()| {
        if !stands(&lock).map_err(|error| Error::environment("looking at", &lock, error))? {
            let gone = io::Error::other("it is not the file that was made here any more; try again");
            return Err(Error::environment("looking at", &lock, gone));
        }
        fs.rename(&lock, &real).map_err(|error| Error::environment("replacing", &real, error))
    });
    replaced.inspect_err(|_| {
        // Best effort: a lock file that stays stops git until someone removes it.
        if stands(&lock).is_ok_and(|ours| ours) {
            let _ = fs.unlink(&lock);
        }
    })?;
    let durable = fs.sync_dir(folder);
    durable.map_err(|error| Error::indefinite(&config, format!("syncing its folder: {error}")))?;
    let found = match stands(&real).map_err(|error| Error::environment("looking at", &real, error)) {
        // Whoever changed it right after has our setting in theirs; whoever took our lock away has not.
        Ok(false) => already(fs, &real, folder, text),
        ours => ours,
    };
    match found {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Error::indefinite(&config, "another file has taken its place, which lacks the setting"))
        }
        Err(error) => {
            Err(Error::indefinite(&config, format!("another file may have taken its place: {error}")))
        }
    }
}

/// Whether it names the folder, durably.
fn already<F: Fs>(fs: &F, config: &Path, folder: &Path, dir: &str) -> Result<bool> {
    let found = read(fs, config, dir)?;
    if found.names_it {
        // Whoever wrote it may have been killed before its sync, and git syncs no config.
        settle(fs, folder, &found.file).map_err(|error| Error::environment("syncing", config, error))?;
    }
    Ok(found.names_it)
}

/// Whether what is open stands at `path`.
fn stands<F: Fs>(fs: &F, path: &Path, file: &F::File) -> io::Result<bool> {
    let id = file.stat()?.id;
    Ok(fs.stat(path)?.is_some_and(|found| found.id == id))
}

/// A config as it stands.
struct Found<I> {
    file: I,
    mode: u32,
    bytes: Vec<u8>,
    /// Whether it names the folder that is asked for; one that names another is an error.
    names_it: bool,
}

fn read<F: Fs>(fs: &F, config: &Path, dir: &str) -> Result<Found<F::File>> {
    let failed = |error| Error::environment("reading", config, error);
    let file = fs.open(config, How::Read).map_err(failed)?;
    let mode = file.stat().map_err(failed)?.mode;
    let bytes = read_from(&file, 0, CONFIG_BYTES_MAX).map_err(failed)?;
    let names_it = match GitConfig::parse(&String::from_utf8_lossy(&bytes)).fencehold_dir {
        Some(known) if known != dir => {
            return Err(Error::usage(format!(
                "{} names {known} already (fencehold.dir); end what uses it, then `git config --unset fencehold.dir`",
                config.display()
            )));
        }
        known => known.is_some(),
    };
    Ok(Found { file, mode, bytes, names_it })
}

/// Writes the config with the setting to `config.lock`, durably, with the mode of the config. Both are read under that
/// lock: what git changed before stays.
fn write<F: Fs>(fs: &F, (lock, to): (&Path, &F::File), config: &Path, dir: &str) -> Result<()> {
    let Found { mut bytes, names_it, mode, .. } = read(fs, config, dir)?;
    if !names_it {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(dir_setting(dir).as_bytes());
    }
    to.stat()
        .and_then(|own| to.adopt(&Stat { mode, ..own }))
        .and_then(|()| append_all(to, &bytes))
        .and_then(|()| to.sync())
        .map_err(|error| Error::environment("writing", lock, error))
}
