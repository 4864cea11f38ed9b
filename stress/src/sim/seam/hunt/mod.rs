//! The engines that hunt a mutant, and what each is let loose on.

mod after;
mod engines;
mod matrix;
mod pairs;

pub use engines::{Engine, Ground, engines};
pub use matrix::{Caught, Cell, Matrix, Progress, Row, matrix};

/// What one hunt came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunt {
    /// How many executions it took.
    pub executions: u64,
    /// What was violated in the last of them, if anything was.
    pub violation: Option<String>,
}
