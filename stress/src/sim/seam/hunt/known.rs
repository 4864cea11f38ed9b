//! What became of each mutant: who catches it soonest, why it harms nobody, or what is missing to catch it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use super::matrix::{hunted, side_by_side};
use super::{Cost, Engine, Ground, Matrix};
use crate::sim::seam::verdicts::{HARMLESS, OPEN};
use crate::sim::seam::{Kind, Mutant};

/// Which engine catches a mutant soonest, and on what; written by `fencehold-gate mutants`.
const CAUGHT: &str = include_str!("caught.tsv");

/// The seeds that a mutant is hunted on before it counts as missed.
const SEEDS: u64 = 4;

/// What is known of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is caught by this engine on this ground.
    Caught {
        /// The engine.
        engine: &'static str,
        /// The ground.
        ground: &'static str,
    },
    /// It harms nobody, because of this.
    Harmless(&'static str),
    /// Nobody has caught it yet.
    Open,
}

/// What is known, by the mutants' names.
#[must_use]
pub fn known() -> BTreeMap<&'static str, Known> {
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    known.extend(OPEN.iter().map(|name| (*name, Known::Open)));
    for line in CAUGHT.lines() {
        let mut words = line.split('\t');
        if let (Some(name), Some(engine), Some(ground)) = (words.next(), words.next(), words.next()) {
            known.insert(name, Known::Caught { engine, ground });
        }
    }
    known.extend(HARMLESS.iter().map(|(name, why)| (*name, Known::Harmless(why))));
    known
}

/// The text of the file that `known` reads.
#[must_use]
pub fn caught_table(matrix: &Matrix) -> String {
    let lines = matrix.rows.iter().filter_map(|row| {
        let at = row.soonest()?;
        Some(format!("{}\t{}\t{}\n", row.mutant.name, matrix.engines[at], row.cells[at].ground.as_ref()?))
    });
    lines.collect()
}

/// What a look at every mutant came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many were caught.
    pub caught: usize,
    /// How many executions that took.
    pub executions: u64,
    /// Those that should have been, and were not.
    pub missed: Vec<String>,
    /// How many harm nobody.
    pub harmless: usize,
    /// Those that nobody catches yet.
    pub open: Vec<String>,
    /// Those of which nothing is known: new ones.
    pub unknown: Vec<String>,
    /// What is known of mutants that there are not.
    pub stale: Vec<String>,
    /// Of the syncs, directory syncs and locks that were left out: how many counterexamples were small, and those that
    /// were not, with what they need.
    pub small: (usize, Vec<(String, Option<Cost>)>),
}

/// Hunts each of `mutants` where it is known to be caught soonest. `whole` if they are all that there are.
#[must_use]
pub fn check(mutants: &[Mutant], engines: &[Engine], seed: u64, whole: bool) -> Checked {
    let known = known();
    let mut checked = Checked::default();
    let mut hunts: Vec<(&Mutant, Option<&Ground>)> = Vec::new();
    for mutant in mutants {
        match known.get(mutant.name.as_str()) {
            None => checked.unknown.push(mutant.name.clone()),
            Some(Known::Harmless(_)) => checked.harmless += 1,
            Some(Known::Open) => checked.open.push(mutant.name.clone()),
            Some(Known::Caught { engine, ground }) => {
                let engine = engines.iter().find(|it| it.name == *engine);
                hunts.push((mutant, engine.and_then(|it| it.grounds.iter().find(|it| it.name == *ground))));
            }
        }
    }
    if whole {
        let names: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
        checked.stale =
            known.keys().filter(|name| !names.contains(**name)).map(|name| (*name).to_owned()).collect();
    }
    let executions = AtomicU64::new(0);
    let found = side_by_side(&hunts, |(mutant, ground)| {
        let ground = (*ground)?;
        (seed..seed.saturating_add(SEEDS)).find_map(|seed| {
            let hunt = hunted(mutant.mutation, ground, seed);
            executions.fetch_add(hunt.executions, Ordering::Relaxed);
            hunt.violation.is_some().then_some(hunt.cost)
        })
    });
    checked.executions = executions.into_inner();
    for ((mutant, _), found) in hunts.iter().zip(found) {
        let Some(cost) = found else {
            checked.missed.push(mutant.name.clone());
            continue;
        };
        checked.caught += 1;
        if matches!(mutant.kind, Kind::SkipSync | Kind::SkipSyncDir | Kind::SkipLock) {
            if cost.is_some_and(|cost| cost.is_within(Cost::SMALL)) {
                checked.small.0 += 1;
            } else {
                checked.small.1.push((mutant.name.clone(), cost));
            }
        }
    }
    checked
}
