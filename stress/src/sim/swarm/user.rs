//! A process that uses the shipped code: which operation comes next is drawn from a code, guided by what it was told.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold::error::{Error, Happened};
use fencehold::journal::{Durability, FileJournal, Options};
use fencehold::ledger::Ledger;
use fencehold_model::event::Process;
use fencehold_model::lock;
use fencehold_model::{Claim, Holder, Revision, Token};
use serde_json::{Value, json};

use super::plan::Users;
use super::record::{Recorder, Told};
use super::tell::{self, Said};
use crate::rng::Rng;
use crate::sim::workspace::{self, Client, DIR};
use crate::sim::world::{SimFs, SimHost};

/// Some lapse while a process is stalled or stopped, some in a pause, some never.
pub(super) const TTLS_MS: [u64; 4] = [600, 5_000, 60_000, 3_600_000];
/// How long a long reason is.
const LONG_BYTES: usize = 3_000;

/// A process.
pub(super) struct User {
    pub(super) client: Client<SimFs, SimHost>,
    pub(super) fs: SimFs,
    pub(super) host: SimHost,
    pub(super) recorder: Recorder,
    pub(super) plan: Users,
    era: usize,
    held: Vec<(String, Token)>,
    /// Every lock and token that it was granted.
    pub(super) granted: Vec<(String, Token)>,
    /// How many records it has appended.
    pub(super) appends: u64,
    pub(super) open: Vec<(String, Token)>,
    /// The epochs that it saw tasks in.
    pub(super) epochs: BTreeMap<String, Revision>,
}

impl User {
    pub(super) fn new(fs: SimFs, host: SimHost, recorder: Recorder, plan: Users) -> Self {
        let durability = if plan.durable { Durability::Durable } else { Durability::Relaxed };
        let options = Options { durability, ..Options::default() };
        let journal = FileJournal::new(fs.clone(), host.clone(), Path::new(DIR), options);
        let me = Holder::new(&format!("p{}", host.number())).expect("a plain holder");
        let client = Client { ledger: Ledger::new(journal, host.clone()), me };
        let era = recorder.lock().era;
        User {
            client,
            fs,
            host,
            recorder,
            plan,
            era,
            held: Vec::new(),
            granted: Vec::new(),
            appends: 0,
            open: Vec::new(),
            epochs: BTreeMap::new(),
        }
    }

    /// One operation; 0 is none.
    pub(super) fn perform(&mut self, code: u32) {
        if code == 0 {
            return;
        }
        // Time stands still otherwise.
        self.host.pass(1);
        let mut rng = Rng::new(u64::from(code));
        let Users { locks, leases, tasks, documents, logs, .. } = self.plan;
        let kinds: Vec<u8> = [(locks, 0), (leases, 1), (tasks, 2), (documents, 3), (logs, 4)]
            .into_iter()
            .filter_map(|(is_on, kind)| is_on.then_some(kind))
            .collect();
        match rng.pick(&kinds) {
            0 => self.lock(&mut rng),
            1 => self.lease(&mut rng),
            3 => self.document(&mut rng),
            4 => self.log(&mut rng),
            _ => self.task(&mut rng),
        }
    }

    /// Looks at everything that may have been used.
    pub(super) fn looks(&mut self) {
        for number in 0..self.plan.names {
            self.host.pass(1);
            if self.plan.locks {
                self.show_lock(&self.named("lock", number));
            }
            if self.plan.leases {
                self.show_lease(&self.named("lease", number));
            }
            if self.plan.tasks {
                self.get_task(&self.named("task", number));
            }
        }
    }

    pub(super) fn named(&self, kind: &str, number: u64) -> String {
        format!("{kind}-{}-{number}", self.era)
    }

    /// A place that nothing of an earlier era writes.
    pub(super) fn place(&self, path: &str) -> String {
        format!("era-{}/{path}", self.era)
    }

    pub(super) fn name(&self, rng: &mut Rng, kind: &str) -> String {
        self.named(kind, rng.below(self.plan.names))
    }

    pub(super) fn reason(&self) -> String {
        "r".repeat(if self.plan.long { LONG_BYTES } else { 10 })
    }

    pub(super) fn bound(&self, rng: &mut Rng) -> Option<Process> {
        (self.plan.bound && rng.one_in(2)).then(|| self.host.identity())
    }

