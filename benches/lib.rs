//! What the benches share: interleaved pairs, figures held against their goals, a workspace to measure in.
//!
//! A machine that does other work beside changes its speed from second to second. So two things are compared in pairs,
//! A, B, A, B, …, in one run, and the figure is the median of the ratios: what slows both down at the time cancels out.
//! Figures go to stdout, one a line, beside criterion's absolute numbers.

mod figure;
pub mod results;
mod workspace;

pub use figure::{Goal, Pairs, Quartiles, figure, pairs, timed};
pub use workspace::{CLAIM, Checkout, HOLDER, Locks, make, workspace_of};

/// The result of what may fail on a full or foreign disk.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
