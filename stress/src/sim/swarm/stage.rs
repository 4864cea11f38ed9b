//! What the gate runs of the swarm.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Reached, Swarm, minimized};
use crate::sim::choice::{Random, Source};
use crate::sim::scenario::{Counterexample, Scenario as _};
use crate::sim::seam::recording;

/// A run that is judged wrong, and how many were made before it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Counted from 1.
    pub runs: u64,
    /// The run, shortened.
    pub counterexample: Box<Counterexample>,
}

/// In one of so many runs it is noted which places of the shipped code call the disk.
const RECORDED_ONE_IN: u64 = 8;
/// How many calls a finding is shortened by.
const SHORTENED_CALLS_MAX: u64 = 4_000_000;
/// How many of its calls are told; the schedule has them all.
const TOLD_CALLS_MAX: usize = 200;

/// In one of so many runs it goes by priorities who is next, of depth 2 and 3 in turn.
const BY_PRIORITIES_ONE_IN: u64 = 4;
/// How long such a run is taken to be, in turn: what its places are spread over.
const STEPS: [u64; 3] = [300, 3_000, 30_000];

fn is_by_priorities(run: u64) -> bool {
    run % BY_PRIORITIES_ONE_IN == BY_PRIORITIES_ONE_IN - 1
}

/// Where the answers of a run come from.
fn drawn(run: u64, seed: u64) -> Source {
    if !is_by_priorities(run) {
        return Source::random(seed);
    }
    let turn = run / BY_PRIORITIES_ONE_IN;
    let steps = STEPS[usize::try_from(turn / 2 % STEPS.len() as u64).expect("one of a few")];
    Source::pct(seed, 2 + u32::try_from(turn % 2).expect("one of two"), steps)
}

/// Makes `runs_max` runs drawn from `seed`, on all cores, until one is judged wrong.
pub fn run(
    swarm: &Swarm,
    seed: u64,
    runs_max: u64,
    progress: &mut dyn FnMut(u64),
) -> (Reached, Option<Found>) {
    let mut seeds = Random::new(seed);
    let seeds: Vec<u64> = (0..runs_max).map(|_| seeds.bits()).collect();
    let (next, operations, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let all: Mutex<(Reached, Option<Found>)> = Mutex::default();
    let work = |progress: &mut dyn FnMut(u64)| {
        while !over.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(seed) = usize::try_from(at).ok().and_then(|at| seeds.get(at)) else { return };
            let source = drawn(at, *seed).quiet();
            // Not always: it is slower.
            let (ran, reached) = match at % RECORDED_ONE_IN {
                0 => {
                    let ((ran, mut reached), record) = recording(|| swarm.play(source));
                    reached.called(&record);
                    (ran, reached)
                }
                _ => swarm.play(source),
            };
            progress(operations.fetch_add(reached.operations, Ordering::Relaxed) + reached.operations);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.0.add(&reached);
            all.0.by_priorities += u64::from(is_by_priorities(at));
            if let Some(what) = ran.violation
                && all.1.as_ref().is_none_or(|found| at < found.runs)
            {
                over.store(true, Ordering::Relaxed);
                let schedule = ran.source.schedule(&swarm.name()).trimmed();
                let counterexample = Box::new(Counterexample { what, schedule, trace: Vec::new() });
                all.1 = Some(Found { runs: at + 1, counterexample });
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        (1..workers).for_each(|_| _ = scope.spawn(|| work(&mut |_| {})));
        work(progress);
    });
    let (reached, mut found) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = &mut found {
        let long = Counterexample::clone(&found.counterexample);
        let mut short = minimized(swarm, long, SHORTENED_CALLS_MAX);
        let untold = short.trace.len().saturating_sub(TOLD_CALLS_MAX);
        short.trace.drain(..untold);
        *found.counterexample = short;
    }
    (reached, found)
}
