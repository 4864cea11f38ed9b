//! The faults that are asked of the source, call by call. A kind of fault that is used up is not asked for.

use rustix::io::Errno;

use super::fault::Fault;
use super::inner::Inner;
use super::trace::Note;
use super::{Cuts, Errors};
use crate::sim::choice::Thing;
use crate::sim::disk::ProcessId;
use crate::sim::door::Call;

/// How many faults of each kind there were by choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Processes that were killed.
    pub kills: u32,
    /// Power cuts.
    pub power_cuts: u32,
    /// Stalls.
    pub stalls: u32,
    /// Processes that were stopped.
    pub stops: u32,
    /// Calls that failed or did a part of what they were to do.
    pub errors: u32,
    /// Evictions of clean pages.
    pub evictions: u32,
    /// Steps of the wall clock.
    pub clock_steps: u32,
    /// Sleeps of the machine.
    pub suspends: u32,
    /// Forked children.
    pub forks: u32,
}

/// By how much the wall clock is set.
const CLOCK_STEPS_MS: [i64; 4] = [3_600_000, -3_600_000, 1_000, -1_000];
/// For how many calls of the others a process is stopped; the last, until none of them can go on.
const STOPS: [u64; 3] = [3, 30, u64::MAX];

impl Inner {
    /// Whether a fault of this kind happens here.
    fn happens(
        &mut self,
        label: &'static str,
        (most, one_in): (u32, u32),
        count: fn(&mut Counts) -> &mut u32,
    ) -> bool {
        let happens = *count(&mut self.counts) < most && self.source.flip(label, one_in);
        *count(&mut self.counts) += u32::from(happens);
        happens
    }

    /// What happens to a process that comes to a call, before it is asked who goes next.
    pub(super) fn chance_before(&mut self, process: ProcessId) {
        let options = self.options;
        if self.happens("stall", (options.stalls_max, options.stall_one_in), |counts| &mut counts.stalls) {
            self.pass(options.stall_ms);
            self.note_event(process, Note::Stalled(options.stall_ms));
        }
        if self.happens("stop", (options.stops_max, options.stop_one_in), |counts| &mut counts.stops) {
            let calls = STOPS[self.source.choose("stop for", STOPS.len())];
            self.processes[process].stopped_until = self.noted.saturating_add(calls);
            self.source.touch(Thing::All, true);
            self.note_event(process, Note::Stopped);
        }
    }

    /// What happens to the machine, and then to the call. `after_look`: the last call of the process changed nothing.
    /// Killed here, it leaves what it would have left if it had been killed there; a search that leaves out what makes
    /// no difference asks only whether a write is cut.
    pub(super) fn chance(&mut self, process: ProcessId, call: Call<'_>, after_look: bool) -> Option<Fault> {
        let options = self.options;
        if self.happens("evict", (options.evictions_max, options.eviction_one_in), |counts| {
            &mut counts.evictions
        }) {
            self.source.touch(Thing::All, true);
            self.disk.evict();
            self.note_event(process, Note::Evicted);
        }
        self.chance_of_clocks(process);
        if self.happens("fork", (options.forks_max, options.fork_one_in), |counts| &mut counts.forks) {
            self.fork(process);
        }
        if self.happens("power cut", (options.power_cuts_max, options.power_cut_one_in), |counts| {
            &mut counts.power_cuts
        }) {
            return Some(Fault::PowerCut);
        }
        let as_before = after_look && call.bytes == 0 && self.source.looks_at_touched();
        if !as_before
            && self.happens("kill", (options.kills_max, options.kill_one_in), |counts| &mut counts.kills)
        {
            return Some(self.kill_at(call));
        }
        if self.counts.errors < options.errors_max {
            return self.chance_of_error(call);
        }
        None
    }

    fn chance_of_clocks(&mut self, process: ProcessId) {
        let options = self.options;
        let steps = (options.clock_steps_max, options.clock_step_one_in);
        if self.happens("clock step", steps, |counts| &mut counts.clock_steps) {
            let by_ms = CLOCK_STEPS_MS[self.source.choose("by", CLOCK_STEPS_MS.len())];
            self.step_wall(by_ms);
            self.note_event(process, Note::ClockStep(by_ms));
        }
        if self
            .happens("suspend", (options.suspends_max, options.suspend_one_in), |counts| &mut counts.suspends)
        {
            self.step_wall(i64::try_from(options.suspend_ms).unwrap_or(i64::MAX));
            self.note_event(process, Note::Suspended(options.suspend_ms));
        }
    }

    fn kill_at(&mut self, call: Call<'_>) -> Fault {
        let few = [0, call.bytes / 2, call.bytes.saturating_sub(1), call.bytes];
        let bytes = match self.options.cuts {
            Cuts::EveryByte => self.source.choose("cut", call.bytes + 1),
            Cuts::Few if call.bytes > 0 => few[self.source.choose("cut", few.len())],
            Cuts::Few => 0,
        };
        if bytes == 0 { Fault::Kill } else { Fault::Cut(bytes) }
    }

    fn chance_of_error(&mut self, call: Call<'_>) -> Option<Fault> {
        let mut possible = [None; 4];
        let mut count = 0;
        for fault in self.options.errors.at(call).into_iter().flatten() {
            possible[count] = Some(fault);
            count += 1;
        }
        let options = self.options;
        let errors = (options.errors_max, options.error_one_in);
        if count == 0 || !self.happens("error", errors, |counts| &mut counts.errors) {
            return None;
        }
        match possible[self.source.choose("which", count)] {
            Some(Fault::Short(most)) => Some(Fault::Short(1 + self.source.choose("short", most))),
            fault => fault,
        }
    }
}

impl Errors {
    /// What may go wrong at this call; of a short one, how many different lengths there are.
    fn at(self, call: Call<'_>) -> [Option<Fault>; 4] {
        let fails = |is: bool, errno: Errno| is.then_some(Fault::Fail(errno));
        let whole = call.whole();
        let short = (self.short && whole > 1).then(|| Fault::Short(whole - 1));
        let none = None;
        match call.name {
            "append" | "write_at" => [
                fails(self.write, Errno::IO),
                fails(self.full && call.bytes > 0, Errno::NOSPC),
                fails(self.interrupted, Errno::INTR),
                short,
            ],
            "read_at" => [fails(self.interrupted, Errno::INTR), short, none, none],
            "sync" | "sync_dir" => [fails(self.sync, Errno::IO), none, none, none],
            "open" => [fails(self.files, Errno::MFILE), none, none, none],
            "create" => [fails(self.files, Errno::MFILE), fails(self.full, Errno::NOSPC), none, none],
            "make_dir" | "link" | "rename" | "rename_new" => {
                [fails(self.full, Errno::NOSPC), none, none, none]
            }
            _ => [none; 4],
        }
    }
}
