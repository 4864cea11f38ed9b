//! What one client does: drawn from a seed, guided by the answers it gets.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::leases::Leases;
use super::proposals;
use super::tasks::Tasks;
use crate::rng::Rng;

/// The locks that are fought for.
const NAMES: [&str; 4] = ["build", "deploy", "docs/index", "späte"];
/// The TTLs that are asked for: some lapse within a stop, some outlive it.
const TTLS_MS: [u64; 4] = [40, 120, 400, 2_000];
/// The documents whose counters are incremented without a fence.
const COUNTS: [&str; 2] = ["counts-a.json", "counts-b.json"];
/// Appends to one log file before the next one is begun: reads stay short.
const APPENDS_PER_LOG: u64 = 300;

/// What all clients of a run share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    appends: AtomicU64,
    task_ops: AtomicU64,
    proposal_ops: AtomicU64,
}

/// What the target offers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offers {
    /// Locks.
    pub lock: bool,
    /// Leases.
    pub lease: bool,
    /// Statuses.
    pub status: bool,
    /// Logs.
    pub log: bool,
    /// Documents.
    pub doc: bool,
    /// Proposals.
    pub proposal: bool,
    /// Fences at logs and documents.
    pub fencing: bool,
    /// Locks that end with a process.
    pub bind: bool,
}

impl Offers {
    /// Reads a `hello` value.
    #[must_use]
    pub fn of(hello: &Value) -> Self {
        let has = |key: &str, word: &str| {
            hello[key].as_array().is_some_and(|words| words.iter().any(|known| known.as_str() == Some(word)))
        };
        Offers {
            lock: has("offers", "lock"),
            lease: has("offers", "lease"),
            status: has("offers", "status"),
            log: has("offers", "log"),
            doc: has("offers", "doc"),
            proposal: has("offers", "proposal"),
            fencing: hello["fencing"].as_bool() == Some(true) && hello["tokens"].as_str() == Some("ordered"),
            bind: has("locks_end", "process"),
        }
    }
}

#[derive(Debug, Clone)]
struct Held {
    name: &'static str,
    claim: String,
    token: Option<Value>,
}

/// One client: a holder of its own in each process that it talks to.
#[derive(Debug)]
pub(super) struct Client<'a> {
    rng: Rng,
    offers: Offers,
    shared: &'a Shared,
    holder: String,
    process: u64,
    drawn: u64,
    held: Vec<Held>,
    asked: Option<Held>,
    leases: Leases,
    tasks: Tasks,
}

impl<'a> Client<'a> {
    /// A client of process number `process`.
    pub(super) fn new(rng: Rng, offers: Offers, shared: &'a Shared, slot: usize, process: u64) -> Self {
        let holder = format!("w{slot}.{process}");
        Client {
            rng,
            offers,
            shared,
            holder,
            process,
            drawn: 0,
            held: Vec::new(),
            asked: None,
            leases: Leases::default(),
            tasks: Tasks::default(),
        }
    }

    /// The next operation and its fields.
    pub(super) fn next(&mut self) -> (&'static str, Value) {
        self.drawn += 1;
        self.asked = None;
        let mut kinds = Vec::new();
        kinds.extend([0, 0, 0].into_iter().filter(|_| self.offers.lock));
        kinds.extend([1].into_iter().filter(|_| self.offers.log));
        kinds.extend([2].into_iter().filter(|_| self.offers.doc));
        kinds.extend([3, 3].into_iter().filter(|_| self.offers.lease));
        kinds.extend([4, 4].into_iter().filter(|_| self.offers.status));
        kinds.extend([5].into_iter().filter(|_| self.offers.proposal));
        match kinds.as_slice() {
            [] => ("hello", json!({})),
            kinds => match *self.rng.pick(kinds) {
                0 => self.lock(),
                1 => self.log(),
                2 => self.document(),
                3 => self.leases.next(&mut self.rng, &self.holder, self.offers.bind),
                5 => proposals::next(&mut self.rng, &self.holder, &self.shared.proposal_ops),
                _ => self.tasks.next(&mut self.rng, &self.shared.task_ops),
            },
        }
    }

    /// Learns from the answer to the last operation.
    pub(super) fn learn(&mut self, op: &str, args: &Value, answer: &Value) {
        match op.split_once('.') {
            Some(("lease", _)) => self.leases.learn(op, args, answer),
            Some(("status", _)) => self.tasks.learn(args, answer),
            _ => self.learn_lock(op, args, answer),
        }
    }

    fn learn_lock(&mut self, op: &str, args: &Value, answer: &Value) {
        let ok = answer["outcome"].as_str() == Some("ok");
        if op == "lock.acquire" && ok {
            if let Some(mut asked) = self.asked.take() {
                asked.token = Some(answer["value"]["token"].clone()).filter(|token| !token.is_null());
                self.held.retain(|held| held.name != asked.name);
                self.held.push(asked);
            }
        } else if matches!(op, "lock.renew" | "lock.release") && !(op == "lock.renew" && ok) {
            self.held.retain(|held| args["name"].as_str() != Some(held.name));
        }
    }

