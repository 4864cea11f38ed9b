//! Swarm runs: processes work together for thousands of operations, are killed, stopped and cut off, meet full disks and
//! failing syncs, boot after boot; and what they were told is judged by the checker that judges real runs.
//!
//! - [`Plan`]: what a run is made of, drawn from its seed; which operations and which faults there are differs from run to
//!   run;
//! - `door`: where calls fail and the power fails;
//! - `client`: what a process asks for;
//! - `run`: the boots, the recorded history, the judges: the checker, the fold of the events, and whether each next
//!   process can read at all;
//! - [`minimize`]: the shortest plan that still fails, operations first.
//!
//! Not here, because the world has none yet: steps of the wall clock, suspend, copied and deleted folders.

mod client;
mod door;
mod minimize;
mod plan;
mod run;
pub mod stage;

pub use minimize::{Minimized, minimize};
pub use plan::Plan;

use crate::sim::choice::Schedule;
use crate::sim::scenario::Counterexample;

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was reached.
    pub reached: Reached,
    /// What was asked and answered, as a recorder writes it.
    pub history: String,
    /// What was wrong.
    pub found: Option<String>,
}

/// What was reached in a run, or in several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // each is counted, and named in the report
pub struct Reached {
    pub calls: u64,
    pub ops: u64,
    pub events: u64,
    pub takeovers: u64,
    pub contended: u64,
    pub killed: u64,
    pub power_cuts: u64,
    /// Power cuts in the first calls of a boot after another: while it recovers.
    pub early_cuts: u64,
    pub lost_tails: u64,
    pub quarantined: u64,
    pub rotated: u64,
    pub condemned: u64,
    pub rewritten: u64,
    pub failed_syncs: u64,
    pub other_failures: u64,
    /// Why the checker could not tell.
    pub unknown: Option<String>,
}

impl Reached {
    /// What must be reached sometimes, and how often it was.
    #[must_use]
    pub fn sometimes(&self) -> [(&'static str, u64); 13] {
        [
            ("takeovers", self.takeovers),
            ("contended", self.contended),
            ("processes killed", self.killed),
            ("power cuts", self.power_cuts),
            ("power cuts while recovering", self.early_cuts),
            ("lost tails", self.lost_tails),
            ("tails in quarantine", self.quarantined),
            ("rotated files", self.rotated),
            ("condemned files", self.condemned),
            ("lines written over", self.rewritten),
            ("syncs that failed", self.failed_syncs),
            ("other calls that failed", self.other_failures),
            ("events", self.events),
        ]
    }

    /// Both.
    pub fn add(&mut self, other: Reached) {
        self.calls += other.calls;
        self.ops += other.ops;
        self.events += other.events;
        self.takeovers += other.takeovers;
        self.contended += other.contended;
        self.killed += other.killed;
        self.power_cuts += other.power_cuts;
        self.early_cuts += other.early_cuts;
        self.lost_tails += other.lost_tails;
        self.quarantined += other.quarantined;
        self.rotated += other.rotated;
        self.condemned += other.condemned;
        self.rewritten += other.rewritten;
        self.failed_syncs += other.failed_syncs;
        self.other_failures += other.other_failures;
        self.unknown = self.unknown.take().or(other.unknown);
    }
}

impl Plan {
    /// Runs it. The same plan makes the same run.
    #[must_use]
    pub fn run(&self) -> Outcome {
        run::run(self)
    }

    /// The schedule that names it.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule { scenario: format!("{SWARM}{}", self.to_json()), answers: Vec::new() }
    }

    /// The plan that a schedule names, where it names one.
    ///
    /// # Errors
    /// Where it names one that this build cannot read.
    #[must_use]
    pub fn of_schedule(schedule: &Schedule) -> Option<Result<Self, String>> {
        Some(Plan::from_json(schedule.scenario.strip_prefix(SWARM)?))
    }

    /// The counterexample that `outcome` is, if it is one.
    #[must_use]
    pub fn counterexample(&self, outcome: &Outcome) -> Option<Counterexample> {
        let what = outcome.found.clone()?;
        Some(Counterexample { what, schedule: self.schedule(), trace: Vec::new() })
    }
}

/// How the scenario of a swarm run begins in a schedule.
const SWARM: &str = "swarm/";
