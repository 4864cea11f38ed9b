//! What is left on the disk of our own implementation after a run, looked at apart from the history.
//!
//! Every byte that the nemesis left must be in quarantine; nothing that was acknowledged may be there; what the
//! history says was granted must stand in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{FileJournal, Options};
use fencehold_model::Event;
use serde_json::Value;

use super::nemesis::Deeds;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// Half lines of the nemesis that were found whole in quarantine.
    pub torn_tails: u64,
    /// Damaged lines of the nemesis that were found whole in quarantine.
    pub quarantined: u64,
    /// Events in the journal whose process was killed before it could answer.
    pub killed_in_commit: u64,
    /// Events in the journal, the archived files included.
    pub events: u64,
    /// Journal files, the archived ones included.
    pub files: u64,
    /// What must not be, a sentence each.
    pub wrong: Vec<String>,
}

/// What the history says, as far as the journal can be held to it.
#[derive(Default)]
struct Told {
    /// Revisions of acknowledged lock operations, with their holders.
    acked: BTreeMap<u64, String>,
    /// Tokens of acknowledged grants.
    granted: BTreeSet<u64>,
    /// Holders of processes that were killed.
    killed: BTreeSet<u64>,
}

impl Aftermath {
    /// Looks at a workspace and the history of its run.
    ///
    /// # Errors
    /// Where either cannot be read.
    pub fn of(workspace: &Path, history: &Path, deeds: &Deeds) -> Result<Self, String> {
        let text = fs::read_to_string(history).map_err(|error| format!("{}: {error}", history.display()))?;
        let told = Told::read(&text);
        let mut found = Aftermath::default();
        found.look_at_journal(workspace, &told)?;
        found.look_at_quarantine(workspace, &told, deeds)?;
        Ok(found)
    }

    fn look_at_journal(&mut self, workspace: &Path, told: &Told) -> Result<(), String> {
        let host = RealHost::new().map_err(|error| error.to_string())?;
        let journal = FileJournal::new(RealFs, host, workspace, Options::default());
        let mut tokens = BTreeSet::new();
        let mut last = 0;
        let notes = journal.history(|entry| {
            self.events += 1;
            if entry.revision <= last {
                self.wrong.push(format!("revision {} stands after {last} in the journal", entry.revision));
            }
            last = entry.revision;
            if matches!(entry.event, Event::LockGranted { .. }) {
                tokens.insert(entry.revision);
            }
            let process = entry.actor.as_str().split('.').nth(1).and_then(|process| process.parse().ok());
            let of_killed = process.is_some_and(|process| told.killed.contains(&process));
            let acked = told.acked.contains_key(&entry.revision);
            self.killed_in_commit += u64::from(of_killed && !acked && entry.event.lock().is_some());
        });
        // Damage that a repair had set aside stays in the archived file as it was.
        let _ = notes.map_err(|error| error.to_string())?;
        for token in told.granted.difference(&tokens) {
            self.wrong.push(format!("token {token} was granted, and no event in the journal says so"));
        }
        let count = |dir: &Path| {
            fs::read_dir(dir).map_or(0, |entries| {
                entries
                    .flatten()
                    .filter(|entry| entry.file_name().to_string_lossy().starts_with("journal."))
                    .count() as u64
            })
        };
        self.files = count(workspace) + count(&workspace.join("archive"));
        Ok(())
    }

    fn look_at_quarantine(&mut self, workspace: &Path, told: &Told, deeds: &Deeds) -> Result<(), String> {
        let dir = workspace.join("quarantine");
        let mut kept = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?.flatten() {
            let bytes =
                fs::read(entry.path()).map_err(|error| format!("{}: {error}", entry.path().display()))?;
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let whole = std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n'));
                let sealed = whole.filter(|line| fencehold_model::chain::verify(line).is_some());
                let revision = sealed
                    .and_then(|line| serde_json::from_str::<Value>(line).ok())
                    .and_then(|line| line["rev"].as_u64());
                if let Some(revision) = revision.filter(|revision| told.acked.contains_key(revision)) {
                    let name = entry.path();
                    self.wrong.push(format!("{} holds the acknowledged revision {revision}", name.display()));
                }
            }
            kept.push(bytes);
        }
        let is_kept = |piece: &Vec<u8>| kept.iter().any(|bytes| contains(bytes, piece));
        self.torn_tails = deeds.journal_tears.iter().filter(|piece| is_kept(piece)).count() as u64;
        self.quarantined = deeds.damages.iter().filter(|piece| is_kept(piece)).count() as u64;
        let tail = super::nemesis::newest_journal(workspace)
            .and_then(|path| fs::read(path).ok())
            .unwrap_or_default();
        for piece in deeds.journal_tears.iter().chain(&deeds.damages).filter(|piece| !is_kept(piece)) {
            // The last half line of a run may still lie where it was left: nobody wrote after it.
            if !tail.ends_with(piece) {
                let text = String::from_utf8_lossy(piece);
                self.wrong
                    .push(format!("{} bytes that were left in the journal are lost: {text:?}", piece.len()));
            }
        }
        Ok(())
    }
}

impl Told {
    fn read(history: &str) -> Self {
        let mut told = Told::default();
        let mut asked: BTreeMap<(u64, u64), (String, String)> = BTreeMap::new();
        for line in history.lines().skip(1) {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let key = (line["process"].as_u64().unwrap_or(0), line["id"].as_u64().unwrap_or(0));
            match line["type"].as_str() {
                Some("invoke") => {
                    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
                    asked.insert(key, (text(&line["op"]), text(&line["args"]["holder"])));
                }
                Some("ok") => {
                    let Some((op, holder)) = asked.remove(&key) else { continue };
                    if let (true, Some(revision)) = (op.starts_with("lock."), line["revision"].as_u64()) {
                        told.acked.insert(revision, holder);
                    }
                    if let ("lock.acquire", Some(token)) = (op.as_str(), line["value"]["token"].as_u64()) {
                        told.granted.insert(token);
                    }
                }
                Some("nemesis") if line["what"] == "kill" => {
                    told.killed.insert(key.0);
                }
                _ => {}
            }
        }
        told
    }
}

fn contains(bytes: &[u8], piece: &[u8]) -> bool {
    !piece.is_empty() && bytes.windows(piece.len()).any(|window| window == piece)
}

/// Repairs the workspace folder `workspace` in a process of its own; killed after `after`, if that is given. True where
/// it ended with 0. `fencehold repair` would look for the workspace of the checkout that a run's folder stands in.
pub(super) fn repair(workspace: &Path, stderr: &Path, after: Option<Duration>) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("starting a repair: {error}");
    let stderr = OpenOptions::new().create(true).append(true).open(stderr).map_err(failed)?;
    let mut child = Command::new("/proc/self/exe")
        .arg0("fencehold-gate")
        .arg("repair")
        .arg(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(failed)?;
    if let Some(after) = after {
        // A random instant to kill it at.
        std::thread::sleep(after);
        child.kill().map_err(failed)?;
    }
    Ok(child.wait().map_err(failed)?.success())
}

/// What the process of a repair does.
///
/// # Errors
/// Where the workspace cannot be repaired.
pub fn repair_folder(workspace: &Path) -> fencehold::Result<()> {
    let journal = FileJournal::new(RealFs, RealHost::new()?, workspace, Options::default());
    journal.repair().map(|_| ())
}
