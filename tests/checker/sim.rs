//! A sequential machine with clients around it: a source of histories that are right by construction.
//!
//! Every operation takes effect at one instant between its `invoke` and its answer; clients are killed before or
//! after that instant. Written on its own: neither the oracle nor the production code is asked.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{answer_line, died_line, header_line, invoke_line};
use serde_json::{Value, json};

/// splitmix64, so that a seed is a history.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }

    pub(super) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// What to simulate.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) ops: usize,
    pub(super) clients: usize,
    pub(super) names: u64,
    /// One in so many operations is cut off by a kill; 0 for never.
    pub(super) kills: u64,
    pub(super) revisions: bool,
    pub(super) tokens: &'static str,
    /// Whether there are logs and counters beside the locks.
    pub(super) files: bool,
}

impl Plan {
    pub(super) fn new(seed: u64, ops: usize) -> Self {
        Plan { seed, ops, clients: 6, names: 3, kills: 25, revisions: true, tokens: "ordered", files: true }
    }
}

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
struct Machine {
    revision: u64,
    locks: BTreeMap<String, Lock>,
    counter: i64,
    log: Vec<Value>,
    dead: BTreeSet<u64>,
}

struct Client {
    process: u64,
    next_id: u64,
    holder: String,
    open: Option<(String, Value, u64)>,
    answer: Option<Value>,
    tokens: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Invoke,
    Effect,
    Answer,
    Die,
}

/// The history of one plan.
pub(super) fn history(plan: Plan) -> String {
    let mut draw = Draw(plan.seed);
    let hello = json!({"target": "simulated", "protocol": 1, "offers": ["lock", "log", "doc"],
        "locks_end": ["release", "ttl", "process"], "fencing": true, "tokens": plan.tokens, "revisions": plan.revisions});
    let mut out = header_line(plan.seed, "simulated", &hello, 250);
    let mut machine = Machine::default();
    let mut clients: Vec<Client> = (0..plan.clients).map(|number| new_client(number, number)).collect();
    let mut agenda: BTreeSet<(u64, usize, Phase)> = BTreeSet::new();
    for client in 0..plan.clients {
        agenda.insert((draw.below(3000), client, Phase::Invoke));
    }
    let (mut sent, mut processes) = (0, plan.clients);
    while let Some((now_us, number, phase)) = agenda.pop_first() {
        let client = &mut clients[number];
        match phase {
            Phase::Invoke => {
                if sent == plan.ops {
                    continue;
                }
                sent += 1;
                let (op, args) = request(&plan, &mut draw, client, sent);
                out.push_str(&invoke_line(now_us, client.process, client.next_id, &op, &args));
                client.open = Some((op, args, now_us));
                agenda.insert((now_us + draw.below(1500), number, Phase::Effect));
                if plan.kills > 0 && draw.one_in(plan.kills) {
                    agenda.insert((now_us + draw.below(3000), number, Phase::Die));
                }
            }
            Phase::Effect => {
                let Some((op, args, _)) = &client.open else { continue };
                client.answer = Some(machine.run(&plan, op, args, client.process, now_us));
                agenda.insert((now_us + draw.below(1500), number, Phase::Answer));
            }
            Phase::Answer => {
                let (Some((_, args, _)), Some(answer)) = (client.open.take(), client.answer.take()) else {
                    continue;
                };
                out.push_str(&answer_line(now_us, client.process, client.next_id, &answer));
                client.next_id += 1;
                if let (Some(name), "ok") = (args["name"].as_str(), answer["outcome"].as_str().unwrap_or(""))
                {
                    client.tokens.insert(name.to_owned(), answer["value"]["token"].clone());
                }
                agenda.insert((now_us + 1 + draw.below(6000), number, Phase::Invoke));
            }
            Phase::Die => {
                machine.dead.insert(client.process);
                agenda.retain(|(_, other, _)| *other != number);
                out.push_str(&died_line(now_us + draw.below(50), client.process));
                *client = new_client(processes, number);
                processes += 1;
                agenda.insert((now_us + 60 + draw.below(5000), number, Phase::Invoke));
            }
        }
    }
    out
}

fn new_client(process: usize, number: usize) -> Client {
    Client {
        process: process as u64,
        next_id: 1,
        holder: format!("h{number}"),
        open: None,
        answer: None,
        tokens: BTreeMap::new(),
    }
}

fn request(plan: &Plan, draw: &mut Draw, client: &Client, sent: usize) -> (String, Value) {
    let name = format!("n{}", draw.below(plan.names));
    let holder = client.holder.clone();
    if plan.files && draw.one_in(3) {
        return match draw.below(8) {
            0 => ("log.read".into(), json!({"file": "log"})),
            1 => ("doc.read".into(), json!({"file": "doc"})),
            2..5 => {
                ("log.append".into(), json!({"file": "log", "record": {"id": format!("r{sent}"), "n": sent}}))
            }
            _ => ("doc.increment".into(), json!({"file": "doc", "key": "k", "by": 1})),
        };
    }
    let claim = format!("c-{holder}");
    let token = client.tokens.get(&name).cloned().unwrap_or(json!(1));
    let proof = if plan.tokens == "none" { ("claim", json!(claim)) } else { ("token", token) };
    let ttl_ms = 5 + draw.below(40);
    match draw.below(12) {
        0..5 => {
            let mut args = json!({"name": name, "holder": holder, "ttl_ms": ttl_ms});
            if plan.tokens == "none" || !draw.one_in(6) {
                args["claim"] = json!(claim);
            }
            if draw.one_in(4) {
                args["bind"] = json!("process");
            }
            ("lock.acquire".into(), args)
        }
        5..7 => (
            "lock.renew".into(),
            json!({"name": name, "holder": holder, (proof.0): proof.1, "ttl_ms": ttl_ms}),
        ),
        7..10 => ("lock.release".into(), json!({"name": name, "holder": holder, (proof.0): proof.1})),
        10 => ("lock.break".into(), json!({"name": name, "reason": "test"})),
        _ => ("lock.show".into(), json!({"name": name})),
    }
}

impl Machine {
    fn run(&mut self, plan: &Plan, op: &str, args: &Value, process: u64, now_us: u64) -> Value {
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
