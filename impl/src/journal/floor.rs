//! `floor.json`: the revision below which every revision ever handed out lies.
//!
//! Invariant: it is replaced durably before the first revision at or above the old floor is used.

use std::path::{Path, PathBuf};

use fencehold_model::json::{Fields, Malformed, Tree, Writer};
use fencehold_model::{NUMBER_BOUND, Revision, WorkspaceId, chain};

use super::layout;
use super::tail::REPAIR;
use crate::error::{Error, Result};
use crate::fs::{Fs, create_synced, read_file};
use crate::host::Host;
use crate::mark::{sweep, temp_name};

/// By how much a floor is raised: one durable replacement for a million events.
pub(super) const STEP: Revision = 1 << 20;
const FORMAT: u64 = 1;
const BYTES_MAX: usize = 64 * 1024;

/// What `floor.json` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Floor {
    pub(super) workspace: WorkspaceId,
    /// Device and inode of `lock`, as `dev:ino`: another one means that the folder was copied or restored.
    pub(super) lock: String,
    pub(super) floor: Revision,
}

impl Floor {
    /// Reads the floor of the workspace at `dir`. A missing one is damage: it is created with the workspace.
    pub(super) fn read<F: Fs>(fs: &F, dir: &Path) -> Result<Self> {
        let path = dir.join(layout::FLOOR);
        let bytes =
            read_file(fs, &path, BYTES_MAX).map_err(|error| Error::environment("reading", &path, error))?;
        let damaged =
            |what: String| Error::Damaged { path: path.clone(), line: None, what, advice: REPAIR.to_owned() };
        let bytes = bytes.ok_or_else(|| damaged("it is missing".to_owned()))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged("not UTF-8".to_owned()))?.trim_end();
        chain::verify(text).ok_or_else(|| damaged("its checksum is missing or wrong".to_owned()))?;
        let value: Tree<'_> = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        Self::parse(&value).map_err(|bad| damaged(bad.0)).and_then(|(format, floor)| match format {
            FORMAT => Ok(floor),
            newer => Err(Error::Newer {
                path: path.clone(),
                what: format!("floor format {newer}; this program reads {FORMAT}"),
            }),
        })
    }

    fn parse(value: &Tree<'_>) -> std::result::Result<(u64, Self), Malformed> {
        let fields = Fields::of(value)?;
        let floor = Floor {
            workspace: fields.id("workspace")?,
            lock: fields.text("lock")?.to_owned(),
            floor: fields.number("floor")?,
        };
        Ok((fields.number("fencehold")?, floor))
    }

    /// Its bytes.
    pub(super) fn line(&self) -> String {
        let mut line = String::new();
        Writer::new(&mut line)
            .number("fencehold", FORMAT)
            .text("workspace", self.workspace.as_str())
            .text("lock", &self.lock)
            .number("floor", self.floor);
        chain::seal(&mut line);
        line
    }

    /// Replaces `floor.json` durably. The caller holds the OS lock.
    pub(super) fn write<F: Fs>(&self, fs: &F, host: &impl Host, dir: &Path) -> Result<()> {
        let path = dir.join(layout::FLOOR);
        let temp: PathBuf = dir.join(temp_name(layout::FLOOR, host.random()));
        let failed = |error| Error::environment("writing", &path, error);
        // What a killed writer of it left; this one holds the lock.
        sweep(fs, dir, layout::FLOOR).map_err(failed)?;
        let mode = fs.stat(dir).map_err(failed)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600);
        create_synced(fs, &temp, mode, self.line().as_bytes()).map_err(failed)?;
        // Nothing rests on the new floor before this returns, so a failure changes nothing for anybody.
        fs.rename(&temp, &path).and_then(|()| fs.sync_dir(dir)).map_err(failed)
    }

    /// The same with the floor moved up; the numbers end at 2^53.
    pub(super) fn raised(&self) -> Result<Self> {
        let floor = self.floor + STEP;
        if floor >= NUMBER_BOUND {
            return Err(Error::usage("the revisions of this workspace are used up (2^53); begin a new one"));
        }
        Ok(Floor { floor, ..self.clone() })
    }
}
