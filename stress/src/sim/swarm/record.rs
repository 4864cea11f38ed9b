//! What clients asked and were told, as a history, and as promises that the journal is held to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fencehold::host::{Clock as _, Reading};
use fencehold_model::history;
use fencehold_model::{Revision, Token};
use serde_json::{Value, json};

use super::plan::Plan;
use crate::sim::disk::ProcessId;
use crate::sim::world::{SimHost, World};
use crate::soak::SLACK_MS;

/// A lapse may be as late as this where boots are in the way: longer than any run.
const ANY_MS: u64 = 1 << 40;

/// What became of an operation, as its client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing, or that it cannot be known.
    Nothing,
    /// It was not done.
    Not,
    /// It was done, by an event at this revision or without one.
    Done(Option<Revision>),
    /// It holds a lock that was granted at this revision, by itself or by one before it.
    Granted(Revision),
}

/// A token that passed at a document, in the order of what it saw there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Passed {
    /// What was read, or what the increment made of it.
    pub(super) value: i64,
    pub(super) read: bool,
    pub(super) token: Token,
}

/// Outside of the world: a kill takes nothing back. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Recorder(Arc<Mutex<Record>>);

#[derive(Debug)]
pub(super) struct Record {
    /// The histories: the one that goes on is the last.
    pub(super) texts: Vec<String>,
    header: String,
    /// By the number of the operation.
    pub(super) told: Vec<Told>,
    /// What was told to operations before this one need not be there.
    pub(super) kept_from: usize,
    /// What nobody may be told.
    pub(super) wrong: Option<String>,
    /// What passed at guarded documents.
    pub(super) passed: BTreeMap<String, Vec<Passed>>,
    /// How many tokens were refused as stale.
    pub(super) stale: u64,
    /// The names that are used now have this prefix.
    pub(super) era: usize,
    relaxed: bool,
    alive: Vec<ProcessId>,
    last_us: u64,
    /// The harness's clock at the begin of this boot, and what the machine's read then.
    boot: Option<(fencehold_model::id::BootId, u64, u64)>,
    now_ms: u64,
    /// The wall clock then, had nobody set it.
    real_ms: u64,
    /// By how much it was set.
    set_ms: i64,
}

impl Recorder {
    pub(super) fn new(plan: &Plan) -> Self {
        let hello = json!({
            "offers": ["lock", "lease", "status", "log", "doc"],
            "locks_end": ["release", "ttl", "process"],
            "fencing": true,
            "tokens": "ordered",
            "revisions": true,
        });
        let slack_ms = if plan.boots() { ANY_MS } else { SLACK_MS };
        let header = history::header_line(0, "the shipped code", &hello, slack_ms);
        Recorder(Arc::new(Mutex::new(Record {
            texts: vec![header.clone()],
            header,
            told: Vec::new(),
            kept_from: 0,
            wrong: None,
            passed: BTreeMap::new(),
            stale: 0,
            era: 0,
            relaxed: !plan.users.durable,
            alive: Vec::new(),
            last_us: 0,
            boot: None,
            now_ms: 0,
            real_ms: 0,
            set_ms: 0,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A generation begins.
    pub(super) fn begin(&self, world: &World) {
        let (process, _, host) = world.process();
        let (boot, reading) = (host.boot(), host.reading());
        world.kill(process);
        let mut record = self.lock();
        if record.boot.as_ref().is_none_or(|(before, ..)| *before != boot) {
            // As journal time does: a boot begins at the wall clock, and never before what was.
            let real_ms = record.real_ms(reading);
            let now_ms = record.now_ms + (real_ms - record.real_ms);
            let begins_ms = reading.wall_ms.max(now_ms);
            (record.now_ms, record.real_ms) = (begins_ms, real_ms);
            record.boot = Some((boot, begins_ms, reading.monotonic_ms));
        }
    }

    /// A generation has ended: none of its processes lives.
    pub(super) fn end(&self, world: &World) {
        let (process, _, host) = world.process();
        let reading = host.reading();
        world.kill(process);
        let mut record = self.lock();
        for process in std::mem::take(&mut record.alive) {
            // After a boot the clock that its calls were stamped by is another one.
            let at_us = if record.boot.as_ref().is_some_and(|(boot, ..)| *boot == host.boot()) {
                record.stamp(reading)
            } else {
                record.tick()
            };
            record.push(&history::died_line(at_us, number(process)));
        }
    }

    /// The power failed: whoever was relaxed was promised nothing.
    pub(super) fn power_cut(&self) {
        let mut record = self.lock();
        if record.relaxed {
            record.kept_from = record.told.len();
            record.era += 1;
            // What may be lost was seen: what comes is a history of its own.
            let header = record.header.clone();
            record.texts.push(header);
        }
    }

    /// The wall clock is set.
    pub(super) fn clock_set(&self, by_ms: i64) {
        self.lock().set_ms += by_ms;
    }

    /// An operation is sent; its number.
    pub(super) fn invoke(&self, host: &SimHost, op: &str, args: &Value) -> usize {
        let mut record = self.lock();
        let (process, id) = (host.number(), record.told.len());
        if !record.alive.contains(&process) {
            record.alive.push(process);
        }
        let at_us = record.stamp(host.reading());
        record.push(&history::invoke_line(at_us, number(process), id as u64, op, args));
        record.told.push(Told::Nothing);
        id
    }

    /// It is answered.
    pub(super) fn answer(&self, host: &SimHost, id: usize, told: Told, answer: &Value) {
        let mut record = self.lock();
        let at_us = record.stamp(host.reading());
        record.push(&history::answer_line(at_us, number(host.number()), id as u64, answer));
        record.told[id] = told;
    }

    /// An append failed, and may have left a piece of its line.
    pub(super) fn tears(&self, host: &SimHost) {
        let mut record = self.lock();
        let at_us = record.stamp(host.reading());
        record.push(&history::nemesis_line(at_us, number(host.number()), "tear", &json!({})));
    }

    /// Somebody was refused, or not.
    pub(super) fn refused(&self, word: Option<&'static str>) {
        self.lock().stale += u64::from(word == Some("stale_token"));
    }

    /// A token passed at a document, whose value was this then or became this.
    pub(super) fn passed(&self, file: &str, value: i64, read: bool, token: Token) {
        if token > 0 {
            let mut record = self.lock();
            record.passed.entry(file.to_owned()).or_default().push(Passed { value, read, token });
        }
    }

    /// Somebody was told what nobody may be told.
    pub(super) fn wrong(&self, what: String) {
        self.lock().wrong.get_or_insert(what);
    }
}

/// Processes are counted from 1 in a history.
fn number(process: ProcessId) -> u64 {
    process as u64 + 1
}

impl Record {
    fn push(&mut self, line: &str) {
        self.texts.last_mut().expect("a history goes on").push_str(line);
    }

    /// The time of what happens now; nothing happens at the same time as another.
    fn stamp(&mut self, reading: Reading) -> u64 {
        let (_, begins_ms, monotonic_ms) = self.boot.as_ref().expect("a generation has begun");
        self.now_ms = begins_ms + reading.monotonic_ms.saturating_sub(*monotonic_ms);
        self.real_ms = self.real_ms(reading);
        self.last_us = (self.now_ms * 1_000).max(self.last_us + 1);
        self.last_us
    }

    fn real_ms(&self, reading: Reading) -> u64 {
        reading.wall_ms.saturating_add_signed(-self.set_ms)
    }

    fn tick(&mut self) -> u64 {
        self.last_us += 1;
        self.last_us
    }
}
