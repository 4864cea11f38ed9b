//! Commits to the journal, torn: every event of a lease and of a task.

use fencehold::ledger::{LeaseVerdict, TaskVerdict};
use fencehold_model::Revision;
use fencehold_model::status::Value;

use super::journal::{OP, mine, torn_by};
use super::{Answered, Torn};
use crate::sim::machines::{LeaseAnswer, TaskAnswer, status_of};
use crate::sim::workspace::{self, Client};
use crate::sim::world::{SimFs, SimHost};

type Ours = Client<SimFs, SimHost>;

const TTL_MS: u64 = 60_000;
/// A TTL that has passed before the torn operation begins.
const SHORT_MS: u64 = 1_000;

/// Commands about leases.
#[must_use]
pub fn leases() -> Vec<Torn> {
    vec![
        lease("lease grant", |_| {}, |client| client.grant(OP, "work", "src/", Some(TTL_MS), None)),
        lease("lease grant over a lapsed one", lapsed, |client| {
            client.grant(OP, "other", "src/a.rs", Some(TTL_MS), None)
        }),
        lease("lease close", open, |client| client.close(OP, "work", token(client)?)),
        lease("lease crash", open, |client| client.crash(OP, "work")),
        lease("lease clear by force", open, |client| client.clear(OP, "work")),
        lease("lease reap", lapsed, |client| client.reap(OP, "work", token(client)?)),
    ]
}

/// Commands about tasks.
#[must_use]
pub fn tasks() -> Vec<Torn> {
    vec![
        task("status set, the first", |_| {}, |client| client.set(OP, "T-1", "todo", None, 0)),
        task("status set, a step up", todo, |client| client.set(OP, "T-1", "in_progress", Some("todo"), 0)),
        task("status set, a conflict", in_progress, |client| client.set(OP, "T-1", "blocked", None, 0)),
        task("status set, a choice", conflict, |client| client.resolve(OP, "T-1", "blocked")),
        task("status merge", in_progress, |client| {
            client.merge(OP, "T-1", Value::of(0, 0, status_of("blocked"), None))
        }),
        task("status reopen", in_progress, |client| client.reopen(OP, "T-1", "todo")),
    ]
}

fn lease(name: &'static str, before: fn(&Ours), ask: fn(&Ours) -> LeaseAnswer) -> Torn {
    let act = move |fs: &SimFs, host: &SimHost| {
        host.pass(2 * SHORT_MS);
        let answer = ask(&mine(fs, host));
        match &answer {
            Ok(answer) if matches!(answer.verdict, LeaseVerdict::Refused(_) | LeaseVerdict::Standing) => {
                Answered::Not
            }
            _ => Answered::of(&answer),
        }
    };
    torn_by(name, prepared(before), act)
}

fn task(name: &'static str, before: fn(&Ours), ask: fn(&Ours) -> TaskAnswer) -> Torn {
    let act = move |fs: &SimFs, host: &SimHost| {
        let answer = ask(&mine(fs, host));
        match &answer {
            Ok(answer) if matches!(answer.verdict, TaskVerdict::Refused(_)) => Answered::Not,
            _ => Answered::of(&answer),
        }
    };
    torn_by(name, prepared(before), act)
}

/// A workspace whose boot has its event, after `before`.
fn prepared(before: fn(&Ours)) -> crate::sim::disk::Disk {
    workspace::disk(|fs, host| {
        let client = mine(fs, host);
        assert!(workspace::granted(&client.acquire("first", "build", TTL_MS)).is_some(), "a healthy disk");
        before(&client);
    })
}

fn open(client: &Ours) {
    drop(client.grant("second", "work", "src/", Some(TTL_MS), None).expect("a healthy disk"));
}

fn lapsed(client: &Ours) {
    drop(client.grant("second", "work", "src/", Some(SHORT_MS), None).expect("a healthy disk"));
}

fn todo(client: &Ours) {
    drop(client.set("second", "T-1", "todo", None, 0).expect("a healthy disk"));
}

fn in_progress(client: &Ours) {
    drop(client.set("second", "T-1", "in_progress", None, 0).expect("a healthy disk"));
}

fn conflict(client: &Ours) {
    in_progress(client);
    drop(client.set("third", "T-1", "blocked", None, 0).expect("a healthy disk"));
}

/// The token of the only lease.
fn token(client: &Ours) -> fencehold::Result<Revision> {
    client.revision()
}
