//! What loom is asked to look at: the shipped code, two processes, few calls.

use std::sync::Arc;

use fencehold::log::Page;

use super::disk::Disk;
use super::door::Locks;
use super::loom_fs::{LoomBody, LoomExplored, LoomFs, LoomHost, LoomModel};
use super::mutants::Protocol;
use super::torn::site;
use super::world::{Plan, World};

/// How often a process that could go on may have to wait, unless a caller says otherwise.
pub const PREEMPTIONS_MAX: usize = 3;

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
