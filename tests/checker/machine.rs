//! The machine of the simulation: locks, one log, one counter, in exact time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::sim::Plan;

struct Grant {
    holder: String,
    claim: Option<String>,
    token: u64,
    ttl_us: u64,
    expires_us: u64,
    bound: Option<u64>,
}

#[derive(Default)]
struct Lock {
    grant: Option<Grant>,
    released: Option<(String, u64)>,
}

#[derive(Default)]
pub(super) struct Machine {
    revision: u64,
    locks: BTreeMap<String, Lock>,
    counter: i64,
    log: Vec<Value>,
    pub(super) dead: BTreeSet<u64>,
}

impl Machine {
    pub(super) fn run(&mut self, plan: &Plan, op: &str, args: &Value, process: u64, now_us: u64) -> Value {
        let mut answer = match op {
            "log.append" => {
                self.log.push(args["record"].clone());
                json!({"outcome": "ok", "value": {"appended": true}})
            }
            "log.read" => {
                json!({"outcome": "ok", "value": {"records": self.log, "damaged": 0, "duplicates": []}})
            }
            "doc.increment" => {
                self.counter += 1;
                json!({"outcome": "ok", "value": {"value": self.counter, "version": self.counter}})
            }
            "doc.read" => {
                let document = if self.counter == 0 { json!({}) } else { json!({"k": self.counter}) };
                json!({"outcome": "ok", "value": {"document": document}})
            }
            _ => self.lock(plan, op, args, process, now_us),
        };
        if plan.revisions {
            answer["revision"] = json!(self.revision);
        }
        answer
    }

    fn lock(&mut self, plan: &Plan, op: &str, args: &Value, process: u64, now_us: u64) -> Value {
        let text = |key: &str| args[key].as_str().unwrap_or("").to_owned();
        let shown = |token: u64| match plan.tokens {
            "ordered" => json!(token),
            "opaque" => json!(format!("t{token}")),
            _ => Value::Null,
        };
        let dead = &self.dead;
        let lock = self.locks.entry(text("name")).or_default();
        let live = |grant: &Grant| match grant.bound {
            Some(process) => !dead.contains(&process),
            None => now_us < grant.expires_us,
        };
        let describe = |grant: &Grant| {
            let left = grant.bound.is_none().then(|| grant.expires_us.saturating_sub(now_us) / 1000);
            json!({"holder": grant.holder, "token": shown(grant.token), "expires_in_ms": left})
        };
        let ok = |value: Value| json!({"outcome": "ok", "value": value});
        let refused =
            |reason: &str, value: Value| json!({"outcome": "refused", "reason": reason, "value": value});
        let holder = text("holder");
        let claim = args["claim"].as_str().map(ToOwned::to_owned);
        let proves = |token: u64| match &claim {
            Some(claim) if plan.tokens == "none" => *claim == format!("c-{holder}"),
            _ => args["token"] == shown(token),
        };
        let ttl_us = args["ttl_ms"].as_u64().unwrap_or(0) * 1000;
        let own = lock.grant.as_ref().is_some_and(|grant| grant.holder == holder && proves(grant.token));
        let lapsed = own && lock.grant.as_ref().is_some_and(|grant| !live(grant));
        let repeated = lock.released.as_ref().is_some_and(|last| last.0 == holder && proves(last.1));
        let grant = lock.grant.as_mut().filter(|grant| live(grant));
        match (op, grant) {
            ("lock.show", None) => ok(json!({"holder": null})),
            ("lock.show", Some(grant)) => ok(describe(grant)),
            ("lock.acquire", Some(grant))
                if claim.is_some() && grant.claim == claim && grant.holder == holder =>
            {
                if now_us + ttl_us > grant.expires_us {
                    self.revision += 1;
                    grant.expires_us = now_us + ttl_us;
                }
                grant.ttl_us = ttl_us;
                ok(describe(grant))
            }
            ("lock.acquire", Some(grant)) => refused("held", describe(grant)),
            ("lock.acquire", None) => {
                self.revision += 1;
                let bound = (args["bind"] == "process").then_some(process);
                let expires_us = now_us + ttl_us;
                let grant = Grant { holder, claim, token: self.revision, ttl_us, expires_us, bound };
                let answer = ok(describe(&grant));
                lock.grant = Some(grant);
                answer
            }
            ("lock.break", None) => refused("not_found", Value::Null),
            ("lock.break", Some(grant)) => {
                self.revision += 1;
                let token = shown(grant.token);
                lock.grant = None;
                ok(json!({"token": token}))
            }
            ("lock.renew", Some(grant)) if grant.holder == holder && proves(grant.token) => {
                if now_us + ttl_us > grant.expires_us {
                    self.revision += 1;
                    grant.expires_us = now_us + ttl_us;
                }
                ok(describe(grant))
            }
            ("lock.release", Some(grant)) if grant.holder == holder && proves(grant.token) => {
                self.revision += 1;
                lock.released = Some((holder, grant.token));
                lock.grant = None;
                ok(json!({"already": false}))
            }
            (_, None) if lapsed => refused("expired", Value::Null),
            ("lock.release", _) if repeated => ok(json!({"already": true})),
            _ => refused("not_holder", Value::Null),
        }
    }
}
