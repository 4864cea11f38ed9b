//! Totals in memory, under a lock file: without a flaw, with one, or as they were published.
//!
//! Without a flaw a lock is its holder's until that has ended or is dead, and an update is one lock around all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::scenarios::{Left, Totals, Who};

const TTL_MS: u64 = 10_000;
/// Who has what is left of a lock by one that is dead.
const DEAD: Who = usize::MAX;

/// What is wrong with it. A number is that of the mutant which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nobody asks for the lock.
    M01Unlocked,
    /// Who does not get it goes on without.
    M03Fallback,
    /// It is taken over by its age, and by nothing else.
    M04StealByAge,
    /// Who takes over has judged before, and removes what is there by then.
    M05DoubleTakeover,
    /// A release removes what is there.
    M06ReleaseByPath,
    /// A time that has not come yet is never over.
    M08FutureClock,
    /// An update asks once more for the lock that it has.
    M09Nested,
    /// What cannot be read is its defaults.
    M10CorruptToDefault,
    /// The file is written in place.
    M11InPlace,
    /// What could not be written is told to be.
    M14Swallowed,
    /// A lock file without a time in it is never over.
    EmptyNeverStale,
    /// All sessions have one file.
    SharedSession,
    /// Defaults are put under what is read.
    DefaultsUnder,
}

/// All that is wrong with the published ones.
pub(super) const PUBLISHED: &[Flaw] = &[
    Flaw::M03Fallback,
    Flaw::M04StealByAge,
    Flaw::M05DoubleTakeover,
    Flaw::M06ReleaseByPath,
    Flaw::M09Nested,
    Flaw::M10CorruptToDefault,
    Flaw::M11InPlace,
    Flaw::M14Swallowed,
    Flaw::SharedSession,
    Flaw::DefaultsUnder,
];

#[derive(Debug, Clone)]
struct Lock {
    holder: Who,
    /// None: nothing was written into it.
    at_ms: Option<u64>,
}

pub(super) struct InMemory {
    flaws: Vec<Flaw>,
    now_ms: u64,
    lock: Option<Lock>,
    dead: BTreeSet<Who>,
    /// Who is inside: what it read, and whether it has the lock.
    inside: BTreeMap<Who, (Value, bool)>,
    writers: usize,
    file: Vec<u8>,
    said: String,
    sessions: BTreeMap<String, usize>,
}

