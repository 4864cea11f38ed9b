//! What the gate runs of the crash explorer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use std::fmt;

use super::{Bounds, Counts, Files, Power, USED, alone, few_pairs, pairs, starts};
use crate::sim::choice::Explored;
use crate::sim::disk::Persistence;
use crate::sim::scenario::{Counterexample, exhaust};

/// How much the stage looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    models: &'static [Persistence],
    /// On how many of the workspaces that an operation can meet, the used one first.
    starts_max: usize,
    alone: Bounds,
    /// The models on which two operations meet.
    meet_on: &'static [Persistence],
    meet: Bounds,
    /// Whether every two operations meet, and not only those that stand for the others.
    all_meet: bool,
    files_max: u64,
}

impl Effort {
    /// About two seconds of two cores.
    pub const QUICK: Effort = Effort {
        models: &[Persistence::Ext4],
        starts_max: 2,
        alone: Bounds { subsets_max: 1, again_max: 1, cuts_max: 2 },
        meet_on: &[],
        meet: Bounds { subsets_max: 1, again_max: 0, cuts_max: 1 },
        all_meet: false,
        files_max: 50,
    };
    /// Within the gate's default.
    pub const DEFAULT: Effort = Effort {
        models: &Persistence::LOSING,
        starts_max: usize::MAX,
        alone: Bounds { subsets_max: 2, again_max: 1, cuts_max: 3 },
        meet_on: &[Persistence::Ext4, Persistence::Pages],
        meet: Bounds { subsets_max: 2, again_max: 0, cuts_max: 1 },
        all_meet: false,
        files_max: 500,
    };
    /// As long as it takes.
    pub const DEEP: Effort = Effort {
        models: &Persistence::LOSING,
        starts_max: usize::MAX,
        alone: Bounds { subsets_max: 256, again_max: 64, cuts_max: 3 },
        meet_on: &Persistence::LOSING,
        meet: Bounds { subsets_max: 16, again_max: 4, cuts_max: 3 },
        all_meet: true,
        files_max: 1_000_000,
    };
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a cut at every call on {} models, {} subsets and as many drawn at each, {} cuts in a row; two operations on {} \
             models, {} subsets, one preemption",
            self.models.len(),
            self.alone.subsets_max,
            self.alone.cuts_max,
            self.meet_on.len(),
            self.meet.subsets_max,
        )
    }
}

/// Everything within `effort`.
///
/// # Errors
/// The first image that is judged wrong.
pub fn all(effort: Effort, seed: u64, progress: &mut dyn FnMut(u64)) -> Result<Counts, Box<Counterexample>> {
    let on = |start: &str| starts().take(effort.starts_max).any(|name| name == start);
    let cases: Vec<Power> =
        effort.models.iter().flat_map(|model| alone(*model)).filter(|case| on(case.start())).collect();
    let mut counts = run(&cases, effort.alone, seed, progress)?;
    let two = if effort.all_meet { pairs } else { few_pairs };
    let cases: Vec<Power> = effort.meet_on.iter().flat_map(|model| two(*model)).collect();
    let cases: Vec<Power> =
        cases.into_iter().filter(|case| effort.all_meet || case.start() == USED).collect();
    let before = counts.images;
    counts.add(&run(&cases, effort.meet, seed, &mut |images| progress(before + images))?);
    for model in effort.models {
        for case in Files::all(*model) {
            let before = counts.images;
            let Explored { runs, .. } =
                exhaust(&case, effort.files_max, &mut |runs| progress(before + runs))?;
            counts.add(&Counts {
                cases: 1,
                runs,
                cuts: runs,
                images: runs,
                judged: runs,
                ..Counts::default()
            });
        }
    }
    Ok(counts)
}

/// Explores `cases`, several at a time, and what was looked at.
///
/// # Errors
/// The first image that is judged wrong.
pub fn run(
    cases: &[Power],
    bounds: Bounds,
    seed: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<Counts, Box<Counterexample>> {
    // Each case is a world of its own, so they need not wait for each other; which ends first changes nothing.
    let (next, images) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = |progress: &mut dyn FnMut(u64)| -> Result<Counts, Box<Counterexample>> {
        let mut counts = Counts::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at) else { return Ok(counts) };
            let (seen, found) = case.explore(bounds, seed.wrapping_add(at as u64));
            if let Some(found) = found {
                return Err(found);
            }
            counts.add(&seen);
            progress(images.fetch_add(seen.images, Ordering::Relaxed) + seen.images);
        }
    };
    let workers =
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(cases.len().max(1));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|| work(&mut |_| {}))).collect();
        let found = work(progress);
        let others = others.into_iter().map(|other| other.join().expect("a worker does not panic"));
        others.fold(found, |all, counts| {
            let mut all = all?;
            all.add(&counts?);
            Ok(all)
        })
    })
}
