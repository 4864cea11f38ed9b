//! A scenario is a run that asks a source of choice and ends with a judgement; searching, replaying and shrinking are
//! the same for all of them.

use std::fmt;

use super::choice::{Explored, Explorer, Random, Schedule, Source};
use super::world::{Step, render};

/// Something that can be run on any answers.
pub trait Scenario {
    /// Its name, by which a schedule finds it again.
    fn name(&self) -> String;
    /// Runs it once. The same answers must make the same run.
    fn run(&self, source: Source) -> Ran;
}

/// One run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The source, with all that was asked.
    pub source: Source,
    /// The calls.
    pub trace: Vec<Step>,
    /// What was violated.
    pub violation: Option<String>,
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

/// Runs `scenario` on answers drawn from `seed`, `executions_max` times at the most, until it is violated.
pub fn search(
    scenario: &dyn Scenario,
    seed: u64,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Option<Found> {
    let mut seeds = Random::new(seed);
    for executions in 1..=executions_max {
        let ran = scenario.run(Source::random(seeds.bits()));
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
    let mut explorer = Explorer::new();
    while explorer.explored().runs < executions_max {
        let Some(source) = explorer.next_run() else { break };
        let ran = scenario.run(source);
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

fn counterexample(scenario: &dyn Scenario, ran: Ran) -> Option<Counterexample> {
    let schedule = ran.source.schedule(&scenario.name()).trimmed();
    ran.violation.map(|what| Counterexample { what, schedule, trace: ran.trace })
}

/// How many runs a counterexample may be shrunk by.
const SHRINK_RUNS_MAX: usize = 300;

/// Takes the first possible answer wherever the violation stays, in large pieces first.
fn shrink(scenario: &dyn Scenario, mut shortest: Counterexample) -> Counterexample {
    let mut piece = shortest.schedule.answers.len().max(1);
    let mut runs_left = SHRINK_RUNS_MAX;
    loop {
        let mut shrunk = false;
        let mut at = 0;
        while at < shortest.schedule.answers.len() {
            let mut answers: Vec<u32> =
                shortest.schedule.answers.iter().map(|answer| answer.chosen).collect();
            let end = answers.len().min(at + piece);
            if answers[at..end].iter().any(|chosen| *chosen > 0) {
                if runs_left == 0 {
                    return shortest;
                }
                runs_left -= 1;
                answers[at..end].fill(0);
                let shorter = counterexample(scenario, scenario.run(Source::lenient(answers)));
                if let Some(shorter) = shorter.filter(|it| cost(it) < cost(&shortest)) {
                    shortest = shorter;
                    shrunk = true;
                }
            }
            at = end;
        }
        if piece == 1 && !shrunk {
            return shortest;
        }
        piece = piece.div_ceil(2);
    }
}

/// What makes one counterexample simpler than another: fewer answers other than the first, then fewer calls.
fn cost(counterexample: &Counterexample) -> (usize, usize) {
    let turns = counterexample.schedule.answers.iter().filter(|answer| answer.chosen > 0).count();
    (turns, counterexample.trace.len())
}
