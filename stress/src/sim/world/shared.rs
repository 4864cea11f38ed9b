//! The baton: who runs, who waits, who is dead.
//!
//! Invariants: while processes run together, at most one of them is between two calls, and it is the one that `turn`
//! names; a dead process changes nothing; every question that could have two answers goes to the source.

use std::any::Any;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fencehold::fs::{LockError, LockMode};

use super::fault::{Fault, Plan};
use super::trace::{Note, Step};
use super::{Options, TOGETHER_MAX};
use crate::sim::choice::{Random, Source};
use crate::sim::disk::{Disk, OpenId, ProcessId};
use crate::sim::door::{Call, Door, Locks};

/// What a killed process unwinds with.
#[derive(Debug)]
pub(super) struct Killed;

#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    wake: [Condvar; TOGETHER_MAX],
}

/// Everything there is.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) disk: Disk,
    pub(super) source: Source,
    pub(super) options: Options,
    pub(super) processes: Vec<Process>,
    pub(super) trace: Vec<Step>,
    /// CLOCK_MONOTONIC of this boot.
    pub(super) clock_ms: u64,
    /// How long the earlier boots took.
    pub(super) before_boot_ms: u64,
    pub(super) boot: u64,
    pub(super) preemptions: u32,
    pub(super) kills: u32,
    stalls: u32,
    pub(super) deadlocked: bool,
    /// Whether processes take turns at all.
    taking_turns: bool,
    turn: Option<ProcessId>,
}

#[derive(Debug)]
pub(super) struct Process {
    alive: bool,
    /// Whether it runs together with others; one that is stepped by hand never takes the baton.
    takes_turns: bool,
    calls: u64,
    plan: Plan,
    waits: Option<Wait>,
    pub(super) random: Random,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    open: OpenId,
    mode: LockMode,
    deadline_ms: Option<u64>,
}

/// The way of a process of the world to its disk.
#[derive(Debug, Clone)]
pub struct SimDoor {
    shared: Arc<Shared>,
    process: ProcessId,
}

type Guard<'a> = MutexGuard<'a, Inner>;

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
    fn pass_on(&self, inner: &mut Inner, current: Option<ProcessId>) {
        inner.turn = inner.pick(current);
        match inner.turn {
            Some(next) if Some(next) != current => self.wake[next % TOGETHER_MAX].notify_all(),
            Some(_) => {}
            // Nobody can go on: whoever still waits was just killed for it.
            None => self.wake.iter().for_each(Condvar::notify_all),
        }
    }

    fn await_turn<'a>(&'a self, mut inner: Guard<'a>, process: ProcessId) -> Guard<'a> {
        while inner.turn != Some(process) && inner.lives(process) {
            let woken = self.wake[process % TOGETHER_MAX].wait(inner);
            inner = woken.unwrap_or_else(PoisonError::into_inner);
        }
        inner
    }

    /// A scheduling point: the guard of whose turn it is again, or none for the dead.
    fn turn(&self, process: ProcessId) -> Option<Guard<'_>> {
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

impl Inner {
    pub(super) fn lives(&self, process: ProcessId) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive)
    }

    fn bury(&mut self, process: ProcessId) {
        self.processes[process].alive = false;
        self.processes[process].waits = None;
        self.disk.kill(process);
    }

    fn can_go_on(&self, process: ProcessId) -> bool {
        let state = &self.processes[process];
        state.alive
            && state.takes_turns
            && state.waits.is_none_or(|wait| {
                let over = wait.deadline_ms.is_some_and(|deadline_ms| self.clock_ms >= deadline_ms);
                over || self.disk.can_lock(wait.open, wait.mode)
            })
    }

    /// Who goes next: the current one first, so that the first answer to every question is a run without preemption.
    fn pick(&mut self, current: Option<ProcessId>) -> Option<ProcessId> {
        if !(0..self.processes.len()).any(|process| self.can_go_on(process)) && !self.let_patience_run_out() {
            return None;
        }
        let current = current.filter(|process| self.can_go_on(*process));
        let others =
            (0..self.processes.len()).filter(|process| Some(*process) != current && self.can_go_on(*process));
        let ready: Vec<ProcessId> = current.into_iter().chain(others).collect();
        if current.is_some() && self.options.preemptions_max.is_some_and(|most| self.preemptions >= most) {
            return current;
        }
        let chosen = self.source.choose("next", ready.len());
        if current.is_some() && chosen > 0 {
            self.preemptions += 1;
        }
        Some(ready[chosen])
    }

    /// Everybody waits: time jumps to the first deadline. Without one, whoever waits is killed; none is left.
    fn let_patience_run_out(&mut self) -> bool {
        let waiting =
            self.processes.iter().filter(|process| process.alive).filter_map(|process| process.waits);
        if let Some(first) = waiting.filter_map(|wait| wait.deadline_ms).min() {
            self.clock_ms = self.clock_ms.max(first);
            return true;
        }
        for process in 0..self.processes.len() {
            if self.processes[process].alive && self.processes[process].takes_turns {
                self.deadlocked = true;
                self.bury(process);
            }
        }
        false
    }

    fn maybe_stall(&mut self, process: ProcessId) {
        let Options { stalls_max, stall_one_in, stall_ms, .. } = self.options;
        if self.stalls < stalls_max && self.source.flip("stall", stall_one_in) {
            self.stalls += 1;
            self.clock_ms += stall_ms;
            let call = Call { name: "", path: Path::new(""), bytes: 0 };
            self.note(process, call, Note::Stalled(stall_ms));
        }
    }

    /// What goes wrong at this call, planned or chosen.
    fn fault(&mut self, process: ProcessId, call: Call<'_>) -> Option<Fault> {
        let state = &mut self.processes[process];
        let number = state.calls;
        state.calls += 1;
        let takes_room = call.bytes > 0 || matches!(call.name, "create" | "make_dir" | "link");
        if let Some(fault) = state.plan.fault(number, takes_room) {
            return Some(fault);
        }
        if !self.taking_turns || self.kills >= self.options.kills_max {
            return None;
        }
        if !self.source.flip("kill", self.options.kill_one_in) {
            return None;
        }
        self.kills += 1;
        match self.source.choose("cut", call.bytes + 1) {
            0 => Some(Fault::Kill),
            bytes => Some(Fault::Cut(bytes)),
        }
    }

    fn note(&mut self, process: ProcessId, call: Call<'_>, note: Note) {
        let path = call.path.to_owned();
        self.trace.push(Step { process, call: call.name, path, bytes: call.bytes, note });
    }

    fn note_result<R>(&mut self, process: ProcessId, call: Call<'_>, result: &io::Result<R>) {
        let note = result.as_ref().map_or_else(|error| Note::Failed(error.kind()), |_| Note::Done);
        self.note(process, call, note);
    }
}

