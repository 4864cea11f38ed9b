//! The list of the proposals for one file, and who may change it when.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::super::wire::Outcome;

/// The list, and the lock beside it.
pub(super) struct Staging {
    path: PathBuf,
    lock: File,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

impl Staging {
    pub(super) fn of(root: &Path, target: &str) -> Result<Self, String> {
        let path = super::list_of(root, target);
        let dir = path.parent().unwrap_or(root);
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let beside = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).append(true).open(&beside).map_err(failed(&beside))?;
        Ok(Staging { path, lock })
    }

    /// The list as it stands, without the lock.
    pub(super) fn look(&self) -> Result<Value, String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", self.path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(json!({})),
            Err(error) => Err(failed(&self.path)(error)),
        }
    }

    /// Reads, decides, and replaces the list where it changed.
    pub(super) fn alone(&self, decide: impl FnOnce(&mut Value) -> Outcome) -> Outcome {
        flock(&self.lock, FlockOperation::LockExclusive).map_err(|error| failed(&self.path)(error.into()))?;
        let outcome = self.updated(decide);
        flock(&self.lock, FlockOperation::Unlock).map_err(|error| failed(&self.path)(error.into()))?;
        outcome
    }

    fn updated(&self, decide: impl FnOnce(&mut Value) -> Outcome) -> Outcome {
        let before = self.look()?;
        let mut all = before.clone();
        let outcome = decide(&mut all)?;
        // What was only looked for stands there as null.
        all.as_object_mut().into_iter().for_each(|all| all.retain(|_, proposal| proposal.is_object()));
        if all != before {
            replace(&self.path, &all.to_string())?;
        }
        Ok(outcome)
    }
}

/// Replaces a file in one rename.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), String> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(name);
    fs::write(&temporary, text).map_err(failed(&temporary))?;
    fs::rename(&temporary, path).map_err(failed(path))
}
