//! Every wrong machine, and the ways of the explorer to find it: what the matrix of engines and mutants asks.

use std::time::{Duration, Instant};

use super::status::{self, Bounds, check_ids, check_laws, shapes};
use super::{
    Config, Found, LeaseConfig, LeaseMutant, LeaseWalker, Limit, Mutant, Walker, explore, explore_leases,
};

/// A wrong machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// Of locks.
    Lock(Mutant),
    /// Of leases.
    Lease(LeaseMutant),
    /// Of statuses.
    Status(status::Mutant),
}

/// Deep enough for each of them: the shortest way to any is of four steps.
const STEPS_MAX: u32 = 5;
/// No search of a wrong machine comes near it.
const SEARCH_MAX: Duration = Duration::from_secs(60);
/// How many walks are drawn from a seed.
const WALKS_MAX: u64 = 500;
/// In the smallest vocabularies each wrong machine of statuses shows.
const SMALL: Bounds = Bounds { statuses: (1, 2), epochs: 1, turns: 1, details: 2 };

impl Machine {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let locks = Mutant::ALL.into_iter().map(Machine::Lock);
        let leases = LeaseMutant::ALL.iter().copied().map(Machine::Lease);
        let statuses = status::Mutant::ALL.iter().copied().map(Machine::Status);
        locks.chain(leases).chain(statuses).collect()
    }

    /// Its name, with what it is a machine of.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Machine::Lock(mutant) => format!("lock: {mutant:?}"),
            Machine::Lease(mutant) => format!("lease: {mutant:?}"),
            Machine::Status(mutant) => format!("status: {mutant:?}"),
        }
    }

    /// Breadth first, every state of a small configuration: how many states were seen until it showed (of a status,
    /// transitions), and what was wrong.
    #[must_use]
    pub fn search(self) -> Option<(u64, Found)> {
        let limit = Limit { depth: STEPS_MAX, time: SEARCH_MAX };
        match self {
            Machine::Lock(mutant) => {
                let two = mutant == Mutant::ReleasesAll;
                let config = if two { Config::two_names() } else { Config::one_name() };
                let explored = explore(&mutant, &config, limit, &mut |_| {});
                explored.violation.map(|found| (explored.states, Found { why: found.why, path: found.path }))
            }
            Machine::Lease(mutant) => {
                let advises = matches!(mutant, LeaseMutant::AdviceRefuses | LeaseMutant::AdviceSilent);
                let config = LeaseConfig::two_leases(advises);
                let explored = explore_leases(&mutant, &config, limit, &mut |_| {});
                explored.violation.map(|found| (explored.states, Found { why: found.why, path: found.path }))
            }
            Machine::Status(mutant) => search_statuses(mutant),
        }
    }

    /// Random walks from a seed: how many steps were taken until it showed, and what was wrong.
    #[must_use]
    pub fn walk(self, seed: u64) -> Option<(u64, Found)> {
        let first = seed.wrapping_mul(WALKS_MAX);
        let mut steps = 0;
        for seed in (0..WALKS_MAX).map(|walk| first.wrapping_add(walk)) {
            let walked = match self {
                Machine::Lock(mutant) => Walker::new(seed).run(&mutant),
                Machine::Lease(mutant) => LeaseWalker::new(seed).run(&mutant),
                Machine::Status(_) => return None,
            };
            steps += walked.steps;
            if let Some(found) = walked.found {
                return Some((steps, found));
            }
        }
        None
    }

    /// The laws of the join over all small values: how many pairs and triples were joined until one did not hold.
    #[must_use]
    pub fn laws(self) -> Option<(u64, Found)> {
        let Machine::Status(mutant) = self else { return None };
        let checked = check_laws(&mutant, &SMALL);
        checked.found.map(|why| (checked.pairs + checked.triples, Found { why, path: Vec::new() }))
    }
}

fn search_statuses(mutant: status::Mutant) -> Option<(u64, Found)> {
    if matches!(mutant, status::Mutant::IdAsItStands | status::Mutant::IdWithoutZeros) {
        let ids = check_ids(&mutant);
        return ids.found.map(|why| (ids.pairs, Found { why, path: vec!["two sets".to_owned()] }));
    }
    let mut transitions = 0;
    for shape in shapes(1, 2) {
        let explored = status::explore(&mutant, &shape, &SMALL, Instant::now() + SEARCH_MAX);
        transitions += explored.transitions;
        if let Some(found) = explored.found {
            return Some((transitions, Found { why: found.why, path: found.path }));
        }
    }
    None
}
