//! The bench: every mutant of the simulated world, the controls, and how soon a mutant is found.

use std::time::{Duration, Instant};

use super::locks::Protocol;
use super::stores::{self, Store};
use crate::sim::choice::{Random, Source};
use crate::sim::journal::Defect;
use crate::sim::scenario::{Found, Ran, Scenario, counterexample, search, shrunk};

/// How many executions a mutant may take.
pub const EXECUTIONS_MAX: u64 = 20_000;

/// Something deliberately broken, or a control.
pub struct Mutant {
    /// Its name; where it begins with an M-number, that of the defect in the [catalog](super::CATALOG).
    pub name: &'static str,
    /// The world that it is run in.
    pub scenario: Box<dyn Scenario + Send + Sync>,
}

impl std::fmt::Debug for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mutant").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Mutant {
    fn of(name: &'static str, scenario: impl Scenario + Send + Sync + 'static) -> Self {
        Mutant { name, scenario: Box::new(scenario) }
    }

    /// Every mutant.
    #[must_use]
    pub fn all() -> Vec<Mutant> {
        let mut all = Self::numbered();
        all.extend(Defect::ALL.map(|defect| Mutant::of(defect.name(), defect.shown())));
        all
    }

    /// Those with an M-number, in the order of their numbers.
    #[must_use]
    pub fn numbered() -> Vec<Mutant> {
        let protocols = Protocol::MUTANTS.map(|protocol| Mutant::of(protocol.name(), protocol));
        let stores = stores::Defect::ALL.map(|defect| Mutant::of(defect.name(), Store::new(defect)));
        let mut all: Vec<Mutant> = protocols.into_iter().chain(stores).collect();
        all.sort_by_key(|mutant| mutant.name);
        all
    }

    /// Those with nothing wrong: they must not be flagged.
    #[must_use]
    pub fn controls() -> Vec<Mutant> {
        let protocols = Protocol::CONTROLS.map(|protocol| Mutant::of(protocol.name(), protocol));
        let mut all: Vec<Mutant> = protocols.into();
        all.push(Mutant::of(stores::Defect::None.name(), Store::new(stores::Defect::None)));
        all
    }

    /// Looks for it on each seed.
    #[must_use]
    pub fn hunt(&self, seeds: &[u64]) -> MutantResult {
        let mut found = Vec::new();
        let mut elapsed = Vec::new();
        for seed in seeds {
            let began = Instant::now();
            found.push(first(self.scenario.as_ref(), *seed));
            elapsed.push(began.elapsed());
        }
        let per_seed: Vec<Option<u64>> =
            found.iter().map(|found| found.as_ref().map(|(at, _)| *at)).collect();
        let mut sorted: Vec<u64> = per_seed.iter().map(|executions| executions.unwrap_or(u64::MAX)).collect();
        sorted.sort_unstable();
        let known = |executions: Option<&u64>| executions.copied().filter(|count| *count != u64::MAX);
        MutantResult {
            name: self.name,
            median: known(sorted.get(sorted.len() / 2)),
            worst: known(sorted.last()),
            per_seed,
            elapsed,
            example: found.into_iter().flatten().next().and_then(|(at, ran)| self.example(at, ran)),
        }
    }

    fn example(&self, executions: u64, ran: Ran) -> Option<Found> {
        let scenario = self.scenario.as_ref();
        let counterexample = shrunk(scenario, counterexample(scenario, ran)?);
        Some(Found { executions, counterexample })
    }
}

/// The first run that is violated, and which it is. The runs are those of [`search`], which makes each counterexample
/// short; here one of them is enough.
fn first(scenario: &dyn Scenario, seed: u64) -> Option<(u64, Ran)> {
    let mut seeds = Random::new(seed);
    (1..=EXECUTIONS_MAX).find_map(|execution| {
        let ran = scenario.run(Source::random(seeds.bits()).quiet());
        ran.violation.is_some().then_some((execution, ran))
    })
}

/// What became of one mutant over several seeds.
#[derive(Debug, Clone)]
pub struct MutantResult {
    /// Its name.
    pub name: &'static str,
    /// Executions to the first violation by seed; none where it was not found within [`EXECUTIONS_MAX`].
    pub per_seed: Vec<Option<u64>>,
    /// How long each seed took.
    pub elapsed: Vec<Duration>,
    /// The median; none where half of the seeds found nothing.
    pub median: Option<u64>,
    /// The most; none where a seed found nothing.
    pub worst: Option<u64>,
    /// The counterexample of the first seed that found one.
    pub example: Option<Found>,
}

/// How many executions it takes to find the defect of `protocol`, and how to make that run again.
#[must_use]
pub fn executions_to_violation(protocol: Protocol, seed: u64, executions_max: u64) -> Option<Found> {
    search(&protocol, seed, executions_max, &mut |_| {})
}

/// Runs every mutant on each seed.
#[must_use]
pub fn run_mutants(seeds: &[u64]) -> Vec<MutantResult> {
    Mutant::all().iter().map(|mutant| mutant.hunt(seeds)).collect()
}

/// Runs every control so many times; none must be flagged.
#[must_use]
pub fn run_controls(seed: u64, executions: u64, progress: &mut dyn FnMut(u64)) -> Option<Found> {
    let mut before = 0;
    Mutant::controls().iter().find_map(|control| {
        let found = search(control.scenario.as_ref(), seed, executions, &mut |seen| progress(before + seen));
        before += executions;
        found
    })
}
