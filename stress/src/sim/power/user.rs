//! A process that uses the shipped code on a workspace of the crash explorer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fencehold::journal::{Durability, FileJournal, Journal as _, Options};
use fencehold::ledger::{Answer, LeaseVerdict, Ledger, TaskVerdict, Verdict};
use fencehold_model::lock::Command;
use fencehold_model::{Claim, Entry, Holder};

use super::door::PowerFs;
use super::told::{Heard, Told};
use crate::sim::disk::Disk;
use crate::sim::workspace::{self, Client, DIR};
use crate::sim::world::{Ended, Plan, SimHost, World};

/// How long a lock or lease lives that is not to lapse.
pub(super) const TTL_MS: u64 = 60_000;

/// A process, and what it says it is doing.
pub(super) struct User {
    pub(super) client: Client<PowerFs, SimHost>,
    pub(super) fs: PowerFs,
    pub(super) host: SimHost,
    /// The id of its operation; its claim as well.
    pub(super) op: String,
}

impl User {
    pub(super) fn new(fs: PowerFs, host: SimHost, op: &str, durability: Durability) -> Self {
        let options = Options { durability, ..Options::default() };
        let journal = FileJournal::new(fs.clone(), host.clone(), Path::new(DIR), options);
        let ledger = Ledger::new(journal, host.clone());
        let client = Client { ledger, me: Holder::new("holder").expect("a plain holder") };
        User { client, fs, host, op: op.to_owned() }
    }

    /// Asks for the lock `name` under `claim`.
    pub(super) fn acquire(&self, op: &str, name: &str, claim: &str) -> fencehold::Result<Answer> {
        let command = Command::Acquire {
            name: workspace::lock(name),
            holder: self.client.me.clone(),
            claim: Some(Claim::new(claim).expect("a plain claim")),
            ttl_ms: TTL_MS,
            bound: None,
            asked_by: None,
        };
        self.client.ask(op, &command)
    }

    /// The newest revision that a reader sees.
    pub(super) fn looked(&self) -> Heard {
        let seen = self.client.ledger.journal().read(|_, _| ());
        Heard::of(&seen, |seen| Heard::Saw(seen.revision))
    }
}

pub(super) fn of_lock(answer: &fencehold::Result<Answer>) -> Heard {
    Heard::of(answer, |answer| match answer.verdict {
        Verdict::Refused(_) => Heard::Saw(answer.revision),
        _ => Heard::Done(answer.revision),
    })
}

pub(super) fn of_lease(answer: &fencehold::Result<Answer<LeaseVerdict>>) -> Heard {
    Heard::of(answer, |answer| match answer.verdict {
        LeaseVerdict::Refused(_) | LeaseVerdict::Standing => Heard::Saw(answer.revision),
        _ => Heard::Done(answer.revision),
    })
}

pub(super) fn of_task(answer: &fencehold::Result<Answer<TaskVerdict>>) -> Heard {
    Heard::of(answer, |answer| match answer.verdict {
        TaskVerdict::Refused(_) => Heard::Saw(answer.revision),
        TaskVerdict::Stands { .. } => Heard::Done(answer.revision),
    })
}

/// A machine of boot `boot` with this disk, nothing being asked and nothing failing.
pub(super) fn machine(disk: Disk, boot: u64) -> World {
    let world = World::calm(disk);
    for _ in 0..boot {
        world.reboot();
    }
    // Later than anything that happened in that boot.
    world.advance(LATER_MS);
    world
}

const LATER_MS: u64 = 1_000_000;

/// Every event that stands on this disk, as anybody in boot `boot` sees it who asks for no proof.
pub(super) fn events(disk: &Disk, boot: u64) -> Result<Vec<Entry>, String> {
    let mut disk = disk.clone();
    // Nobody is in the way of who only looks, and no mark makes it begin a new file.
    (0..PROCESSES_MAX).for_each(|process| disk.kill(process));
    let marks: Vec<PathBuf> = disk.files().map(|(path, _)| path).filter(|path| is_mark(path)).collect();
    marks.iter().for_each(|path| _ = disk.unlink(path));
    let world = machine(disk, boot);
    read_as(&world, Durability::Relaxed)
}

/// More than there are in any boot.
const PROCESSES_MAX: usize = 512;

/// Whether it is the mark of a condemned file.
pub(super) fn is_mark(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "condemned")
}

/// Every event, as the next process reads it.
pub(super) fn read_events(world: &World) -> Result<Vec<Entry>, String> {
    read_as(world, Durability::Durable)
}

fn read_as(world: &World, durability: Durability) -> Result<Vec<Entry>, String> {
    let read = world.alone(Plan::NONE, |fs, host| {
        let options = Options { durability, ..Options::default() };
        let mut entries = Vec::new();
        let journal = FileJournal::new(fs, host, Path::new(DIR), options);
        journal.history(|entry| entries.push(entry.clone())).map(|_| entries)
    });
    match read {
        // What it says was left out is nothing that anybody was told, or the events do not agree.
        Ended::Returned(Ok(entries)) => Ok(entries),
        Ended::Returned(Err(error)) => Err(format!("who reads the history is told: {error}")),
        Ended::Killed => Err("a reader that nobody killed is dead".to_owned()),
        Ended::Panicked(text) => Err(format!("a reader panicked: {text}")),
    }
}

/// What `user` heard, with what it rests on.
pub(super) fn witnessed(
    world: &World,
    boot: u64,
    user: &User,
    what: &'static str,
    heard: Heard,
) -> Result<Told, String> {
    let witness = match heard.revision() {
        None => Vec::new(),
        Some(revision) => {
            let mut all = events(&world.disk(|disk| disk.clone()), boot)
                .map_err(|why| format!("right after an answer at revision {revision}: {why}"))?;
            all.retain(|entry| entry.revision <= revision);
            all
        }
    };
    let durable = user.client.ledger.journal().durability() == Durability::Durable;
    Ok(Told { op: user.op.clone(), what, heard, durable, witness: Arc::new(witness) })
}