    fn lock(&mut self) -> (&'static str, Value) {
        let roll = self.rng.below(100);
        if roll < 4 {
            return ("lock.show", json!({ "name": *self.rng.pick(&NAMES) }));
        }
        if roll < 6 {
            return ("lock.break", json!({ "name": *self.rng.pick(&NAMES), "reason": "the soak says so" }));
        }
        let Some(held) = self.held.last().cloned() else { return self.acquire() };
        match roll {
            6..30 => self.acquire(),
            30..50 => ("lock.renew", self.proof(&held, Some(*self.rng.clone().pick(&TTLS_MS)))),
            50..56 => {
                // Walks away: the lock lapses, or its process dies.
                self.held.pop();
                self.acquire()
            }
            _ => ("lock.release", self.proof(&held, None)),
        }
    }

    fn proof(&self, held: &Held, ttl_ms: Option<u64>) -> Value {
        let mut args = json!({ "name": held.name, "holder": self.holder, "claim": held.claim });
        if let Some(token) = &held.token {
            args["token"] = token.clone();
        }
        if let Some(ttl_ms) = ttl_ms {
            args["ttl_ms"] = json!(ttl_ms);
        }
        args
    }

    fn acquire(&mut self) -> (&'static str, Value) {
        let name = *self.rng.pick(&NAMES);
        let again = self.held.iter().find(|held| held.name == name).filter(|_| !self.rng.clone().one_in(4));
        let claim =
            again.map_or_else(|| format!("c{}.{}", self.process, self.drawn), |held| held.claim.clone());
        self.asked = Some(Held { name, claim: claim.clone(), token: None });
        let mut args = json!({ "name": name, "holder": self.holder, "claim": claim, "ttl_ms": *self.rng.pick(&TTLS_MS) });
        if self.offers.bind && self.rng.one_in(3) {
            args["bind"] = json!("process");
        }
        if self.rng.one_in(6) {
            args["wait_ms"] = json!(self.rng.below(60));
        }
        ("lock.acquire", args)
    }

    fn log(&mut self) -> (&'static str, Value) {
        let begun = self.shared.appends.load(Ordering::Relaxed);
        let file = format!("log-{}.ndjson", begun / APPENDS_PER_LOG);
        if self.rng.one_in(25) {
            return ("log.read", json!({ "file": file }));
        }
        self.shared.appends.fetch_add(1, Ordering::Relaxed);
        let text = "x".repeat(usize::try_from(self.rng.below(600)).expect("a small number"));
        let record = json!({ "id": format!("r{}.{}", self.process, self.drawn), "text": text });
        ("log.append", json!({ "file": file, "record": record }))
    }

    fn document(&mut self) -> (&'static str, Value) {
        if self.offers.fencing && self.rng.one_in(3) {
            let held = self.held.iter().find(|held| held.name == NAMES[0]);
            if let Some(token) = held.and_then(|held| held.token.clone()) {
                let fence = json!({ "lock": NAMES[0], "token": token });
                return (
                    "doc.increment",
                    json!({ "file": "guarded.json", "key": "n", "by": 1, "fence": fence }),
                );
            }
        }
        let file = *self.rng.pick(&COUNTS);
        if self.rng.one_in(8) {
            return ("doc.read", json!({ "file": file }));
        }
        ("doc.increment", json!({ "file": file, "key": "n", "by": 1 }))
    }

    /// What a fresh process reads at the end of a run: every object that any client used.
    pub(super) fn last_looks(shared: &Shared, offers: Offers) -> Vec<(&'static str, Value)> {
        let mut looks = Vec::new();
        if offers.lock {
            looks.extend(NAMES.iter().map(|name| ("lock.show", json!({ "name": name }))));
        }
        if offers.lease {
            looks.extend(Leases::last_looks());
        }
        if offers.status {
            looks.extend(Tasks::last_looks(&shared.task_ops));
        }
        if offers.log {
            let logs = shared.appends.load(Ordering::Relaxed) / APPENDS_PER_LOG;
            looks.extend((0..=logs).map(|n| ("log.read", json!({ "file": format!("log-{n}.ndjson") }))));
        }
        if offers.proposal {
            looks.extend(proposals::last_looks(&shared.proposal_ops));
        }
        if offers.doc {
            looks.extend(COUNTS.iter().map(|file| ("doc.read", json!({ "file": file }))));
            if offers.fencing {
                looks.push(("doc.read", json!({ "file": "guarded.json" })));
            }
        }
        looks
    }

    /// The log that is appended to now.
    pub(super) fn current_log(shared: &Shared) -> String {
        format!("log-{}.ndjson", shared.appends.load(Ordering::Relaxed) / APPENDS_PER_LOG)
    }
}
