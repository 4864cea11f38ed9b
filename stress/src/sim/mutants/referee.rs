//! Watches, from outside, who believes to hold the lock.
//!
//! A belief counts while its holder is alive and its grant has not lapsed: a lock with a TTL promises nothing beyond.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fencehold::host::{Clock, Host};
use fencehold_model::event::Process;
use fencehold_model::lock::Liveness;

use super::{LOCK, Record};
use crate::sim::world::{Ended, SimHost, World};

/// What it saw.
#[derive(Debug)]
pub(super) struct Referee {
    world: World,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    inside: Vec<(Process, Record)>,
    /// What was violated, and after how many calls.
    violation: Option<(String, usize)>,
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
    pub(super) fn entered(&self, host: &SimHost, record: &Record) {
        let now_ms = host.reading().monotonic_ms;
        host.outside();
        let mut seen = self.seen();
        let live = |(process, record): &&(Process, Record)| {
            now_ms < record.expires_ms && host.liveness(process) == Liveness::Alive
        };
        let other = seen.inside.iter().find(live).map(|(_, other)| other.holder.clone());
        if let Some(other) = other.filter(|_| now_ms < record.expires_ms) {
            self.flag(&mut seen, format!("two holders at once: {other} and {}", record.holder));
        }
        seen.inside.push((host.identity(), record.clone()));
    }

    /// A holder is done: until its grant lapses, the lock must still be its own.
    pub(super) fn leaves(&self, host: &SimHost, record: &Record) {
        let lapsed = host.reading().monotonic_ms >= record.expires_ms;
        let there = self.world.disk(|disk| disk.contents(LOCK).map(<[u8]>::to_vec));
        let mut seen = self.seen();
        if !lapsed && there.as_deref().and_then(Record::parse).as_ref() != Some(record) {
            self.flag(&mut seen, format!("the lock of {} was removed under it", record.holder));
        }
        seen.inside.retain(|(process, _)| *process != host.identity());
    }

    /// What was violated and after how many calls, a process that failed or hung included.
    pub(super) fn verdict(&self, ended: &[Ended<io::Result<()>>]) -> Option<(String, usize)> {
        let violation = self.seen().violation.take();
        violation.or_else(|| Some((self.failure(ended)?, self.world.calls())))
    }

    fn failure(&self, ended: &[Ended<io::Result<()>>]) -> Option<String> {
        if self.world.deadlocked() {
            return Some("processes wait for each other without end".to_owned());
        }
        ended.iter().find_map(|ended| match ended {
            Ended::Returned(Err(error)) => Some(format!("a call failed: {error}")),
            Ended::Panicked(text) => Some(format!("a process panicked: {text}")),
            Ended::Returned(Ok(())) | Ended::Killed => None,
        })
    }
}
