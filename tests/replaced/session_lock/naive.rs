//! A guard in memory that is right, or right but for one numbered defect.
//!
//! Right: one record for the whole repository, looked at and changed in one step, bound to the process of its session by
//! number and start time; a token that grows with each grant, and a document that refuses older ones.

use std::collections::BTreeMap;

use super::guard::{Answer, At, Call, Checkout, Damage, Guard, Half, Timed, Who};

const TTL_MS: u64 = 300_000;

/// The numbered defects that a session lock can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Takes over by age, though its owner lives and renews.
    M04,
    /// A takeover is looked at first and done then.
    M05,
    /// A release removes whatever is there.
    M06,
    /// What lapses goes by wall clocks.
    M08,
    /// Whether a holder lives is told by its number.
    M27,
    /// One lock for each folder.
    M39,
    /// A free lock is looked at first and taken then.
    M45,
    /// What cannot be told passes, and nothing says so.
    M47,
    /// A lock with a TTL, and nobody renews while a call runs.
    M48,
    /// It answers, and guards nothing.
    M50,
    /// A document takes every write.
    M51,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    session: String,
    pid: u64,
    start: u64,
    token: u64,
    /// By the clock of the machine.
    taken_ms: u64,
    renewed_ms: u64,
    /// By the clock of the session.
    wall_ms: u64,
}

#[derive(Debug)]
struct Session {
    id: String,
    at: At,
    pid: u64,
    start: u64,
    ahead_ms: u64,
    token: u64,
}

/// The machine, its checkout and the sessions.
#[derive(Debug)]
pub(super) struct Naive {
    defect: Option<Defect>,
    locks: BTreeMap<String, Record>,
    is_damaged: bool,
    sessions: Vec<Session>,
    /// The living processes, and when each began.
    processes: BTreeMap<u64, u64>,
    seen: BTreeMap<Who, Option<Record>>,
    now_ms: u64,
    started: u64,
    tokens: u64,
    mark: u64,
}

impl Naive {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Naive {
            defect,
            locks: BTreeMap::new(),
            is_damaged: false,
            sessions: Vec::new(),
            processes: BTreeMap::new(),
            seen: BTreeMap::new(),
            now_ms: 1_000_000_000,
            started: 0,
            tokens: 0,
            mark: 0,
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn key(&self, who: Who) -> String {
        if self.has(Defect::M39) { format!("{:?}", self.sessions[who].at) } else { "repository".to_owned() }
    }

    fn wall_ms(&self, who: Who) -> u64 {
        self.now_ms + self.sessions[who].ahead_ms
    }

    fn lives(&self, record: &Record) -> bool {
        match self.processes.get(&record.pid) {
            Some(start) => *start == record.start || self.has(Defect::M27),
            None => false,
        }
    }

    fn is_over(&self, record: &Record, asked_by: Who) -> bool {
        match self.defect {
            Some(Defect::M04) => self.now_ms >= record.taken_ms + TTL_MS,
            Some(Defect::M48) => self.now_ms >= record.renewed_ms + TTL_MS,
            Some(Defect::M08) => self.wall_ms(asked_by) >= record.wall_ms + TTL_MS,
            _ => !self.lives(record),
        }
    }

    /// What is there, by whoever looks now.
    fn look(&self, who: Who) -> Option<Record> {
        self.locks.get(&self.key(who)).cloned()
    }

    /// Decides, by what was seen before where the defect is that, and takes.
    fn decides(&mut self, who: Who, seen: Option<Record>) -> Answer {
        if self.is_damaged {
            return if self.has(Defect::M47) {
                Answer::Passes
            } else {
                Answer::Blocked("cannot tell who is inside".to_owned())
            };
        }
        let goes_by_what_it_saw = match &seen {
            None => self.has(Defect::M45),
            Some(record) => self.has(Defect::M05) && self.is_over(record, who),
        };
        let there = if goes_by_what_it_saw { seen } else { self.look(who) };
        let id = self.sessions[who].id.clone();
        let held = there.filter(|record| !self.is_over(record, who));
        match held {
            Some(other) if other.session != id => {
                return Answer::Blocked(format!("held by {} (pid {})", other.session, other.pid));
            }
            Some(_) => {}
            None => self.take(who, id),
        }
        Answer::Passes
    }

