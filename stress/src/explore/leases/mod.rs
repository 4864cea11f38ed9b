//! The lease machine on its own: every state of small configurations, each transition compared with the oracle and
//! with the machine's own invariants; and random walks.

mod answer;
mod judge;
mod kinds;
mod mutants;
mod node;
mod space;
mod step;
mod subject;
mod taken;
mod walk;

pub use kinds::LeaseMutant;
pub use space::LeaseConfig;
pub use subject::LeaseSubject;
pub use walk::LeaseWalker;

use super::search::{Explored, Limit, search};

/// Searches `config`. `tell` hears of the transitions so far, now and then.
///
/// # Panics
/// If there are more than 2^32 states.
pub fn explore_leases(
    subject: &impl LeaseSubject,
    config: &LeaseConfig,
    limit: Limit,
    tell: &mut dyn FnMut(u64),
) -> Explored {
    search(step::Search::new(subject, config), limit, tell)
}
