//! Commits to the journal, torn: locks asked for, renewed, released and broken; rotation; a new boot; recovery.
//!
//! The journal's own history is the witness: afterwards it is the one before, then the torn event or not, by its answer.

use fencehold::ledger::Answer;
use fencehold_model::{Entry, Event};

use super::{Answered, Torn, changes_nothing, fresh, said};
use crate::sim::disk::Disk;
use crate::sim::workspace::{self, Client, DIR, granted, is_refused};
use crate::sim::world::{SimFs, SimHost, World};

/// The id of the torn operation.
pub(super) const OP: &str = "the-torn-one";
const TTL_MS: u64 = 60_000;
/// What a killed writer left of a line.
const HALF: &[u8] = b"{\"rev\":3,\"t\":17672256010";

type Ask = fn(&Client<SimFs, SimHost>) -> fencehold::Result<Answer>;

fn acquire(client: &Client<SimFs, SimHost>) -> fencehold::Result<Answer> {
    client.acquire(OP, "build", TTL_MS)
}

/// Lock commands: the boot events, the floor and the recovery that they may bring with them included.
#[must_use]
pub fn locks() -> Vec<Torn> {
    let empty = || workspace::disk(|_, _| {});
    let booted = || workspace::disk(|fs, host| other(fs, host, "first"));
    let held = || workspace::disk(|fs, host| drop(mine(fs, host).acquire("first", "build", TTL_MS)));
    vec![
        torn("lock acquire", booted(), acquire),
        torn("lock acquire, first event of a boot", empty(), acquire),
        torn("lock acquire after a reboot", booted(), acquire).after_a_reboot(),
        torn("lock acquire behind a half line", with_half_line(booted()), acquire),
        torn("lock acquire behind a half line after a reboot", with_half_line(booted()), acquire)
            .after_a_reboot(),
        torn("lock renew", held(), |client| client.renew(OP, "build", token(client)?, 2 * TTL_MS)),
        torn("lock release", held(), |client| client.release(OP, "build", token(client)?)),
        torn("lock break", held(), |client| client.break_it(OP, "build")),
    ]
}

/// A lock command that rotates the journal.
#[must_use]
pub fn rotations() -> Vec<Torn> {
    let full = || workspace::disk(workspace::fill);
    vec![
        torn("lock acquire that rotates", full(), acquire),
        torn("lock acquire that rotates behind a half line", with_half_line(full()), acquire).with_few_cuts(),
    ]
}

/// The making of a workspace.
#[must_use]
pub fn creations() -> Vec<Torn> {
    vec![torn_creation()]
}

pub(super) fn mine(fs: &SimFs, host: &SimHost) -> Client<SimFs, SimHost> {
    Client::new(fs.clone(), host.clone(), "holder")
}

/// Some other event, by somebody else.
fn other(fs: &SimFs, host: &SimHost, op: &str) {
    let answer =
        Client::new(fs.clone(), host.clone(), "somebody").acquire(op, &format!("other-{op}"), TTL_MS);
    assert!(granted(&answer).is_some(), "{answer:?} on a healthy disk");
}

/// The token of the only grant.
fn token(client: &Client<SimFs, SimHost>) -> fencehold::Result<u64> {
    client.revision()
}

fn with_half_line(mut disk: Disk) -> Disk {
    let path = format!("{DIR}/journal.1.ndjson");
    let whole = disk.contents(&path).expect("the journal of a workspace").to_vec();
    disk.put(&path, &[&whole, HALF].concat());
    disk
}

fn torn(name: &'static str, disk: Disk, ask: Ask) -> Torn {
    let act = move |fs: &SimFs, host: &SimHost| {
        let answer = ask(&mine(fs, host));
        match &answer {
            Ok(answer) if is_refused(answer) => Answered::Not,
            _ => Answered::of(&answer),
        }
    };
    torn_by(name, disk, act)
}

/// An operation that commits one event under the id [`OP`], or none.
pub(super) fn torn_by(
    name: &'static str,
    disk: Disk,
    act: impl Fn(&SimFs, &SimHost) -> Answered + Send + Sync + 'static,
) -> Torn {
    let before = history(&World::calm(disk.clone())).expect("a healthy journal can be read");
    Torn::new(name, disk, act, move |world, answered| judge(world, answered, &before))
}

fn judge(world: &World, answered: Answered, before: &[Entry]) -> Result<(), String> {
    let rest = unterminated(world);
    let first = history(world)?;
    check(&first, answered, before)?;
    changes_nothing(world, |world| history(world).map(|_| ()))?;
    let token = fresh(world, |fs, host| next(&fs, &host, "next-1"))?;
    let second = history(world)?;
    if !second.starts_with(&first) {
        return Err("events that were there are gone".to_owned());
    }
    if first.iter().any(|entry| entry.revision >= token) {
        return Err(format!("token {token} is not above the revisions before it"));
    }
    quarantined(world, &rest)?;
    // Recovering again is reading: what is clean stays as it is, byte for byte.
    changes_nothing(world, |world| {
        let refused =
            fresh(world, |fs, host| mine(&fs, &host).release("no-op", "nobody's", 1).map_err(|e| said(&e)))?;
        if is_refused(&refused) { Ok(()) } else { Err(format!("{refused:?} to a stranger")) }
    })?;
    let later = fresh(world, |fs, host| next(&fs, &host, "next-2"))?;
    let seen = fresh(world, |fs, host| mine(&fs, &host).revision().map_err(|error| said(&error)))?;
    if token < later && later == seen {
        Ok(())
    } else {
        Err(format!("{token}, then {later}, and {seen} is read"))
    }
}

