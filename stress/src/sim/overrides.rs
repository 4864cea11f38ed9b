//! A step by force, and the entry that it owes, as processes of every simulated world do it: as it ships, or wrongly.

use std::path::Path;

use fencehold::log::{Log, Page};
use fencehold::mark::{Folder, Rooted, Shown};
use fencehold::outbox::{Outbox, Root, entry};
use fencehold_model::policy::Gate;
use fencehold_model::policy::gates::{GatePath, Require};
use fencehold_model::status::{Command, Looked, Looking, Noted, Owed, Unmet};
use fencehold_model::{Event, Holder, Policy, Revision, Status, TaskId, WorkspaceId};

use super::disk::Disk;
use super::workspace::{self, Client, DIR, PARENT};
use super::world::{Ended, Plan, SimFs, SimHost, World};

/// The log, below the root.
pub(crate) const LOG: &str = "overrides.ndjson";

/// How a process does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it ships.
    Shipped,
    /// Wrong: the entry is appended without a look for its id.
    NoLook,
    /// Wrong: the look for the id and the append are apart, and what lacks its newline counts as nothing.
    LookApart,
    /// Wrong: that the entry was written is recorded before it is.
    NotedFirst,
    /// Wrong: the entry is written before the step is recorded.
    WrittenFirst,
}

impl Way {
    /// The wrong ones.
    pub const WRONG: [Way; 4] = [Way::NoLook, Way::LookApart, Way::NotedFirst, Way::WrittenFirst];
}

type Ours = Client<SimFs, SimHost>;

/// A process's handle.
pub(crate) fn client(fs: &SimFs, host: &SimHost, me: &str) -> Ours {
    Client::new(fs.clone(), host.clone(), me)
}

/// A workspace whose policy has a gate before `done`.
pub(crate) fn disk(then: impl FnOnce(&SimFs, &SimHost)) -> Disk {
    workspace::disk(|fs, host| {
        let path = |text| GatePath::new(text).expect("a path");
        let to = Status::new("done").expect("a status");
        let (require, on_override) = (vec![Require::exists(path("DONE.md"))], Some(path(LOG)));
        let gates = vec![Gate { to, tasks: None, when: Vec::new(), require, on_override }];
        let client = client(fs, host, "team");
        let applied =
            client.ledger.apply_policy(&client.asking("policy"), &Policy { gates, ..Policy::default() });
        assert!(applied.is_ok_and(|answer| answer.verdict), "a policy on a healthy disk");
        then(fs, host);
    })
}

fn looked(at: Looking) -> Looked {
    let unmet = Unmet { file: "DONE.md".into(), condition: "file".into(), why: "it does not exist".into() };
    Looked { at, root: PARENT.to_owned(), unmet: vec![(0, unmet)] }
}

/// The step by force alone; what it owes stays owed.
pub(crate) fn step(way: Way, fs: &SimFs, client: &Ours, task: &str) -> fencehold::Result<()> {
    let asking = client.asking(&format!("force {task}"));
    let command = Command::Set {
        task: TaskId::new(task).expect("a plain id"),
        to: Status::new("done").expect("a status"),
        from: None,
        epoch: 0,
        detail: None,
        resolve: false,
    };
    if way == Way::WrittenFirst {
        let owed = owed(client, task);
        write(way, fs, client, client.revision()? + 1, &owed)?;
    }
    client.ledger.task_through(&asking, &command, Some("why"), |at| Ok(looked(at))).map(|_| ())
}

/// What the step will owe.
fn owed(client: &Ours, task: &str) -> Owed {
    Owed {
        task: TaskId::new(task).expect("a plain id"),
        statuses: vec![Status::new("done").expect("a status")],
        at_ms: 0,
        actor: client.me.clone(),
        forced: fencehold_model::status::Forced {
            reason: "why".into(),
            unmet: Vec::new(),
            more: 0,
            root: PARENT.into(),
            owes: [LOG.to_owned()].into(),
        },
    }
}

fn folder(client: &Ours) -> fencehold::Result<Folder> {
    Ok(Folder { dir: DIR.into(), id: client.ledger.workspace()? })
}

fn log(fs: &SimFs, folder: &Folder) -> fencehold::Result<Log<SimFs>> {
    Log::open(
        fs.clone(),
        folder.clone(),
        &Rooted::new(fs, Path::new(PARENT), Path::new(DIR))?,
        Path::new(LOG),
        None,
    )
}

