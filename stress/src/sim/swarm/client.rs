//! What one process of a swarm asks for, drawn operation by operation, and what it is answered, as a history has it.

use fencehold::fs::Fs;
use fencehold::journal::{FileJournal, Journal};
use fencehold::ledger::{Answer, LeaseVerdict, Ledger, TaskVerdict, Verdict};
use fencehold_model::lease::{self, About, How, Party};
use fencehold_model::status::{self, Value as Cell};
use fencehold_model::{Claim, Holder, LockName, Revision, TimeMs, lock};
use fencehold_model::{LeaseId, Pattern, TaskId};
use serde_json::{Value, json};

use super::plan::{Feature, Plan};
use crate::sim::choice::Random;
use crate::sim::machines::status_of;
use crate::sim::world::SimHost;

/// A ledger of a swarm.
pub(super) type Book<F> = Ledger<FileJournal<F, SimHost>, SimHost>;

const LOCKS: [&str; 3] = ["build", "deploy", "docs"];
const LEASES: [&str; 3] = ["one", "two", "three"];
const WRITES: [&str; 3] = ["src/", "src/main.rs", "docs/"];
const TASKS: [&str; 3] = ["T-1", "T-2", "T-3"];
const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];
/// Some lapse within a stop.
const TTLS_MS: [u64; 3] = [300, 2_000, 60_000];

/// A process, and what it knows.
pub(super) struct Client {
    holder: Holder,
    tokens: [Option<u64>; 3],
    leases: [Option<u64>; 3],
    epochs: [u64; 3],
}

/// An operation: its name, its fields, and what it asks of the ledger.
pub(super) struct Asked {
    pub(super) op: &'static str,
    pub(super) args: Value,
    what: What,
    at: usize,
}

enum What {
    Lock(lock::Command),
    Show(LockName),
    Lease(lease::Command),
    ShowLease(LeaseId),
    Task(status::Command),
    Get(TaskId),
}

impl Client {
    pub(super) fn new(name: &str) -> Self {
        let holder = Holder::new(name).expect("a plain holder");
        Client { holder, tokens: [None; 3], leases: [None; 3], epochs: [0; 3] }
    }

    /// The next operation.
    pub(super) fn next(&self, plan: &Plan, random: &mut Random) -> Asked {
        let kinds: Vec<Feature> =
            plan.features.iter().copied().filter(|feature| *feature <= Feature::Tasks).collect();
        let at = random.below(3) as usize;
        match kinds[random.below(u32::try_from(kinds.len()).unwrap_or(1)) as usize] {
            Feature::Leases => self.lease(random, at, plan),
            Feature::Tasks => self.task(random, at, plan),
            _ => self.lock(random, at, plan),
        }
    }

    fn reason(random: &mut Random, plan: &Plan) -> String {
        let long = plan.has(Feature::Long) && random.below(2) == 0;
        if long { "x".repeat(fencehold::ledger::REASON_BYTES_MAX) } else { "it is in the way".to_owned() }
    }

    fn lock(&self, random: &mut Random, at: usize, plan: &Plan) -> Asked {
        let (text, holder) = (LOCKS[at], self.holder.as_str());
        let name = LockName::new(text).expect("a plain lock name");
        let ttl_ms = TTLS_MS[random.below(3) as usize];
        let mine = self.tokens[at];
        let roll = random.below(16);
        let (op, args, what) = match (roll, mine) {
            (0, _) => ("lock.show", json!({ "name": text }), What::Show(name)),
            (1 | 2, _) => {
                let reason = Self::reason(random, plan);
                let args = json!({ "name": text, "reason": "a reason" });
                ("lock.break", args, What::Lock(lock::Command::Break { name, reason }))
            }
            (3..=5, Some(token)) => {
                let args = json!({ "name": text, "holder": holder, "token": token, "ttl_ms": ttl_ms });
                let proof = lock::Proof::Token(token);
                let command =
                    lock::Command::Renew { name, holder: self.holder.clone(), proof, ttl_ms: Some(ttl_ms) };
                ("lock.renew", args, What::Lock(command))
            }
            (6..=11, Some(token)) => {
                let args = json!({ "name": text, "holder": holder, "token": token });
                let proof = lock::Proof::Token(token);
                let command = lock::Command::Release { name, holder: self.holder.clone(), proof };
                ("lock.release", args, What::Lock(command))
            }
            _ => {
                let claim = format!("{holder}-{}", random.below(2));
                let args = json!({ "name": text, "holder": holder, "claim": claim, "ttl_ms": ttl_ms });
                let command = lock::Command::Acquire {
                    name,
                    holder: self.holder.clone(),
                    claim: Some(Claim::new(&claim).expect("a plain claim")),
                    ttl_ms,
                    bound: None,
                    asked_by: None,
                };
                ("lock.acquire", args, What::Lock(command))
            }
        };
        Asked { op, args, what, at }
    }

