//! What is remembered of plan files, in the workspace folder: `plans/`, a file for each plan file of each worktree.

use std::path::{Path, PathBuf};

use super::super::session::Session;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, create_synced, read_file};
use crate::host::{Host as _, RealHost};
use crate::mark::{escape, sweep, temp_name};
use crate::plan::FileMemory;

/// The folder in the workspace folder.
pub(in crate::cli) const FOLDER: &str = "plans";
/// More than the memory of any plan file.
const BYTES_MAX: usize = 64 << 20;

/// Where the memory of one plan file is.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    dir: PathBuf,
    name: String,
    tree: String,
    file: String,
}

impl Kept {
    /// That of the file of this name from the top of the worktree.
    pub(super) fn of(session: &Session, file: &str) -> Self {
        let (place, tree) = (&session.place, tree(session));
        let name = format!("{:08x}-{}.json", crc32fast::hash(tree.as_bytes()), escape(file));
        Kept { dir: place.dir.join(FOLDER), name, tree, file: file.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// What is remembered; nothing where there is no file.
    pub(super) fn read(&self) -> Result<FileMemory> {
        let path = self.path();
        let bytes = read_file(&RealFs, &path, BYTES_MAX)
            .map_err(|error| Error::environment("reading", &path, error))?;
        let Some(bytes) = bytes else { return Ok(FileMemory::default()) };
        FileMemory::read(&bytes, &self.tree, &self.file).map_err(|what| Error::Damaged {
            path,
            line: Some(1),
            what,
            advice: format!(
                "It says what {} and the board last agreed on. Remove it, and the order of the statuses decides until they \
                 agree again",
                self.file
            ),
        })
    }

    /// What the file of this name in the folder remembers, and of which plan file of this worktree; none where it is of
    /// another worktree, or cannot be read.
    pub(super) fn found(session: &Session, name: &str) -> Result<Option<(String, FileMemory)>> {
        let (path, tree) = (session.place.dir.join(FOLDER).join(name), tree(session));
        let bytes = read_file(&RealFs, &path, BYTES_MAX)
            .map_err(|error| Error::environment("reading", &path, error))?
            .unwrap_or_default();
        let file = serde_json::from_slice(&bytes).ok();
        let file = file.and_then(|json: serde_json::Value| json["file"].as_str().map(str::to_owned));
        Ok(file.and_then(|file| Some((file.clone(), FileMemory::read(&bytes, &tree, &file).ok()?))))
    }

    /// Remembers it, durably. The caller holds the lock of the plan file.
    pub(super) fn write(&self, memory: &FileMemory, host: &RealHost) -> Result<()> {
        let path = self.path();
        let failed = |error| Error::environment("writing", &path, error);
        self.make_dir().map_err(failed)?;
        sweep(&RealFs, &self.dir, &self.name).map_err(failed)?;
        let mode = RealFs.stat(&self.dir).map_err(failed)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600);
        let temp = self.dir.join(temp_name(&self.name, host.random()));
        create_synced(&RealFs, &temp, mode, memory.write(&self.tree, &self.file).as_bytes())
            .map_err(failed)?;
        if let Err(error) = RealFs.rename(&temp, &path) {
            let _ = RealFs.unlink(&temp);
            return Err(failed(error));
        }
        RealFs.sync_dir(&self.dir).map_err(failed)
    }

    fn make_dir(&self) -> std::io::Result<()> {
        if RealFs.stat(&self.dir)?.is_some() {
            return Ok(());
        }
        let workspace = self.dir.parent().unwrap_or(Path::new("/"));
        let mode = RealFs.stat(workspace)?.map_or(0o700, |stat| stat.mode & 0o7777);
        match RealFs.make_dir(&self.dir, mode) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            _ => RealFs.sync_dir(workspace),
        }
    }
}

/// What tells the worktrees apart.
fn tree(session: &Session) -> String {
    session.place.git_dir.as_ref().unwrap_or(&session.place.root).to_string_lossy().into_owned()
}

/// Whether a file in the folder is called as ours are.
pub(in crate::cli) fn is_name(name: &str) -> bool {
    name.ends_with(".json")
}
