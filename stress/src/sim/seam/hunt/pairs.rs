//! Two processes with one operation each: small enough that every order of their calls with two preemptions is run.

use std::path::Path;

use fencehold::fs::{File as _, Fs as _, How, LockMode};
use fencehold::journal::{Modes, create, is_workspace};
use fencehold::log::Page;
use fencehold::mark::PATIENCE;
use serde_json::Value;

use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::torn::site;
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Body, Ended, Options, Plan, SimFs, SimHost, World};

const TTL_MS: u64 = 60_000;
/// How often a process that could go on may have to wait.
const PREEMPTIONS_MAX: u32 = 2;

/// What a process came to: a number that the judge knows to read, or what it was told instead.
type Told = Result<u64, String>;
type Act = fn(&SimFs, &SimHost) -> Told;

/// Two operations, and what must hold of their answers and of what they leave.
pub(super) struct Pair {
    name: &'static str,
    disk: Disk,
    acts: [Act; 2],
    /// Whether a write shows in two parts to who looks meanwhile.
    split_writes: bool,
    /// Whether an append shows in its whole length before its beginning is there.
    late_beginnings: bool,
    judge: fn(&World, [u64; 2]) -> Result<(), String>,
}

impl Pair {
    /// All of them, in a fixed order.
    pub(super) fn all() -> Vec<Self> {
        let document = || {
            site::disk(|fs, _| {
                site::foreign(fs, site::LOG, b"{\"id\":\"a\"}\n");
                site::foreign(fs, "state.json", b"{\"n\":0}\n");
            })
        };
        let pair = |name, disk, acts, judge| Pair {
            name,
            disk,
            acts,
            split_writes: false,
            late_beginnings: false,
            judge,
        };
        let both_there = |world: &World, _: [u64; 2]| match alone(world, number) {
            Ok(2) => Ok(()),
            other => Err(format!("two increments of nothing, and then {other:?} is read")),
        };
        let records = |world: &World, _: [u64; 2]| match alone(world, records) {
            Ok(3) => Ok(()),
            other => Err(format!("two records behind one, and then {other:?} are read")),
        };
        let seen = |_: &World, _: [u64; 2]| Ok(());
        let one_is_granted = |_: &World, [first, second]: [u64; 2]| match (first, second) {
            (0, 1..) | (1.., 0) => Ok(()),
            _ => Err(format!("two processes ask for one lock: {first} and {second}")),
        };
        let two_tokens = |_: &World, [first, second]: [u64; 2]| {
            let apart = first != second && first > 0 && second > 0;
            if apart { Ok(()) } else { Err(format!("two locks with the tokens {first} and {second}")) }
        };
        vec![
            pair("two increments", document(), [increment, increment], both_there),
            pair("two records", document(), [append, append], records),
            Pair {
                split_writes: true,
                ..pair("a record while one looks", document(), [append, check], seen)
            },
            pair("a record that is read in parts", document(), [append_in_parts, check], seen),
            pair("one lock", workspace::disk(used), [acquire, acquire], one_is_granted),
            pair(
                "one lock as the boot begins",
                workspace::disk(|_, _| {}),
                [acquire, acquire],
                one_is_granted,
            ),
            Pair {
                split_writes: true,
                ..pair("a lock while one looks", workspace::disk(used), [acquire, look], seen)
            },
            Pair {
                late_beginnings: true,
                ..pair("a lock that lands late while one looks", workspace::disk(used), [own, look], seen)
            },
            pair(
                "a lock while its lock is replaced",
                workspace::disk(used),
                [own_at_last, replace_lock],
                seen,
            ),
            pair("a rotation and a lock", workspace::disk(workspace::fill), [own, own], two_tokens),
            pair("two creators", workspace::empty(), [first_use, first_use], two_tokens),
            pair("two creators that look first", workspace::empty(), [make_if_none; 2], seen),
        ]
    }
}

