//! What loom is asked to look at: the shipped code, two processes, few calls.

use std::sync::Arc;

use fencehold::journal::{Modes, create};
use fencehold::ledger::Answer;
use fencehold::log::Page;
use fencehold_model::{Revision, Token};

use super::disk::Disk;
use super::door::Locks;
use super::loom_fs::{LoomBody, LoomExplored, LoomFs, LoomHost, LoomModel};
use super::mutants::Protocol;
use super::torn::site;
use super::workspace::{self, Client, DIR, granted, is_refused};
use super::world::{Plan, SimFs, SimHost, World};

/// How often a process that could go on may have to wait, unless a caller says otherwise.
pub const PREEMPTIONS_MAX: usize = 3;
const TTL_MS: u64 = 60_000;
/// What a killed writer left of a line.
const HALF: &[u8] = b"{\"rev\":3,\"t\":17672256010";

/// Two processes ask for a dead process's lock once each; at most one may be granted it.
#[must_use]
pub fn two_takers(protocol: Protocol, locks: Locks, preemptions_max: usize) -> LoomExplored {
    let taker = move |fs: LoomFs, host: LoomHost| {
        let me = ["one", "two"][host.number()];
        protocol.acquire(&fs, &host, me).is_ok_and(|granted| granted.is_some())
    };
    let taker: LoomBody<bool> = Arc::new(taker);
    let model =
        LoomModel { disk: protocol.disk(), bodies: vec![taker.clone(), taker], preemptions_max, locks };
    model.explore(|_, granted| {
        let holders = granted.into_iter().filter(|granted| *granted).count();
        if holders <= 1 { Ok(()) } else { Err("two holders at once".to_owned()) }
    })
}

/// One process appends a record while a foreign program, which takes no lock, leaves half a line: the record must stand
/// on a line of its own.
#[must_use]
pub fn log_against_half_line(preemptions_max: usize) -> LoomExplored {
    let ours: LoomBody<Result<(), String>> = Arc::new(|fs, _| append(&fs, "b"));
    let foreign: LoomBody<Result<(), String>> = Arc::new(|fs, _| {
        site::foreign(&fs, site::LOG, b"{\"id\":\"half");
        Ok(())
    });
    explore_log(vec![ours, foreign], &["b"], preemptions_max, Locks::Kept)
}

/// Two processes append a record each: both must be there.
#[must_use]
pub fn log_against_log(preemptions_max: usize, locks: Locks) -> LoomExplored {
    let body = |id: &'static str| -> LoomBody<Result<(), String>> { Arc::new(move |fs, _| append(&fs, id)) };
    explore_log(vec![body("b"), body("c")], &["b", "c"], preemptions_max, locks)
}