impl SimDoor {
    pub(super) fn new(shared: Arc<Shared>, process: ProcessId) -> Self {
        SimDoor { shared, process }
    }

    fn die(&self, mut inner: Guard<'_>, call: Call<'_>, note: Note) -> io::Error {
        inner.note(self.process, call, note);
        drop(inner);
        self.shared.end(self.process);
        dead()
    }
}

/// Unwinds a dead process; where it is unwinding already, its calls fail and do nothing.
fn dead() -> io::Error {
    if !std::thread::panicking() {
        resume_unwind(Box::new(Killed));
    }
    io::Error::other("this process was killed")
}

impl Door for SimDoor {
    fn enter<R>(&self, call: Call<'_>, act: impl FnOnce(&mut Disk, usize) -> io::Result<R>) -> io::Result<R> {
        let Some(mut inner) = self.shared.turn(self.process) else { return Err(dead()) };
        match inner.fault(self.process, call) {
            None => {
                let result = act(&mut inner.disk, call.bytes);
                inner.note_result(self.process, call, &result);
                result
            }
            Some(Fault::Kill) => Err(self.die(inner, call, Note::Killed)),
            Some(Fault::Cut(bytes)) => {
                // Whether the write itself succeeds, nobody is left to know.
                let _ = act(&mut inner.disk, bytes.min(call.bytes));
                Err(self.die(inner, call, Note::Cut(bytes)))
            }
            Some(Fault::Fail(errno)) => {
                let error = io::Error::from(errno);
                inner.note(self.process, call, Note::Failed(error.kind()));
                Err(error)
            }
            Some(Fault::Short(bytes)) => {
                inner.note(self.process, call, Note::Short(bytes));
                act(&mut inner.disk, bytes.min(call.bytes))
            }
        }
    }

    fn lock(
        &self,
        call: Call<'_>,
        open: OpenId,
        mode: LockMode,
        patience: Duration,
    ) -> Result<(), LockError> {
        let deadline_ms = |now_ms: u64| now_ms.checked_add(u64::try_from(patience.as_millis()).ok()?);
        let Some(mut inner) = self.shared.turn(self.process) else { return Err(LockError::Io(dead())) };
        match inner.fault(self.process, call) {
            None => {}
            Some(Fault::Fail(errno)) => return Err(LockError::Io(errno.into())),
            Some(_) => return Err(LockError::Io(self.die(inner, call, Note::Killed))),
        }
        let ignored = inner.options.locks == Locks::Ignored;
        if ignored || inner.disk.try_lock(open, mode).map_err(LockError::Io)? {
            inner.note(self.process, call, Note::Done);
            return Ok(());
        }
        if !inner.taking_turns || patience.is_zero() {
            inner.clock_ms = deadline_ms(inner.clock_ms).unwrap_or(inner.clock_ms);
            inner.note(self.process, call, Note::TimedOut);
            return Err(LockError::TimedOut);
        }
        inner.note(self.process, call, Note::Waits);
        let deadline_ms = deadline_ms(inner.clock_ms);
        inner.processes[self.process].waits = Some(Wait { open, mode, deadline_ms });
        self.shared.pass_on(&mut inner, Some(self.process));
        let mut inner = self.shared.await_turn(inner, self.process);
        if !inner.lives(self.process) {
            drop(inner);
            return Err(LockError::Io(dead()));
        }
        inner.processes[self.process].waits = None;
        // It was chosen because the lock is free, or because its patience is over.
        let taken = inner.disk.try_lock(open, mode).map_err(LockError::Io)?;
        inner.note(self.process, call, if taken { Note::Done } else { Note::TimedOut });
        if taken { Ok(()) } else { Err(LockError::TimedOut) }
    }

    fn close(&self, open: OpenId) {
        let mut inner = self.shared.lock();
        if inner.lives(self.process) {
            inner.disk.close(open);
        }
    }

    fn process(&self) -> ProcessId {
        self.process
    }

    fn split(&self, len: usize) -> usize {
        let mut inner = self.shared.lock();
        if !inner.taking_turns || !inner.options.split_writes || !inner.lives(self.process) {
            return len;
        }
        inner.source.choose("split", len + 1)
    }
}

/// The message of a panic.
pub(in crate::sim) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
