//! Seeded random walks of the lease machine: more leases and holders, longer times; one state and one oracle carried
//! from end to end.
//!
//! Every second walk is told to the oracle as a history tells of it: each operation lies somewhere within an interval,
//! and some answers are lost. What the machine does then must still be possible.

use fencehold_model::TimeMs;
use fencehold_model::state::REMEMBER_MS;

use super::super::walk::{Found, Walked};
use super::subject::LeaseSubject;
use super::taken::take;
use crate::rng::Rng;

/// How many steps a walk has.
const STEPS: usize = 300;
/// The most by which an operation's interval is wider than its instant, to either side.
pub(super) const JITTER: u64 = 3;

pub(super) const SPELLINGS: [&str; 7] = ["5", "05", "50", "T1", "T10", "7.1", "07.01"];
pub(super) const SETS: [&[&str]; 7] =
    [&["src"], &["src/*.rs"], &["src/a.rs", "docs"], &["docs/b.md"], &["x"], &["**/b.md"], &[]];
const HOLDERS: u64 = 3;

/// One drawn step, at its time.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at_ms: TimeMs,
    pub(super) spelling: usize,
    pub(super) what: What,
    /// How much earlier it was sent, and how much later answered.
    pub(super) jitter: (u64, u64),
    pub(super) lost: bool,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Grant {
        holder: usize,
        set: usize,
        ttl_ms: Option<u64>,
        life: Option<Life>,
    },
    /// The token of the latest grant but so many.
    Close(usize),
    CloseBy(usize),
    Crash {
        back: Option<usize>,
        blank: bool,
    },
    Clear {
        force: bool,
        blank: bool,
    },
    Reap(usize),
    Show,
    List,
    Forget,
}

/// What becomes of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    OutOfSight,
    Until(TimeMs),
}

/// A drawn walk.
#[derive(Debug)]
pub struct LeaseWalker {
    steps: Vec<Step>,
    advises: bool,
    told: bool,
}

impl LeaseWalker {
    /// Draws the walk of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (advises, told) = (seed.is_multiple_of(2), seed / 2 % 2 == 1);
        let mut at_ms = 1_000;
        let steps = (0..STEPS).map(|_| {
            at_ms += match rng.below(60) {
                0 => REMEMBER_MS - 5 + rng.below(10),
                1..25 => 0,
                25..40 => 1,
                _ => rng.below(12),
            };
            let jitter = if told { (rng.below(JITTER + 1), rng.below(JITTER + 1)) } else { (0, 0) };
            Step {
                at_ms,
                spelling: rng.below(SPELLINGS.len() as u64) as usize,
                what: draw(&mut rng, at_ms),
                jitter,
                lost: told && rng.one_in(8),
            }
        });
        LeaseWalker { steps: steps.collect(), advises, told }
    }

    /// Takes the walk.
    #[must_use]
    pub fn run(&self, subject: &impl LeaseSubject) -> Walked {
        take(subject, &self.steps, self.advises, self.told)
    }

    /// Drops steps as long as something is still found: the minimal walk.
    #[must_use]
    pub fn shrink(&self, subject: &impl LeaseSubject, found: Found) -> Found {
        let (mut steps, mut found) = (self.steps[..found.path.len()].to_vec(), found);
        let mut at = steps.len();
        while at > 0 {
            at = (at - 1).min(steps.len() - 1);
            let mut fewer = steps.clone();
            fewer.remove(at);
            if let Some(still) = take(subject, &fewer, self.advises, self.told).found {
                fewer.truncate(still.path.len());
                (steps, found) = (fewer, still);
            }
        }
        found
    }
}

fn draw(rng: &mut Rng, at_ms: TimeMs) -> What {
    let holder = rng.below(HOLDERS) as usize;
    let back = usize::from(rng.one_in(4));
    match rng.below(20) {
        0..9 => {
            let life = match rng.below(6) {
                0 => Some(Life::OutOfSight),
                1 => Some(Life::Until(u64::MAX)),
                2 | 3 => Some(Life::Until(at_ms + rng.below(30))),
                _ => None,
            };
            let ttl_ms = (!rng.one_in(4)).then(|| 1 + rng.below(15));
            What::Grant { holder, set: rng.below(SETS.len() as u64) as usize, ttl_ms, life }
        }
        9..11 => What::Close(back),
        11 => What::CloseBy(holder),
        12 => What::Crash { back: rng.one_in(2).then_some(back), blank: rng.one_in(4) },
        13 => What::Clear { force: rng.one_in(2), blank: rng.one_in(3) },
        14 | 15 => What::Reap(back),
        16 => What::List,
        17 => What::Forget,
        _ => What::Show,
    }
}
