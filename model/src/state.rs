//! The folded state of a workspace.
//!
//! Invariants: `apply` is total (after a repaired gap a renewal may meet no grant: it then changes nothing); the
//! revision and the time only grow; what is folded and written as line one of a file reads back equal.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::event::{Process, read_party};
use crate::id::BootId;
use crate::json::{Fields, Malformed, Writer};
use crate::lock::{Broken, Grant, Lock, Released};
use crate::{Claim, Entry, Event, LockName, OpId, Revision, TimeMs};

/// How many of the last operations' ids are remembered.
pub const OPS_REMEMBERED: usize = 64;
/// How many ended boots are remembered, those that a lock is bound to aside.
pub const BOOTS_REMEMBERED: usize = 32;
/// How long a release, and a grant that lapsed, is remembered: 10 minutes of journal time.
pub const REMEMBER_MS: u64 = 10 * 60 * 1000;

/// The boot that is going on, and how its monotonic clock maps to journal time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Which boot.
    pub boot: BootId,
    /// Journal time at its first event.
    pub anchor_ms: TimeMs,
    /// The monotonic clock at its first event.
    pub monotonic_ms: u64,
}

/// Everything that the events so far come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The revision of the last event.
    pub revision: Revision,
    /// The journal time of the last event.
    pub time_ms: TimeMs,
    /// The boot of the last `boot` event.
    pub boot: Option<Boot>,
    /// Boots that are over, the latest last.
    pub ended_boots: Vec<BootId>,
    /// The highest token whose end was forgotten: one up to it that no grant has is not current.
    pub forgotten: Revision,
    /// The locks by name.
    pub locks: BTreeMap<LockName, Lock>,
    /// The last operations and where their events stand, the latest last.
    pub recent: VecDeque<(OpId, Revision)>,
}

impl State {
    /// Applies one entry.
    ///
    /// # Panics
    /// If the entry does not stand after the last one: whoever reads a journal must have refused it.
    pub fn apply(&mut self, entry: &Entry) {
        assert!(entry.revision > self.revision, "revision {} after {}", entry.revision, self.revision);
        assert!(entry.at_ms >= self.time_ms, "journal time {} after {}", entry.at_ms, self.time_ms);
        self.revision = entry.revision;
        self.time_ms = entry.at_ms;
        if self.recent.len() == OPS_REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((entry.op.clone(), entry.revision));
        self.apply_event(entry);
    }

    /// Where the event of an operation stands, if it is among the last [`OPS_REMEMBERED`].
    #[must_use]
    pub fn find_op(&self, op: &OpId) -> Option<Revision> {
        self.recent.iter().rev().find(|(known, _)| known == op).map(|(_, revision)| *revision)
    }