impl Scenario for Pair {
    fn name(&self) -> String {
        format!("pair/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let Pair { split_writes, late_beginnings, .. } = *self;
        let options = Options { split_writes, late_beginnings, ..Options::bounded(PREEMPTIONS_MAX, 0) };
        let world = World::new(self.disk.clone(), source, options);
        let body = |act: Act| -> Body<'static, Told> { Box::new(move |fs, host| act(&fs, &host)) };
        let ended = world.together_owned(self.acts.into_iter().map(body).collect());
        let mut answers = [0; 2];
        let mut violation = world.deadlocked().then(|| "processes wait without end".to_owned());
        for (answer, ended) in answers.iter_mut().zip(ended) {
            match ended {
                Ended::Returned(Ok(told)) => *answer = told,
                Ended::Returned(Err(told)) => violation = Some(told),
                Ended::Killed => violation = Some("a process that nobody killed is dead".to_owned()),
                Ended::Panicked(text) => violation = Some(format!("a process panicked: {text}")),
            }
        }
        let violation = violation.or_else(|| (self.judge)(&world, answers).err());
        Ran::of(&world, violation)
    }
}

/// What a process that nobody disturbs comes to.
pub(super) fn alone(world: &World, act: impl FnOnce(&SimFs, &SimHost) -> Told) -> Told {
    match world.alone(Plan::NONE, |fs, host| act(&fs, &host)) {
        Ended::Returned(told) => told,
        Ended::Killed => Err("a process that nobody killed is dead".to_owned()),
        Ended::Panicked(text) => Err(format!("the next process panicked: {text}")),
    }
}

fn said(error: &fencehold::Error) -> String {
    format!("a process is told: {error}")
}

fn used(fs: &SimFs, host: &SimHost) {
    let answer = Client::new(fs.clone(), host.clone(), "before").acquire("before", "before", TTL_MS);
    assert!(granted(&answer).is_some(), "{answer:?} on a healthy disk");
}

pub(super) fn increment(fs: &SimFs, host: &SimHost) -> Told {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    let answer = document.increment("n", 1, &site::shown(None)).map_err(|error| said(&error))?;
    answer.map(|_| 1).map_err(|refusal| format!("an increment is refused: {refusal}"))
}

pub(super) fn number(fs: &SimFs, host: &SimHost) -> Told {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    let content = document.read(&site::shown(None)).map_err(|error| said(&error))?;
    let value = content.map_err(|refusal| format!("a read is refused: {refusal}"))?.value;
    Ok(value.get("n").and_then(Value::as_u64).unwrap_or(0))
}

pub(super) fn append(fs: &SimFs, host: &SimHost) -> Told {
    let record = site::record(&host.number().to_string());
    let answer = site::log(fs).and_then(|log| log.append(&record, &site::shown(None)));
    let answer = answer.map_err(|error| said(&error))?;
    answer.map(|_| 1).map_err(|refusal| format!("an append is refused: {refusal}"))
}

pub(super) fn records(fs: &SimFs, _: &SimHost) -> Told {
    let read = site::log(fs).and_then(|log| log.read(&Page::default())).map_err(|error| said(&error))?;
    Ok(read.records.len() as u64)
}

/// An append as ext4 shows it to who reads meanwhile: the file has its new length, and its first page is not there yet.
fn append_in_parts(fs: &SimFs, _: &SimHost) -> Told {
    const LINE: &[u8] = b"{\"id\":\"b\"}\n";
    const FIRST: usize = 4;
    let path = Path::new(site::ROOT).join(site::LOG);
    let write = || {
        let file = fs.open(&path, How::Write)?;
        let end = file.stat()?.len;
        file.write_at(end + FIRST as u64, &LINE[FIRST..])?;
        file.write_at(end, &LINE[..FIRST])?;
        file.sync()
    };
    let lock = site::log_lock(fs).map_err(|error| said(&error))?;
    let _held = lock.take(PATIENCE).map_err(|error| said(&error))?;
    write().map(|()| 1).map_err(|error| format!("a write on a healthy disk fails: {error}"))
}

fn check(fs: &SimFs, _: &SimHost) -> Told {
    let checked = site::log(fs).and_then(|log| log.check()).map_err(|error| said(&error))?;
    match checked.damaged_count {
        0 => Ok(0),
        damaged => Err(format!("a reader takes {damaged} lines in the making for damage")),
    }
}

fn acquire(fs: &SimFs, host: &SimHost) -> Told {
    let me = format!("process-{}", host.number());
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, "build", TTL_MS);
    answer.as_ref().map_err(said)?;
    Ok(granted(&answer).unwrap_or(0))
}

/// A lock of one's own.
pub(super) fn own(fs: &SimFs, host: &SimHost) -> Told {
    let me = format!("process-{}", host.number());
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, &me, TTL_MS);
    answer.as_ref().map_err(said)?;
    Ok(granted(&answer).unwrap_or(0))
}

/// A lock of one's own; what it is told counts for nothing, as the workspace may have become a copy's meanwhile.
fn own_at_last(fs: &SimFs, host: &SimHost) -> Told {
    Ok(own(fs, host).unwrap_or(0))
}

/// Holds the OS lock while it puts another file in the place of `lock`, and from then on that one's: nobody writes the
/// journal meanwhile.
fn replace_lock(fs: &SimFs, _: &SimHost) -> Told {
    let path = Path::new(DIR).join("lock");
    let take = |file: &<SimFs as fencehold::fs::Fs>::File| {
        file.lock(LockMode::Exclusive, PATIENCE).map_err(|error| format!("locking fails: {error:?}"))
    };
    let on_disk = |error: std::io::Error| format!("a call on a healthy disk fails: {error}");
    // Before somebody makes the folder, whose lock is another, a workspace of its own.
    let journal = fs.open(&Path::new(DIR).join("journal.1.ndjson"), How::Read).map_err(on_disk)?;
    let old = fs.open(&path, How::Read).map_err(on_disk)?;
    take(&old)?;
    fs.unlink(&path).map_err(on_disk)?;
    let new = fs.open(&path, How::CreateNew { mode: 0o600 }).map_err(on_disk)?;
    take(&new)?;
    let len = || journal.stat().map(|stat| stat.len).map_err(on_disk);
    let before = len()?;
    old.unlock().map_err(on_disk)?;
    if len()? > before {
        return Err("an event was recorded while somebody else held the lock".to_owned());
    }
    new.unlock().map(|()| 0).map_err(on_disk)
}

pub(super) fn look(fs: &SimFs, host: &SimHost) -> Told {
    Client::new(fs.clone(), host.clone(), "reader").revision().map_err(|error| said(&error))
}

/// Makes the workspace if there is none; it matters not who does.
fn make_if_none(fs: &SimFs, host: &SimHost) -> Told {
    let dir = Path::new(DIR);
    if !is_workspace(fs, dir).map_err(|error| error.to_string())? {
        create(fs, host, dir, Modes::Owner).map_err(|error| said(&error))?;
    }
    Ok(0)
}

fn first_use(fs: &SimFs, host: &SimHost) -> Told {
    create(fs, host, Path::new(DIR), Modes::Owner).map_err(|error| said(&error))?;
    own(fs, host)
}
