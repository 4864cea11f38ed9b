//! Ours, through the library: locks over the journal, a log, a document. A waiter waits as `fencehold lock acquire
//! --wait` does: it watches the workspace folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fencehold::document::Document;
use fencehold::fs::{RealFs, Watch};
use fencehold::host::{Host as _, RealHost};
use fencehold::journal::{Asking, Durability, FileJournal, Options};
use fencehold::ledger::{Ledger, Verdict};
use fencehold::log::{Log, Page};
use fencehold::mark::{Folder, Rooted, Shown};
use fencehold::{Error, Happened};
use fencehold_benches::results::{Subject, Workload};
use fencehold_benches::{Checkout, Result, make, workspace_of};
use fencehold_model::lock::{Command, Proof, Refusal, TTL_MS_DEFAULT};
use fencehold_model::{Claim, Holder, LockName};
use serde_json::{Map, Value};

use super::PATIENCE_MS;
use crate::task::Task;
use crate::worker::{Op, Outcome, busy};

const LOG: &str = "shared.ndjson";
const COUNTER: &str = "counter.json";
const KEY: &str = "n";

pub(super) fn prepare(dir: &Path) -> Result<()> {
    make(dir)
}

/// How many bytes a lock's event has in the journal: the size of everybody's records.
pub(crate) fn line_bytes(parent: &Path) -> Result<usize> {
    let checkout = Checkout::under(parent)?;
    checkout.locks(Durability::Relaxed)?.acquire_next()?;
    let journal = checkout.journal()?;
    Ok(journal.split_inclusive(|byte| *byte == b'\n').next_back().map_or(0, <[u8]>::len))
}

pub(super) fn open(task: &Task) -> Result<Op> {
    let place = Place::new(&task.dir, task.index, task.subject == Subject::OursRelaxed)?;
    match task.workload {
        Workload::Commit => {
            let (mut next, index) = (0_u64, task.index);
            Ok(Box::new(move || {
                next += 1;
                let name = LockName::new(&format!("lock-{index}-{next:08}"))?;
                outcome(place.acquire(&name))
            }))
        }
        Workload::Lock | Workload::LockWork => {
            let (name, work_us) = (LockName::new("the-lock")?, task.workload.work_us());
            Ok(Box::new(move || outcome(place.turn(&name, work_us))))
        }
        Workload::Log => {
            let log = Log::open(RealFs, place.folder()?, &place.rooted()?, Path::new(LOG), None)?;
            let (mut next, index) = (0_u64, task.index);
            // As long as a record of the others: the id and the quotes around are part of it.
            let mut record = Map::from_iter([("id".to_owned(), Value::from(id(index, 0)))]);
            let rest = task.record_bytes.saturating_sub(serde_json::to_string(&record)?.len() + 1);
            record.insert(
                "text".to_owned(),
                Value::from("r".repeat(rest.saturating_sub(",\"text\":\"\"".len()))),
            );
            Ok(Box::new(move || {
                next += 1;
                record.insert("id".to_owned(), Value::from(id(index, next)));
                outcome(log.append(&record, &Shown::default()).map(|answer| answer.map(drop).is_ok()))
            }))
        }
        Workload::Counter => {
            let document = place.document()?;
            Ok(Box::new(move || {
                outcome(document.increment(KEY, 1, &Shown::default()).map(|answer| answer.map(drop).is_ok()))
            }))
        }
    }
}

pub(super) fn found(workload: Workload, dir: &Path) -> Result<u64> {
    let place = Place::new(dir, 0, false)?;
    Ok(match workload {
        Workload::Log => {
            let log = Log::open(RealFs, place.folder()?, &place.rooted()?, Path::new(LOG), None)?;
            log.read(&Page::default())?.records.len() as u64
        }
        Workload::Counter => {
            let read = place.document()?.read(&Shown::default())?;
            let content =
                read.map_err(|refusal| format!("a counter without a fence was refused: {refusal:?}"))?;
            content.value[KEY].as_u64().unwrap_or(0)
        }
        _ => place.ledger.list()?.value.len() as u64,
    })
}

fn id(index: usize, next: u64) -> String {
    format!("{index}-{next:08}")
}

