//! What loom is asked to look at of leases and statuses: the shipped code, two processes, one command each.

use std::sync::Arc;

use fencehold::ledger::{LeaseVerdict, TaskVerdict};
use fencehold_model::Token;

use super::disk::Disk;
use super::door::Locks;
use super::loom_fs::{LoomBody, LoomExplored, LoomFs, LoomHost, LoomModel};
use super::machines::{LeaseAnswer, TaskAnswer, names};
use super::workspace::{self, Client};
use super::world::{Plan, SimFs, SimHost, World};

const TTL_MS: Option<u64> = Some(60_000);

/// Two processes ask for one lease at once: one is granted it, the other is told by whom it is open.
#[must_use]
pub fn grant_against_grant(preemptions_max: usize, locks: Locks) -> LoomExplored {
    let taker = |fs: LoomFs, host: LoomHost| {
        let op = ["one", "two"][host.number()];
        Client::new(fs, host, op).grant(op, "work", "src/a.rs", TTL_MS, None)
    };
    let taker: LoomBody<LeaseAnswer> = Arc::new(taker);
    let model = leases(vec![taker.clone(), taker], preemptions_max, locks);
    model.explore(|disk, answers| match (lease_words(&answers).as_slice(), granted(&answers).as_slice()) {
        (["granted", "already_open"] | ["already_open", "granted"], [token]) => {
            let open = lease(disk, "work")?;
            if open == ("open", *token) {
                Ok(())
            } else {
                Err(format!("{token} was granted, and it is {open:?}"))
            }
        }
        _ => Err(format!("two processes ask for one lease and are answered {answers:?}")),
    })
}

/// Two processes ask for different leases that write the same file: one is granted, the other is told of the overlap.
#[must_use]
pub fn overlap_against_overlap(preemptions_max: usize, locks: Locks) -> LoomExplored {
    let taker = |fs: LoomFs, host: LoomHost| {
        let op = ["one", "two"][host.number()];
        Client::new(fs, host, op).grant(op, op, "src/a.rs", TTL_MS, None)
    };
    let taker: LoomBody<LeaseAnswer> = Arc::new(taker);
    let model = leases(vec![taker.clone(), taker], preemptions_max, locks);
    model.explore(|disk, answers| {
        let (winner, loser) = match lease_words(&answers).as_slice() {
            ["granted", "overlap"] => ("one", "two"),
            ["overlap", "granted"] => ("two", "one"),
            _ => return Err(format!("two processes ask for one file and are answered {answers:?}")),
        };
        let open = lease(disk, winner)?.0 == "open";
        if open && lease(disk, loser).is_err() { Ok(()) } else { Err(format!("{winner} was granted alone")) }
    })
}

/// One process closes its lease while another asks for it: the close is done whatever the order, and the other is
/// granted it only after.
#[must_use]
pub fn close_against_grant(preemptions_max: usize) -> LoomExplored {
    let begun = |fs: &SimFs, host: &SimHost| {
        let client = Client::new(fs.clone(), host.clone(), "one");
        let answer = client.grant("begun", "work", "src/a.rs", TTL_MS, None);
        assert_eq!(lease_word(&answer), "granted", "{answer:?} on a healthy disk");
    };
    let disk = workspace::disk(begun);
    let first = lease(&disk, "work").expect("it was granted").1;
    let body = move |fs: LoomFs, host: LoomHost| match host.number() {
        0 => Client::new(fs, host, "one").close("close", "work", first),
        _ => Client::new(fs, host, "two").grant("grant", "work", "src/a.rs", TTL_MS, None),
    };
    let body: LoomBody<LeaseAnswer> = Arc::new(body);
    let model = LoomModel { disk, bodies: vec![body.clone(), body], preemptions_max, locks: Locks::Kept };
    model.explore(move |disk, answers| {
        let (words, last) = (lease_words(&answers), lease(disk, "work")?);
        match (words.as_slice(), granted(&answers).as_slice()) {
            (["closed", "already_open"], []) if last == ("closed", first) => Ok(()),
            (["closed", "granted"], [token]) if last == ("open", *token) && *token > first => Ok(()),
            _ => Err(format!("after token {first}: {answers:?}, and it is {last:?}")),
        }
    })
}

/// Two processes move one task to statuses of one rank; the first names what it saw, the second does not. What was not
/// named is never overwritten: the second stands beside the first, or the first is refused.
#[must_use]
pub fn informed_against_uninformed(preemptions_max: usize, locks: Locks) -> LoomExplored {
    let body = |fs: LoomFs, host: LoomHost| match host.number() {
        0 => Client::new(fs, host, "one").set("one", "T-1", "in_progress", Some("todo"), 0),
        _ => Client::new(fs, host, "two").set("two", "T-1", "blocked", None, 0),
    };
    let model = LoomModel { locks, ..tasks("todo", Arc::new(body), preemptions_max) };
    model.explore(|disk, answers| {
        let last = task(disk)?;
        let (first, second) = (stood(&answers[0]), stood(&answers[1]));
        match (first.as_str(), second.as_str(), last.as_str()) {
            ("in_progress", "blocked+in_progress", "blocked+in_progress")
            | ("conflict", "blocked", "blocked") => Ok(()),
            _ => Err(format!("the tasks were answered {answers:?}, and {last} is read")),
        }
    })
}

