//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with
//! Probabilistic Guarantees of Finding Bugs, ASPLOS 2010).
//!
//! Each process has a priority; the highest that can go on does. At depth minus one places, drawn among all steps, the
//! one at the top falls below all that have not fallen; how deep, the place was given before it was drawn, so that one
//! that falls later may be above or below. A bug that needs `depth` orderings is hit with probability
//! 1/(n·k^(depth-1)) for n processes and k steps, or more often.

use super::Random;

#[derive(Debug, Clone)]
pub(super) struct Pct {
    random: Random,
    /// By process; drawn when it is first seen.
    priorities: Vec<(usize, u64)>,
    /// The steps at which the running process falls, and to which priority; the last first.
    changes: Vec<(u64, u64)>,
    step: u64,
}

/// Priorities that were drawn are above all that were fallen to.
const DRAWN: u64 = 1 << 32;

impl Pct {
    pub(super) fn new(seed: u64, depth: u32, steps: u64) -> Self {
        let mut random = Random::new(seed);
        let of = u32::try_from(steps.clamp(1, u64::from(u32::MAX))).expect("it is clamped");
        let mut changes: Vec<(u64, u64)> =
            (1..depth).map(|priority| (u64::from(random.below(of)), u64::from(priority))).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Pct { random, priorities: Vec::new(), changes, step: 0 }
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Which of those that can go on does; where one of them is at a call, it stands first.
    pub(super) fn next(&mut self, ready: &[usize], at_call: bool) -> usize {
        while let Some((_, fallen)) = self.changes.pop_if(|change| change.0 <= self.step) {
            if at_call {
                self.priority(ready[0]);
                self.priorities.iter_mut().filter(|it| it.0 == ready[0]).for_each(|it| it.1 = fallen);
            }
        }
        self.step += 1;
        (0..ready.len()).max_by_key(|at| self.priority(ready[*at])).unwrap_or(0)
    }

    fn priority(&mut self, process: usize) -> u64 {
        if let Some((_, priority)) = self.priorities.iter().find(|it| it.0 == process) {
            return *priority;
        }
        let priority = DRAWN | (self.random.bits() >> 32);
        self.priorities.push((process, priority));
        priority
    }
}
