//! How the leases of a state change.
//!
//! Invariant: `writes` holds the write sets of the open leases, and nothing else.

use alloc::vec::Vec;

use super::{ENDED_LEASES_REMEMBERED, State};
use crate::lease::{Crash, End, Granted, How, Lease, LeaseEvent};
use crate::{Entry, LeaseId, Policy, Revision, TimeMs};

impl State {
    pub(super) fn apply_lease(&mut self, event: &LeaseEvent, entry: &Entry) {
        let at_ms = entry.at_ms;
        match event {
            LeaseEvent::Granted(granted) => self.grant_lease(granted, entry),
            LeaseEvent::Closed { lease, token } => {
                self.end_lease(lease, *token, End { at_ms, how: How::Closed });
            }
            LeaseEvent::Crashed(Crash { lease, token, cause }) => {
                self.end_lease(lease, *token, End { at_ms, how: How::Crashed(cause.clone()) });
            }
            LeaseEvent::Cleared { lease, token, reason } => {
                self.end_lease(lease, *token, End { at_ms, how: How::Cleared(reason.clone()) });
            }
        }
    }

    fn grant_lease(&mut self, granted: &Granted, entry: &Entry) {
        let Granted { lease, holder, ttl_ms, writes, about, bound, asked_by, over, beside: _ } = granted;
        for Crash { lease, token, cause } in over {
            self.end_lease(lease, *token, End { at_ms: entry.at_ms, how: How::Crashed(cause.clone()) });
        }
        let granted = Lease {
            token: entry.revision,
            holder: holder.clone(),
            since_ms: entry.at_ms,
            ttl_ms: *ttl_ms,
            bound: bound.clone(),
            asked_by: asked_by.clone(),
            about: about.clone(),
            writes: writes.clone(),
            end: None,
        };
        self.put(lease.clone(), granted);
    }

    /// Puts a lease where the last one of its id was.
    pub(super) fn put(&mut self, id: LeaseId, lease: Lease) {
        self.unindex(&id);
        if lease.is_open() {
            for pattern in &lease.writes {
                self.writes.insert(pattern, id.clone());
            }
        }
        self.leases.insert(id, lease);
    }

    fn unindex(&mut self, id: &LeaseId) {
        if let Some(lease) = self.leases.get(id).filter(|lease| lease.is_open()) {
            for pattern in &lease.writes {
                self.writes.remove(pattern, id);
            }
        }
    }

    fn end_lease(&mut self, id: &LeaseId, token: Revision, end: End) {
        if self.leases.get(id).is_some_and(|lease| lease.token == token) {
            self.unindex(id);
            self.leases.get_mut(id).expect("it was just found").end = Some(end);
        }
    }

    /// Every id gets the form that it has from here on.
    pub(super) fn apply_policy(&mut self, policy: &Policy) {
        self.policy = policy.clone();
        self.tasks =
            core::mem::take(&mut self.tasks).into_iter().map(|(id, cell)| (policy.task(&id), cell)).collect();
        self.writes = Default::default();
        for (id, lease) in core::mem::take(&mut self.leases) {
            self.put(policy.lease(&id), lease);
        }
    }

    pub(super) fn forget_leases(&mut self, old: impl Fn(TimeMs) -> bool) -> Vec<(LeaseId, Lease)> {
        let ended = |lease: &Lease| match &lease.end {
            Some(End { how: How::Crashed(_), .. }) | None => None,
            Some(End { at_ms, .. }) => Some(*at_ms),
        };
        let mut ends: Vec<(TimeMs, Revision)> =
            self.leases.values().filter_map(|lease| Some((ended(lease)?, lease.token))).collect();
        ends.sort_unstable();
        let oldest_kept = ends.len().checked_sub(ENDED_LEASES_REMEMBERED).map(|from| ends[from]);
        let leaves = |lease: &Lease| {
            ended(lease).is_some_and(|at_ms| old(at_ms) || Some((at_ms, lease.token)) < oldest_kept)
        };
        let gone: Vec<_> = self.leases.extract_if(.., |_, lease| leaves(lease)).collect();
        self.forgotten = gone.iter().map(|(_, lease)| lease.token).fold(self.forgotten, Revision::max);
        gone
    }
}