/// Two processes move one task within its rank, both naming what they saw: one is done, the other refused.
#[must_use]
pub fn informed_against_informed(preemptions_max: usize) -> LoomExplored {
    let body = |fs: LoomFs, host: LoomHost| {
        let (op, to) = [("one", "done"), ("two", "cancelled")][host.number()];
        Client::new(fs, host, op).set(op, "T-1", to, Some("in_progress"), 0)
    };
    tasks("in_progress", Arc::new(body), preemptions_max).explore(|disk, answers| {
        let last = task(disk)?;
        match (stood(&answers[0]).as_str(), stood(&answers[1]).as_str(), last.as_str()) {
            ("done", "regression", "done") | ("regression", "cancelled", "cancelled") => Ok(()),
            _ => Err(format!("two ends of one task were answered {answers:?}, and {last} is read")),
        }
    })
}

/// One process ends a task of the epoch that it saw while another reopens it: the reopen stands whatever the order.
#[must_use]
pub fn set_against_reopen(preemptions_max: usize) -> LoomExplored {
    let body = |fs: LoomFs, host: LoomHost| match host.number() {
        0 => Client::new(fs, host, "one").set("one", "T-1", "done", Some("in_progress"), 0),
        _ => Client::new(fs, host, "two").reopen("two", "T-1", "todo"),
    };
    tasks("in_progress", Arc::new(body), preemptions_max).explore(|disk, answers| {
        let last = task(disk)?;
        match (stood(&answers[0]).as_str(), stood(&answers[1]).as_str(), last.as_str()) {
            ("done" | "stale_epoch", "todo", "todo") => Ok(()),
            _ => Err(format!("a late end and a reopen were answered {answers:?}, and {last} is read")),
        }
    })
}

fn leases(
    bodies: Vec<LoomBody<LeaseAnswer>>,
    preemptions_max: usize,
    locks: Locks,
) -> LoomModel<LeaseAnswer> {
    LoomModel { disk: workspace::disk(begin), bodies, preemptions_max, locks }
}

fn tasks(from: &str, body: LoomBody<TaskAnswer>, preemptions_max: usize) -> LoomModel<TaskAnswer> {
    let disk = workspace::disk(|fs, host| {
        let answer = Client::new(fs.clone(), host.clone(), "somebody").set("begun", "T-1", from, None, 0);
        assert_eq!(stood(&answer), from, "{answer:?} on a healthy disk");
    });
    LoomModel { disk, bodies: vec![body.clone(), body], preemptions_max, locks: Locks::Kept }
}

/// Makes the boot's own event, so that a run is about the commands alone.
fn begin(fs: &SimFs, host: &SimHost) {
    let answer = Client::new(fs.clone(), host.clone(), "somebody").acquire("begun", "other", 60_000);
    assert!(workspace::granted(&answer).is_some(), "{answer:?} on a healthy disk");
}

fn lease_word(answer: &LeaseAnswer) -> &'static str {
    match answer.as_ref().map(|answer| &answer.verdict) {
        Ok(LeaseVerdict::Granted { .. }) => "granted",
        Ok(LeaseVerdict::Closed { already: false, .. }) => "closed",
        Ok(LeaseVerdict::Refused(refusal)) => refusal.word(),
        _ => "other",
    }
}

fn lease_words(answers: &[LeaseAnswer]) -> Vec<&'static str> {
    answers.iter().map(lease_word).collect()
}

fn granted(answers: &[LeaseAnswer]) -> Vec<Token> {
    let token = |answer: &LeaseAnswer| match answer.as_ref().map(|answer| &answer.verdict) {
        Ok(LeaseVerdict::Granted { token, .. }) => Some(*token),
        _ => None,
    };
    answers.iter().filter_map(token).collect()
}

/// What stands by an answer, its statuses joined; or the word of the refusal, if that shows what stands.
fn stood(answer: &TaskAnswer) -> String {
    match answer.as_ref().map(|answer| &answer.verdict) {
        Ok(TaskVerdict::Stands { value, .. }) => names(value).join("+"),
        Ok(TaskVerdict::Refused(refusal)) if refusal.stands().is_some() => refusal.word().to_owned(),
        other => format!("{other:?}"),
    }
}

/// The state and the token of a lease, as a new process reads them.
fn lease(disk: &Disk, id: &'static str) -> Result<(&'static str, Token), String> {
    let view =
        read(disk, move |client| client.show_lease(id))?.ok_or_else(|| format!("lease {id} is unknown"))?;
    Ok((view.lease.word(), view.lease.token))
}

/// The statuses of the task, as a new process reads them.
fn task(disk: &Disk) -> Result<String, String> {
    let view = read(disk, |client| client.show_task("T-1"))?.ok_or("the task is unknown")?;
    Ok(names(&view.cell.value).join("+"))
}

fn read<T>(
    disk: &Disk,
    look: impl FnOnce(&Client<SimFs, SimHost>) -> fencehold::Result<T>,
) -> Result<T, String> {
    let read = World::calm(disk.clone()).alone(Plan::NONE, |fs, host| look(&Client::new(fs, host, "judge")));
    read.returned().ok_or("the judge panicked")?.map_err(|error| error.to_string())
}
