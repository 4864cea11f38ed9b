//! Every mutant hunted by every engine.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::{Cost, Engine, Ground, Hunt, Known, known};
use crate::sim::seam::{Kind, Mutant, Mutation, Record, recording, under};
use crate::sim::world::panic_text;

/// A mutant that was caught, on one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caught {
    /// How many executions it took.
    pub executions: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What the counterexample needs at the most, where that is known.
    pub cost: Option<Cost>,
}

/// One engine on one mutant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// By seed; an engine that draws nothing is asked once. Empty where nothing that it runs comes to the place.
    pub per_seed: Vec<Option<Caught>>,
    /// What was violated, on the first seed that found something.
    pub what: Option<String>,
    /// Where: the name of the ground.
    pub ground: Option<String>,
}

/// One mutant and all engines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The mutant.
    pub mutant: Mutant,
    /// In the order of the engines.
    pub cells: Vec<Cell>,
}

/// One hunt is over.
#[derive(Debug)]
pub struct Progress<'a> {
    /// How many are.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// Who was hunted.
    pub mutant: &'a Mutant,
    /// By whom.
    pub engine: &'static str,
    /// What came of it.
    pub cell: &'a Cell,
}

/// The whole matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The names of the engines.
    pub engines: Vec<&'static str>,
    /// The mutants.
    pub rows: Vec<Row>,
    /// What was flagged though nothing was wrong: engine, ground, what.
    pub flagged: Vec<String>,
    /// How many executions of the shipped code as it is were looked at.
    pub control_executions: u64,
}

impl Cell {
    /// Whether every seed that was tried found it.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        !self.per_seed.is_empty() && self.per_seed.iter().all(Option::is_some)
    }

    /// The median over the seeds that found it.
    #[must_use]
    pub fn median(&self) -> Option<Caught> {
        let mut found: Vec<Caught> = self.per_seed.iter().flatten().copied().collect();
        found.sort_unstable();
        found.get(found.len() / 2).copied()
    }
}

/// How often a mutant may be missed by an engine that has caught it: one that it never caught is asked once, as a seed
/// that finds nothing takes as long as all the others together.
const MISSES_MAX: usize = 3;

impl Cell {
    /// Whether another seed would say nothing new.
    fn is_settled(&self) -> bool {
        let caught = self.per_seed.iter().flatten().count();
        let missed = self.per_seed.len() - caught;
        missed > if caught == 0 { 0 } else { MISSES_MAX - 1 }
    }

    /// What is not hunted place by place: one ground, on each of the seeds.
    #[must_use]
    pub fn of(ground: &Ground, seeds: Range<u64>, until: Instant) -> Self {
        let mut cell = Cell::default();
        for seed in seeds {
            let began = Instant::now();
            if began > until && !cell.per_seed.is_empty() {
                break;
            }
            let hunt = guarded(|| ground.hunt(seed));
            let caught = Caught { executions: hunt.executions, elapsed: began.elapsed(), cost: hunt.cost };
            cell.per_seed.push(hunt.violation.as_ref().map(|_| caught));
            cell.what = cell.what.or(hunt.violation);
            if cell.is_settled() {
                break;
            }
        }
        cell
    }
}

impl Row {
    /// Whether this engine's counterexample is small, or need not be.
    fn is_small_enough(&self, at: usize) -> bool {
        let cost = self.cells[at].median().and_then(|caught| caught.cost);
        !matches!(self.mutant.kind, Kind::SkipSync | Kind::SkipSyncDir | Kind::SkipLock)
            || cost.is_some_and(|cost| cost.is_within(Cost::SMALL))
    }

    /// The engine that finds it soonest, by its number: first among those that found it on every seed, and, of a call
    /// that is left out, before that among those whose counterexample is small.
    #[must_use]
    pub fn soonest(&self) -> Option<usize> {
        let caught = self.cells.iter().enumerate();
        caught
            .filter_map(|(at, cell)| cell.median().map(|caught| (at, cell, caught)))
            .map(|(at, cell, caught)| (!self.is_small_enough(at), !cell.is_caught(), caught.elapsed, at))
            .min()
            .map(|(.., at)| at)
    }
}

/// A ground, and what it comes to when nothing is wrong: found out when it is first needed.
struct Tried<'a> {
    ground: &'a Ground,
    control: OnceLock<Control>,
}

struct Control {
    record: Record,
    hunt: Hunt,
}

impl Tried<'_> {
    fn control(&self, seed: u64) -> &Control {
        self.control.get_or_init(|| {
            let (hunt, record) = recording(|| self.ground.hunt(seed));
            Control { record: record.shipped(), hunt }
        })
    }
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The first seed.
    pub seed: u64,
    /// How many.
    pub seeds: u64,
    /// Once this has passed, one seed has to do.
    pub within: Duration,
    /// Whether one engine that catches it is enough.
    pub first: bool,
}

