//! The state of the machine, and the questions that it asks of the source.

use std::io;
use std::panic::Location;
use std::path::Path;

use fencehold::fs::LockMode;

use super::fault::{Fault, Plan};
use super::trace::{Note, Step};
use super::{Cuts, Options};
use crate::sim::choice::{Random, Source};
use crate::sim::disk::{Disk, OpenId, ProcessId};
use crate::sim::door::Call;

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
    pub(super) stalls: u32,
    pub(super) deadlocked: bool,
    /// Whether processes take turns at all.
    pub(super) taking_turns: bool,
    pub(super) turn: Option<ProcessId>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) alive: bool,
    /// Whether it runs together with others; one that is stepped by hand never takes the baton.
    pub(super) takes_turns: bool,
    pub(super) calls: u64,
    pub(super) plan: Plan,
    pub(super) waits: Option<Wait>,
    pub(super) random: Random,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) open: OpenId,
    pub(super) mode: LockMode,
    pub(super) deadline_ms: Option<u64>,
}

impl Inner {
    pub(super) fn lives(&self, process: ProcessId) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive)
    }

    /// Whether `process` asks who goes next at its calls. One that unwinds from a panic of its own does not: the thread
    /// counts as panicking, and the others would too.
    pub(super) fn takes_turn(&self, process: ProcessId) -> bool {
        let takes_turns = self.processes.get(process).is_some_and(|it| it.alive && it.takes_turns);
        self.taking_turns && takes_turns && !std::thread::panicking()
    }

    pub(super) fn bury(&mut self, process: ProcessId) {
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
    pub(super) fn pick(&mut self, current: Option<ProcessId>) -> Option<ProcessId> {
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
        let sticks = current.is_some() && ready.len() > 1 && self.options.preempt_one_in > 1;
        if sticks && !self.source.flip("preempt", self.options.preempt_one_in) {
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

    pub(super) fn maybe_stall(&mut self, process: ProcessId) {
        let Options { stalls_max, stall_one_in, stall_ms, .. } = self.options;
        if self.stalls < stalls_max && self.source.flip("stall", stall_one_in) {
            self.stalls += 1;
            self.clock_ms += stall_ms;
            let call = Call { name: "", path: Path::new(""), bytes: 0, site: Location::caller() };
            self.note(process, call, Note::Stalled(stall_ms));
        }
    }

    /// What goes wrong at this call, planned or chosen.
    pub(super) fn fault(&mut self, process: ProcessId, call: Call<'_>) -> Option<Fault> {
        let state = &mut self.processes[process];
        let number = state.calls;
        state.calls += 1;
        let takes_room = call.bytes > 0 || matches!(call.name, "create" | "make_dir" | "link");
        if let Some(fault) = state.plan.fault(number, takes_room) {
            return Some(fault);
        }
        if !self.takes_turn(process) || self.kills >= self.options.kills_max {
            return None;
        }
        if !self.source.flip("kill", self.options.kill_one_in) {
            return None;
        }
        self.kills += 1;
        let few = [0, call.bytes / 2, call.bytes.saturating_sub(1), call.bytes];
        let bytes = match self.options.cuts {
            Cuts::EveryByte => self.source.choose("cut", call.bytes + 1),
            Cuts::Few if call.bytes > 0 => few[self.source.choose("cut", few.len())],
            Cuts::Few => 0,
        };
        Some(if bytes == 0 { Fault::Kill } else { Fault::Cut(bytes) })
    }

    pub(super) fn note(&mut self, process: ProcessId, call: Call<'_>, note: Note) {
        let path = call.path.to_owned();
        self.trace.push(Step { process, call: call.name, path, bytes: call.bytes, note });
    }

    pub(super) fn note_result<R>(&mut self, process: ProcessId, call: Call<'_>, result: &io::Result<R>) {
        let note = result.as_ref().map_or_else(|error| Note::Failed(error.kind()), |_| Note::Done);
        self.note(process, call, note);
    }
}