    fn lease(&self, random: &mut Random, at: usize, plan: &Plan) -> Asked {
        let text = LEASES[at];
        let lease = LeaseId::new(text).expect("a plain lease id");
        let (op, args, what) = match (random.below(12), self.leases[at]) {
            (0, _) => ("lease.show", json!({ "lease": text }), What::ShowLease(lease)),
            (1, _) => {
                let reason = Self::reason(random, plan);
                let args = json!({ "lease": text, "reason": "a reason" });
                ("lease.crash", args, What::Lease(lease::Command::Crash { lease, token: None, reason }))
            }
            (2, _) => {
                let reason = Some(Self::reason(random, plan));
                let args = json!({ "lease": text, "force": true, "reason": "a reason" });
                ("lease.clear", args, What::Lease(lease::Command::Clear { lease, force: true, reason }))
            }
            (3..=7, Some(token)) => {
                let proof = lease::Proof::Token(token);
                let args = json!({ "lease": text, "token": token });
                ("lease.close", args, What::Lease(lease::Command::Close { lease, proof }))
            }
            _ => {
                let writes = WRITES[random.below(3) as usize];
                let ttl_ms = TTLS_MS[random.below(3) as usize];
                let args = json!({ "lease": text, "holder": self.holder.as_str(), "ttl_ms": ttl_ms, "write_set": [writes] });
                let command = lease::Command::Grant {
                    lease,
                    holder: self.holder.clone(),
                    ttl_ms: Some(ttl_ms),
                    writes: vec![Pattern::new(writes).expect("a plain path")],
                    about: About::default(),
                    bound: None,
                    asked_by: None,
                };
                ("lease.grant", args, What::Lease(command))
            }
        };
        Asked { op, args, what, at }
    }

    fn task(&self, random: &mut Random, at: usize, plan: &Plan) -> Asked {
        let (text, epoch) = (TASKS[at], self.epochs[at]);
        let task = TaskId::new(text).expect("a plain task id");
        let to = STATUSES[random.below(5) as usize];
        let (op, args, what) = match random.below(10) {
            0 => ("status.get", json!({ "task": text }), What::Get(task)),
            1 => {
                let reason = Self::reason(random, plan);
                let args = json!({ "task": text, "to": to, "reason": "a reason" });
                let command = status::Command::Reopen { task, to: status_of(to), reason };
                ("status.reopen", args, What::Task(command))
            }
            roll => {
                let from = (roll < 5).then(|| STATUSES[random.below(5) as usize]);
                let resolve = roll == 9;
                let mut args = json!({ "task": text, "to": to, "epoch": epoch });
                if let Some(from) = from {
                    args["from"] = json!(from);
                }
                if resolve {
                    args["resolve"] = json!(true);
                }
                let command = status::Command::Set {
                    task,
                    to: status_of(to),
                    from: from.map(status_of),
                    epoch,
                    detail: None,
                    resolve,
                };
                ("status.set", args, What::Task(command))
            }
        };
        Asked { op, args, what, at }
    }

    /// Asks, and learns from the answer.
    ///
    /// # Errors
    /// Where the workspace is called damaged: nothing in a swarm damages it.
    pub(super) fn ask<F: Fs>(&mut self, book: &Book<F>, asked: &Asked) -> Result<Value, String> {
        let asking = fencehold::journal::Asking { actor: self.holder.clone(), op: book.new_op() };
        let answer = match &asked.what {
            What::Lock(command) => book.submit(&asking, command).map(|answer| {
                if let Verdict::Granted { token, .. } = answer.verdict {
                    self.tokens[asked.at] = Some(token);
                }
                of_lock(&answer)
            }),
            What::Show(name) => book.show(name).map(|seen| {
                let value = match &seen.value.grant {
                    None => json!({ "holder": null }),
                    Some((grant, expires_ms)) => grant_object(grant, *expires_ms, seen.at_ms),
                };
                ok(seen.revision, value)
            }),
            What::Lease(command) => book.lease(&asking, command).map(|answer| {
                if let LeaseVerdict::Granted { token, .. } = answer.verdict {
                    self.leases[asked.at] = Some(token);
                }
                of_lease(&answer)
            }),
            What::ShowLease(lease) => book.show_lease(lease).map(|seen| match &seen.value {
                None => refused(seen.revision, "not_found", Value::Null),
                Some(view) => ok(
                    seen.revision,
                    json!({
                        "lease": view.id.as_str(),
                        "state": view.lease.word(),
                        "holder": view.lease.holder.as_str(),
                        "token": view.lease.token,
                        "write_set": view.lease.writes.iter().map(Pattern::as_str).collect::<Vec<_>>(),
                    }),
                ),
            }),
            What::Task(command) => book.task(&asking, command).map(|answer| match &answer.verdict {
                TaskVerdict::Stands { value, already } => {
                    self.epochs[asked.at] = value.epoch;
                    let mut object = cell_object(value);
                    object["already"] = json!(already);
                    ok(answer.revision, object)
                }
                TaskVerdict::Refused(refusal) => {
                    if let Some(value) = refusal.stands() {
                        self.epochs[asked.at] = value.epoch;
                    }
                    refused(
                        answer.revision,
                        refusal.word(),
                        refusal.stands().map_or(Value::Null, cell_object),
                    )
                }
            }),
            What::Get(task) => book.show_task(task).map(|seen| match &seen.value {
                Some(view) => ok(seen.revision, cell_object(&view.cell.value)),
                None => refused(seen.revision, "not_found", Value::Null),
            }),
        };
        answer.or_else(|error| match error {
            fencehold::Error::Damaged { .. } => Err(format!("{} is told: {error}", asked.op)),
            _ if error.happened() == fencehold::Happened::No => {
                Ok(json!({ "outcome": "fail", "error": error.to_string() }))
            }
            _ => Ok(json!({ "outcome": "info", "error": error.to_string() })),
        })
    }
}

