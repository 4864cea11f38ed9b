//! The events of leases and tasks, folded by hand: what a journal must never say, whatever was answered.
//!
//! No lease is granted beside an open one of its id, or one that writes what it writes, but for those that the grant
//! itself names as crashed, and these had lapsed. Only what is open ends, by its own token, and once. No task goes back:
//! epoch first, then rank, then turn; where all are equal nothing that stood is gone.

use std::collections::BTreeMap;

use fencehold_model::lease::{Cause, Crash, LeaseEvent};
use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{Entry, Event, LeaseId, Pattern, Revision, TaskId, TimeMs};

/// One open lease.
#[derive(Debug)]
struct Open {
    token: Revision,
    writes: Vec<Pattern>,
    expires_ms: Option<TimeMs>,
    bound: bool,
}

/// What the events so far come to, under the default policy.
#[derive(Debug, Default)]
pub struct Fold {
    open: BTreeMap<LeaseId, Open>,
    ended: BTreeMap<LeaseId, Revision>,
    tasks: BTreeMap<TaskId, Value>,
    last: Option<(Revision, TimeMs)>,
}

impl Fold {
    /// Folds all of `entries`.
    ///
    /// # Errors
    /// The first event that must not be.
    pub fn all(mut self, entries: &[Entry]) -> Result<(), String> {
        entries.iter().try_for_each(|entry| self.next(entry))
    }

    /// Folds one event.
    ///
    /// # Errors
    /// If it must not stand there.
    pub fn next(&mut self, entry: &Entry) -> Result<(), String> {
        if self.last.is_some_and(|(revision, at_ms)| entry.revision <= revision || entry.at_ms < at_ms) {
            return Err(format!(
                "revision {} at {} stands after {:?}",
                entry.revision, entry.at_ms, self.last
            ));
        }
        self.last = Some((entry.revision, entry.at_ms));
        match &entry.event {
            Event::Lease(event) => self.lease(event, entry),
            Event::Status(event) => self.task(event.task(), &event.value(entry.revision)),
            _ => Ok(()),
        }
    }

    /// What a task holds.
    #[must_use]
    pub fn held(&self, task: &TaskId) -> Option<&Value> {
        self.tasks.get(task)
    }

    fn lease(&mut self, event: &LeaseEvent, entry: &Entry) -> Result<(), String> {
        match event {
            LeaseEvent::Granted(granted) => {
                for crash in &granted.over {
                    self.crash(crash, entry)?;
                }
                let meets = |open: &Open| {
                    granted
                        .writes
                        .iter()
                        .any(|pattern| open.writes.iter().any(|other| pattern.overlaps(other)))
                };
                let beside = self.open.iter().find(|(id, open)| **id == granted.lease || meets(open));
                if let Some((id, open)) = beside {
                    let (lease, token) = (&granted.lease, open.token);
                    return Err(format!(
                        "lease {lease} is granted beside {id} of token {token}, which is open"
                    ));
                }
                let open = Open {
                    token: entry.revision,
                    writes: granted.writes.clone(),
                    expires_ms: granted.ttl_ms.map(|ttl_ms| entry.at_ms.saturating_add(ttl_ms)),
                    bound: granted.bound.is_some(),
                };
                self.ended.remove(&granted.lease);
                self.open.insert(granted.lease.clone(), open);
                Ok(())
            }
            LeaseEvent::Closed { lease, token } => self.end(lease, *token),
            LeaseEvent::Crashed(crash) => self.crash(crash, entry),
            // What crashed or was closed may be put aside as well.
            LeaseEvent::Cleared { lease, token, .. } if self.ended.get(lease) == Some(token) => Ok(()),
            LeaseEvent::Cleared { lease, token, .. } => self.end(lease, *token),
        }
    }

    fn crash(&mut self, crash: &Crash, entry: &Entry) -> Result<(), String> {
        if crash.cause == Cause::TtlPassed
            && let Some(open) = self.open.get(&crash.lease)
            && (open.bound || open.expires_ms.is_none_or(|expires_ms| entry.at_ms < expires_ms))
        {
            return Err(format!("{crash:?} had not lapsed at {}", entry.at_ms));
        }
        self.end(&crash.lease, crash.token)
    }

    fn end(&mut self, lease: &LeaseId, token: Revision) -> Result<(), String> {
        match self.open.remove(lease) {
            Some(open) if open.token == token => {
                self.ended.insert(lease.clone(), token);
                Ok(())
            }
            _ => Err(format!("token {token} of lease {lease} ends, which is not open")),
        }
    }

    fn task(&mut self, task: &TaskId, value: &Value) -> Result<(), String> {
        let vocabulary = Vocabulary::default();
        let key = |value: &Value| (value.epoch, value.rank(&vocabulary), value.turn);
        match self.tasks.insert(task.clone(), value.clone()) {
            // A conflict grows by the side that nobody named.
            Some(before) if key(value) == key(&before) => {
                let kept = before.statuses.keys().all(|status| value.statuses.contains_key(status));
                if kept { Ok(()) } else { Err(format!("{before:?} of {task} is overwritten by {value:?}")) }
            }
            Some(before) if key(value) < key(&before) => {
                Err(format!("{task} goes from {before:?} to {value:?}"))
            }
            _ => Ok(()),
        }
    }
}
