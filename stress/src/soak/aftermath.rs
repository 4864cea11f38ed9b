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
use fencehold_model::lease::{Crash, LeaseEvent};
use fencehold_model::proposal::What;
use fencehold_model::{Entry, Event, Status};
use serde_json::{Value, json};

use super::nemesis::Deeds;
use crate::fold::Fold;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// Half lines of the nemesis that were found whole in quarantine.
    pub torn_tails: u64,
    /// Damaged lines of the nemesis that were found whole in quarantine.
    pub quarantined: u64,
    /// Events in the journal whose process was killed before it could answer.
    pub killed_in_commit: u64,
    /// Accepts that a process began and another one ended, because the first was killed between the two.
    pub settled: u64,
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
    /// Revisions of acknowledged operations on locks, leases, tasks and proposals.
    acked: BTreeSet<u64>,
    /// What was acknowledged as having happened, in words, with the point where its event must stand.
    done: BTreeMap<(u64, Deed), String>,
    /// Holders of processes that were killed.
    killed: BTreeSet<u64>,
}

/// What an event must say for an answer to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    LockGrant,
    LeaseGrant,
    LeaseEnd,
    Move,
    Propose,
    Accept,
    Reject,
}

impl Deed {
    /// What an acknowledged operation did, if it made an event of which we know what it says.
    fn of(op: &str, value: &Value) -> Option<Self> {
        match op {
            _ if value["already"] == true => None,
            "lock.acquire" => Some(Deed::LockGrant),
            "lease.grant" => Some(Deed::LeaseGrant),
            "lease.close" | "lease.crash" | "lease.clear" => Some(Deed::LeaseEnd),
            "status.set" | "status.reopen" | "status.merge" => Some(Deed::Move),
            "proposal.add" => Some(Deed::Propose),
            "proposal.accept" => Some(Deed::Accept),
            "proposal.reject" => Some(Deed::Reject),
            _ => None,
        }
    }

    fn of_event(event: &Event) -> Option<Self> {
        match event {
            Event::LockGranted { .. } => Some(Deed::LockGrant),
            Event::Lease(LeaseEvent::Granted(_)) => Some(Deed::LeaseGrant),
            Event::Lease(_) => Some(Deed::LeaseEnd),
            Event::Status(_) => Some(Deed::Move),
            Event::Proposal(event) => match event.what {
                What::Proposed { .. } => Some(Deed::Propose),
                What::Accepted => Some(Deed::Accept),
                What::Rejected { .. } => Some(Deed::Reject),
                What::Intended { .. } | What::Withdrawn | What::Resolved { .. } => None,
            },
            _ => None,
        }
    }
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
        let mut missing = told.done.clone();
        let mut fold = Fold::default();
        // Who began the accept of which proposal for which file.
        let mut begun = BTreeMap::new();
        let notes = journal.history(|entry| {
            self.events += 1;
            if let Err(wrong) = fold.next(entry) {
                self.wrong.push(format!("the journal says: {wrong}"));
            }
            if let Some(deed) = Deed::of_event(&entry.event)
                && let Some(said) = missing.remove(&(entry.revision, deed))
                && let Err(wrong) = agrees(&said, entry)
            {
                self.wrong.push(wrong);
            }
            if let Event::Proposal(event) = &entry.event {
                let of = (event.target.clone(), event.id.clone());
                match event.what {
                    What::Intended { .. } => drop(begun.insert(of, entry.actor.clone())),
                    What::Accepted | What::Withdrawn => {
                        let by_another = begun.remove(&of).is_some_and(|actor| actor != entry.actor);
                        self.settled += u64::from(by_another);
                    }
                    _ => {}
                }
            }
            // An event that nobody was answered is of a process that was killed before it could answer. A holder names
            // its process; what has no holder is not of this check's own.
            let process = entry.actor.as_str().strip_prefix('w').and_then(|actor| actor.split('.').nth(1));
            let process = process.and_then(|process| process.parse().ok());
            let of_killed = process.is_none_or(|process| told.killed.contains(&process));
            let acked = told.acked.contains(&entry.revision);
            self.killed_in_commit += u64::from(of_killed && !acked && Deed::of_event(&entry.event).is_some());
        });
        // Damage that a repair had set aside stays in the archived file as it was.
        let _ = notes.map_err(|error| error.to_string())?;
        for ((revision, deed), said) in missing {
            self.wrong.push(format!(
                "{deed:?} at {revision} was answered, and no event in the journal says so: {said}"
            ));
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
                if let Some(revision) = revision.filter(|revision| told.acked.contains(revision)) {
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
        let mut asked: BTreeMap<(u64, u64), String> = BTreeMap::new();
        for line in history.lines().skip(1) {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let key = (line["process"].as_u64().unwrap_or(0), line["id"].as_u64().unwrap_or(0));
            match line["type"].as_str() {
                Some("invoke") => {
                    asked.insert(key, line["op"].as_str().unwrap_or_default().to_owned());
                }
                Some("ok") => {
                    let Some(op) = asked.remove(&key) else { continue };
                    let group = op.split_once('.').map_or("", |(group, _)| group);
                    let Some(revision) = line["revision"].as_u64() else { continue };
                    if !matches!(group, "lock" | "lease" | "status" | "proposal") {
                        continue;
                    }
                    told.acked.insert(revision);
                    if let Some(deed) = Deed::of(&op, &line["value"]) {
                        // A lock that was kept is where it was granted; whatever else happened stands where it did.
                        let token =
                            if deed == Deed::LockGrant { &line["value"]["token"] } else { &Value::Null };
                        let stands = token.as_u64().unwrap_or(revision);
                        told.done.insert((stands, deed), line["value"].to_string());
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

/// Whether an event says what was answered.
fn agrees(said: &str, entry: &Entry) -> Result<(), String> {
    let said: Value = serde_json::from_str(said).unwrap_or_default();
    let wrong = || Err(format!("{said} was answered, and the journal has {entry:?}"));
    match &entry.event {
        Event::LockGranted { .. } | Event::Lease(LeaseEvent::Granted(_))
            if said["token"] != entry.revision =>
        {
            wrong()
        }
        Event::Lease(LeaseEvent::Closed { token, .. } | LeaseEvent::Cleared { token, .. })
        | Event::Lease(LeaseEvent::Crashed(Crash { token, .. }))
            if said["token"] != *token =>
        {
            wrong()
        }
        Event::Proposal(event)
            if said["proposal"] != event.id.as_str() || said["target"] != event.target.as_str() =>
        {
            wrong()
        }
        Event::Status(event) => {
            let value = event.value(entry.revision);
            let names: Vec<&str> = value.statuses.keys().map(Status::as_str).collect();
            let same = said["epoch"] == value.epoch
                && said["turn"] == value.turn
                && said["statuses"] == json!(names);
            if same { Ok(()) } else { wrong() }
        }
        _ => Ok(()),
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