    /// Asks, and records what was asked and told.
    pub(super) fn tell<A>(
        &self,
        op: &str,
        args: &Value,
        ask: impl FnOnce(&str) -> fencehold::Result<A>,
        say: impl FnOnce(&A) -> Said,
    ) -> Option<A> {
        let id = self.recorder.invoke(&self.host, op, args);
        match ask(&format!("o{id}")) {
            Ok(answer) => {
                let said = say(&answer);
                self.recorder.answer(&self.host, id, said.told, &said.line());
                self.recorder.refused(said.refused);
                Some(answer)
            }
            Err(error) => {
                self.may_be_told(op, &error);
                let (word, told) = match error.happened() {
                    Happened::No => ("fail", Told::Not),
                    Happened::Unknown => ("info", Told::Nothing),
                };
                if (op, word) == ("log.append", "fail") {
                    // A piece of it may stay, as one bad line.
                    self.recorder.tears(&self.host);
                }
                let line = json!({ "outcome": word, "error": error.to_string() });
                self.recorder.answer(&self.host, id, told, &line);
                None
            }
        }
    }

    fn may_be_told(&self, op: &str, error: &Error) {
        let fine = match error {
            Error::Environment { .. } | Error::Indefinite { .. } => self.plan.may_fail,
            Error::Busy { .. } => self.plan.may_wait_long,
            _ => false,
        };
        if !fine {
            self.recorder.wrong(format!("{op} is told: {error}"));
        }
    }

    fn lock(&mut self, rng: &mut Rng) {
        let name = self.name(rng, "lock");
        match (rng.below(100), self.held.last().cloned()) {
            (0..6, _) => self.show_lock(&name),
            (6..12, _) => {
                let reason = self.reason();
                let command = lock::Command::Break { name: workspace::lock(&name), reason };
                let args = json!({ "name": name, "reason": "a reason" });
                self.tell(
                    "lock.break",
                    &args,
                    |op| self.client.ask(op, &command),
                    |it| tell::of_lock(it, false),
                );
            }
            (12..50, _) | (_, None) => self.acquire(rng, &name),
            (50..70, Some((name, token))) => {
                let ttl_ms = *rng.pick(&TTLS_MS);
                let args = json!({ "name": name, "holder": self.client.me.as_str(), "token": token, "ttl_ms": ttl_ms });
                let renew = |op: &str| self.client.renew(op, &name, token, ttl_ms);
                self.tell("lock.renew", &args, renew, |it| tell::of_lock(it, false));
            }
            (70..76, Some(_)) => {
                // Walks away: the lock lapses, or its process dies.
                self.held.pop();
                self.acquire(rng, &name);
            }
            (_, Some((name, token))) => {
                self.held.pop();
                let args = json!({ "name": name, "holder": self.client.me.as_str(), "token": token });
                let release = |op: &str| self.client.release(op, &name, token);
                self.tell("lock.release", &args, release, |it| tell::of_lock(it, false));
            }
        }
    }

    fn acquire(&mut self, rng: &mut Rng, name: &str) {
        let claim = rng.one_in(2).then(|| format!("c{}", rng.below(2)));
        let (ttl_ms, bound) = (*rng.pick(&TTLS_MS), self.bound(rng));
        let mut args = json!({ "name": name, "holder": self.client.me.as_str(), "ttl_ms": ttl_ms });
        if let Some(claim) = &claim {
            args["claim"] = claim.as_str().into();
        }
        if bound.is_some() {
            args["bind"] = "process".into();
        }
        let command = lock::Command::Acquire {
            name: workspace::lock(name),
            holder: self.client.me.clone(),
            claim: claim.map(|claim| Claim::new(&claim).expect("a plain claim")),
            ttl_ms,
            bound,
            asked_by: None,
        };
        let ask = |op: &str| self.client.ask(op, &command);
        let answer = self.tell("lock.acquire", &args, ask, |it| tell::of_lock(it, true));
        if let Some(token) = answer.and_then(|answer| workspace::granted(&Ok(answer))) {
            self.held.retain(|(held, _)| held != name);
            self.granted.push((name.to_owned(), token));
            self.held.push((name.to_owned(), token));
        }
    }

    fn show_lock(&self, name: &str) {
        let args = json!({ "name": name });
        let show = |_: &str| self.client.ledger.show(&workspace::lock(name));
        self.tell("lock.show", &args, show, |seen| {
            Said::seen(seen.revision, tell::of_shown_lock(&seen.value))
        });
    }
}
