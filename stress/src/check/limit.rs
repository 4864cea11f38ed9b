//! A deadline that holds, and a bound on memory.

use std::time::{Duration, Instant};

/// How many steps pass between two looks at the clock.
const STEPS_PER_LOOK: u32 = 1024;
/// The most configurations that a search remembers: 16 bytes each, and the table's own room, about 200 MB.
pub const CONFIGURATIONS_MAX: usize = 7_000_000;

/// What a check may still use up.
#[derive(Debug, Clone)]
pub struct Limit {
    end: Option<Instant>,
    steps: u32,
    over: Option<&'static str>,
    /// The most configurations that one search may remember.
    pub configurations_max: usize,
}

impl Limit {
    /// Until `deadline` from now.
    #[must_use]
    pub fn new(deadline: Duration) -> Self {
        let end = Instant::now().checked_add(deadline);
        Self { end, steps: 0, over: None, configurations_max: CONFIGURATIONS_MAX }
    }

    /// The part of what is left that one of `objects` objects may use, so that a hard one does not starve the rest.
    #[must_use]
    pub fn share(&self, objects: usize) -> Self {
        let now = Instant::now();
        let parts = u32::try_from(objects.max(1)).unwrap_or(u32::MAX);
        let end = self.end.map(|end| now + end.saturating_duration_since(now) / parts);
        Self { end, steps: 0, over: None, configurations_max: self.configurations_max }
    }

    /// Counts one step; false once the time is over.
    #[inline]
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps < STEPS_PER_LOOK || self.look()
    }

    /// Whether there is room for one more configuration than `remembered`.
    #[inline]
    pub fn remember(&mut self, remembered: usize) -> bool {
        if remembered >= self.configurations_max {
            self.over = Some("the search ran out of its memory");
        }
        self.over.is_none()
    }

    /// Looks at the clock; false once the time is over.
    pub fn look(&mut self) -> bool {
        self.steps = 0;
        if self.end.is_some_and(|end| Instant::now() >= end) {
            self.over = Some("the deadline passed");
        }
        self.over.is_none()
    }

    /// Why the check had to stop, if it had to.
    #[must_use]
    pub fn over(&self) -> Option<&'static str> {
        self.over
    }
}
