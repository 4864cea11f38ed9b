//! The state of the machine: its clocks, its processes, and who of them goes next.

use std::ops::Range;

use fencehold::fs::LockMode;

use super::chance::Counts;
use super::fault::{Fault, Plan};
use super::trace::Step;
use super::{Options, TOGETHER_MAX};
use crate::sim::choice::{Random, Source, Thing};
use crate::sim::disk::{Disk, OpenId, Persistence, ProcessId};
use crate::sim::door::Call;

/// Everything there is.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) disk: Disk,
    pub(super) source: Source,
    pub(super) options: Options,
    pub(super) processes: Vec<Process>,
    pub(super) trace: Vec<Step>,
    /// How many lines the trace has, or would have if it were written.
    pub(super) noted: u64,
    /// CLOCK_MONOTONIC of this boot.
    pub(super) clock_ms: u64,
    /// How long the earlier boots took.
    pub(super) before_boot_ms: u64,
    /// By how much the wall clock was set, sleeps of the machine included.
    pub(super) wall_offset_ms: i64,
    pub(super) boot: u64,
    /// How many processes were begun since the boot.
    pub(super) born: u64,
    pub(super) preemptions: u32,
    pub(super) counts: Counts,
    pub(super) deadlocked: bool,
    /// Whether processes take turns at all, and which.
    pub(super) taking_turns: bool,
    pub(super) round: Range<ProcessId>,
    pub(super) turn: Option<ProcessId>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) alive: bool,
    /// Whether it runs together with others; one that is stepped by hand, or was forked, never does.
    pub(super) takes_turns: bool,
    /// Whether it is a forked child, which makes no call.
    pub(super) forked: bool,
    pub(super) calls: u64,
    /// Whether its last call changed nothing that another process could see.
    looked: bool,
    pub(super) plan: Plan,
    pub(super) waits: Option<Wait>,
    /// Not chosen before the trace has so many lines, unless nobody else can go on.
    pub(super) stopped_until: u64,
    /// The descriptions by which it took an OS lock; some may have let it go.
    pub(super) locked: Vec<OpenId>,
    pub(super) boot: u64,
    /// Which process of its boot it is.
    pub(super) born: u64,
    pub(super) random: Random,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) open: OpenId,
    pub(super) mode: LockMode,
    pub(super) deadline_ms: Option<u64>,
}

impl Inner {
    pub(super) fn new(disk: Disk, source: Source, options: Options) -> Self {
        Inner {
            disk,
            source,
            options,
            processes: Vec::new(),
            trace: Vec::new(),
            noted: 0,
            clock_ms: 1_000_000,
            before_boot_ms: 0,
            wall_offset_ms: 0,
            boot: 1,
            born: 0,
            preemptions: 0,
            counts: Counts::default(),
            deadlocked: false,
            taking_turns: false,
            round: 0..0,
            turn: None,
        }
    }

    pub(super) fn add(&mut self, plan: Plan, takes_turns: bool) -> ProcessId {
        let process = self.processes.len();
        let random = Random::new(0xfe4c_e401 ^ ((process as u64) << 32));
        self.processes.push(Process {
            alive: true,
            takes_turns,
            forked: false,
            calls: 0,
            looked: false,
            plan,
            waits: None,
            stopped_until: 0,
            locked: Vec::new(),
            boot: self.boot,
            born: self.born,
            random,
        });
        self.born += 1;
        process
    }

