//! Turns: who runs, who waits, who is dead.
//!
//! Invariants: while processes run together, at most one of them is between two calls, and it is the one that `turn`
//! names; a dead process changes nothing; every question that could have two answers goes to the source; the lock is
//! never held while another stack runs.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Options;
use super::inner::Inner;
use super::stack::switch;
use crate::sim::choice::Source;
use crate::sim::disk::{Disk, ProcessId};

#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
}

pub(super) type Guard<'a> = MutexGuard<'a, Inner>;

impl Shared {
    pub(super) fn new(disk: Disk, source: Source, options: Options) -> Self {
        Shared { inner: Mutex::new(Inner::new(disk, source, options)) }
    }

    /// The guard is never held while foreign code runs, so a poisoned lock still guards a whole state.
    pub(super) fn lock(&self) -> Guard<'_> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of a process, by itself or by a kill: its descriptions are closed, and somebody else goes on.
    pub(super) fn end(&self, process: ProcessId) {
        let mut inner = self.lock();
        if inner.lives(process) {
            inner.bury(process);
            if inner.taking_turns && inner.turn == Some(process) {
                inner.turn = inner.pick(None);
            }
        }
    }

    /// From now on processes take turns; somebody is chosen to begin.
    pub(super) fn begin_turns(&self, round: Range<ProcessId>) {
        let mut inner = self.lock();
        inner.taking_turns = true;
        inner.round = round;
        inner.turn = inner.pick(None);
    }

    /// Nobody goes on: what is left of the dead may be unwound.
    pub(super) fn end_turns(&self) {
        let mut inner = self.lock();
        inner.taking_turns = false;
        inner.turn = None;
    }

    /// Whose stack runs next.
    pub(super) fn whose_turn(&self) -> Option<ProcessId> {
        self.lock().turn
    }

    /// Somebody goes on, `current` being at a call; the guard again once that is `current`, or the run is over.
    pub(super) fn pass_on<'a>(&'a self, mut inner: Guard<'a>, current: ProcessId) -> Guard<'a> {
        inner.turn = inner.pick(Some(current));
        while inner.taking_turns && inner.turn != Some(current) {
            drop(inner);
            switch();
            inner = self.lock();
        }
        inner
    }

    /// A scheduling point: the guard of whose turn it is again, or none for the dead.
    pub(super) fn turn(&self, process: ProcessId) -> Option<Guard<'_>> {
        let mut inner = self.lock();
        // A process that has just been chosen to begin goes on to its first call.
        if inner.takes_turn(process) && inner.processes[process].calls > 0 {
            inner.chance_before(process);
            inner = self.pass_on(inner, process);
        }
        inner.lives(process).then_some(inner)
    }

    /// A dead process stands still until the run is over.
    pub(super) fn stand_still(&self, process: ProcessId) {
        let still = || {
            let inner = self.lock();
            inner.taking_turns && inner.processes[process].takes_turns
        };
        while !std::thread::panicking() && still() {
            switch();
        }
    }
}
