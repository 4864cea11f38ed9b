//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use fencehold_benches::results::{Subject, Workload};

/// Measures Fencehold beside what people use today: one command, one run, this machine.
///
/// Tables go to stdout; a folder with report.html and report.json is left. What cannot run here is said, and why.
/// Exit codes: 0 measured; 1 an acknowledged record is missing; 2 usage or environment; 3 a measurement failed.
#[derive(Debug, Parser)]
#[command(name = "bench-report", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be one worker; its task is JSON.
    #[command(hide = true)]
    Worker {
        /// What it does
        task: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// One round, short windows, 1 and 4 processes: under a minute
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these subjects and workloads; `bare`, which the ratios need, is named like the others
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = known)]
    pub(crate) only: Vec<String>,
    /// How many processes at once [default: 1,2,4,8]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) processes: Vec<u16>,
    /// How long each measurement takes, at least 0.05 and at most 600 [default: 0.25]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// How often everything is measured [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: Option<u16>,
    /// Where the folder of the run is made; what is measured lies on this disk
    #[arg(long, value_name = "DIR", default_value = "target/bench-report")]
    pub(crate) out: PathBuf,
    /// The packages of other languages: node_modules/ with proper-lockfile, python/ with filelock
    #[arg(long, value_name = "DIR", default_value = "target/peers")]
    pub(crate) peers: PathBuf,
    /// Print report.json instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the tables to this file as Markdown as well
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

fn known(word: &str) -> Result<String, String> {
    if Subject::of_id(word).is_some() || Workload::of_id(word).is_some() {
        return Ok(word.to_owned());
    }
    let subjects = Subject::ALL.map(Subject::id).join(", ");
    let workloads = Workload::ALL.map(Workload::id).join(", ");
    Err(format!("subjects are {subjects}; workloads are {workloads}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0.05 to 600".to_owned()),
    }
}

impl Run {
    /// The subjects that are named, or all.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let named: Vec<Subject> =
            Subject::ALL.into_iter().filter(|subject| self.names(subject.id())).collect();
        if named.is_empty() { Subject::ALL.to_vec() } else { named }
    }

    /// The workloads that are named, or all.
    pub(crate) fn workloads(&self) -> Vec<Workload> {
        let named: Vec<Workload> =
            Workload::ALL.into_iter().filter(|workload| self.names(workload.id())).collect();
        if named.is_empty() { Workload::ALL.to_vec() } else { named }
    }

    fn names(&self, id: &str) -> bool {
        self.only.iter().any(|word| word == id)
    }

    /// How many processes at once, ascending.
    pub(crate) fn processes(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = match (self.processes.as_slice(), self.quick) {
            ([], true) => vec![1, 4],
            ([], false) => vec![1, 2, 4, 8],
            (counts, _) => counts.iter().copied().map(usize::from).collect(),
        };
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// How often everything is measured.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.map_or(if self.quick { 1 } else { 5 }, usize::from)
    }

    /// How long each measurement takes, in milliseconds.
    pub(crate) fn window_ms(&self) -> u64 {
        let seconds = self.seconds.unwrap_or(if self.quick { 0.2 } else { 0.25 });
        (seconds * 1000.0).round() as u64
    }
}