/// What it means for the count. `true`: it was done; `false`: its turn never came.
fn outcome(done: fencehold::Result<bool>) -> Result<Outcome> {
    match done {
        Ok(true) => Ok(Outcome::Acked),
        Ok(false) | Err(Error::Busy { .. }) => Ok(Outcome::GaveUp),
        Err(error) if error.happened() == Happened::Unknown => Ok(Outcome::Unsure),
        Err(error) => Err(error.into()),
    }
}

/// A workspace as one process sees it.
struct Place {
    root: PathBuf,
    workspace: PathBuf,
    host: RealHost,
    ledger: Ledger<FileJournal<RealFs, RealHost>, RealHost>,
    holder: Holder,
}

impl Place {
    fn new(dir: &Path, index: usize, relaxed: bool) -> Result<Self> {
        let root = dir.canonicalize()?;
        let workspace = workspace_of(&root);
        let host = RealHost::new()?;
        let durability = if relaxed { Durability::Relaxed } else { Durability::Durable };
        let options = Options { durability, patience: Duration::from_millis(PATIENCE_MS) };
        let ledger = Ledger::new(FileJournal::new(RealFs, host.clone(), &workspace, options), host.clone());
        let holder = Holder::new(&format!("worker-{index}"))?;
        Ok(Place { root, workspace, host, ledger, holder })
    }

    fn folder(&self) -> Result<Folder> {
        Ok(Folder { dir: self.workspace.clone(), id: self.ledger.workspace()? })
    }

    fn rooted(&self) -> Result<Rooted> {
        Ok(Rooted::new(&RealFs, &self.root, &self.workspace)?)
    }

    fn document(&self) -> Result<Document<RealFs, RealHost>> {
        let document =
            Document::open(RealFs, self.host.clone(), self.folder()?, &self.rooted()?, Path::new(COUNTER))?;
        Ok(document.with_patience(Duration::from_millis(PATIENCE_MS)))
    }

    fn submit(&self, command: &Command) -> fencehold::Result<fencehold::ledger::Answer> {
        self.ledger.submit(&Asking { actor: self.holder.clone(), op: self.ledger.new_op() }, command)
    }

    /// A claim of its own for every grant.
    fn ask(&self, name: &LockName) -> fencehold::Result<Command> {
        let claim = Claim::new(&format!("{:032x}", self.host.random()));
        Ok(Command::Acquire {
            name: name.clone(),
            holder: self.holder.clone(),
            claim: Some(claim.map_err(|bad| Error::usage(bad.to_string()))?),
            ttl_ms: TTL_MS_DEFAULT,
            bound: None,
            asked_by: None,
        })
    }

    fn acquire(&self, name: &LockName) -> fencehold::Result<bool> {
        Ok(matches!(self.submit(&self.ask(name)?)?.verdict, Verdict::Granted { .. }))
    }

    /// Waits for the lock, works, lets go.
    fn turn(&self, name: &LockName, work_us: u64) -> fencehold::Result<bool> {
        let command = self.ask(name)?;
        let until = Instant::now() + Duration::from_millis(PATIENCE_MS);
        let mut watch = None;
        let token = loop {
            let answer = self.submit(&command)?;
            match answer.verdict {
                Verdict::Granted { token, .. } => break token,
                Verdict::Refused(Refusal::Held(grant)) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    let Some(watch) = &watch else {
                        // Asked again once the watch stands: what changed before it is not told.
                        watch = Some(Watch::begin(&self.workspace)?.0);
                        continue;
                    };
                    let lapse = Duration::from_millis(grant.expires_ms.saturating_sub(answer.now_ms).max(1));
                    watch
                        .wait(left.min(lapse), None)
                        .map_err(|error| Error::environment("watching", &self.workspace, error))?;
                }
                other => return Err(Error::usage(format!("{name} was not granted: {other:?}"))),
            }
        };
        busy(work_us);
        let release =
            Command::Release { name: name.clone(), holder: self.holder.clone(), proof: Proof::Token(token) };
        Ok(matches!(self.submit(&release)?.verdict, Verdict::Released { .. }))
    }
}
