//! Who is surely inside a lock, `workspace` or that of a guarded glob, and who may hold it.

use std::collections::BTreeMap;

use super::judge::Asked;

/// A session in a process.
type Key = (String, u64);

/// Who is surely inside.
#[derive(Debug, Default)]
pub(super) struct Inside {
    now: BTreeMap<Key, u64>,
    /// Whether the one who was inside last was killed there.
    killed_inside: bool,
    /// Breaks that are asked for, and since when; and until when one was.
    breaking: u64,
    breaking_since_us: u64,
    broken_until_us: u64,
}

impl Inside {
    /// A call that needs the lock passed; true where it took over from one that was killed inside.
    pub(super) fn passed(&mut self, asked: &Asked, is_killed: bool) -> Result<bool, String> {
        // What was asked while somebody broke the lock may be broken already.
        if is_killed || self.breaking > 0 || asked.at_us <= self.broken_until_us {
            return Ok(false);
        }
        let key = (asked.session.clone(), asked.process);
        let other = self.now.iter().find(|(other, _)| **other != key);
        if let Some(((session, process), since_us)) = other {
            return Err(format!(
                "it passed while session {session} (process {process}) is inside since its call at {since_us} us"
            ));
        }
        let is_new = self.now.insert(key, asked.at_us).is_none();
        let takes_over = is_new && self.killed_inside;
        self.killed_inside = false;
        Ok(takes_over)
    }

    pub(super) fn ends(&mut self, asked: &Asked) {
        self.now.remove(&(asked.session.clone(), asked.process));
    }

    /// Its process ends by itself.
    pub(super) fn exits(&mut self, process: u64) {
        self.now.retain(|(_, of), _| *of != process);
    }

    pub(super) fn killed(&mut self, process: u64) {
        let before = self.now.len();
        self.now.retain(|(_, of), _| *of != process);
        self.killed_inside |= self.now.len() < before;
    }

    /// Somebody begins to break the lock.
    pub(super) fn breaks(&mut self, at_us: u64) {
        self.now.clear();
        self.killed_inside = false;
        if self.breaking == 0 {
            self.breaking_since_us = at_us;
        }
        self.breaking += 1;
    }

    /// A break has ended; gives since when there was one.
    pub(super) fn broken(&mut self, at_us: u64) -> u64 {
        self.breaking = self.breaking.saturating_sub(1);
        self.broken_until_us = at_us;
        self.breaking_since_us
    }
}

/// What may be held by a session in a process.
#[derive(Debug)]
struct Hold {
    key: Key,
    from_us: u64,
    /// When its last call that needs the lock was answered.
    answered_us: Option<u64>,
    to_us: Option<u64>,
}

/// Who may hold the lock, and when.
#[derive(Debug, Default)]
pub(super) struct Holds {
    all: Vec<Hold>,
}

/// One lock.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pub(super) inside: Inside,
    pub(super) holds: Holds,
}

/// The numbers that the machine knows the processes by.
pub(super) type Pids = BTreeMap<u64, u64>;

impl Holds {
    fn open(&mut self, key: &Key) -> Option<&mut Hold> {
        self.all.iter_mut().rev().find(|hold| hold.key == *key && hold.to_us.is_none())
    }

    pub(super) fn asked(&mut self, asked: &Asked) {
        let key = (asked.session.clone(), asked.process);
        match self.open(&key) {
            Some(hold) => hold.answered_us = None,
            None => self.all.push(Hold { key, from_us: asked.at_us, answered_us: None, to_us: None }),
        }
    }

    pub(super) fn answered(&mut self, asked: &Asked, at_us: u64) {
        if let Some(hold) = self.open(&(asked.session.clone(), asked.process)) {
            hold.answered_us = Some(at_us);
        }
    }

    pub(super) fn ended(&mut self, asked: &Asked, at_us: u64) {
        if let Some(hold) = self.open(&(asked.session.clone(), asked.process)) {
            hold.to_us = Some(at_us);
        }
    }

    /// A process is gone and reaped; `alone`: the hook that it had begun may go on, and take the lock for nobody.
    pub(super) fn died(&mut self, at_us: u64, process: u64, alone: bool) {
        let of_it = self.all.iter_mut().filter(|hold| hold.key.1 == process && hold.to_us.is_none());
        for hold in of_it.filter(|hold| !alone || hold.answered_us.is_some()) {
            hold.to_us = Some(at_us);
        }
    }

    /// A break that was asked for at `began_us` has ended: who was answered before it has nothing.
    pub(super) fn broken(&mut self, began_us: u64, at_us: u64) {
        for hold in self.all.iter_mut().filter(|hold| hold.to_us.is_none()) {
            if hold.answered_us.is_some_and(|answered_us| answered_us < began_us) {
                hold.to_us = Some(at_us);
            }
        }
    }

    /// Whether whom a block names, and which process, may have held the lock during the call.
    pub(super) fn could(
        &self,
        named: &Named<'_>,
        pids: &Pids,
        asked: &Asked,
        at_us: u64,
    ) -> Result<(), String> {
        let during =
            |hold: &&Hold| hold.from_us <= at_us && hold.to_us.is_none_or(|to_us| to_us >= asked.at_us);
        let of_it = self.all.iter().rev().filter(|hold| hold.key.0 == named.holder).filter(during);
        let mut others = of_it.filter(|hold| hold.key != (asked.session.clone(), asked.process));
        match named.pid {
            None if others.next().is_some() => Ok(()),
            Some(pid) if others.any(|hold| pids.get(&hold.key.1) == Some(&pid)) => Ok(()),
            Some(pid) => Err(format!(
                "it was blocked because of {} in process {pid}, which can hold nothing",
                named.holder
            )),
            None => Err(format!("it was blocked because of {}, which can hold nothing", named.holder)),
        }
    }
}

/// Whom a block names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) holder: &'a str,
    /// The process that the lock is bound to; none where it is bound to none.
    pub(super) pid: Option<u64>,
}

impl<'a> Named<'a> {
    /// Reads it from an answer.
    pub(super) fn of(answer: &'a str) -> Option<Self> {
        let (_, rest) = answer.split_once("held by ")?;
        let (holder, rest) = rest.split_at(rest.find([' ', ',', ';']).unwrap_or(rest.len()));
        let pid = rest.strip_prefix(" (pid ").and_then(|rest| rest.split([' ', ')']).next()?.parse().ok());
        (!holder.is_empty()).then_some(Named { holder, pid })
    }
}
