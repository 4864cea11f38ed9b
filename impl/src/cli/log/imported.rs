//! Which files were imported into which logs: noted in the workspace folder before an import begins, so that `log check`
//! finds what a program still writes to the old file.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::out::Out;
use super::super::session::Session;
use super::super::whole;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, RealFs, append_all, read_file};
use crate::log::{LEGACY_BYTES_MAX, Legacy, Log};

/// Its name in the workspace folder.
pub(in super::super) const FILE: &str = "imported.ndjson";
/// More than a checkout has logs.
const BYTES_MAX: usize = 16 << 20;

/// A file that was imported and holds what its log lacks, or cannot be read any more.
#[derive(Debug)]
pub(super) struct Lacking {
    legacy: PathBuf,
    what: std::result::Result<u64, Error>,
}

/// Notes that `legacy` is about to be imported into the log at `log`, unless that is noted.
pub(super) fn note(session: &Session, workspace: &Path, legacy: &Path, log: &Path) -> Result<()> {
    let path = workspace.join(FILE);
    let (root, fs) = (&session.place.root, session.fs);
    let pair = json!({ "log": below(root, log), "legacy": below(root, legacy) });
    let failed = |error| Error::environment("noting the import in", &path, error);
    if notes(fs, &path)?.contains(&pair) {
        return Ok(());
    }
    let file = match fs.open(&path, How::Append) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mode = fs.stat(workspace).map_err(failed)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600);
            match fs.open(&path, How::CreateNew { mode }) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs.open(&path, How::Append),
                created => created,
            }
        }
        opened => opened,
    };
    let file = file.map_err(failed)?;
    // Behind what a killed one left, on a line of its own.
    let noted = append_all(&file, format!("\n{pair}\n").as_bytes()).and_then(|()| file.sync());
    noted.and_then(|()| fs.sync_dir(workspace)).map_err(failed)
}

/// The notes; what is no whole one is passed over.
fn notes(fs: RealFs, path: &Path) -> Result<Vec<Value>> {
    let bytes =
        read_file(&fs, path, BYTES_MAX).map_err(|error| Error::environment("reading", path, error))?;
    let bytes = bytes.unwrap_or_default();
    Ok(bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// A path from the top of the worktree, where it lies below: in another worktree it is that one's file.
fn below<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// The files that were imported into this log and hold more than it has.
pub(super) fn lacking(session: &Session, log: &Log<RealFs>) -> Result<Vec<Lacking>> {
    let root = &session.place.root;
    let of_log =
        |note: &Value| note["log"].as_str().is_some_and(|path| root.join(path) == log.place().path());
    let mut lacking: Vec<Lacking> = Vec::new();
    for note in notes(session.fs, &session.place.dir.join(FILE))?.iter().filter(|note| of_log(note)) {
        let Some(legacy) = note["legacy"].as_str().map(|path| root.join(path)) else { continue };
        let is_there = session.fs.resolve(&legacy).is_ok();
        if !is_there || lacking.iter().any(|lacking| lacking.legacy == legacy) {
            continue;
        }
        let read = read(session, &legacy).and_then(|(_, read)| log.lacks(&read));
        if !matches!(read, Ok(0)) {
            lacking.push(Lacking { legacy, what: read });
        }
    }
    Ok(lacking)
}

/// The file to import, its bytes and what they hold; links are followed.
pub(super) fn read(session: &Session, legacy: &Path) -> Result<(Vec<u8>, Legacy)> {
    let bytes = whole::read(session.fs, legacy, LEGACY_BYTES_MAX).map_err(|error| match error {
        Error::Environment { source, .. } if source.kind() == io::ErrorKind::InvalidData => Error::usage(format!(
            "{} is longer than {LEGACY_BYTES_MAX} bytes; nothing was imported, and the file stays as it is. Append its \
             entries in portions: a file of lines, each an entry, to `fencehold log append FILE`",
            legacy.display()
        )),
        other => other,
    })?;
    let read = Legacy::read(legacy, &bytes)?;
    Ok((bytes, read))
}

/// For machines.
pub(super) fn objects(lacking: &[Lacking]) -> Vec<Value> {
    let object = |lacking: &Lacking| match &lacking.what {
        Ok(entries) => json!({ "legacy": lacking.legacy, "entries": entries }),
        Err(error) => json!({ "legacy": lacking.legacy, "error": error.to_string() }),
    };
    lacking.iter().map(object).collect()
}

/// Says it; whether there was anything to say.
pub(super) fn tell(out: Out, file: &Path, lacking: &[Lacking]) -> bool {
    for Lacking { legacy, what } in lacking {
        let (file, legacy) = (file.display(), legacy.display());
        match what {
            Ok(entries) => out.say(&format!(
                "{legacy} was imported into {file} and holds {entries} entries that it lacks: some program still writes \
                 there. `fencehold log import {legacy} {file}` takes them over; let that program append to {file}"
            )),
            Err(error) => out.say(&format!("{legacy} was imported into {file}, and now: {error}")),
        }
    }
    !lacking.is_empty()
}
