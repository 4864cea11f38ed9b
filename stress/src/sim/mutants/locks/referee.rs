//! Watches, from outside, who believes to hold the lock.
//!
//! A belief counts while its holder is alive and until the protocol's promise ends: a lock with a TTL promises nothing
//! beyond, one that is bound to its process promises as long as that lives.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fencehold::host::{Clock, Host};
use fencehold_model::event::Process;
use fencehold_model::lock::Liveness;

use super::record::Record;
use super::tended::tokens;
use super::{LOCK, RESOURCE};
use crate::sim::world::{Ended, SimHost, World};

/// What it saw.
#[derive(Debug)]
pub(super) struct Referee {
    world: World,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    inside: Vec<Belief>,
    /// What was violated, and after how many calls.
    violation: Option<(String, usize)>,
}

#[derive(Debug)]
struct Belief {
    process: Process,
    record: Record,
    /// Until when the protocol promises the lock, by the monotonic clock.
    until_ms: u64,
}

impl Referee {
    pub(super) fn new(world: &World) -> Self {
        Referee { world: world.clone(), seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flag(&self, seen: &mut Seen, what: String) {
        let calls = self.world.calls();
        seen.violation.get_or_insert((what, calls));
    }

    /// A process was granted the lock: nobody else may hold it.
    pub(super) fn entered(&self, host: &SimHost, record: &Record, until_ms: u64) {
        let now_ms = host.reading().monotonic_ms;
        host.outside();
        let mut seen = self.seen();
        let live =
            |belief: &&Belief| now_ms < belief.until_ms && host.liveness(&belief.process) == Liveness::Alive;
        let other = seen.inside.iter().find(live).map(|belief| belief.record.holder.clone());
        if let Some(other) = other.filter(|_| now_ms < until_ms) {
            self.flag(&mut seen, format!("two holders at once: {other} and {}", record.holder));
        }
        seen.inside.push(Belief { process: host.identity(), record: record.clone(), until_ms });
    }

    /// A holder that works believes on.
    pub(super) fn works(&self, host: &SimHost, record: &Record, until_ms: u64) {
        host.outside();
        let identity = host.identity();
        let mut seen = self.seen();
        for belief in seen.inside.iter_mut().filter(|belief| belief.process == identity) {
            belief.record.clone_from(record);
            belief.until_ms = until_ms;
        }
    }

    /// A holder is done: until the promise ends, the lock must still be its own.
    pub(super) fn leaves(&self, host: &SimHost) {
        let now_ms = host.reading().monotonic_ms;
        let there = self.world.disk(|disk| disk.contents(LOCK).map(<[u8]>::to_vec));
        let there = there.as_deref().and_then(Record::parse);
        let identity = host.identity();
        let mut seen = self.seen();
        let own = seen.inside.iter().position(|belief| belief.process == identity);
        let Some(Belief { record, until_ms, .. }) = own.map(|own| seen.inside.swap_remove(own)) else {
            return;
        };
        if now_ms < until_ms && there.as_ref() != Some(&record) {
            self.flag(&mut seen, format!("the lock of {} was removed under it", record.holder));
        }
    }

    /// What was violated and after how many calls, a process that failed or hung included.
    pub(super) fn verdict(&self, ended: &[Ended<io::Result<()>>]) -> Option<(String, usize)> {
        let violation = self.seen().violation.take();
        violation.or_else(|| Some((self.failure(ended).or_else(|| self.fence())?, self.world.calls())))
    }

    /// What is behind the fence was written by ever later grants.
    fn fence(&self) -> Option<String> {
        let written = self.world.disk(|disk| tokens(disk.contents(RESOURCE).unwrap_or_default()));
        let late = written.windows(2).find(|pair| pair[1] < pair[0])?;
        Some(format!("a write with token {} was let in behind one with token {}", late[1], late[0]))
    }

    fn failure(&self, ended: &[Ended<io::Result<()>>]) -> Option<String> {
        if self.world.deadlocked() {
            return Some("processes wait for each other without end".to_owned());
        }
        ended.iter().find_map(|ended| match ended {
            Ended::Returned(Err(error)) if self.world.counts().errors == 0 => {
                Some(format!("a call failed: {error}"))
            }
            Ended::Panicked(text) => Some(format!("a process panicked: {text}")),
            Ended::Returned(_) | Ended::Killed => None,
        })
    }
}
