//! What a process does at the journal while the power fails: every command about locks, leases and tasks, and every
//! kind of look.

use fencehold::journal::{Modes, create, is_workspace};
use fencehold_model::status::Value;

use super::told::Heard;
use super::user::{TTL_MS, User, of_lease, of_lock, of_task};
use crate::sim::machines::status_of;
use crate::sim::workspace::DIR;

/// What a process does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) act: fn(&User) -> Heard,
}

/// The operation id of the grant that every workspace here begins with.
pub(super) const HELD_OP: &str = "held";

pub(super) const fn op(name: &'static str, act: fn(&User) -> Heard) -> Operation {
    Operation { name, act }
}

/// Every operation on a workspace that stands; see [`super::starts`] for what it holds.
pub(super) const ALL: [Operation; 23] = [
    op("lock acquire", |user| of_lock(&user.acquire(&user.op, "free", &user.op))),
    op("lock acquire, held", |user| of_lock(&user.acquire(&user.op, "held", &user.op))),
    op("lock acquire, again", |user| of_lock(&user.acquire(&user.op, "held", HELD_OP))),
    op("lock acquire, recorded", |user| of_lock(&user.acquire(HELD_OP, "held", HELD_OP))),
    op("lock renew", |user| of_lock(&user.client.renew(&user.op, "held", HELD_TOKEN, 2 * TTL_MS))),
    op("lock release", |user| of_lock(&user.client.release(&user.op, "held", HELD_TOKEN))),
    op("lock break", |user| of_lock(&user.client.break_it(&user.op, "held"))),
    op("look", User::looked),
    op("history", |user| {
        let read = user.client.history();
        Heard::of(&read, |(entries, _)| Heard::Saw(entries.last().map_or(0, |entry| entry.revision)))
    }),
    op("ended leases", |user| {
        let read = user.client.ledger.journal().ended_leases();
        Heard::of(&read, |_| Heard::Saw(0))
    }),
    op("lease grant", |user| of_lease(&user.client.grant(&user.op, "new", "docs/", Some(TTL_MS), None))),
    op("lease grant, open", |user| {
        of_lease(&user.client.grant(&user.op, "open", "src/", Some(TTL_MS), None))
    }),
    op("lease grant over a lapsed one", |user| {
        of_lease(&user.client.grant(&user.op, "over", "lib/a.rs", Some(TTL_MS), None))
    }),
    op("lease close", |user| of_lease(&user.client.close(&user.op, "open", OPEN_TOKEN))),
    op("lease crash", |user| of_lease(&user.client.crash(&user.op, "open"))),
    op("lease clear", |user| of_lease(&user.client.clear(&user.op, "open"))),
    op("lease reap", |user| of_lease(&user.client.reap(&user.op, "lapsed", LAPSED_TOKEN))),
    op("status set", |user| of_task(&user.client.set(&user.op, "T-1", "in_progress", Some("todo"), 0))),
    op("status set, the first", |user| of_task(&user.client.set(&user.op, "T-9", "todo", None, 0))),
    op("status set, a conflict", |user| of_task(&user.client.set(&user.op, "T-2", "blocked", None, 0))),
    op("status set, a choice", |user| of_task(&user.client.resolve(&user.op, "T-3", "blocked"))),
    op("status merge", |user| {
        let value = Value::of(0, 0, status_of("blocked"), None);
        of_task(&user.client.merge(&user.op, "T-2", value))
    }),
    op("status reopen", |user| of_task(&user.client.reopen(&user.op, "T-2", "todo"))),
];

/// Those that stand for the others where two meet.
pub(super) const FEW: [&str; 8] = [
    "lock acquire",
    "lock acquire, held",
    "lock acquire, again",
    "lock acquire, recorded",
    "lock release",
    "look",
    "lease grant over a lapsed one",
    "status set",
];

/// The operation of that name.
pub(super) fn named(name: &str) -> Operation {
    *ALL.iter().find(|operation| operation.name == name).expect("an operation that is listed")
}

/// The making of a workspace.
pub(super) const CREATE: Operation = op("workspace creation", |user| {
    let made = create(&user.fs, &user.host, DIR.as_ref(), Modes::Owner);
    Heard::of(&made, |_| Heard::Done(0))
});

/// What the next process does, whatever it finds: it makes the workspace where there is none, and takes a lock that
/// nobody has.
pub(super) const NEXT: Operation = op("the next process", |user| {
    match is_workspace(&user.fs, DIR.as_ref()) {
        Ok(true) => {}
        Ok(false) => {
            let made = create(&user.fs, &user.host, DIR.as_ref(), Modes::Owner);
            if made.is_err() {
                return Heard::of(&made, |_| Heard::Done(0));
            }
        }
        Err(_) => return Heard::Not,
    }
    of_lock(&user.acquire(&user.op, &format!("next-{}", user.op), &user.op))
});

/// The same after an explicit repair.
pub(super) const MEND: Operation = op("repair, and the next process", |user| match (REPAIR.act)(user) {
    Heard::Done(_) => (NEXT.act)(user),
    other => other,
});

/// The explicit repair of a workspace.
pub(super) const REPAIR: Operation = op("repair", |user| {
    let repaired = user.client.ledger.journal().repair();
    Heard::of(&repaired, |_| Heard::Done(0))
});

/// The revisions that [`super::starts`] makes, in this order, above the first floor.
pub(super) const FIRST: u64 = 1 << 20;
/// The token of the lock `held`.
pub(super) const HELD_TOKEN: u64 = FIRST + 1;
/// The token of the lease `open`.
pub(super) const OPEN_TOKEN: u64 = FIRST + 2;
/// The token of the lease `lapsed`.
pub(super) const LAPSED_TOKEN: u64 = FIRST + 3;
