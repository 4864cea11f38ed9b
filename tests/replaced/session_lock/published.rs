//! The session lock as it was published, written anew from its description: pure functions over what a file in the home of
//! the user says, and a hook that reads, decides and writes, in steps that a scenario may interleave.
//!
//! Record: `{session_id, pid, acquired_at, ttl_ms}`; no file: take; past its TTL: take over; own: again; else: block. What
//! goes wrong passes. The end of a turn releases.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use serde_json::{Value, json};

use super::guard::{Answer, At, Call, Checkout, Damage, Guard, Half, Timed, Who};

const TTL_MS: u64 = 300_000;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    session_id: String,
    pid: u64,
    acquired_at: u64,
    ttl_ms: u64,
}

impl Record {
    fn of(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        Some(Record {
            session_id: value["session_id"].as_str()?.to_owned(),
            pid: value["pid"].as_u64()?,
            acquired_at: value["acquired_at"].as_u64()?,
            ttl_ms: value["ttl_ms"].as_u64()?,
        })
    }

    fn text(&self) -> String {
        json!({ "session_id": self.session_id, "pid": self.pid, "acquired_at": self.acquired_at, "ttl_ms": self.ttl_ms })
            .to_string()
    }
}

enum Acquired {
    Taken(Record),
    Held(Record),
}

fn acquire(read: Option<Record>, me: Record) -> Acquired {
    match read {
        // In signed numbers: a record from the future is young.
        Some(held)
            if held.session_id != me.session_id
                && i128::from(me.acquired_at) - i128::from(held.acquired_at) <= i128::from(held.ttl_ms) =>
        {
            Acquired::Held(held)
        }
        _ => Acquired::Taken(me),
    }
}

fn refresh(read: Option<Record>, session: &str, now: u64) -> Option<Record> {
    read.filter(|own| own.session_id == session).map(|own| Record { acquired_at: now, ..own })
}

fn releases(read: Option<&Record>, session: &str) -> bool {
    read.is_some_and(|own| own.session_id == session)
}

/// The identity of a workspace: its path, as the session's folder has it.
fn workspace_hash(path: &str) -> String {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(path);
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}

#[derive(Debug)]
struct Session {
    id: String,
    file: String,
    pid: u64,
    ahead_ms: u64,
}

/// The homes of the users, and the sessions.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// As it was shipped at first: the hook does nothing.
    is_inert: bool,
    files: BTreeMap<String, String>,
    sessions: Vec<Session>,
    seen: BTreeMap<Who, Option<Record>>,
    now_ms: u64,
    pids: u64,
}

impl Published {
    pub(super) fn new() -> Self {
        Published { now_ms: 1_700_000_000_000, ..Published::default() }
    }

    pub(super) fn inert() -> Self {
        Published { is_inert: true, ..Published::new() }
    }

    fn next_pid(&mut self) -> u64 {
        self.pids += 1;
        1_000 + self.pids
    }

    fn now(&self, who: Who) -> u64 {
        self.now_ms + self.sessions[who].ahead_ms
    }

    /// What stands there; an error where it is no record.
    fn read(&self, who: Who) -> Result<Option<Record>, ()> {
        let Some(text) = self.files.get(&self.sessions[who].file) else { return Ok(None) };
        Record::of(text).map(Some).ok_or(())
    }

    fn write(&mut self, who: Who, record: &Record) {
        self.files.insert(self.sessions[who].file.clone(), record.text());
    }

    /// The second half of an acquire. What could not be read passes.
    fn decides(&mut self, who: Who, read: Result<Option<Record>, ()>) -> Answer {
        let Ok(read) = read else { return Answer::Passes };
        // Of the hook, as it is the one that asks.
        let pid = self.next_pid();
        let session_id = self.sessions[who].id.clone();
        match acquire(read, Record { session_id, pid, acquired_at: self.now(who), ttl_ms: TTL_MS }) {
            Acquired::Taken(record) => {
                self.write(who, &record);
                Answer::Passes
            }
            Acquired::Held(other) => Answer::Blocked(format!(
                "parallel session lock held by {} (pid {}) — wait or close that session first",
                other.session_id, other.pid
            )),
        }
    }

    fn removes(&mut self, who: Who, read: Option<&Record>) {
        if releases(read, &self.sessions[who].id) {
            self.files.remove(&self.sessions[who].file);
        }
    }
}

impl Guard for Published {
    fn begin(&mut self, id: &str, at: At, home: &str) -> Who {
        let path = match at {
            At::Top => "/srv/checkout",
            At::Below => "/srv/checkout/sub",
            At::Link => "/srv/link",
            At::Worktree => "/srv/tree",
        };
        let file = format!("{home}/session-lock-{}.json", workspace_hash(path));
        let pid = self.next_pid();
        self.sessions.push(Session { id: id.to_owned(), file, pid, ahead_ms: 0 });
        self.sessions.len() - 1
    }

    fn asks(&mut self, who: Who, call: Call) -> Answer {
        // Registered for the harness's own editing tools and its shell.
        if self.is_inert || call == Call::Unknown {
            return Answer::Passes;
        }
        let read = self.read(who);
        self.decides(who, read)
    }

    /// Nobody looks at processes.
    fn dies(&mut self, _: Who) {}

    fn lapses(&mut self, _: Who) {
        self.outlast_ttl();
    }

    fn sleeps(&mut self, _: Who) {}

    fn wakes(&mut self, _: Who) {}
}

impl Checkout for Published {
    fn pid(&self, who: Who) -> u64 {
        self.sessions[who].pid
    }

    fn ask_at_once(&mut self, all: &[Who]) -> Vec<Answer> {
        let reads: Vec<_> = all.iter().map(|who| self.read(*who)).collect();
        all.iter().zip(reads).map(|(who, read)| self.decides(*who, read)).collect()
    }

    fn stops(&mut self, who: Who) {
        self.ends(who);
    }

    fn ends(&mut self, who: Who) {
        if let Ok(read) = self.read(who) {
            self.removes(who, read.as_ref());
        }
    }

    fn begins(&mut self, who: Who, _: Half) {
        let read = self.read(who).unwrap_or_default();
        self.seen.insert(who, read);
    }

    fn finishes(&mut self, who: Who, half: Half) {
        let read = self.seen.remove(&who).flatten();
        match half {
            Half::Release => self.removes(who, read.as_ref()),
            Half::Refresh => {
                let now_ms = self.now(who);
                if let Some(record) = refresh(read, &self.sessions[who].id, now_ms) {
                    self.write(who, &record);
                }
            }
        }
    }

    fn dies_and_its_number_is_used_again(&mut self, _: Who) {}

    fn outlast_ttl(&mut self) {
        self.now_ms += TTL_MS + 1;
    }

    fn damage(&mut self, how: Damage) {
        for text in self.files.values_mut() {
            match how {
                Damage::CutShort => text.truncate(text.len() / 2),
                // No text that is read there is a record.
                Damage::Unreadable => text.clear(),
            }
        }
    }

    fn records(&self) -> usize {
        0
    }

    fn broken_by_hand(&mut self) {
        self.files.clear();
    }

    /// There is no token to show.
    fn writes(&mut self, _: Who) -> bool {
        true
    }
}

impl Timed for Published {
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    fn clock_is_ahead(&mut self, who: Who, ms: u64) {
        self.sessions[who].ahead_ms = ms;
    }
}