#[allow(clippy::needless_pass_by_value)] // it is built for this
fn ok(revision: Revision, value: Value) -> Value {
    json!({ "outcome": "ok", "revision": revision, "value": value })
}

#[allow(clippy::needless_pass_by_value)] // it is built for this
fn refused(revision: Revision, reason: &str, value: Value) -> Value {
    json!({ "outcome": "refused", "reason": reason, "revision": revision, "value": value })
}

fn of_lock(answer: &Answer) -> Value {
    match &answer.verdict {
        Verdict::Granted { token, expires_ms } => {
            let left = expires_ms.map(|expires_ms| answer.expires_in_ms(expires_ms));
            ok(answer.revision, json!({ "token": token, "expires_in_ms": left }))
        }
        Verdict::Released { token, already } => {
            ok(answer.revision, json!({ "token": token, "already": already }))
        }
        Verdict::Broken { token } => ok(answer.revision, json!({ "token": token })),
        Verdict::Refused(refusal) => {
            let value = match refusal {
                lock::Refusal::Held(grant) => grant_object(grant, Some(grant.expires_ms), answer.now_ms),
                _ => Value::Null,
            };
            refused(answer.revision, refusal.word(), value)
        }
    }
}

fn grant_object(grant: &lock::Grant, expires_ms: Option<TimeMs>, now_ms: TimeMs) -> Value {
    let left = expires_ms.map(|expires_ms| expires_ms.saturating_sub(now_ms));
    json!({ "holder": grant.holder.as_str(), "token": grant.token, "expires_in_ms": left })
}

fn of_lease(answer: &Answer<LeaseVerdict>) -> Value {
    let value = match &answer.verdict {
        LeaseVerdict::Granted { lease, token, expires_ms, over, .. } => {
            let mut value = json!({ "lease": lease.as_str(), "token": token });
            value["expires_in_ms"] = json!(expires_ms.map(|expires_ms| answer.expires_in_ms(expires_ms)));
            if !over.is_empty() {
                value["crashed"] = over.iter().map(|crash| crash.lease.as_str()).collect();
            }
            value
        }
        LeaseVerdict::Closed { token, already } => {
            json!({ "state": How::Closed.word(), "token": token, "already": already })
        }
        LeaseVerdict::Crashed(crash) => {
            json!({ "state": How::Crashed(crash.cause.clone()).word(), "token": crash.token })
        }
        LeaseVerdict::Cleared { token } => json!({ "state": How::Cleared(None).word(), "token": token }),
        LeaseVerdict::Standing => Value::Null,
        LeaseVerdict::Refused(refusal) => {
            let value = match refusal {
                lease::Refusal::AlreadyOpen(party) | lease::Refusal::NotHolder(party) => named(party),
                lease::Refusal::NotOpen(party, how) => {
                    let mut value = named(party);
                    value["state"] = how.word().into();
                    value
                }
                lease::Refusal::Overlap(parties) => {
                    json!({ "leases": parties.iter().map(named).collect::<Vec<_>>() })
                }
                lease::Refusal::NotFound | lease::Refusal::NeedsReason => Value::Null,
            };
            return refused(answer.revision, refusal.word(), value);
        }
    };
    ok(answer.revision, value)
}

fn named(party: &Party) -> Value {
    json!({ "lease": party.lease.as_str(), "token": party.token, "holder": party.holder.as_str() })
}

fn cell_object(value: &Cell) -> Value {
    let statuses: Vec<&str> = value.statuses.keys().map(fencehold_model::Status::as_str).collect();
    json!({ "statuses": statuses, "epoch": value.epoch, "turn": value.turn })
}

/// Not used by any operation, but by the machine: whether a journal answers at all.
pub(super) fn looks<F: Fs>(book: &Book<F>) -> fencehold::Result<Revision> {
    Ok(book.journal().read(|_, _| ())?.revision)
}
