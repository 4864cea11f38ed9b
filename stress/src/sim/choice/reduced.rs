//! Sleep sets (Godefroid 1996): of the runs that differ only in the order of steps that commute, one is enough.
//!
//! Once every run that lets process p go on at some point has been seen, p *sleeps* in the other runs from there until
//! somebody makes a step that does not commute with p's: until then, letting p go on leads to a world that has been
//! seen. Where only sleepers could go on, the run is redundant and ends.
//!
//! *Under a preemption bound* only the process that was at a call sleeps, once the runs in which it just goes on have
//! been seen. Let E be a run within the bound that wakes a sleeper too early: at point s the process q is at a call t,
//! others make steps that commute with t, then q makes t. Making t at s, before the others, is a run of the same world.
//! It needs no more preemptions: E pays for leaving q at s, and again for each return to a process that could go on; the
//! other run pays for leaving q after t instead, and for nothing that E does not pay. It comes earlier in the order of
//! the search, so it has been seen, or was left out for the sake of an earlier one. A process that was itself chosen by
//! preempting another must not sleep: making its step first may need one preemption more than E has.

use super::touched::{Relation, Touched};

/// A process that need not go on yet, and what its next step touches.
#[derive(Debug, Clone)]
pub(super) struct Sleeper {
    pub(super) process: usize,
    pub(super) step: Touched,
}

/// A question of who goes next, as the search needs it afterwards.
#[derive(Debug, Clone)]
pub(super) struct Fork {
    /// The number of its answer.
    pub(super) answer: usize,
    pub(super) ready: Vec<usize>,
    /// Whether the first of them was at a call, and another would preempt it.
    pub(super) at_call: bool,
    pub(super) asleep: Vec<Sleeper>,
    /// What the step of the chosen one touched.
    pub(super) step: Touched,
}

/// The state of one run.
#[derive(Debug, Clone)]
pub(super) struct Reduced {
    pub(super) prefix: Vec<u32>,
    commutes: Relation,
    /// Who sleeps from which answer on: the last fork of the prefix.
    pub(super) from: Option<(usize, Vec<Sleeper>)>,
    pub(super) forks: Vec<Fork>,
    asleep: Vec<Sleeper>,
    step: Touched,
    /// Whether the step that runs was chosen at the last of `forks`.
    at_fork: bool,
    pub(super) redundant: bool,
}

impl Reduced {
    pub(super) fn new(prefix: Vec<u32>, from: Option<(usize, Vec<Sleeper>)>, commutes: Relation) -> Self {
        Reduced {
            prefix,
            commutes,
            from,
            forks: Vec::new(),
            asleep: Vec::new(),
            step: Touched::default(),
            at_fork: false,
            redundant: false,
        }
    }

    pub(super) fn touch(&mut self) -> &mut Touched {
        &mut self.step
    }

    /// The step that ran is over.
    pub(super) fn step_ends(&mut self) {
        if self.at_fork
            && let Some(fork) = self.forks.last_mut()
        {
            fork.step.join(&self.step);
        }
        self.at_fork = false;
        self.asleep.retain(|sleeper| (self.commutes)(&sleeper.step, &self.step));
        self.step.clear();
    }

    /// Whether the only one that can go on sleeps.
    pub(super) fn is_asleep(&self, process: usize) -> bool {
        self.asleep.iter().any(|sleeper| sleeper.process == process)
    }

    /// Who goes next, at answer number `answer`; nobody where all sleep.
    pub(super) fn next(&mut self, answer: usize, ready: &[usize], at_call: bool) -> Option<usize> {
        let chosen = match self.prefix.get(answer) {
            Some(chosen) => *chosen as usize,
            None => (0..ready.len()).find(|at| !self.is_asleep(ready[*at]))?,
        };
        if self.from.as_ref().is_some_and(|from| from.0 == answer)
            && let Some((_, asleep)) = self.from.take()
        {
            self.asleep = asleep;
        }
        let asleep = self.asleep.clone();
        self.forks.push(Fork { answer, ready: ready.to_vec(), at_call, asleep, step: Touched::default() });
        self.at_fork = true;
        Some(chosen)
    }
}