fn append<F: fencehold::fs::Fs>(fs: &F, id: &str) -> Result<(), String> {
    let answer = site::log(fs).and_then(|log| log.append(&site::record(id), &site::shown(None)));
    match answer {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(refusal.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn explore_log(
    bodies: Vec<LoomBody<Result<(), String>>>,
    expected: &'static [&'static str],
    preemptions_max: usize,
    locks: Locks,
) -> LoomExplored {
    let disk = site::disk(|fs, _| append(fs, "a").expect("an append on a healthy disk"));
    let model = LoomModel { disk, bodies, preemptions_max, locks };
    model.explore(move |disk, answers| {
        answers.into_iter().collect::<Result<Vec<()>, String>>()?;
        let ids = ids(disk)?;
        // Written twice where it was swallowed once is no harm: an id seen before is reported.
        match expected.iter().find(|id| !ids.iter().any(|there| there == **id)) {
            None if ids[0] == "a" => Ok(()),
            _ => Err(format!("{ids:?} is read after the answers for {expected:?}")),
        }
    })
}

fn ids(disk: &Disk) -> Result<Vec<String>, String> {
    let read = World::calm(disk.clone()).alone(Plan::NONE, |fs, _| {
        let records = site::log(&fs)?.read(&Page::default())?.records;
        Ok(records.iter().map(|record| record["id"].as_str().unwrap_or("").to_owned()).collect())
    });
    let read: Option<fencehold::Result<Vec<String>>> = read.returned();
    read.ok_or("the reader panicked")?.map_err(|error| error.to_string())
}

/// Two processes acquire the same lock at once: one is granted it, the other is refused, and what stands in the journal
/// is that.
#[must_use]
pub fn commit_against_commit(preemptions_max: usize, locks: Locks) -> LoomExplored {
    let disk = workspace::disk(|fs, host| committed(fs, host, "first", "other"));
    let taker: LoomBody<fencehold::Result<Answer>> = Arc::new(|fs, host| {
        let op = ["one", "two"][host.number()];
        Client::new(fs, host, op).acquire(op, "build", TTL_MS)
    });
    let model = LoomModel { disk, bodies: vec![taker.clone(), taker], preemptions_max, locks };
    model.explore(|disk, answers| {
        let tokens: Vec<Token> = answers.iter().filter_map(granted).collect();
        let refused = answers.iter().flatten().filter(|answer| is_refused(answer)).count();
        match (tokens.as_slice(), refused) {
            ([token], 1) if history(disk)?.last() == Some(token) => Ok(()),
            _ => Err(format!("two processes are answered {answers:?}")),
        }
    })
}

/// A reader, which takes no lock, looks while another rotates the journal.
#[must_use]
pub fn reader_against_rotation(preemptions_max: usize) -> LoomExplored {
    let disk = workspace::disk(workspace::fill);
    let before = history(&disk).expect("a healthy journal").last().copied().unwrap_or(0);
    let reader: LoomBody<Result<Revision, String>> = Arc::new(|fs, host| {
        Client::new(fs, host, "reader").revision().map_err(|error| format!("reader: {error}"))
    });
    let rotator: LoomBody<Result<Revision, String>> = Arc::new(|fs, host| {
        let answer = Client::new(fs, host, "rotator").acquire("rotate", "build", TTL_MS);
        granted(&answer).ok_or_else(|| format!("rotator: {answer:?}"))
    });
    let model = LoomModel { disk, bodies: vec![reader, rotator], preemptions_max, locks: Locks::Kept };
    model.explore(move |_, answers| {
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        match answers[..] {
            [read, token] if read == before || read == token => Ok(()),
            _ => Err(format!("after revision {before} a reader saw and a writer made {answers:?}")),
        }
    })
}

/// Two processes come to a journal that ends with a killed writer's half line: both commits stand, the half line is in
/// quarantine once.
#[must_use]
pub fn append_against_recovery(preemptions_max: usize) -> LoomExplored {
    let mut disk = workspace::disk(|fs, host| committed(fs, host, "first", "other"));
    let path = format!("{DIR}/journal.1.ndjson");
    let whole = disk.contents(&path).expect("the journal of a workspace").to_vec();
    disk.put(&path, &[&whole, HALF].concat());
    let writer: LoomBody<fencehold::Result<Answer>> = Arc::new(|fs, host| {
        let op = ["one", "two"][host.number()];
        Client::new(fs, host, op).acquire(op, op, TTL_MS)
    });
    let bodies = vec![writer.clone(), writer];
    let model = LoomModel { disk, bodies, preemptions_max, locks: Locks::Kept };
    model.explore(|disk, answers| {
        let mut tokens: Vec<Token> = answers.iter().filter_map(granted).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let kept = disk.files().filter(|(path, _)| path.starts_with(format!("{DIR}/quarantine")));
        let kept: Vec<&[u8]> = kept.map(|(_, bytes)| bytes).collect();
        if tokens.len() != 2 || !history(disk)?.ends_with(&tokens) {
            return Err(format!("two processes are answered {answers:?}"));
        }
        if kept == [HALF] { Ok(()) } else { Err(format!("quarantine holds {} files", kept.len())) }
    })
}

/// Two processes make the same workspace at once: one makes it, the other finds it made, nothing else is left.
#[must_use]
pub fn create_against_create(preemptions_max: usize) -> LoomExplored {
    let maker: LoomBody<fencehold::Result<bool>> =
        Arc::new(|fs, host| create(&fs, &host, DIR.as_ref(), Modes::Owner));
    let bodies = vec![maker.clone(), maker];
    let model = LoomModel { disk: workspace::empty(), bodies, preemptions_max, locks: Locks::Kept };
    model.explore(|disk, answers| {
        let made = answers.iter().flatten().filter(|made| **made).count();
        if made != 1 || answers.iter().any(Result::is_err) {
            return Err(format!("two processes make a workspace and are answered {answers:?}"));
        }
        match disk.list(workspace::PARENT.as_ref()) {
            Ok(names) if names == ["fencehold"] => Ok(()),
            other => Err(format!("what is left: {other:?}")),
        }
    })
}

fn committed(fs: &SimFs, host: &SimHost, op: &str, name: &str) {
    let answer = Client::new(fs.clone(), host.clone(), "somebody").acquire(op, name, TTL_MS);
    assert!(granted(&answer).is_some(), "{answer:?} on a healthy disk");
}

/// The revisions that a new process reads.
fn history(disk: &Disk) -> Result<Vec<Revision>, String> {
    let read =
        World::calm(disk.clone()).alone(Plan::NONE, |fs, host| Client::new(fs, host, "judge").history());
    let (entries, notes) = read.returned().ok_or("the judge panicked")?.map_err(|error| error.to_string())?;
    match notes.first() {
        None => Ok(entries.iter().map(|entry| entry.revision).collect()),
        Some(note) => Err(format!("the history has a gap: {note}")),
    }
}