    fn take(&mut self, who: Who, session: String) {
        self.tokens += 1;
        let (token, wall_ms, key) = (self.tokens, self.wall_ms(who), self.key(who));
        let mine = &mut self.sessions[who];
        mine.token = token;
        let (pid, start, now_ms) = (mine.pid, mine.start, self.now_ms);
        let record = Record { session, pid, start, token, taken_ms: now_ms, renewed_ms: now_ms, wall_ms };
        self.locks.insert(key, record);
    }
}

impl Guard for Naive {
    fn begin(&mut self, id: &str, at: At, _: &str) -> Who {
        self.started += 1;
        let (pid, start) = (500 + self.started, self.started);
        self.processes.insert(pid, start);
        self.sessions.push(Session { id: id.to_owned(), at, pid, start, ahead_ms: 0, token: 0 });
        self.sessions.len() - 1
    }

    fn asks(&mut self, who: Who, call: Call) -> Answer {
        if self.has(Defect::M50) || call == Call::Reads {
            return Answer::Passes;
        }
        if self.sessions[who].id.trim().is_empty() {
            return Answer::Blocked("cannot tell whose call it is".to_owned());
        }
        let seen = self.look(who);
        self.decides(who, seen)
    }

    fn dies(&mut self, who: Who) {
        self.processes.remove(&self.sessions[who].pid);
    }

    fn lapses(&mut self, who: Who) {
        self.dies(who);
        self.now_ms += TTL_MS;
    }

    fn sleeps(&mut self, _: Who) {}

    fn wakes(&mut self, _: Who) {}
}

impl Checkout for Naive {
    fn pid(&self, who: Who) -> u64 {
        self.sessions[who].pid
    }

    fn ask_at_once(&mut self, all: &[Who]) -> Vec<Answer> {
        let seen: Vec<_> = all.iter().map(|who| self.look(*who)).collect();
        all.iter().zip(seen).map(|(who, seen)| self.decides(*who, seen)).collect()
    }

    fn stops(&mut self, _: Who) {}

    fn ends(&mut self, who: Who) {
        self.finishes(who, Half::Release);
    }

    fn begins(&mut self, who: Who, _: Half) {
        let seen = self.look(who);
        self.seen.insert(who, seen);
    }

    fn finishes(&mut self, who: Who, half: Half) {
        let (key, token, now_ms) = (self.key(who), self.sessions[who].token, self.now_ms);
        let is_own = self.locks.get(&key).is_some_and(|record| record.token == token);
        match half {
            Half::Release if is_own || self.has(Defect::M06) => _ = self.locks.remove(&key),
            Half::Refresh if is_own => {
                self.locks.entry(key).and_modify(|record| record.renewed_ms = now_ms);
            }
            _ => {}
        }
    }

    fn dies_and_its_number_is_used_again(&mut self, who: Who) {
        self.started += 1;
        self.processes.insert(self.sessions[who].pid, self.started);
    }

    fn outlast_ttl(&mut self) {
        self.pass(TTL_MS + 1);
    }

    fn damage(&mut self, _: Damage) {
        self.is_damaged = true;
    }

    fn records(&self) -> usize {
        0
    }

    fn broken_by_hand(&mut self) {
        self.locks.clear();
    }

    fn writes(&mut self, who: Who) -> bool {
        let token = self.sessions[who].token;
        if token < self.mark && !self.has(Defect::M51) {
            return false;
        }
        self.mark = self.mark.max(token);
        true
    }
}

impl Timed for Naive {
    /// Time in which whoever lives is kept, where somebody does that.
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        if self.has(Defect::M48) {
            return;
        }
        let (now_ms, processes) = (self.now_ms, &self.processes);
        for record in self.locks.values_mut().filter(|record| processes.contains_key(&record.pid)) {
            record.renewed_ms = now_ms;
        }
    }

    fn clock_is_ahead(&mut self, who: Who, ms: u64) {
        self.sessions[who].ahead_ms = ms;
    }
}
