//! A sequential machine with clients around it: a source of histories that are right by construction.
//!
//! Every operation takes effect at one instant between its `invoke` and its answer; clients are killed before or
//! after that instant. Written on its own: neither the oracle nor the production code is asked.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{answer_line, died_line, header_line, invoke_line};
use serde_json::{Value, json};

use super::machine::Machine;

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
