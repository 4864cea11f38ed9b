//! Every mutant hunted by every engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Cost, Engine, Ground, Hunt};
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

impl Row {
    /// The engine that finds it soonest, by its number; of a call that is left out, first among those whose
    /// counterexample is small.
    #[must_use]
    pub fn soonest(&self) -> Option<usize> {
        let is_small = |caught: &Caught| caught.cost.is_some_and(|cost| cost.is_within(Cost::SMALL));
        let is_left_out = matches!(self.mutant.kind, Kind::SkipSync | Kind::SkipSyncDir | Kind::SkipLock);
        let caught = self.cells.iter().enumerate().filter(|(_, cell)| cell.is_caught());
        caught
            .filter_map(|(at, cell)| cell.median().map(|caught| (at, caught)))
            .map(|(at, caught)| (is_left_out && !is_small(&caught), caught.elapsed, at))
            .min()
            .map(|(.., at)| at)
    }
}

/// What an engine's grounds come to when nothing is wrong.
struct Known {
    record: Record,
    elapsed: Duration,
}

/// Hunts every mutant with every engine, on so many seeds from `seed` on; once `within` has passed, on one.
pub fn matrix(
    mutants: &[Mutant],
    engines: &[Engine],
    (seed, seeds): (u64, u64),
    within: Duration,
    progress: &(dyn Fn(&Progress<'_>) + Sync),
) -> Matrix {
    let began = Instant::now();
    let all: Vec<(usize, &Ground)> = engines
        .iter()
        .enumerate()
        .flat_map(|(at, engine)| engine.grounds.iter().map(move |ground| (at, ground)))
        .collect();
    let controls = side_by_side(&all, |(_, ground)| {
        let began = Instant::now();
        let (hunt, record) = recording(|| ground.hunt(seed));
        (hunt, Known { record: record.shipped(), elapsed: began.elapsed() })
    });
    let mut flagged = Vec::new();
    let mut control_executions = 0;
    let mut known: Vec<Vec<(&Ground, Known)>> = engines.iter().map(|_| Vec::new()).collect();
    for ((at, ground), (hunt, control)) in all.iter().zip(controls) {
        control_executions += hunt.executions;
        flagged.extend(hunt.violation.map(|what| format!("{}: {}: {what}", engines[*at].name, ground.name)));
        known[*at].push((ground, control));
    }
    // What is done sooner is tried first.
    known.iter_mut().for_each(|grounds| grounds.sort_by_key(|(_, known)| known.elapsed));
    let cells: Vec<(&Mutant, usize)> =
        mutants.iter().flat_map(|mutant| (0..engines.len()).map(move |at| (mutant, at))).collect();
    let done = AtomicUsize::new(0);
    let hunted = side_by_side(&cells, |(mutant, at)| {
        let draws = engines[*at].draws;
        let cell = cell(mutant, &known[*at], seed..seed + if draws { seeds } else { 1 }, began + within);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(&Progress { done, of: cells.len(), mutant, engine: engines[*at].name, cell: &cell });
        cell
    });
    let mut hunted = hunted.into_iter();
    let rows = mutants.iter().map(|mutant| {
        let cells = hunted.by_ref().take(engines.len()).collect();
        Row { mutant: mutant.clone(), cells }
    });
    Matrix {
        engines: engines.iter().map(|engine| engine.name).collect(),
        rows: rows.collect(),
        flagged,
        control_executions,
    }
}

fn cell(mutant: &Mutant, grounds: &[(&Ground, Known)], seeds: std::ops::Range<u64>, until: Instant) -> Cell {
    let reaching: Vec<&Ground> = grounds
        .iter()
        .filter(|(_, known)| reaches(&known.record, mutant.mutation))
        .map(|(ground, _)| *ground)
        .collect();
    let mut cell = Cell::default();
    if reaching.is_empty() {
        return cell;
    }
    for seed in seeds {
        let began = Instant::now();
        if began > until && !cell.per_seed.is_empty() {
            break;
        }
        let mut executions = 0;
        let mut caught = None;
        for ground in &reaching {
            let hunt = hunted(mutant.mutation, ground, seed);
            executions += hunt.executions;
            if let Some(what) = hunt.violation {
                caught = Some(Caught { executions, elapsed: began.elapsed(), cost: hunt.cost });
                cell.what.get_or_insert(what);
                cell.ground.get_or_insert_with(|| ground.name.clone());
                break;
            }
        }
        cell.per_seed.push(caught);
        // Two seeds that find nothing say as much as ten.
        if cell.per_seed.iter().filter(|caught| caught.is_none()).count() == 2 {
            break;
        }
    }
    cell
}

/// A judge that is so surprised that it panics has found something as well.
pub(super) fn hunted(mutation: Mutation, ground: &Ground, seed: u64) -> Hunt {
    let hunt = || under(Some(mutation), || ground.hunt(seed));
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
pub(super) fn side_by_side<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
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