/// Hunts every mutant with every engine.
pub fn matrix(
    mutants: &[Mutant],
    engines: &[Engine],
    effort: Effort,
    progress: &(dyn Fn(&Progress<'_>) + Sync),
) -> Matrix {
    let until = Instant::now() + effort.within;
    let tried = |ground| Tried { ground, control: OnceLock::new() };
    let tried: Vec<Vec<Tried<'_>>> =
        engines.iter().map(|engine| engine.grounds.iter().map(tried).collect()).collect();
    let done = AtomicUsize::new(0);
    let known = known();
    let rows = side_by_side(mutants, |mutant| {
        let mut row = Row { mutant: mutant.clone(), cells: Vec::new() };
        for (engine, grounds) in engines.iter().zip(&tried) {
            let caught = row.soonest().is_some_and(|at| row.is_small_enough(at));
            let harmless = matches!(known.get(mutant.name.as_str()), Some(Known::Harmless(_)));
            let enough = effort.first && caught || engine.slow && (caught || harmless);
            let seeds = effort.seed..effort.seed + if engine.draws { effort.seeds } else { 1 };
            let cell = if enough { Cell::default() } else { cell(mutant, grounds, seeds, until) };
            if !enough {
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let of = mutants.len() * engines.len();
                progress(&Progress { done, of, mutant, engine: engine.name, cell: &cell });
            }
            row.cells.push(cell);
        }
        row
    });
    let mut flagged = Vec::new();
    let mut control_executions = 0;
    for (engine, grounds) in engines.iter().zip(&tried) {
        for (tried, control) in grounds.iter().filter_map(|tried| Some((tried, tried.control.get()?))) {
            control_executions += control.hunt.executions;
            let what = control.hunt.violation.as_ref();
            flagged.extend(what.map(|what| format!("{}: {}: {what}", engine.name, tried.ground.name)));
        }
    }
    Matrix { engines: engines.iter().map(|engine| engine.name).collect(), rows, flagged, control_executions }
}

fn cell(mutant: &Mutant, grounds: &[Tried<'_>], seeds: Range<u64>, until: Instant) -> Cell {
    let mut cell = Cell::default();
    for seed in seeds.clone() {
        let began = Instant::now();
        if began > until && !cell.per_seed.is_empty() {
            break;
        }
        let (mut executions, mut elapsed) = (0, Duration::ZERO);
        let (mut caught, mut comes_there) = (None, false);
        for tried in grounds {
            let control = tried.control(seeds.start);
            // Who is flagged anyway catches nothing.
            if control.hunt.violation.is_some() || !reaches(&control.record, mutant.mutation) {
                continue;
            }
            comes_there = true;
            let began = Instant::now();
            let hunt = hunted(mutant.mutation, tried.ground, seed);
            executions += hunt.executions;
            elapsed += began.elapsed();
            if let Some(what) = hunt.violation {
                caught = Some(Caught { executions, elapsed, cost: hunt.cost });
                cell.what.get_or_insert(what);
                cell.ground.get_or_insert_with(|| tried.ground.name.clone());
                break;
            }
        }
        if !comes_there {
            break;
        }
        cell.per_seed.push(caught);
        if cell.is_settled() {
            break;
        }
    }
    cell
}

pub(super) fn hunted(mutation: Mutation, ground: &Ground, seed: u64) -> Hunt {
    guarded(|| under(Some(mutation), || ground.hunt(seed)))
}

/// A judge that is so surprised that it panics has found something as well.
fn guarded(hunt: impl FnOnce() -> Hunt) -> Hunt {
    catch_unwind(AssertUnwindSafe(hunt)).unwrap_or_else(|payload| {
        let text = panic_text(payload.as_ref());
        Hunt { executions: 1, violation: Some(format!("the judge panicked: {text}")), cost: None }
    })
}

/// Whether a run came to where the mutant differs.
fn reaches(record: &Record, mutation: Mutation) -> bool {
    match mutation {
        Mutation::Skip(place) | Mutation::Retry(place) | Mutation::OldLook(place) => {
            record.places.contains_key(&place)
        }
        Mutation::Swap(first, second) => record.pairs.contains(&(first, second)),
    }
}

/// Does `work` for each of `items` on every core there is; the results in their order.
pub fn side_by_side<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let worker = || {
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < items.len()) {
            let result = work(&items[at]);
            *results[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        (1..workers).for_each(|_| drop(scope.spawn(worker)));
        worker();
    });
    let done = "every item was worked on";
    results
        .into_iter()
        .map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner).expect(done))
        .collect()
}
