//! What the gate runs of the swarm.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Plan, Reached, minimize};
use crate::sim::choice::Random;
use crate::sim::scenario::Counterexample;

/// How many runs a counterexample is shrunk by.
const SHRINK_RUNS_MAX: u64 = 300;

/// Runs so many plans drawn from `seed`, several at a time, with at most `ops_max` operations each.
///
/// # Errors
/// The first that fails, shrunk.
pub fn all(
    seed: u64,
    runs: u64,
    ops_max: u32,
    progress: &mut dyn FnMut(u64),
) -> Result<Reached, Box<Counterexample>> {
    let mut seeds = Random::new(seed);
    let plans: Vec<Plan> = (0..runs).map(|_| Plan::drawn(seeds.bits() >> 11, ops_max)).collect();
    let next = AtomicU64::new(0);
    let work = |progress: &mut dyn FnMut(u64)| -> Result<Reached, Box<Counterexample>> {
        let mut reached = Reached::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = usize::try_from(at).ok().and_then(|at| plans.get(at)) else {
                return Ok(reached);
            };
            let outcome = plan.run();
            if outcome.found.is_some() {
                let shortest = minimize(plan, SHRINK_RUNS_MAX);
                let (plan, what) = shortest
                    .map_or((plan.clone(), outcome.found.unwrap_or_default()), |shortest| {
                        (shortest.plan, shortest.what)
                    });
                let schedule = plan.schedule();
                return Err(Box::new(Counterexample { what, schedule, trace: Vec::new() }));
            }
            reached.add(outcome.reached);
            progress(at + 1);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|| work(&mut |_| {}))).collect();
        let found = work(progress);
        let others = others.into_iter().map(|other| other.join().expect("a worker does not panic"));
        others.fold(found, |all, reached| {
            let mut all = all?;
            all.add(reached?);
            Ok(all)
        })
    })
}
