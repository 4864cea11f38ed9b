//! What a settings file was before the hooks were installed: kept in the workspace folder, so that an uninstall leaves it
//! byte for byte as it was.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::made;
use super::wired::with_ours;
use crate::document::{Version, merged};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, read_file};

/// The longest one that is read.
const BYTES_MAX: usize = 64 << 20;

/// A settings file before the first install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before {
    /// Its bytes; none where there was no file.
    pub(super) settings: Option<Vec<u8>>,
    /// Whether its folder was made for it.
    pub(super) made_dir: bool,
    /// The program that was installed.
    pub(super) program: String,
}

/// The name that it is kept by: one file for each settings file.
fn name(file: &Path) -> String {
    format!("hook-settings.{}.json", Version::of(file.as_os_str().as_encoded_bytes()))
}

fn path(workspace: &Path, file: &Path) -> PathBuf {
    workspace.join(name(file))
}

/// The settings files of which something is kept.
pub(super) fn files(workspace: &Path) -> Result<Vec<PathBuf>> {
    let names = match RealFs.list(workspace) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(|error| Error::environment("listing", workspace, error))?,
    };
    let mut files = Vec::new();
    for path in names.iter().filter(|name| is_name(name)).map(|name| workspace.join(name)) {
        let bytes = read_file(&RealFs, &path, BYTES_MAX)
            .map_err(|error| Error::environment("reading", &path, error))?;
        let kept = serde_json::from_slice::<Value>(&bytes.unwrap_or_default()).unwrap_or_default();
        files.extend(kept["file"].as_str().map(PathBuf::from));
    }
    Ok(files)
}

/// Whether a file of the workspace folder is one of these.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with("hook-settings.") && name.ends_with(".json")
}

impl Before {
    /// Keeps it, durably.
    pub(super) fn keep(&self, workspace: &Path, file: &Path) -> Result<()> {
        let settings = match &self.settings {
            None => Value::Null,
            Some(bytes) => String::from_utf8(bytes.clone())
                .map_err(|_| Error::usage("the settings are not UTF-8"))?
                .into(),
        };
        let value = json!({ "file": file.to_string_lossy(), "settings": settings, "made_dir": self.made_dir,
            "program": self.program });
        // Nobody reads settings here who may not read them there.
        let readers = match &self.settings {
            None => 0o666,
            Some(_) => {
                let stat = RealFs.resolve(file).and_then(|real| RealFs.stat(&real));
                let stat = stat.map_err(|error| Error::environment("looking at", file, error))?;
                stat.map_or(0o600, |stat| stat.mode)
            }
        };
        made::keep(workspace, &name(file), readers, value.to_string().as_bytes())
    }

    /// What is kept of a settings file.
    pub(super) fn of(workspace: &Path, file: &Path) -> Result<Option<Self>> {
        let path = path(workspace, file);
        let bytes = read_file(&RealFs, &path, BYTES_MAX)
            .map_err(|error| Error::environment("reading", &path, error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        // Without it the hooks are taken out of what stands there.
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return Ok(None) };
        let Some(program) = value["program"].as_str() else { return Ok(None) };
        Ok(Some(Before {
            settings: value["settings"].as_str().map(|text| text.as_bytes().to_owned()),
            made_dir: value["made_dir"] == true,
            program: program.to_owned(),
        }))
    }

    /// Whether an install made `now` of it, and nobody edited that.
    pub(super) fn became(&self, now: &[u8]) -> bool {
        let bytes = self.settings.as_deref();
        let Ok(settings) = serde_json::from_slice::<Value>(bytes.unwrap_or(b"{}")) else { return false };
        let installed = with_ours(&settings, &self.program).ok().and_then(|patch| merged(bytes, &patch).ok());
        installed.as_deref() == Some(now)
    }

    /// Removes what is kept.
    pub(super) fn forget(workspace: &Path, file: &Path) -> Result<()> {
        let path = path(workspace, file);
        match RealFs.unlink(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::environment("removing", &path, error))
            }
            _ => Ok(()),
        }
    }
}