/// A commit by the next process; its token.
fn next(fs: &SimFs, host: &SimHost, op: &str) -> Result<u64, String> {
    let client = Client::new(fs.clone(), host.clone(), "the next one");
    let answer = client.acquire(op, &format!("lock-{op}"), TTL_MS);
    granted(&answer).ok_or_else(|| match &answer {
        Ok(answer) => format!("{answer:?} to an acquire of a free lock"),
        Err(error) => said(error),
    })
}

/// Every event, as the next process reads it.
fn history(world: &World) -> Result<Vec<Entry>, String> {
    fresh(world, |fs, host| {
        let client = mine(&fs, &host);
        let (entries, notes) = client.history().map_err(|error| said(&error))?;
        if let Some(note) = notes.first() {
            return Err(format!("the history has a gap: {note}"));
        }
        Ok(entries)
    })
}

/// The history before, then nothing but the journal's own events, one of a kind, and the torn one.
fn check(history: &[Entry], answered: Answered, before: &[Entry]) -> Result<(), String> {
    let Some(new) = history.strip_prefix(before) else {
        return Err("events that were there are gone".to_owned());
    };
    // A boot opens with one of the journal's own, and so does a file begun after a failed sync.
    let is_own = |entry: &&Entry| matches!(entry.event, Event::Boot { .. } | Event::Repaired { .. });
    let own = new.iter().filter(is_own).count();
    let boots = new.iter().filter(|entry| matches!(entry.event, Event::Boot { .. })).count();
    let torn = new.len() - own;
    let strangers = new.iter().any(|entry| !is_own(&entry) && entry.op.as_str() != OP);
    if strangers || boots > 1 || own - boots > 1 || torn > 1 || !answered.allows(torn == 1) {
        return Err(format!("it was answered {answered:?}, and then these are read: {new:?}"));
    }
    Ok(())
}

/// The bytes after the last newline of the newest journal file.
fn unterminated(world: &World) -> Vec<u8> {
    world.disk(|disk| {
        let journals = disk.files().filter(|(path, _)| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            path.parent() == Some(DIR.as_ref()) && name.starts_with("journal.") && name.ends_with(".ndjson")
        });
        let newest = journals.max_by_key(|(path, _)| (path.as_os_str().len(), path.to_owned()));
        let bytes = newest.map_or(&[][..], |(_, bytes)| bytes);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        bytes[end..].to_vec()
    })
}

/// Quarantine holds the half line that was cut off, and nothing that nobody cut.
fn quarantined(world: &World, rest: &[u8]) -> Result<(), String> {
    let kept: Vec<Vec<u8>> = world.disk(|disk| {
        let files = disk.files().filter(|(path, _)| path.starts_with(format!("{DIR}/quarantine")));
        files.map(|(_, bytes)| bytes.to_vec()).collect()
    });
    if !rest.is_empty() && kept.iter().filter(|bytes| *bytes == rest).count() != 1 {
        return Err(format!("the half line of {} bytes is not kept once: {} files", rest.len(), kept.len()));
    }
    match kept.iter().find(|bytes| *bytes != rest && *bytes != HALF) {
        None => Ok(()),
        Some(bytes) => Err(format!("quarantine holds {} bytes that nobody cut", bytes.len())),
    }
}

/// The making of a workspace: whole or not at all, and the next one to need it makes it.
fn torn_creation() -> Torn {
    use fencehold::journal::{Modes, create};
    let make = |fs: &SimFs, host: &SimHost| create(fs, host, DIR.as_ref(), Modes::Owner);
    let act = move |fs: &SimFs, host: &SimHost| Answered::of(&make(fs, host));
    Torn::new("workspace creation", workspace::empty(), act, move |world, answered| {
        let there = world.disk(|disk| disk.stat(DIR.as_ref())).is_ok_and(|stat| stat.is_some());
        if !answered.allows(there) {
            return Err(format!("it was answered {answered:?}, and it is there: {there}"));
        }
        let made = fresh(world, |fs, host| make(&fs, &host).map_err(|error| said(&error)))?;
        if made == there {
            return Err(format!("it was there: {there}; and it was made again: {made}"));
        }
        let left =
            world.disk(|disk| disk.list(workspace::PARENT.as_ref())).map_err(|error| error.to_string())?;
        let full = |name: &String| {
            let below = format!("{}/{name}", workspace::PARENT);
            world.disk(|disk| disk.list(below.as_ref())).is_ok_and(|names| !names.is_empty())
        };
        if let Some(rubbish) = left.iter().find(|name| *name != "fencehold" && full(name)) {
            return Err(format!("the next process leaves {rubbish} lying there"));
        }
        judge(world, Answered::Unknown, &[])
    })
}
