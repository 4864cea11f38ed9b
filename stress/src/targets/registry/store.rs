//! The file, and who may change it when.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::super::wire::{Answer, Outcome};
use super::Defect;

/// The numbers that [`Defect::PidReuse`] knows processes by.
const NUMBERS: u32 = 2;
/// How the directories that [`Defect::CwdSplit`] is run in are told apart.
const DIRECTORIES: u32 = 2;

/// A registry on the disk, and this process beside it.
pub(super) struct Store {
    dir: PathBuf,
    lock: File,
    pub(super) defect: Defect,
    /// What this process is known by; its file is locked for as long as it lives.
    pub(super) life: String,
    _alive: File,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

impl Store {
    pub(super) fn open(root: &Path, defect: Defect) -> Result<Self, String> {
        let pid = std::process::id();
        let dir = match defect {
            Defect::CwdSplit => root.join(format!("directory-{}", pid % DIRECTORIES)),
            _ => root.to_owned(),
        };
        fs::create_dir_all(dir.join("alive")).map_err(failed(&dir))?;
        let open = |path: PathBuf| {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            file.map_err(failed(&path))
        };
        let lock = open(dir.join("lock"))?;
        let life = match defect {
            Defect::PidReuse => format!("{}", pid % NUMBERS),
            _ => format!("{pid}-{}", now_us()),
        };
        let alive = open(dir.join("alive").join(&life))?;
        flock(&alive, FlockOperation::LockShared).map_err(|error| failed(&dir)(error.into()))?;
        Ok(Store { dir, lock, defect, life, _alive: alive })
    }

    /// Whether the process that is known by `life` lives.
    pub(super) fn lives(&self, life: &str) -> bool {
        let Ok(file) = OpenOptions::new().append(true).open(self.dir.join("alive").join(life)) else {
            return false;
        };
        flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
    }

    /// The registry as it stands. A rename replaces it whole, so a reader needs no lock.
    pub(super) fn read(&self) -> Result<Value, String> {
        let path = self.dir.join("registry.json");
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(json!({ "version": 0, "token": 0, "leases": {}, "tasks": {} }))
            }
            Err(error) => Err(failed(&path)(error)),
        }
    }

    pub(super) fn write(&self, registry: &Value) -> Result<(), String> {
        let path = self.dir.join("registry.json");
        let temporary = self.dir.join(format!("registry.json.{}.tmp", std::process::id()));
        fs::write(&temporary, registry.to_string()).map_err(failed(&temporary))?;
        fs::rename(&temporary, &path).map_err(failed(&path))
    }

    /// Reads, decides, and replaces the registry where the answer is that something was done.
    pub(super) fn update(&self, decide: impl FnOnce(&mut Value, &Store) -> Outcome) -> Outcome {
        let locks = !matches!(self.defect, Defect::CountFingerprint | Defect::WarnOnly | Defect::DoubleGrant);
        if locks {
            flock(&self.lock, FlockOperation::LockExclusive)
                .map_err(|error| failed(&self.dir)(error.into()))?;
        }
        let outcome = self.updated(decide);
        if locks {
            flock(&self.lock, FlockOperation::Unlock).map_err(|error| failed(&self.dir)(error.into()))?;
        }
        outcome
    }

    fn updated(&self, decide: impl FnOnce(&mut Value, &Store) -> Outcome) -> Outcome {
        let mut registry = self.read()?;
        let before = registry.clone();
        let outcome = decide(&mut registry, self);
        let Ok(Answer::Ok(_)) = &outcome else { return outcome };
        if registry == before {
            return outcome;
        }
        registry["version"] = json!(before["version"].as_u64().unwrap_or(0) + 1);
        if self.defect == Defect::WarnOnly && self.read()?["version"] != before["version"] {
            eprintln!("warning: the registry was changed by somebody else meanwhile");
        }
        self.write(&registry)?;
        if self.defect == Defect::CountFingerprint && count(&self.read()?) < count(&registry) {
            return Err("the registry was changed by somebody else: try again".to_owned());
        }
        outcome
    }
}

fn count(registry: &Value) -> usize {
    ["leases", "tasks"].iter().filter_map(|key| registry[key].as_object()).map(serde_json::Map::len).sum()
}

/// The wall clock; nobody steps it while the gate runs.
pub(super) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
