//! What the gate runs of the crash explorer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{Bounds, Counts, Power};
use crate::sim::scenario::Counterexample;

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
            let found = case.explore(bounds, seed.wrapping_add(at as u64))?;
            counts.add(&found);
            progress(images.fetch_add(found.images, Ordering::Relaxed) + found.images);
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
