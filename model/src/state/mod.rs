//! The folded state of a workspace.
//!
//! Invariants: `apply` is total (after a repaired gap a renewal may meet no grant: it then changes nothing); what a
//! disk holds is applied only where the state admits it (`admits`); the revision and the time only grow; what is folded and written as line one of a file reads back equal.

mod admit;
mod form;
mod leases;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::id::BootId;
use crate::lease::{Lease, LeaseEvent};
use crate::lock::{Broken, Grant, Lock, Released};
use crate::pattern::Index;
use crate::proposal::{Prose, Target, What};
use crate::status::{Cell, Owed};
use crate::{Entry, Event, LeaseId, LockName, OpId, Policy, Revision, TaskId, TimeMs};

/// How many of the last operations' ids are remembered.
pub const OPS_REMEMBERED: usize = 64;
/// How many ended boots are remembered, those that a lock is bound to aside.
pub const BOOTS_REMEMBERED: usize = 32;
/// How long a release, a grant that lapsed, and a lease that was closed or cleared, is remembered: 10 minutes of journal
/// time.
pub const REMEMBER_MS: u64 = 10 * 60 * 1000;
/// How many leases that were closed or cleared are remembered, the latest: many in 10 minutes do not make the state long.
pub const ENDED_LEASES_REMEMBERED: usize = 1024;

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
    /// The leases by canonical id: those that are open or crashed, and those that ended a short while ago.
    pub leases: BTreeMap<LeaseId, Lease>,
    /// What the open leases write. Follows from `leases`; kept so that a grant need not read every one of them.
    pub writes: Index<LeaseId>,
    /// The tasks by canonical id.
    pub tasks: BTreeMap<TaskId, Cell>,
    /// The steps by force, by their revisions, whose entries are still owed to a log.
    pub owed: BTreeMap<Revision, Owed>,
    /// The proposals, by the file that they are about.
    pub prose: BTreeMap<Target, Prose>,
    /// What the team has agreed on.
    pub policy: Policy,
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

    /// Whether an event brings something that is not here: a grant, a task, or a proposal.
    #[must_use]
    pub fn grows_by(&self, event: &Event) -> bool {
        match event {
            Event::LockGranted { .. } | Event::Lease(LeaseEvent::Granted(_)) => true,
            Event::Status(event) => !self.tasks.contains_key(event.task()),
            Event::Proposal(event) => matches!(event.what, What::Proposed { .. }),
            _ => false,
        }
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
            Event::Lease(event) => self.apply_lease(event, entry),
            Event::Status(event) => {
                let (revision, at_ms) = (entry.revision, entry.at_ms);
                let cell = Cell { value: event.value(revision), revision, at_ms, actor: entry.actor.clone() };
                if let Some(forced) = event.by_force() {
                    let (task, statuses) =
                        (event.task().clone(), cell.value.statuses.keys().cloned().collect());
                    let (actor, forced) = (entry.actor.clone(), forced.clone());
                    self.owe(revision, Owed { task, statuses, at_ms, actor, forced });
                }
                self.tasks.insert(event.task().clone(), cell);
            }
            Event::OverrideNoted(noted) => self.settle(noted),
            Event::Proposal(event) => self.apply_proposal(event, entry),
            Event::PolicyApplied { policy } => self.apply_policy(policy),
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
            // One that a lock or a lease is bound to is remembered as long as this: it is the proof that it has lapsed.
            let binds = |boot: &BootId| {
                self.locks.values().any(|lock| lock.is_bound_to(boot))
                    || self.leases.values().any(|lease| lease.is_bound_to(boot))
            };
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

    /// Forgets releases, breaks, and timed grants that lapsed, once [`REMEMBER_MS`] have passed, and gives up the leases
    /// that ended so long ago, or before [`ENDED_LEASES_REMEMBERED`] others. Called at a rotation.
    pub fn forget(&mut self, now_ms: TimeMs) -> Vec<(LeaseId, Lease)> {
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
        self.forget_leases(old)
    }
}