impl InMemory {
    pub(super) fn new(flaws: &[Flaw]) -> Self {
        InMemory {
            flaws: flaws.to_vec(),
            now_ms: 1_000_000_000,
            lock: None,
            dead: BTreeSet::from([DEAD]),
            inside: BTreeMap::new(),
            writers: 0,
            file: defaults().to_string().into_bytes(),
            said: String::new(),
            sessions: BTreeMap::new(),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn is_over(&self, lock: &Lock) -> bool {
        let aged = |at_ms: u64| self.now_ms > at_ms + TTL_MS;
        match lock.at_ms {
            at_ms if self.has(Flaw::M04StealByAge) => at_ms.is_some_and(aged),
            None if self.has(Flaw::EmptyNeverStale) => false,
            Some(at_ms) if self.has(Flaw::M08FutureClock) => {
                self.dead.contains(&lock.holder) && self.now_ms > at_ms
            }
            _ => self.dead.contains(&lock.holder),
        }
    }

    /// Whether it gets the lock; none where it is refused.
    fn locks(&mut self, who: Who) -> Option<bool> {
        if self.has(Flaw::M01Unlocked) {
            return Some(false);
        }
        if self.lock.clone().is_none_or(|lock| self.is_over(&lock)) {
            self.lock = Some(Lock { holder: who, at_ms: Some(self.now_ms) });
            return Some(true);
        }
        if !self.has(Flaw::M03Fallback) {
            return None;
        }
        self.said.push_str("could not acquire lock, proceeding unlocked");
        Some(false)
    }

    fn read(&self) -> Option<Value> {
        let read = serde_json::from_slice::<Value>(&self.file).ok();
        let mut value = match read {
            None if self.has(Flaw::M10CorruptToDefault) => defaults(),
            read => read?,
        };
        if self.has(Flaw::DefaultsUnder) {
            for (key, default) in defaults().as_object().expect("an object") {
                if value[key].is_null() {
                    value[key] = default.clone();
                }
            }
        }
        Some(value)
    }

    /// The lock, and what was read under it.
    fn enters(&mut self) -> Option<Who> {
        self.writers += 1;
        let who = self.writers;
        let has_lock = self.locks(who)?;
        match self.read() {
            Some(read) => drop(self.inside.insert(who, (read, has_lock))),
            None => {
                self.release(who);
                return None;
            }
        }
        Some(who)
    }

    fn release(&mut self, who: Who) {
        let is_own = self.lock.as_ref().is_some_and(|lock| lock.holder == who);
        if is_own || self.has(Flaw::M06ReleaseByPath) {
            self.lock = None;
        }
    }
}

fn defaults() -> Value {
    json!({ "hits": 0, "sessions": 0 })
}

impl Totals for InMemory {
    fn begins(&mut self) -> Option<Who> {
        self.enters()
    }

    fn goes_on(&mut self, who: Who) -> bool {
        let (mut value, has_lock) = self.inside.remove(&who).expect("it is inside");
        value["sessions"] = (value["sessions"].as_u64().expect("a number") + 1).into();
        if self.has(Flaw::M09Nested) && has_lock {
            // The writer that it calls asks for the lock, finds it held, and gives up in the end.
            self.said.push_str("could not acquire lock, proceeding unlocked");
        }
        self.file = value.to_string().into_bytes();
        if has_lock {
            self.release(who);
        }
        true
    }

    fn dies(&mut self, who: Who) {
        self.inside.remove(&who);
        self.dead.insert(who);
    }

    fn ends_again(&mut self, who: Who) {
        self.release(who);
    }

    fn adds(&mut self) -> (bool, String) {
        self.said.clear();
        let told = self.enters().is_some_and(|who| self.goes_on(who));
        (told, std::mem::take(&mut self.said))
    }

    fn two_add(&mut self) -> usize {
        let judged = self.lock.clone().is_none_or(|lock| self.is_over(&lock));
        let first = self.enters();
        if judged && self.has(Flaw::M05DoubleTakeover) {
            self.lock = None;
        }
        let second = self.enters();
        let told = [second, first].into_iter().flatten().filter(|who| self.goes_on(*who)).count();
        // Who was refused while the other was inside comes again.
        told + if second.is_none() { usize::from(self.adds().0) } else { 0 }
    }

    fn eleven_seconds_pass(&mut self) {
        self.now_ms += 11_000;
    }

    fn left(&mut self, how: Left) {
        let at_ms = match how {
            Left::Empty => None,
            Left::FromTheFuture => Some(self.now_ms + 3_600_000),
        };
        self.lock = Some(Lock { holder: DEAD, at_ms });
    }

    fn damage(&mut self) {
        self.file.truncate(self.file.len() / 2);
    }

    fn adds_on_a_full_disk(&mut self) -> bool {
        if self.has(Flaw::M11InPlace) {
            self.file.truncate(3);
        }
        self.has(Flaw::M14Swallowed)
    }

    fn bytes(&self) -> Vec<u8> {
        self.file.clone()
    }

    fn total(&self) -> Option<usize> {
        let value: Value = serde_json::from_slice(&self.file).ok()?;
        usize::try_from(value["sessions"].as_u64()?).ok()
    }

    fn edits(&mut self, session: &str, file: &str) {
        let session = if self.has(Flaw::SharedSession) { "" } else { session };
        *self.sessions.entry(format!("{session}/{file}")).or_default() += 1;
    }

    fn edited(&mut self, session: &str, file: &str) -> usize {
        let session = if self.has(Flaw::SharedSession) { "" } else { session };
        self.sessions.get(&format!("{session}/{file}")).copied().unwrap_or(0)
    }

    fn deletes(&mut self, key: &str) {
        let mut value: Value = serde_json::from_slice(&self.file).expect("whole");
        value.as_object_mut().expect("an object").remove(key);
        self.file = value.to_string().into_bytes();
    }
}
