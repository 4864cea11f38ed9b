//! A scenario is a run that asks a source of choice and ends with a judgement; searching, replaying and shrinking are
//! the same for all of them.

mod shrink;

use std::fmt;

use shrink::shrink;

use super::choice::{Explored, Explorer, Random, Schedule, Source};
use super::world::{Step, World, render};

/// Something that can be run on any answers.
pub trait Scenario {
    /// Its name, by which a schedule finds it again.
    fn name(&self) -> String;
    /// Runs it once. The same answers must make the same run.
    fn run(&self, source: Source) -> Ran;
}

impl Scenario for Box<dyn Scenario + Send + Sync> {
    fn name(&self) -> String {
        self.as_ref().name()
    }

    fn run(&self, source: Source) -> Ran {
        self.as_ref().run(source)
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The source, with all that was asked.
    pub source: Source,
    /// The calls; none where the source is quiet.
    pub trace: Vec<Step>,
    /// What was violated.
    pub violation: Option<String>,
}

impl Ran {
    /// The run of a world that is not used any more.
    #[must_use]
    pub fn of(world: &World, violation: Option<String>) -> Self {
        let (source, trace) = world.finish();
        Ran { source, trace, violation }
    }
}

/// A run that violates something, and how to make it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// What was violated.
    pub what: String,
    /// The answers that lead there.
    pub schedule: Schedule,
    /// The calls on the way.
    pub trace: Vec<Step>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.schedule.scenario, self.what)?;
        f.write_str(&render(&self.trace))
    }
}

/// A counterexample and the number of the execution that it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How many executions it took, counted from 1.
    pub executions: u64,
    /// What was found, as short as shrinking makes it.
    pub counterexample: Counterexample,
}

/// How the answers of a search are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// All alike, as often as the scenario's rates say.
    Random,
    /// Who goes next by priorities that change `depth - 1` times in a run ([`Source::pct`]).
    Pct {
        /// How many orderings a bug may need to be found with a known probability.
        depth: u32,
    },
}

/// Runs `scenario` on answers drawn from `seed`, `executions_max` times at the most, until it is violated.
pub fn search(
    scenario: &dyn Scenario,
    seed: u64,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Option<Found> {
    search_by(Engine::Random, scenario, seed, executions_max, progress)
}

/// [`search`] with another engine.
pub fn search_by(
    engine: Engine,
    scenario: &dyn Scenario,
    seed: u64,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Option<Found> {
    let mut seeds = Random::new(seed);
    // The longest run so far: what PCT spreads its places over.
    let mut steps = 1;
    for executions in 1..=executions_max {
        let seed = seeds.bits();
        let source = match engine {
            Engine::Pct { depth } if steps > 1 => Source::pct(seed, depth, steps),
            Engine::Random | Engine::Pct { .. } => Source::random(seed),
        };
        let ran = scenario.run(source.quiet());
        steps = steps.max(ran.source.steps());
        progress(executions);
        if let Some(counterexample) = counterexample(scenario, ran) {
            return Some(Found { executions, counterexample: shrink(scenario, counterexample) });
        }
    }
    None
}

/// Runs `scenario` on every answer there is, or on the first `executions_max`.
///
/// # Errors
/// The first counterexample.
pub fn exhaust(
    scenario: &dyn Scenario,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<Explored, Box<Counterexample>> {
    exhaust_by(Explorer::new(), scenario, executions_max, progress)
}

/// [`exhaust`] with an explorer that may leave out runs which differ only in the order of what commutes
/// ([`Explorer::reduced`]). What the processes of `scenario` share outside of the world must be told
/// ([`SimHost::outside`](super::world::SimHost::outside)).
///
/// # Errors
/// The first counterexample.
pub fn exhaust_by(
    mut explorer: Explorer,
    scenario: &dyn Scenario,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<Explored, Box<Counterexample>> {
    while explorer.explored().runs < executions_max {
        let Some(source) = explorer.next_run() else { break };
        let ran = scenario.run(source.quiet());
        explorer.ran(&ran.source);
        progress(explorer.explored().runs);
        if let Some(counterexample) = counterexample(scenario, ran) {
            return Err(Box::new(counterexample));
        }
    }
    Ok(explorer.explored())
}

/// Runs a recorded schedule again.
///
/// # Errors
/// Where the run asks other questions than the recorded one: the program has changed.
pub fn replay(scenario: &dyn Scenario, schedule: &Schedule) -> Result<Ran, String> {
    let ran = scenario.run(Source::replay(schedule));
    match ran.source.diverged() {
        Some(how) => Err(format!("the program no longer makes the recorded run: {how}")),
        None => Ok(ran),
    }
}

/// A counterexample made as short as shrinking makes it.
#[must_use]
pub fn shrunk(scenario: &dyn Scenario, found: Counterexample) -> Counterexample {
    shrink(scenario, found)
}

/// The counterexample that a run is, if it is one. A run whose calls nobody wrote down is made again.
pub(super) fn counterexample(scenario: &dyn Scenario, ran: Ran) -> Option<Counterexample> {
    let what = ran.violation.filter(|_| !ran.source.is_redundant())?;
    let schedule = ran.source.schedule(&scenario.name()).trimmed();
    let mut trace = ran.trace;
    if ran.source.is_quiet() {
        let again = scenario.run(Source::replay(&schedule));
        assert_eq!(
            again.violation.as_ref(),
            Some(&what),
            "{}: the same answers make the same run",
            scenario.name()
        );
        trace = again.trace;
    }
    Some(Counterexample { what, schedule, trace })
}
