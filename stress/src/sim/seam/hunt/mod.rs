//! The engines that hunt a mutant, and what each is let loose on.

mod after;
mod answered;
mod copies;
mod engines;
mod file_deeds;
mod known;
mod lived;
mod matrix;
mod pairs;
mod seen;
mod stranger;
mod things;
mod undone;

pub use engines::{Engine, Ground, engines};
pub use known::{Checked, Known, caught_table, check, known};
pub use matrix::{Caught, Cell, Effort, Matrix, Progress, Row, matrix, side_by_side};

/// How much a counterexample needs, at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// Operations of the shipped code, the one that shows it included.
    pub operations: u32,
    /// How often a process that could go on had to wait.
    pub preemptions: u32,
    /// Kills, forks, failed calls and power cuts.
    pub faults: u32,
}

impl Cost {
    /// The most that a counterexample of a call that is left out should need.
    pub const SMALL: Cost = Cost { operations: 4, preemptions: 2, faults: 1 };

    const fn of(operations: u32, preemptions: u32, faults: u32) -> Self {
        Cost { operations, preemptions, faults }
    }

    /// Whether it is within another in every respect.
    #[must_use]
    pub fn is_within(self, most: Cost) -> bool {
        self.operations <= most.operations
            && self.preemptions <= most.preemptions
            && self.faults <= most.faults
    }
}

/// What one hunt came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunt {
    /// How many executions it took.
    pub executions: u64,
    /// What was violated in the last of them, if anything was.
    pub violation: Option<String>,
    /// What that needs; none where it is not known.
    pub cost: Option<Cost>,
}