    fn apply_event(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Boot { boot, anchor_ms, monotonic_ms } => self.begin_boot(boot, *anchor_ms, *monotonic_ms),
            Event::LockGranted { name, holder, claim, ttl_ms, expires_ms, bound, asked_by, .. } => {
                let grant = Grant {
                    token: entry.revision,
                    holder: holder.clone(),
                    claim: claim.clone(),
                    since_ms: entry.at_ms,
                    ttl_ms: *ttl_ms,
                    expires_ms: *expires_ms,
                    bound: bound.clone(),
                    asked_by: asked_by.clone(),
                };
                self.locks.entry(name.clone()).or_default().grant = Some(grant);
            }
            Event::LockRenewed { name, token, ttl_ms, expires_ms } => {
                if let Some(grant) = self.grant_mut(name, *token) {
                    grant.ttl_ms = *ttl_ms;
                    grant.expires_ms = grant.expires_ms.max(*expires_ms);
                }
            }
            Event::LockReleased { name, token } => self.release(name, *token, entry.at_ms),
            Event::LockBroken { name, token, .. } => {
                if let Some(lock) = self.locks.get_mut(name)
                    && lock.grant.take_if(|grant| grant.token == *token).is_some()
                {
                    lock.broken = Some(Broken { token: *token, at_ms: entry.at_ms });
                }
            }
            Event::Repaired { .. } => {}
        }
    }

    /// What a `boot` event changes, its line aside: the view of a reader who comes first in a boot.
    pub fn begin(&mut self, boot_event: &Event) {
        if let Event::Boot { boot, anchor_ms, monotonic_ms } = boot_event {
            self.begin_boot(boot, *anchor_ms, *monotonic_ms);
        }
    }

    fn begin_boot(&mut self, boot: &BootId, anchor_ms: TimeMs, monotonic_ms: u64) {
        if let Some(before) = self.boot.take()
            && before.boot != *boot
        {
            // One that a lock is bound to is remembered as long as the lock: it is the proof that this has lapsed.
            let binds = |boot: &BootId| self.locks.values().any(|lock| lock.is_bound_to(boot));
            let oldest = self.ended_boots.iter().position(|boot| !binds(boot));
            if let Some(oldest) = oldest.filter(|_| self.ended_boots.len() >= BOOTS_REMEMBERED) {
                self.ended_boots.remove(oldest);
            }
            self.ended_boots.push(before.boot);
        }
        self.boot = Some(Boot { boot: boot.clone(), anchor_ms, monotonic_ms });
    }

    fn grant_mut(&mut self, name: &LockName, token: Revision) -> Option<&mut Grant> {
        self.locks.get_mut(name)?.grant.as_mut().filter(|grant| grant.token == token)
    }

    fn release(&mut self, name: &LockName, token: Revision, at_ms: TimeMs) {
        let Some(lock) = self.locks.get_mut(name) else { return };
        if let Some(grant) = lock.grant.take_if(|grant| grant.token == token) {
            lock.released = Some(Released { holder: grant.holder, claim: grant.claim, token, at_ms });
        }
    }

    /// Forgets releases, breaks, and timed grants that lapsed, once [`REMEMBER_MS`] have passed. Called at a rotation.
    pub fn forget(&mut self, now_ms: TimeMs) {
        let old = |at_ms: TimeMs| at_ms.saturating_add(REMEMBER_MS) <= now_ms;
        let mut forgotten = self.forgotten;
        self.locks.retain(|_, lock| {
            let grant = lock.grant.take_if(|grant| grant.bound.is_none() && old(grant.expires_ms));
            let released = lock.released.take_if(|released| old(released.at_ms));
            let broken = lock.broken.take_if(|broken| old(broken.at_ms));
            let tokens = [
                grant.map(|grant| grant.token),
                released.map(|released| released.token),
                broken.map(|broken| broken.token),
            ];
            forgotten = tokens.into_iter().flatten().fold(forgotten, Revision::max);
            *lock != Lock::default()
        });
        self.forgotten = forgotten;
    }

    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        if let Some(Boot { boot, anchor_ms, monotonic_ms }) = &self.boot {
            to.value("boot", |out| {
                let mut to = Writer::new(out);
                to.text("boot", boot.as_str())
                    .number("anchor_ms", *anchor_ms)
                    .number("mono_ms", *monotonic_ms)
                    .end();
            });
        }
        to.number("forgotten", self.forgotten);
        to.value("ended_boots", |out| list(out, &self.ended_boots, |out, boot| text(out, boot.as_str())));
        to.value("locks", |out| list(out, &self.locks, |out, (name, lock)| write_lock(out, name, lock)));
        to.value("ops", |out| {
            list(out, &self.recent, |out, (op, revision)| {
                Writer::new(out).text("op", op.as_str()).number("rev", *revision).end();
            });
        });
        to.end();
    }

    /// Reads what [`State::write`] wrote; revision and time stand beside it in line one.
    pub fn read(fields: Fields<'_>, revision: Revision, time_ms: TimeMs) -> Result<Self, Malformed> {
        let boot = fields.object_or_none("boot")?.map(|boot| {
            Ok::<_, Malformed>(Boot {
                boot: boot.id("boot")?,
                anchor_ms: boot.number("anchor_ms")?,
                monotonic_ms: boot.number("mono_ms")?,
            })
        });
        let ended = fields.array("ended_boots")?.iter().map(|boot| match boot.as_str().map(BootId::new) {
            Some(Ok(boot)) => Ok(boot),
            _ => Err(Malformed("field `ended_boots` holds something that is no boot id".to_owned())),
        });
        let ops = fields.array("ops")?.iter().map(|op| {
            let op = Fields::of(op)?;
            Ok::<_, Malformed>((op.id("op")?, op.number("rev")?))
        });
        Ok(State {
            revision,
            time_ms,
            boot: boot.transpose()?,
            forgotten: fields.number("forgotten")?,
            ended_boots: ended.collect::<Result<_, _>>()?,
            locks: fields.array("locks")?.iter().map(read_lock).collect::<Result<_, _>>()?,
            recent: ops.collect::<Result<_, _>>()?,
        })
    }
}

