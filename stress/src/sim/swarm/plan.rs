//! What a run is: which operations by which processes, what may go wrong, how large things are. Drawn before it begins.

use super::Size;
use super::after::After;
use crate::sim::choice::Source;
use crate::sim::disk::Persistence;
use crate::sim::door::Locks;
use crate::sim::world::{Errors, Options};

/// A run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// What a power cut may do; none where it keeps everything.
    pub(super) model: Option<Persistence>,
    pub(super) page_bytes: usize,
    pub(super) users: Users,
    pub(super) generations: Vec<Generation>,
    /// The answers that say all of this.
    pub(super) answers: usize,
    options: Options,
}

/// What processes do, of all kinds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Users {
    pub(super) durable: bool,
    pub(super) locks: bool,
    pub(super) leases: bool,
    pub(super) tasks: bool,
    pub(super) documents: bool,
    pub(super) logs: bool,
    /// Whether reasons are long, so that the journal is rotated.
    pub(super) long: bool,
    /// Whether locks and leases are bound to processes.
    pub(super) bound: bool,
    /// How many locks, leases and tasks there are, of each.
    pub(super) names: u64,
    /// Whether a definite failure is nothing wrong.
    pub(super) may_fail: bool,
    /// The same of patience that ran out.
    pub(super) may_wait_long: bool,
}

/// The operations of each of its processes, and what comes after them.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    /// Codes of operations; 0 is none.
    pub(super) ops: Vec<Vec<u32>>,
    pub(super) after: After,
}

/// How many codes of operations there are.
const OPS: usize = 1 << 16;
/// Enough of any fault.
const MANY: u32 = 1_000_000;

impl Plan {
    pub(super) fn draw(source: &mut Source, size: Size) -> Self {
        let pick = |source: &mut Source, label, of: &[u32]| of[source.choose(label, of.len())];
        let begun = source.answers().len();
        let model = source.choose("model", 1 + Persistence::LOSING.len()).checked_sub(1);
        let page_bytes = pick(source, "page bytes", &[4096, 512, 64]) as usize;
        let boots = source.choose("boots", 4) > 0;
        let users = users(source);
        let options = options(source, boots, users.durable);
        let may_fail = options.errors_max > 0;
        let may_wait_long = options.stalls_max + options.stops_max + options.forks_max > 0;
        let processes = 2 + source.choose("processes", 5);
        let (counts, eachs) = match size {
            Size::Large => ([3, 6, 12, 24], [6, 15, 40]),
            Size::Small => ([1, 2, 3, 4], [3, 6, 12]),
        };
        let count = pick(source, "generations", &counts);
        let each = pick(source, "operations of each", &eachs);
        let generations: Vec<Generation> = (0..count)
            .map(|_| {
                let ops = |source: &mut Source| (0..each).map(|_| op(source)).collect();
                let ops = (0..processes).map(|_| ops(source)).collect();
                let after = After::ALL[source.choose("op after", After::ALL.len())];
                let after = if boots || after == After::Pause { after } else { After::Nothing };
                Generation { ops, after }
            })
            .collect();
        Plan {
            model: model.map(|model| Persistence::LOSING[model]),
            page_bytes,
            users: Users { may_fail, may_wait_long, ..users },
            generations,
            answers: source.answers().len() - begun,
            options,
        }
    }

    /// What may go wrong in the world.
    pub(super) fn faults(&self, locks: Locks) -> Options {
        Options { locks, ..self.options }
    }

    /// Whether journal time may run otherwise than the harness's clock: a boot begins at the wall clock, and what was
    /// bound to a process of an earlier boot has only its TTL.
    pub(super) fn boots(&self) -> bool {
        self.options.power_cuts_max > 0
            || self.generations.iter().any(|it| !matches!(it.after, After::Nothing | After::Pause))
    }
}

fn op(source: &mut Source) -> u32 {
    u32::try_from(source.choose("op", OPS)).expect("a code is small")
}

fn users(source: &mut Source) -> Users {
    let mut on = |label| source.choose(label, 2) == 0;
    let (locks, leases, tasks) = (on("no locks"), on("no leases"), on("no tasks"));
    // They take from the journal's, of which there is more to reach.
    let (documents, logs) = (source.choose("documents", 3) == 1, source.choose("logs", 3) == 1);
    Users {
        durable: source.choose("relaxed", 4) < 3,
        locks: locks || !(leases || tasks || documents || logs),
        leases,
        tasks,
        documents,
        logs,
        long: source.choose("long", 2) == 1,
        bound: source.choose("bound", 2) == 1,
        names: [2, 5][source.choose("names", 2)],
        may_fail: false,
        may_wait_long: false,
    }
}

/// Every fault is switched on or off, and is rare or not.
fn options(source: &mut Source, boots: bool, durable: bool) -> Options {
    let mut rate = |label| [0_u32, 2_000, 300][source.choose(label, 3)];
    let most = |one_in: u32| if one_in == 0 { 0 } else { MANY };
    let (kill, power, stall, stop) = (rate("kills"), rate("power cuts"), rate("stalls"), rate("stops"));
    let (error, evict, fork) = (rate("errors"), rate("evictions"), rate("forks"));
    let (clock, suspend) = (rate("clock steps"), rate("suspends"));
    let power = if boots { power.saturating_mul(10) } else { 0 };
    // The wall clock counts where a boot begins; runs with boots have it set between generations.
    let (clock, suspend) = if boots { (0, 0) } else { (clock, suspend) };
    let errors = errors(source);
    // A writeback that failed takes what a relaxed answer rests on.
    let errors = Errors { sync: errors.sync && durable, ..errors };
    Options {
        preempt_one_in: [64, 16, 4, 1][source.choose("preempt one in", 4)],
        kills_max: most(kill),
        kill_one_in: kill,
        power_cuts_max: most(power),
        power_cut_one_in: power,
        stalls_max: most(stall),
        stall_one_in: stall,
        stall_ms: 1_000,
        stops_max: most(stop),
        stop_one_in: stop,
        stop_ms: 1_000,
        errors_max: if errors == Errors::NONE { 0 } else { most(error) },
        error_one_in: error,
        errors,
        evictions_max: most(evict),
        eviction_one_in: evict,
        clock_steps_max: most(clock),
        clock_step_one_in: clock,
        suspends_max: most(suspend),
        suspend_one_in: suspend,
        suspend_ms: 3_600_000,
        forks_max: most(fork),
        fork_one_in: fork,
        pids_max: [u64::MAX, 7][source.choose("few pids", 2)],
        split_writes: source.choose("split writes", 2) == 1,
        ..Options::default()
    }
}

fn errors(source: &mut Source) -> Errors {
    let mut on = |label| source.choose(label, 2) == 1;
    Errors {
        write: on("write errors"),
        sync: on("sync errors"),
        full: on("full disk"),
        files: on("too many files"),
        interrupted: on("interrupted"),
        short: on("short"),
    }
}
