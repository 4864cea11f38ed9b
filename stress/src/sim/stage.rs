//! What the gate runs of the simulated world, each with a live count, and the way back from a schedule.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::choice::{Random, Schedule};
use super::door::Locks;
use super::loom_fs::LoomExplored;
use super::mutants::Protocol;
use super::scenario::{Counterexample, Scenario, exhaust, replay as run_again, search, shrunk};
use super::swarm::{Swarm, minimized};
use super::{journal, together, torn as operations};
use super::{loom_machines, loom_models};

/// Every operation killed before each call, cut at every byte, failed at every call. The number of cases.
///
/// # Errors
/// The first that is judged wrong.
pub fn torn(progress: &mut dyn FnMut(u64)) -> Result<u64, Box<Counterexample>> {
    // Each operation is a world of its own, so they need not wait for each other; which ends first changes nothing.
    let operations = operations::all();
    let (next, cases) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = |progress: &mut dyn FnMut(u64)| -> Result<(), Box<Counterexample>> {
        while let Some(torn) = operations.get(next.fetch_add(1, Ordering::Relaxed)) {
            let before = cases.load(Ordering::Relaxed);
            cases.fetch_add(torn.all(&mut |seen| progress(before + seen))?.runs, Ordering::Relaxed);
        }
        Ok(())
    };
    let workers =
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(operations.len());
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|| work(&mut |_| {}))).collect();
        let found = work(progress);
        let others = others.into_iter().map(|other| other.join().expect("a worker does not panic"));
        others.fold(found, Result::and)
    })?;
    Ok(cases.into_inner())
}

/// Drawn schedules of processes that use the shipped code together, with kills, and of clients of the simulated
/// journal, whose small settings are searched to their end. The number of executions.
///
/// # Errors
/// The first that is judged wrong.
pub fn schedules(
    seed: u64,
    executions_max: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, Box<Counterexample>> {
    let mut scenarios = together::all();
    scenarios.push(Box::new(journal::at_large()));
    scenarios.push(Box::new(journal::forgetful()));
    scenarios.push(Box::new(journal::crashing()));
    let each = executions_max.div_ceil(scenarios.len() as u64);
    let mut seeds = Random::new(seed);
    let mut before = 0;
    for small in journal::small().into_iter().chain(journal::Defect::ALL.map(journal::Defect::setting)) {
        before += exhaust(&small, u64::MAX, &mut |executions| progress(before + executions))?.runs;
    }
    for scenario in scenarios {
        let found =
            search(scenario.as_ref(), seeds.bits(), each, &mut |executions| progress(before + executions));
        if let Some(found) = found {
            return Err(Box::new(found.counterexample));
        }
        before += each;
    }
    Ok(before)
}

/// What loom was asked, and what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoomResult {
    /// The model.
    pub name: &'static str,
    /// Executions and violation.
    pub explored: LoomExplored,
}

/// A model: its name, and what explores it up to a bound of preemptions.
type LoomModel = (&'static str, fn(usize) -> LoomExplored);

/// Every loom model.
pub(super) const LOOM_MODELS: [LoomModel; 13] = [
    ("commit against commit", |bound| loom_models::commit_against_commit(bound, Locks::Kept)),
    ("reader against rotation", loom_models::reader_against_rotation),
    ("journal append against recovery", loom_models::append_against_recovery),
    ("creation against creation", loom_models::create_against_create),
    ("log append against a foreign half line", loom_models::log_against_half_line),
    ("log append against log append", |bound| loom_models::log_against_log(bound, Locks::Kept)),
    ("lease grant against grant", |bound| loom_machines::grant_against_grant(bound, Locks::Kept)),
    ("lease grants of one file", |bound| loom_machines::overlap_against_overlap(bound, Locks::Kept)),
    ("lease close against grant", loom_machines::close_against_grant),
    ("status set, informed against uninformed", |bound| {
        loom_machines::informed_against_uninformed(bound, Locks::Kept)
    }),
    ("status set, informed against informed", loom_machines::informed_against_informed),
    ("status set against reopen", loom_machines::set_against_reopen),
    ("control: careful lock file", |bound| loom_models::two_takers(Protocol::Careful, Locks::Kept, bound)),
];

/// Every loom model at this preemption bound; a report must print it. `progress` hears the executions so far after
/// each model.
#[must_use]
pub fn loom(preemptions_max: usize, progress: &mut dyn FnMut(u64)) -> Vec<LoomResult> {
    let mut executions = 0;
    let mut run = |(name, model): LoomModel| {
        let explored = model(preemptions_max);
        executions += explored.executions;
        progress(executions);
        LoomResult { name, explored }
    };
    LOOM_MODELS.into_iter().map(&mut run).collect()
}

/// Every scenario that a schedule can name.
#[must_use]
pub fn scenarios() -> Vec<Box<dyn Scenario>> {
    let mut all: Vec<Box<dyn Scenario>> = super::mutants::scenarios().collect();
    all.extend(operations::all().into_iter().map(|torn| Box::new(torn) as Box<dyn Scenario>));
    all.push(Box::new(operations::canary()));
    all.extend(together::all());
    all.extend(super::power::scenarios());
    all.push(Box::new(together::Files::without_locks()));
    all.push(Box::new(together::Compacts::without_locks()));
    all.push(Box::new(together::LockUsers::without_locks()));
    all.push(Box::new(together::MachineUsers::without_locks()));
    all.extend(Swarm::all().into_iter().map(|swarm| Box::new(swarm) as Box<dyn Scenario>));
    all.extend(journal::scenarios().into_iter().map(|users| Box::new(users) as Box<dyn Scenario>));
    all
}

/// A schedule of the scenario that it names, made shorter: operations first, then the other choices.
///
/// # Errors
/// As [`replay`]; and where nothing is violated.
pub fn minimize(text: &str) -> Result<Counterexample, String> {
    let found = replay(text)?.ok_or("the schedule ran to its end, and nothing is violated")?;
    let name = found.schedule.scenario.clone();
    if let Some(swarm) = Swarm::all().into_iter().find(|swarm| swarm.name() == name) {
        return Ok(minimized(&swarm, found, MINIMIZED_CALLS_MAX));
    }
    let named = scenarios().into_iter().find(|scenario| scenario.name() == name);
    Ok(shrunk(named.ok_or("this build has no such scenario")?.as_ref(), found))
}

/// How many calls a swarm's schedule is shortened by: some minutes.
const MINIMIZED_CALLS_MAX: u64 = 30_000_000;

/// Runs the schedule in this text (of a `schedule.ndjson`) again; the counterexample, if it still is one.
///
/// # Errors
/// Where the text is no schedule, names no scenario of this build, or the program no longer makes the recorded run.
pub fn replay(text: &str) -> Result<Option<Counterexample>, String> {
    let schedule = Schedule::from_ndjson(text).map_err(|bad| bad.to_string())?;
    let scenarios = scenarios();
    let named = scenarios.iter().find(|scenario| scenario.name() == schedule.scenario);
    let scenario = named.ok_or_else(|| format!("this build has no scenario {:?}", schedule.scenario))?;
    let ran = run_again(scenario.as_ref(), &schedule)?;
    Ok(ran.violation.map(|what| Counterexample { what, schedule, trace: ran.trace }))
}
