//! `plan fix` under real git: clones of one bare remote, a board that they exchange, and whoever keeps the two in step.
//!
//! A *helper* is what keeps them in step: the shipped command, or one of the gate's own ([`Flaw`]), which does as much with
//! a repository and has known defects, or none. The [`scenarios`] drive a helper as a process and look at the
//! repositories afterwards; the [`storm`] drives three at once and kills them.

mod machine;
mod naive;
mod place;
pub mod scenarios;
pub mod storm;

pub use machine::{Ended, Helper, Machine};
pub use naive::{Flaw, PUBLISHED, broken_plan};
pub use place::World;

/// What a scenario found: what must not be, in words.
pub type Outcome = Result<(), String>;
