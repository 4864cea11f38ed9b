//! The explorer: the machines on their own, without disk, interleavings or crashes.
//!
//! Two ways to look at the same decisions: *every* state of small configurations, breadth first ([`explore`]), each
//! transition compared with the oracle and with the machine's own invariants; and long random walks through large
//! ones ([`Walker`]). Wrong machines ([`Mutant`]) say whether either is blind. So it is for locks; [`status`] is the same
//! for the statuses of tasks.

mod answer;
mod judge;
mod leases;
mod machines;
mod mutants;
mod node;
mod relation;
mod search;
mod space;
mod stage;
pub mod status;
mod step;
mod subject;
mod taken;
mod walk;

pub use leases::{LeaseConfig, LeaseMutant, LeaseSubject, LeaseWalker, explore_leases};
pub use machines::Machine;
pub use mutants::Mutant;
pub use search::{Explored, Limit, Violation, explore};
pub use space::{Action, Config, Shown};
pub use stage::{oracle_stage, stage};
pub use subject::{Fate, Shipped, Subject};
pub use walk::{Found, Walked, Walker};
