//! The baton: who runs, who waits, who is dead.
//!
//! Invariants: while processes run together, at most one of them is between two calls, and it is the one that `turn`
//! names; a dead process changes nothing; every question that could have two answers goes to the source.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::fault::Plan;
use super::inner::{Inner, Process};
use super::{Options, TOGETHER_MAX};
use crate::sim::choice::{Random, Source};
use crate::sim::disk::{Disk, ProcessId};

#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    wake: [Condvar; TOGETHER_MAX],
}

pub(super) type Guard<'a> = MutexGuard<'a, Inner>;

impl Shared {
    pub(super) fn new(disk: Disk, source: Source, options: Options) -> Self {
        let inner = Inner {
            disk,
            source,
            options,
            processes: Vec::new(),
            trace: Vec::new(),
            clock_ms: 1_000_000,
            before_boot_ms: 0,
            boot: 1,
            preemptions: 0,
            kills: 0,
            stalls: 0,
            deadlocked: false,
            taking_turns: false,
            turn: None,
        };
        Shared { inner: Mutex::new(inner), wake: Default::default() }
    }

    /// The guard is never held while foreign code runs, so a poisoned lock still guards a whole state.
    pub(super) fn lock(&self) -> Guard<'_> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, plan: Plan, takes_turns: bool) -> ProcessId {
        let mut inner = self.lock();
        let process = inner.processes.len();
        let random = Random::new(0xfe4c_e401 ^ ((process as u64) << 32));
        inner.processes.push(Process { alive: true, takes_turns, calls: 0, plan, waits: None, random });
        process
    }

    /// The end of a process, by itself or by a kill: its descriptions are closed, and somebody else goes on.
    pub(super) fn end(&self, process: ProcessId) {
        let mut inner = self.lock();
        if inner.lives(process) {
            inner.bury(process);
            if inner.taking_turns && inner.turn == Some(process) {
                self.pass_on(&mut inner, None);
            }
        }
    }

    pub(super) fn reboot(&self) {
        let mut inner = self.lock();
        for process in 0..inner.processes.len() {
            inner.bury(process);
        }
        inner.boot += 1;
        inner.before_boot_ms += inner.clock_ms;
        inner.clock_ms = 1_000;
    }

    pub(super) fn begin_turns(&self) {
        self.lock().taking_turns = true;
    }

    pub(super) fn end_turns(&self) {
        let mut inner = self.lock();
        inner.taking_turns = false;
        inner.turn = None;
    }

    pub(super) fn first_turn(&self) {
        self.pass_on(&mut self.lock(), None);
    }

    pub(super) fn await_first_turn(&self, process: ProcessId) {
        drop(self.await_turn(self.lock(), process));
    }

    /// Chooses who goes on, `current` being at a call, and wakes it.
    pub(super) fn pass_on(&self, inner: &mut Inner, current: Option<ProcessId>) {
        inner.turn = inner.pick(current);
        match inner.turn {
            Some(next) if Some(next) != current => self.wake[next % TOGETHER_MAX].notify_all(),
            Some(_) => {}
            // Nobody can go on: whoever still waits was just killed for it.
            None => self.wake.iter().for_each(Condvar::notify_all),
        }
    }

    pub(super) fn await_turn<'a>(&'a self, mut inner: Guard<'a>, process: ProcessId) -> Guard<'a> {
        while inner.turn != Some(process) && inner.lives(process) {
            let woken = self.wake[process % TOGETHER_MAX].wait(inner);
            inner = woken.unwrap_or_else(PoisonError::into_inner);
        }
        inner
    }

    /// A scheduling point: the guard of whose turn it is again, or none for the dead.
    pub(super) fn turn(&self, process: ProcessId) -> Option<Guard<'_>> {
        let mut inner = self.lock();
        // A process that has just been chosen to begin goes on to its first call.
        let begun = inner.processes[process].calls > 0;
        if inner.taking_turns && begun && inner.lives(process) {
            inner.maybe_stall(process);
            self.pass_on(&mut inner, Some(process));
            inner = self.await_turn(inner, process);
        }
        inner.lives(process).then_some(inner)
    }
}
