//! Machines at work at once: on each a person and agents move statuses, the helper is run and killed, and what was committed
//! is pushed. Then everybody brings everything in step, and what stands is judged.
//!
//! Statuses only go up here, and they go up by whom that was acknowledged to. So the end is known: of each task the highest
//! that anybody was told stands on every board and in every file. What the helper wrote on the way is read from the commits.
//!
//! Kills: the helper alone, so that the git it runs goes on without it, or the helper and its git; at a random instant, or
//! as soon as a plan file is written, the index is locked, or the branch has moved. A lock that a killed git leaves is
//! removed as a person removes it: after the helper has named it, and once no git runs any more.

mod counts;
mod deeds;
mod fixes;
mod judge;
mod stage;

pub use counts::Counts;
pub use stage::stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::machine::{Helper, Machine};
use super::place::World;
use crate::rng::Rng;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The gate's own binary, which is every helper.
    pub program: PathBuf,
    /// The helper.
    pub helper: Helper,
    /// The seed of what is drawn.
    pub seed: u64,
    /// How many machines at once.
    pub machines: usize,
    /// How many tasks there are, each good for two steps.
    pub tasks: usize,
    /// For how long at the least.
    pub least: Duration,
    /// For how long at the most: a run goes on beyond `least` only until everything that must happen sometimes did.
    pub most: Duration,
    /// Whether helpers are killed.
    pub kills: bool,
    /// Whether it ends before what depends on others has happened.
    pub short: bool,
}

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// What must not be.
    pub violations: Vec<String>,
    /// How often what happened.
    pub counts: Counts,
}

/// The statuses, lowest first.
const STATUSES: [&str; 3] = ["todo", "in_progress", "done"];
/// How many tasks a plan file holds.
const TASKS_PER_FILE: usize = 4;
/// After so many rounds of everybody everything is in step.
const ROUNDS_MAX: usize = 8;

fn rank(status: &str) -> usize {
    STATUSES.iter().position(|known| *known == status).unwrap_or(0)
}

/// What all threads of a run share.
#[derive(Debug)]
struct Arena {
    options: Options,
    stop: AtomicBool,
    fixes: AtomicU64,
    /// The tasks, with their files.
    tasks: Vec<(String, String)>,
    /// The highest status of each task that anybody was told stands.
    told: Mutex<BTreeMap<String, usize>>,
    found: Mutex<Found>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Arena {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn count(&self, what: impl FnOnce(&mut Counts)) {
        what(&mut locked(&self.found).counts);
    }

    fn wrong(&self, why: String) {
        locked(&self.found).violations.push(why);
    }

    fn acknowledged(&self, task: &str, rank: usize) {
        let mut told = locked(&self.told);
        let stands = told.entry(task.to_owned()).or_insert(0);
        *stands = rank.max(*stands);
    }
}

/// How often a run looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs the machines below `dir` and judges what they left; `tell` hears how often a helper was run.
///
/// # Errors
/// Where the harness itself could not do its part.
pub fn run(dir: &Path, options: &Options, tell: &mut dyn FnMut(u64)) -> Result<Found, String> {
    let tasks: Vec<(String, String)> = (0..options.tasks)
        .map(|at| (format!("T{}", at + 1), format!("p{}.md", at / TASKS_PER_FILE)))
        .collect();
    let mut files: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (task, file) in &tasks {
        files.entry(file).or_default().push((task, STATUSES[0]));
    }
    let files: Vec<(&str, &[(&str, &str)])> =
        files.iter().map(|(file, tasks)| (*file, tasks.as_slice())).collect();
    let world = World::new(dir, &options.program, &files)?;
    let arena = Arena {
        options: options.clone(),
        stop: AtomicBool::new(false),
        fixes: AtomicU64::new(0),
        tasks,
        told: Mutex::default(),
        found: Mutex::default(),
    };
    let mut machines = Vec::new();
    for number in 0..options.machines {
        let machine = world.machine(&format!("m{number}"), options.helper)?;
        deeds::stage_a_secret(&machine)?;
        machines.push(machine);
    }
    let all = storm(&arena, &machines, tell)
        .and_then(|()| judge::settle(&arena, &machines))
        .and_then(|()| judge::judge(&arena, &machines));
    // Where something was wrong the harness need not find its way any more.
    if locked(&arena.found).violations.is_empty() {
        all?;
    }
    Ok(arena.found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn storm(arena: &Arena, machines: &[Machine], tell: &mut dyn FnMut(u64)) -> Result<(), String> {
    let mut rng = Rng::new(arena.options.seed);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = machines
            .iter()
            .map(|machine| {
                let mut rng = Rng::new(rng.bits());
                scope.spawn(move || -> Result<(), String> {
                    while !arena.stopping() {
                        deeds::deed(arena, machine, &mut rng)?;
                    }
                    Ok(())
                })
            })
            .collect();
        loop {
            // The clock of the run; nothing is ordered by it.
            std::thread::sleep(LOOK_EVERY);
            tell(arena.fixes.load(Ordering::Relaxed));
            let elapsed = begun.elapsed();
            let (enough, is_wrong) = {
                let found = locked(&arena.found);
                let missed = found.counts.missed(arena.options.kills, arena.options.short);
                (elapsed >= arena.options.least && missed.is_empty(), !found.violations.is_empty())
            };
            if enough
                || is_wrong
                || elapsed >= arena.options.most
                || workers.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                break;
            }
        }
        arena.stop.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })
}