    pub(super) fn lives(&self, process: ProcessId) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive)
    }

    /// Whether `process` asks who goes next at its calls. One that unwinds from a panic of its own does not: the thread
    /// counts as panicking, and the others would too.
    pub(super) fn takes_turn(&self, process: ProcessId) -> bool {
        let takes_turns = self.processes.get(process).is_some_and(|it| it.alive && it.takes_turns);
        self.taking_turns && takes_turns && !std::thread::panicking()
    }

    /// The end of a process: its descriptions are closed, unless a forked child has them too.
    pub(super) fn bury(&mut self, process: ProcessId) {
        self.touch_end(process);
        self.processes[process].alive = false;
        self.processes[process].waits = None;
        self.disk.kill(process);
    }

    fn bury_all(&mut self) {
        for process in 0..self.processes.len() {
            if self.lives(process) {
                self.bury(process);
            }
        }
    }

    /// A child that has the descriptions of its parent and does nothing with them.
    pub(super) fn fork(&mut self, process: ProcessId) {
        let child = self.add(Plan::NONE, false);
        self.processes[child].forked = true;
        self.processes[child].locked = self.processes[process].locked.clone();
        self.source.touch(Thing::All, true);
        self.disk.fork_inherits(process, child);
        self.note_event(process, super::Note::Forked(child));
    }

    /// Every process ends, and the next boot begins; of the disk, nothing is decided.
    pub(super) fn reboot(&mut self) {
        self.source.touch(Thing::All, true);
        self.bury_all();
        self.turn = None;
        self.boot += 1;
        self.born = 0;
        self.before_boot_ms += self.clock_ms;
        self.clock_ms = 1_000;
    }

    /// The power goes: of what was written, the disk keeps what its model lets it keep, as the source chooses.
    pub(super) fn power_cut(&mut self) {
        self.reboot();
        let Inner { disk, source, .. } = self;
        *disk = disk.power_cut(&mut |label, of| source.choose(label, of));
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.source.touch(Thing::Clock, true);
        self.clock_ms = self.clock_ms.saturating_add(ms);
    }

    pub(super) fn step_wall(&mut self, by_ms: i64) {
        self.source.touch(Thing::Clock, true);
        self.wall_offset_ms = self.wall_offset_ms.saturating_add(by_ms);
    }

    fn can_go_on(&self, process: ProcessId) -> bool {
        let state = &self.processes[process];
        state.alive
            && state.stopped_until <= self.noted
            && state.waits.is_none_or(|wait| {
                let over = wait.deadline_ms.is_some_and(|deadline_ms| self.clock_ms >= deadline_ms);
                over || self.disk.can_lock(wait.open, wait.mode)
            })
    }

    /// Those that can go on, `current` first; how many they are.
    fn ready(&self, current: Option<ProcessId>) -> ([ProcessId; TOGETHER_MAX], usize) {
        let (mut ready, mut count) = ([0; TOGETHER_MAX], 0);
        let others = self.round.clone().filter(|process| Some(*process) != current);
        let mut new = 0;
        for process in current.into_iter().chain(others) {
            if self.can_go_on(process) {
                new += u32::from(self.processes[process].calls == 0);
                if self.options.alike && new > 1 && self.processes[process].calls == 0 {
                    continue;
                }
                ready[count] = process;
                count += 1;
            }
        }
        (ready, count)
    }

    /// Who goes next: the current one first, so that the first answer to every question is a run without preemption.
    pub(super) fn pick(&mut self, current: Option<ProcessId>) -> Option<ProcessId> {
        let (mut ready, mut count) = self.ready(current);
        while count == 0 {
            if !self.somebody_may_go_on() {
                return None;
            }
            (ready, count) = self.ready(current);
        }
        let at_call = current == Some(ready[0]);
        if at_call && self.options.preemptions_max.is_some_and(|most| self.preemptions >= most) {
            count = 1;
        }
        let Some(chosen) = self.source.next(&ready[..count], at_call, self.options.preempt_one_in) else {
            self.bury_all();
            return None;
        };
        self.preemptions += u32::from(at_call && chosen > 0);
        Some(ready[chosen])
    }

    /// Nobody can go on: what is stopped continues; else a forked child ends, or time jumps to the first deadline; else
    /// whoever still waits does so without end, and is killed.
    fn somebody_may_go_on(&mut self) -> bool {
        let of_round = self.processes[self.round.clone()].iter_mut().filter(|process| process.alive);
        let mut stopped: Vec<&mut Process> =
            of_round.filter(|process| process.stopped_until > self.noted).collect();
        if !stopped.is_empty() {
            stopped.iter_mut().for_each(|process| process.stopped_until = 0);
            self.pass(self.options.stop_ms);
            return true;
        }
        let waits =
            || self.processes[self.round.clone()].iter().filter(|it| it.alive).filter_map(|it| it.waits);
        if waits().next().is_none() {
            return false;
        }
        let first = waits().filter_map(|wait| wait.deadline_ms).min();
        let child = self.processes.iter().position(|process| process.alive && process.forked);
        match (child, first) {
            (Some(child), None) => self.bury(child),
            (Some(child), Some(_)) if self.source.choose("patience", 2) == 0 => self.bury(child),
            (_, Some(first)) => self.pass(first.saturating_sub(self.clock_ms)),
            (None, None) => {
                self.deadlocked = true;
                self.bury_all();
                return false;
            }
        }
        true
    }

    /// What goes wrong at this call, planned or chosen.
    pub(super) fn fault(&mut self, process: ProcessId, call: Call<'_>) -> Option<Fault> {
        let state = &mut self.processes[process];
        let number = state.calls;
        state.calls += 1;
        let kept = self.disk.model() == Persistence::Kept;
        let looks = looks(call.name) || kept && matches!(call.name, "sync" | "sync_dir");
        let after_look = std::mem::replace(&mut state.looked, looks);
        let takes_room = call.bytes > 0 || matches!(call.name, "create" | "make_dir" | "link");
        if let Some(fault) = state.plan.fault(number, takes_room) {
            return Some(fault);
        }
        if self.takes_turn(process) { self.chance(process, call, after_look) } else { None }
    }
}

/// Whether the call changes nothing that another process could see. What is open keeps its inode number from being used
/// again.
fn looks(name: &str) -> bool {
    matches!(name, "stat" | "fstat" | "resolve" | "list" | "read_at")
}
