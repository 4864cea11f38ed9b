//! Moving the folder out of its place, and removing it there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::session::Session;
use super::{hook, in_the_way, is_workspace, ours, undo};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, LockError, LockMode, RealFile, RealFs};
use crate::host::{Host as _, RealHost};

/// How often others may write while it is looked whether anybody does.
const ROUNDS_MAX: usize = 64;

/// What came of it.
pub(super) enum Came {
    /// The folder has left its place, although these spoke against it.
    Away(Vec<String>),
    /// Nothing was changed, because of these.
    Refused(Vec<String>),
}

/// Takes the folder out of its place, unless something speaks against it and it is not forced.
pub(super) fn take(session: &Session, is_forced: bool, removed: &mut Vec<String>) -> Result<Came> {
    let dir = &session.place.dir;
    if !is_workspace(session)? {
        let missed = ours::missed(dir)?;
        if !missed.is_empty() {
            // Never forced: whoever named this folder may have meant another.
            return Err(Error::usage(format!(
                "{} is no workspace, and not empty; nothing was removed. Look at it, and remove it yourself",
                dir.display()
            )));
        }
    }
    if is_forced {
        for asking in hook::installed(session)? {
            hook::uninstall(session, &asking)?;
            let (hook::Asking::Settings(path) | hook::Asking::Git(path)) = &asking;
            removed.push(format!("the hooks of {}", path.display()));
        }
    }
    for _ in 0..ROUNDS_MAX {
        let before = written(dir)?;
        let in_the_way = in_the_way(session, is_forced)?;
        if !is_forced && !in_the_way.is_empty() {
            return Ok(Came::Refused(in_the_way));
        }
        let _held = hold(session)?;
        // What was judged is what stands: only who has this lock writes it.
        if written(dir)? != before {
            continue;
        }
        wait_for_files(session)?;
        // First: from then on nobody makes a new workspace where only the setting leads.
        if undo::setting(session)? {
            removed.push("fencehold.dir of git's config".to_owned());
        }
        rename(dir)?;
        return Ok(Came::Away(in_the_way));
    }
    Err(Error::usage(format!(
        "{} was written {ROUNDS_MAX} times while it was looked at; nothing was removed",
        dir.display()
    )))
}

/// The journal's files and how long they are: whatever is recorded changes one of them.
fn written(dir: &Path) -> Result<Vec<(String, u64)>> {
    let failed = |error| Error::environment("listing", dir, error);
    let mut files = Vec::new();
    for name in RealFs.list(dir).map_err(failed)?.into_iter().filter(|name| name.starts_with("journal.")) {
        let stat = RealFs.stat(&dir.join(&name)).map_err(failed)?;
        files.push((name, stat.map_or(0, |stat| stat.len)));
    }
    files.sort();
    Ok(files)
}

/// The OS lock that every commit takes, held until it is dropped; none where there is none to take.
fn hold(session: &Session) -> Result<Option<RealFile>> {
    let path = session.place.dir.join("lock");
    match RealFs.open(&path, How::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::environment("opening", &path, error)),
        Ok(file) => wait(&path, file, session.settings.patience).map(Some),
    }
}

fn wait(path: &Path, file: RealFile, patience: Duration) -> Result<RealFile> {
    match file.lock(LockMode::Exclusive, patience) {
        Ok(()) => Ok(file),
        Err(LockError::Io(error)) => Err(Error::environment("locking", path, error)),
        Err(LockError::TimedOut) => Err(Error::Busy {
            path: path.to_owned(),
            waited_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
            in_the_way: file
                .stat()
                .map_or_else(|_| "an unknown process".to_owned(), |stat| file.in_the_way(stat.id)),
        }),
    }
}

/// Waits until nobody is in the middle of a write to a log or document. Who begins one now is told that the lock of its
/// file was removed meanwhile.
fn wait_for_files(session: &Session) -> Result<()> {
    let dir = session.place.dir.join("doc");
    let names = match RealFs.list(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(|error| Error::environment("listing", &dir, error))?,
    };
    for path in names.iter().map(|name| dir.join(name)) {
        match RealFs.open(&path, How::Read) {
            Ok(file) => drop(wait(&path, file, session.settings.patience)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::environment("opening", &path, error)),
        }
    }
    Ok(())
}

fn prefix(dir: &Path) -> Option<(&Path, String)> {
    Some((dir.parent()?, format!("{}.gone-", dir.file_name()?.to_str()?)))
}

fn rename(dir: &Path) -> Result<()> {
    let Some((parent, prefix)) = prefix(dir) else {
        return Err(Error::usage(format!("{} cannot be removed: its name is not UTF-8", dir.display())));
    };
    let gone = parent.join(format!("{prefix}{:032x}", RealHost::new()?.random()));
    RealFs.rename(dir, &gone).map_err(|error| Error::environment("moving away", dir, error))?;
    RealFs
        .sync_dir(parent)
        .map_err(|error| Error::indefinite(dir, format!("moved away, but not synced: {error}")))
}

/// The folders that were taken out of their place, by this run or by one that was killed.
pub(super) fn gone(dir: &Path) -> Result<Vec<PathBuf>> {
    let Some((parent, prefix)) = prefix(dir) else { return Ok(Vec::new()) };
    let names = RealFs.list(parent).map_err(|error| Error::environment("listing", parent, error))?;
    let is_one = |name: &String| {
        name.strip_prefix(prefix.as_str())
            .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    Ok(names.into_iter().filter(is_one).map(|name| parent.join(name)).collect())
}

/// Removes such a folder with all that is in it.
pub(super) fn remove(gone: &Path) -> Result<()> {
    let removed = RealFs.remove_all(gone);
    removed.map_err(|error| {
        let why =
            format!("the workspace is taken away, but not all of it could be removed: {error}; run it again");
        Error::indefinite(gone, why)
    })?;
    let Some(parent) = gone.parent() else { return Ok(()) };
    RealFs
        .sync_dir(parent)
        .map_err(|error| Error::indefinite(gone, format!("removed, but not synced: {error}")))
}