fn write(way: Way, fs: &SimFs, client: &Ours, step: Revision, owed: &Owed) -> fencehold::Result<()> {
    let folder = folder(client)?;
    let record = entry(&folder.id, step, owed);
    match way {
        Way::NoLook => log(fs, &folder)?.append(&record, &Shown::nothing()).map(|_| ()),
        Way::LookApart => {
            let log = log(fs, &folder)?;
            let read = log.read(&Page::default())?;
            if read.records.iter().any(|other| other["id"] == record["id"]) {
                return Ok(());
            }
            log.append(&record, &Shown::nothing()).map(|_| ())
        }
        _ => log(fs, &folder)?.append_absent(&record, &Shown::nothing()).map(|_| ()),
    }
}

fn note(client: &Ours, step: Revision) -> fencehold::Result<bool> {
    let asking = fencehold::journal::Asking { actor: client.me.clone(), op: client.ledger.new_op() };
    client.ledger.note(&asking, &Noted { step, file: LOG.to_owned(), given_up: None })
}

/// Writes what is owed, as far as that goes.
pub(crate) fn settle(way: Way, fs: &SimFs, client: &Ours) -> fencehold::Result<()> {
    let owes = client.ledger.owed()?.value;
    if matches!(way, Way::Shipped | Way::WrittenFirst) {
        let outbox = Outbox { fs, ledger: &client.ledger, folder: folder(client)?, common_dir: None };
        // What is owed still stays so, for the next.
        let _ = outbox.settle(&owes, &client.me, false, |_| Ok(Root::Ours));
        return Ok(());
    }
    for (step, owed) in owes {
        if way == Way::NotedFirst {
            note(client, step)?;
            write(way, fs, client, step, &owed)?;
        } else {
            write(way, fs, client, step, &owed)?;
            note(client, step)?;
        }
    }
    Ok(())
}

/// What a new process finds.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Steps by force.
    pub(crate) steps: Vec<Revision>,
    /// Of these, those whose entry is recorded as written.
    pub(crate) noted: Vec<Revision>,
    /// The ids of the log.
    pub(crate) ids: Vec<String>,
    workspace: Option<WorkspaceId>,
}

impl Left {
    fn count(&self, step: Revision) -> usize {
        let Some(workspace) = &self.workspace else { return 0 };
        let id = Owed::id(workspace, step);
        self.ids.iter().filter(|other| **other == id).count()
    }

    /// Nothing is recorded as written that is not there, nothing is there twice, and nothing without its step.
    fn check(&self) -> Result<(), String> {
        if let Some(step) = self.steps.iter().find(|step| self.count(**step) > 1) {
            return Err(format!("the entry of step {step} is there {} times: {self:?}", self.count(*step)));
        }
        if let Some(step) = self.noted.iter().find(|step| self.count(**step) == 0) {
            return Err(format!(
                "the entry of step {step} is recorded as written and is not there: {self:?}"
            ));
        }
        let known: usize = self.steps.iter().map(|step| self.count(*step)).sum();
        if known == self.ids.len() { Ok(()) } else { Err(format!("an entry has no step: {self:?}")) }
    }
}

fn left(fs: &SimFs, host: &SimHost) -> fencehold::Result<Left> {
    let client = client(fs, host, "judge");
    let mut left = Left { workspace: Some(client.ledger.workspace()?), ..Left::default() };
    for entry in client.history()?.0 {
        match &entry.event {
            Event::Status(event) if event.by_force().is_some() => left.steps.push(entry.revision),
            Event::OverrideNoted(noted) => left.noted.push(noted.step),
            _ => {}
        }
    }
    let records = log(fs, &folder(&client)?)?.read(&Page::default())?;
    left.ids = records.records.iter().map(|record| record["id"].as_str().unwrap_or("").to_owned()).collect();
    Ok(left)
}

/// Judges what is left, lets a new process settle in the same way, and judges again; gives how many steps there are.
pub(crate) fn judge(world: &World, way: Way) -> Result<usize, String> {
    let look = || match world.alone(Plan::NONE, |fs, host| left(&fs, &host)) {
        Ended::Returned(Ok(left)) => Ok(left),
        other => Err(format!("the next process ended so: {other:?}")),
    };
    look()?.check()?;
    let settled = world.alone(Plan::NONE, |fs, host| settle(way, &fs, &client(&fs, &host, "next")));
    if !matches!(settled, Ended::Returned(Ok(()))) {
        return Err(format!("the next process settles so: {settled:?}"));
    }
    let left = look()?;
    left.check()?;
    match left.steps.iter().find(|step| left.count(**step) != 1 || !left.noted.contains(step)) {
        Some(step) => Err(format!("the entry of step {step} is still owed after it was settled: {left:?}")),
        None => Ok(left.steps.len()),
    }
}

/// A holder's name for a process.
pub(crate) fn name(host: &SimHost) -> String {
    Holder::new(&format!("p{}", host.number())).expect("a plain holder").as_str().to_owned()
}
