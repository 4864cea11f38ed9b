//! Leases and tasks of a process: granted, closed, abandoned, taken over; stepped up, down and aside.

use fencehold_model::Pattern;
use fencehold_model::lease::{About, Command, Proof};
use fencehold_model::status;
use serde_json::json;

use super::tell;
use super::user::{TTLS_MS, User};
use crate::rng::Rng;
use crate::sim::machines::{lease_id, status_of, task_id};
use fencehold::ledger::LeaseVerdict;

/// What leases write: each meets some others.
const WRITES: [&str; 4] = ["a/**", "a/b.rs", "*/b.rs", "c/**"];
const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];

impl User {
    pub(super) fn lease(&mut self, rng: &mut Rng) {
        let lease = self.name(rng, "lease");
        match (rng.below(100), self.open.last().cloned()) {
            (0..6, _) => self.show_lease(&lease),
            (6..12, _) => {
                let command = Command::Crash { lease: lease_id(&lease), token: None, reason: self.reason() };
                self.end_lease("lease.crash", &json!({ "lease": lease, "reason": "a reason" }), &command);
            }
            (12..16, _) => {
                let command =
                    Command::Clear { lease: lease_id(&lease), force: true, reason: Some(self.reason()) };
                let args = json!({ "lease": lease, "force": true, "reason": "a reason" });
                self.end_lease("lease.clear", &args, &command);
            }
            (16..20, _) => {
                let command = Command::Clear { lease: lease_id(&lease), force: false, reason: None };
                self.end_lease("lease.clear", &json!({ "lease": lease }), &command);
            }
            (20..60, _) | (_, None) => self.grant(rng, &lease),
            (60..66, Some(_)) => {
                // Walks away: the lease lapses, or its process dies.
                self.open.pop();
                self.grant(rng, &lease);
            }
            (_, Some((lease, token))) => {
                if rng.below(4) > 0 {
                    self.open.pop();
                }
                let command = Command::Close { lease: lease_id(&lease), proof: Proof::Token(token) };
                self.end_lease("lease.close", &json!({ "lease": lease, "token": token }), &command);
            }
        }
    }

    fn end_lease(&self, op: &str, args: &serde_json::Value, command: &Command) {
        self.tell(op, args, |op| self.client.ask_lease(op, command), |it| tell::of_lease(it, false));
    }

    fn grant(&mut self, rng: &mut Rng, lease: &str) {
        let (ttl_ms, writes) = (*rng.pick(&TTLS_MS), self.place(rng.pick::<&str>(&WRITES)));
        let (bound, me) = (self.bound(rng), self.client.me.clone());
        let mut args =
            json!({ "lease": lease, "holder": me.as_str(), "ttl_ms": ttl_ms, "write_set": [writes] });
        if bound.is_some() {
            args["bind"] = "process".into();
        }
        let watched = bound.is_some();
        let command = Command::Grant {
            lease: lease_id(lease),
            holder: me,
            ttl_ms: Some(ttl_ms),
            writes: vec![Pattern::new(&writes).expect("a plain path")],
            about: About::default(),
            bound,
            asked_by: None,
        };
        let ask = |op: &str| self.client.ask_lease(op, &command);
        let answer = self.tell("lease.grant", &args, ask, |it| tell::of_lease(it, watched));
        if let Some(LeaseVerdict::Granted { token, .. }) = answer.map(|answer| answer.verdict) {
            self.open.push((lease.to_owned(), token));
        }
    }

    pub(super) fn show_lease(&self, lease: &str) {
        let show = |_: &str| self.client.ledger.show_lease(&lease_id(lease));
        self.tell("lease.show", &json!({ "lease": lease }), show, |seen| {
            tell::of_shown_lease(seen.revision, seen.value.as_ref())
        });
    }

    pub(super) fn task(&mut self, rng: &mut Rng) {
        let task = self.name(rng, "task");
        let to = *rng.pick(&STATUSES);
        // Ends are rarer than steps.
        let to = if matches!(to, "done" | "cancelled") && rng.one_in(2) { "in_progress" } else { to };
        let (op, args, command) = match rng.below(100) {
            0..8 => return self.get_task(&task),
            8..24 => {
                let seen = self.epochs.get(&task).copied().unwrap_or(0);
                // Half of them say what they saw.
                let epoch = rng.one_in(2).then_some(seen);
                let from = epoch.filter(|_| rng.one_in(2)).map(|_| *rng.pick(&STATUSES));
                let mut args = json!({ "task": task, "to": to, "reason": "a reason" });
                if let Some(epoch) = epoch {
                    args["epoch"] = epoch.into();
                }
                if let Some(from) = from {
                    args["from"] = from.into();
                }
                let command = status::Command::Reopen {
                    task: task_id(&task),
                    to: status_of(to),
                    from: from.map(status_of),
                    epoch,
                    reason: self.reason(),
                };
                ("status.reopen", args, command)
            }
            drawn => {
                let seen = self.epochs.get(&task).copied().unwrap_or(0);
                let epoch = if drawn < 80 { seen } else { 0 };
                let from = (drawn % 3 == 0).then(|| *rng.pick(&STATUSES));
                let resolve = rng.one_in(6);
                let mut args = json!({ "task": task, "to": to, "epoch": epoch });
                if let Some(from) = from {
                    args["from"] = from.into();
                }
                if resolve {
                    args["resolve"] = true.into();
                }
                let command = status::Command::Set {
                    task: task_id(&task),
                    to: status_of(to),
                    from: from.map(status_of),
                    epoch,
                    detail: None,
                    resolve,
                };
                ("status.set", args, command)
            }
        };
        let ask = |op: &str| self.client.ask_task(op, &command);
        if let Some(answer) = self.tell(op, &args, ask, tell::of_task)
            && let fencehold::ledger::TaskVerdict::Stands { value, .. } = answer.verdict
        {
            self.epochs.insert(task, value.epoch);
        }
    }

    pub(super) fn get_task(&self, task: &str) {
        let get = |_: &str| self.client.ledger.show_task(&task_id(task));
        self.tell("status.get", &json!({ "task": task }), get, |seen| {
            tell::of_shown_task(seen.revision, seen.value.as_ref())
        });
    }
}
