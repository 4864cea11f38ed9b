//! What an install makes is for all who share it: with the modes of the folder that it is made in.

use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, create_synced};
use crate::host::{Host as _, RealHost};
use crate::mark::{sweep, temp_name};

/// Makes a folder where there is none; whether it did.
pub(super) fn folder(dir: &Path) -> Result<bool> {
    let failed = |error| Error::environment("creating", dir, error);
    let above = dir.parent().map(|above| RealFs.stat(above)).transpose().map_err(failed)?.flatten();
    match RealFs.make_dir(dir, above.map_or(0o755, |above| above.mode & 0o2775 | 0o700)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Keeps a file in the workspace folder, durably, for whoever the folder is for and `readers` lets read it.
pub(super) fn keep(workspace: &Path, name: &str, readers: u32, bytes: &[u8]) -> Result<()> {
    let path = workspace.join(name);
    let failed = |error| Error::environment("writing", &path, error);
    // What a killed install left.
    sweep(&RealFs, workspace, name).map_err(failed)?;
    let folder = RealFs.stat(workspace).map_err(failed)?.map_or(0o700, |stat| stat.mode);
    let temp = workspace.join(temp_name(name, RealHost::new()?.random()));
    create_synced(&RealFs, &temp, folder & readers & 0o666 | 0o600, bytes).map_err(failed)?;
    RealFs.rename(&temp, &path).and_then(|()| RealFs.sync_dir(workspace)).map_err(failed)
}
