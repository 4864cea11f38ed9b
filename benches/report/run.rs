//! One run: every cell, round after round, so that what slows the machine down for a while meets all alike.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use fencehold_benches::Result;
use fencehold_benches::results::{Cell, Latency, Offer, Report, Round, Subject, Workload, offer};

use crate::args::Run;
use crate::subject::{self, Peers};
use crate::task::{Said, Task};
use crate::{machine, team};

/// What is measured: who, at what, with how many processes.
type Place = (Subject, Workload, usize);

/// Measures all that `args` asks for, in folders below `dir`.
pub(crate) fn measure(args: &Run, dir: &Path, utc: String, command: String) -> Result<Report> {
    let peers = Peers::look(&args.peers);
    let (mut subjects, mut skipped) = (Vec::new(), Vec::new());
    for subject in args.subjects() {
        match subject::missing(subject, &peers) {
            Some(why) => skipped.push((subject, why)),
            None => subjects.push(subject),
        }
    }
    let mut facts = machine::facts(dir);
    facts.extend(subject::versions(&peers));
    facts.push(("load before".to_owned(), machine::load()));
    let record_bytes = subject::line_bytes(dir)?;
    let (workloads, processes) = (args.workloads(), args.processes());
    let places = places(&subjects, &workloads, &processes);
    let mut cells: Vec<Cell> = places
        .iter()
        .map(|(subject, workload, processes)| Cell {
            subject: *subject,
            workload: *workload,
            processes: *processes,
            rounds: Vec::new(),
        })
        .collect();

    let mut progress = Progress::new(cells.len() * args.rounds());
    for round in 0..args.rounds() {
        for at in order(&places, round) {
            let cell = &mut cells[at];
            progress.next(cell);
            let measured =
                once((cell.subject, cell.workload, cell.processes), dir, args, record_bytes, &peers);
            cell.rounds.push(measured.map_err(|error| error.to_string()));
        }
    }
    facts.push(("load after".to_owned(), machine::load()));
    facts.push(("took".to_owned(), format!("{} s", progress.begun.elapsed().as_secs())));
    progress.end();
    Ok(Report {
        command,
        utc,
        facts,
        subjects,
        skipped,
        workloads,
        processes,
        rounds: args.rounds(),
        window_ms: args.window_ms(),
        record_bytes,
        cells,
    })
}

/// Every cell that somebody offers; the subjects of one workload and one number of processes beside one another.
fn places(subjects: &[Subject], workloads: &[Workload], processes: &[usize]) -> Vec<Place> {
    let mut places = Vec::new();
    for workload in workloads {
        for count in processes {
            let offered = subjects.iter().filter(|subject| offer(**subject, *workload, *count) == Offer::Yes);
            places.extend(offered.map(|subject| (*subject, *workload, *count)));
        }
    }
    places
}

/// The cells of a round: within each workload and number of processes another subject comes first in every round.
fn order(places: &[Place], round: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let mut at = 0;
    for group in places.chunk_by(|a, b| (a.1, a.2) == (b.1, b.2)) {
        order.extend((0..group.len()).map(|index| at + (index + round) % group.len()));
        at += group.len();
    }
    order
}

/// One measurement in a folder of its own, which is gone afterwards.
fn once(place: Place, dir: &Path, args: &Run, record_bytes: usize, peers: &Peers) -> Result<Round> {
    let (subject, workload, processes) = place;
    let folder = tempfile::Builder::new().prefix("work-").tempdir_in(dir)?;
    subject::prepare(subject, folder.path())?;
    let tasks: Vec<Task> = (0..processes)
        .map(|index| Task {
            subject,
            workload,
            index,
            dir: folder.path().to_owned(),
            window_ms: args.window_ms(),
            record_bytes,
        })
        .collect();
    let said = team::run(&tasks, peers)?;
    let found = subject::found(subject, workload, folder.path())?;
    Ok(summed(&said, found, Duration::from_millis(args.window_ms())))
}

fn summed(said: &[Said], found: Option<u64>, window: Duration) -> Round {
    let sum = |of: fn(&Said) -> u64| said.iter().map(of).sum::<u64>();
    let within = sum(|said| said.within);
    let least = said.iter().map(|said| said.within).min().unwrap_or(0);
    let mut latency = Latency::new();
    for said in said {
        latency.merge(&said.latency);
    }
    Round {
        rate: within as f64 / window.as_secs_f64(),
        acked: sum(|said| said.acked),
        unsure: sum(|said| said.unsure),
        gave_up: sum(|said| said.gave_up),
        found,
        least_share: if within == 0 { 0.0 } else { least as f64 * said.len() as f64 / within as f64 },
        latency,
    }
}

/// One line on stderr that is drawn anew, where stderr is a terminal.
struct Progress {
    begun: Instant,
    done: usize,
    all: usize,
    shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Progress { begun: Instant::now(), done: 0, all, shown: std::io::stderr().is_terminal() }
    }

    fn next(&mut self, cell: &Cell) {
        if self.shown {
            let seconds = self.begun.elapsed().as_secs();
            let what = format!("{} {} ×{}", cell.workload.id(), cell.subject.id(), cell.processes);
            eprint!("\r\x1b[K{}/{} after {seconds} s: {what}", self.done + 1, self.all);
            let _ = std::io::stderr().flush();
        }
        self.done += 1;
    }

    fn end(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}
