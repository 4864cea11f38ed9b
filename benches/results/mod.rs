//! What a benchmark report holds, and the pages that are made of it. All of it is pure: no process, no clock, no disk.
//!
//! Invariants:
//! - a number stands in a page only where it was measured; everything else is a dash with its reason;
//! - a subject of which an acknowledged record is missing is marked `LOST` wherever its numbers stand;
//! - a page fetches nothing.

mod findings;
mod html;
mod json;
mod latency;
mod markdown;
mod subject;
mod table;
mod text;
mod workload;

pub use html::page;
pub use json::json;
pub use latency::{BadLatency, Latency};
pub use markdown::markdown;
pub use subject::Subject;
pub use table::{Grid, latencies, rates, ratios, shares, terminal};
pub use workload::{Offer, Workload, offer};

/// All that one run measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// The command line that made it.
    pub command: String,
    /// When it began, as `20261121T013200Z`.
    pub utc: String,
    /// The machine, the versions, the load: names and values, in the order in which they are shown.
    pub facts: Vec<(String, String)>,
    /// What was to be measured, in the order of the rows; those left out are in `skipped`.
    pub subjects: Vec<Subject>,
    /// What could not run here, and why.
    pub skipped: Vec<(Subject, String)>,
    /// In the order of the sections.
    pub workloads: Vec<Workload>,
    /// How many processes at once: the columns.
    pub processes: Vec<usize>,
    /// How often everything was measured.
    pub rounds: usize,
    /// How long each time, in milliseconds.
    pub window_ms: u64,
    /// How many bytes a record has.
    pub record_bytes: usize,
    /// What was measured, in any order.
    pub cells: Vec<Cell>,
}

/// One subject at one workload with so many processes.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Who.
    pub subject: Subject,
    /// At what.
    pub workload: Workload,
    /// How many at once.
    pub processes: usize,
    /// Each round in turn; one that failed says why.
    pub rounds: Vec<Result<Round, String>>,
}

/// One measurement: so many processes, for one window.
#[derive(Debug, Clone)]
pub struct Round {
    /// Operations that ended within the window, a second.
    pub rate: f64,
    /// Operations that were acknowledged, the ones before and after the window included.
    pub acked: u64,
    /// Operations that may have happened.
    pub unsure: u64,
    /// Operations that a process gave up waiting for.
    pub gave_up: u64,
    /// How many records were there at the end, where the workload leaves any.
    pub found: Option<u64>,
    /// The smallest share that a process had of the operations, times the number of processes: 1 is fair.
    pub least_share: f64,
    /// How long the operations took.
    pub latency: Latency,
}

/// The middle of some rounds, and how far they lie apart: there are too few for more than that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The lowest.
    pub low: f64,
    /// As many lie below as above.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Of these; none of none. Of an even number the lower one of the two in the middle is the median.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len().checked_sub(1)? / 2)?;
        Some(Spread { low: *values.first()?, median, high: *values.last()? })
    }
}

impl Round {
    /// How many acknowledged records are missing.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.found.map_or(0, |found| self.acked.saturating_sub(found))
    }

    /// How many records there are that nobody can have made.
    #[must_use]
    pub fn surplus(&self) -> u64 {
        self.found.map_or(0, |found| found.saturating_sub(self.acked + self.unsure))
    }
}

impl Cell {
    /// The rounds that were measured.
    pub fn measured(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter_map(|round| round.as_ref().ok())
    }

    /// The rates of its rounds; none where each of them failed.
    #[must_use]
    pub fn rate(&self) -> Option<Spread> {
        Spread::of(self.measured().map(|round| round.rate))
    }

    /// The latencies of all its rounds.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let mut all = Latency::new();
        for round in self.measured() {
            all.merge(&round.latency);
        }
        all
    }

    /// How many acknowledged records are missing, in all rounds.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.measured().map(Round::lost).sum()
    }

    /// How many records too many there are, in all rounds.
    #[must_use]
    pub fn surplus(&self) -> u64 {
        self.measured().map(Round::surplus).sum()
    }
}

impl Report {
    /// What was measured of this.
    #[must_use]
    pub fn cell(&self, subject: Subject, workload: Workload, processes: usize) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|cell| cell.subject == subject && cell.workload == workload && cell.processes == processes)
    }

    /// Its rate over that of the bare system calls in the same round; none for these themselves.
    #[must_use]
    pub fn ratio(&self, cell: &Cell) -> Option<Spread> {
        if cell.subject == Subject::Bare {
            return None;
        }
        let bare = self.cell(Subject::Bare, cell.workload, cell.processes)?;
        let rates = cell.rounds.iter().zip(&bare.rounds).filter_map(|(theirs, bare)| {
            let (theirs, bare) = (theirs.as_ref().ok()?.rate, bare.as_ref().ok()?.rate);
            (bare > 0.0).then(|| theirs / bare)
        });
        Spread::of(rates)
    }

    /// The subjects that have a row at this workload.
    pub fn rows(&self, workload: Workload) -> impl Iterator<Item = Subject> + '_ {
        let offered = move |subject: Subject| {
            self.processes.iter().any(|count| matches!(offer(subject, workload, *count), Offer::Yes))
        };
        self.subjects.iter().copied().filter(move |subject| offered(*subject))
    }
}