fn text(out: &mut String, text: &str) {
    out.push_str(&alloc::string::ToString::to_string(&Value::from(text)));
}

fn list<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_lock(out: &mut String, name: &LockName, lock: &Lock) {
    let mut to = Writer::new(out);
    to.text("name", name.as_str());
    if let Some(grant) = &lock.grant {
        to.value("grant", |out| {
            let mut to = Writer::new(out);
            to.number("token", grant.token).text("holder", grant.holder.as_str());
            to.text_if("claim", grant.claim.as_ref().map(Claim::as_str));
            to.number("since_ms", grant.since_ms).number("ttl_ms", grant.ttl_ms);
            to.number("expires_ms", grant.expires_ms);
            if let Some(process) = &grant.bound {
                to.value("bound", |out| process.write(out));
            }
            if let Some((pid, host)) = &grant.asked_by {
                to.number("pid", *pid).text("host", host);
            }
            to.end();
        });
    }
    if let Some(released) = &lock.released {
        to.value("released", |out| {
            let mut to = Writer::new(out);
            to.text("holder", released.holder.as_str());
            to.text_if("claim", released.claim.as_ref().map(Claim::as_str));
            to.number("token", released.token).number("at_ms", released.at_ms).end();
        });
    }
    if let Some(Broken { token, at_ms }) = lock.broken {
        to.value("broken", |out| Writer::new(out).number("token", token).number("at_ms", at_ms).end());
    }
    to.end();
}

fn read_lock(value: &Value) -> Result<(LockName, Lock), Malformed> {
    let fields = Fields::of(value)?;
    let grant = fields.object_or_none("grant")?.map(|grant| {
        Ok::<_, Malformed>(Grant {
            token: grant.number("token")?,
            holder: grant.id("holder")?,
            claim: grant.id_or_none("claim")?,
            since_ms: grant.number("since_ms")?,
            ttl_ms: grant.number("ttl_ms")?,
            expires_ms: grant.number("expires_ms")?,
            bound: grant.object_or_none("bound")?.map(Process::read).transpose()?,
            asked_by: read_party(grant)?,
        })
    });
    let released = fields.object_or_none("released")?.map(|released| {
        Ok::<_, Malformed>(Released {
            holder: released.id("holder")?,
            claim: released.id_or_none("claim")?,
            token: released.number("token")?,
            at_ms: released.number("at_ms")?,
        })
    });
    let broken = fields.object_or_none("broken")?.map(|broken| {
        Ok::<_, Malformed>(Broken { token: broken.number("token")?, at_ms: broken.number("at_ms")? })
    });
    let lock =
        Lock { grant: grant.transpose()?, released: released.transpose()?, broken: broken.transpose()? };
    Ok((fields.id("name")?, lock))
}
