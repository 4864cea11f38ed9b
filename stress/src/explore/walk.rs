//! Seeded random walks: more holders and names, longer times; one state and one oracle carried from end to end.
//!
//! A walk is drawn whole, with its times, before it is taken, so that dropping steps leaves a walk: that is how a
//! failing one is made minimal.

use fencehold_model::TimeMs;
use fencehold_model::history::NEVER;
use fencehold_model::state::REMEMBER_MS;

use super::subject::Subject;
use super::taken::take;
use crate::rng::Rng;

/// How many steps a walk has.
const STEPS: usize = 400;
pub(super) const NAMES: u64 = 4;
const HOLDERS: u64 = 6;
const CLAIMS: u64 = 3;

/// One drawn step, at its time.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at_ms: TimeMs,
    pub(super) name: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Party, TTL, and whether it is bound: to a process out of sight, or to one that dies then.
    Acquire {
        holder: usize,
        claim: Option<usize>,
        ttl_ms: u64,
        bound: Option<Life>,
    },
    Renew {
        holder: usize,
        shown: Showing,
        ttl_ms: Option<u64>,
    },
    Release {
        holder: usize,
        shown: Showing,
    },
    Break {
        blank: bool,
    },
    Show,
    Forget,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    OutOfSight,
    Until(TimeMs),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Showing {
    /// The token of the latest grant but so many.
    Token(usize),
    Claim(usize),
}

/// What was found, and the steps that lead there.
#[derive(Debug, Clone)]
pub struct Found {
    /// What must not be.
    pub why: String,
    /// The steps, the last one the wrong one.
    pub path: Vec<String>,
}

/// What a walk came to.
#[derive(Debug, Clone)]
pub struct Walked {
    /// Steps taken.
    pub steps: u64,
    /// Steps that recorded an event.
    pub recorded: u64,
    /// The first thing found.
    pub found: Option<Found>,
}

/// A drawn walk.
#[derive(Debug)]
pub struct Walker {
    steps: Vec<Step>,
}

impl Walker {
    /// Draws the walk of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut at_ms = 1_000;
        let steps = (0..STEPS).map(|_| {
            at_ms += match rng.below(40) {
                0 => REMEMBER_MS - 5 + rng.below(10),
                1..20 => 0,
                20..30 => 1,
                _ => rng.below(30),
            };
            let name = rng.below(NAMES) as usize;
            Step { at_ms, name, what: draw(&mut rng, at_ms) }
        });
        Walker { steps: steps.collect() }
    }

    /// Takes the walk.
    #[must_use]
    pub fn run(&self, subject: &impl Subject) -> Walked {
        take(subject, &self.steps)
    }

    /// Drops steps as long as something is still found: the minimal walk.
    #[must_use]
    pub fn shrink(&self, subject: &impl Subject, found: Found) -> Found {
        let mut steps = self.steps[..found.path.len().min(self.steps.len())].to_vec();
        let mut found = found;
        let mut chunk = steps.len() / 2;
        while chunk > 0 {
            let mut from = 0;
            while from < steps.len() {
                let mut fewer = steps.clone();
                fewer.drain(from..(from + chunk).min(steps.len()));
                match take(subject, &fewer).found {
                    Some(still) => {
                        fewer.truncate(still.path.len());
                        (steps, found) = (fewer, still);
                    }
                    None => from += chunk,
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
        found
    }
}

fn draw(rng: &mut Rng, at_ms: TimeMs) -> What {
    let holder = rng.below(HOLDERS) as usize;
    let claim = rng.below(CLAIMS) as usize;
    let shown = if rng.one_in(3) { Showing::Claim(claim) } else { Showing::Token(rng.below(3) as usize) };
    let ttl_ms = 1 + rng.below(25);
    match rng.below(20) {
        0..8 => {
            let bound = match rng.below(8) {
                0 => Some(Life::OutOfSight),
                1 => Some(Life::Until(NEVER)),
                2 => Some(Life::Until(at_ms + rng.below(40))),
                _ => None,
            };
            What::Acquire { holder, claim: (!rng.one_in(4)).then_some(claim), ttl_ms, bound }
        }
        8..12 => What::Renew { holder, shown, ttl_ms: (!rng.one_in(3)).then_some(ttl_ms) },
        12..16 => What::Release { holder, shown },
        16 => What::Break { blank: rng.one_in(3) },
        17 => What::Forget,
        _ => What::Show,
    }
}
