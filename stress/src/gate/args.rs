//! The command line of the gate.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks an implementation: kills it mid-write, tears its lines, judges its histories.
///
/// Exit codes: 0 nothing found up to the bounds printed; 1 a violation; 2 usage; 3 unknown, something that must happen
/// sometimes did not, or a required stage was skipped; 70 a bug of the gate.
#[derive(Debug, Parser)]
#[command(name = "fencehold-gate", version, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the stages and write a report.
    Run(Run),
    /// Check an adapter of the target protocol, one request after the other, in about two seconds
    Lint(Lint),
    /// Judge a recorded history again: what real time made is not run again.
    Judge(Judge),
    /// Repair a workspace folder, as the operator of a soak does.
    #[command(hide = true)]
    Repair {
        /// The folder itself
        workspace: PathBuf,
    },
    /// Be one of the gate's own broken targets: M01, M03, M16.
    Target {
        /// Which one
        name: String,
    },
    /// Be a harness that asks a hook, as a session of the stage `guard`.
    #[command(hide = true)]
    StandIn {
        /// Which hook
        hook: String,
    },
    /// Be two users in one checkout, as the stage `guard` asks.
    #[command(hide = true)]
    TwoUsers,
    /// Be one of the gate's own broken guards: M39, M47, M50.
    #[command(hide = true)]
    BrokenHook {
        /// Which one
        name: String,
        /// What it is asked about
        event: String,
    },
    /// Be one of the gate's own helpers that keep plan files in step: M52, M55, M58 to M60.
    #[command(hide = true)]
    BrokenPlan {
        /// Its flaws
        words: String,
        /// What it is asked
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run a recorded schedule of the simulated world again.
    Replay(Replay),
    /// Make a schedule that violates something shorter: operations first, then the other choices.
    Minimize(Replay),
    /// Hunt every mutant with every engine, and print who catches what, and how soon
    Mutants(Mutants),
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ProfileName {
    Quick,
    Default,
    Deep,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Only these stages
    #[arg(long, value_name = "STAGE,…", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// A stage that must run: skipping it ends with 3
    #[arg(long, value_name = "STAGE")]
    pub(super) require: Vec<String>,
    /// Drive this command, which speaks the target protocol, instead of our own implementation
    #[arg(long, value_name = "CMD …")]
    pub(super) target: Option<String>,
    /// quick: within 45 s; default: within 4 min; deep: longer
    #[arg(long, value_enum, default_value = "default")]
    pub(super) profile: ProfileName,
    /// The seed of all that is drawn; what real time makes does not follow from it
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Seconds for the kill soak
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) seconds: Option<u64>,
    /// The folder that gets a folder for this run
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(super) out: PathBuf,
    /// Print the results as one JSON object on stdout instead of the table
    #[arg(long)]
    pub(super) json: bool,
    /// Also write the JUnit report to this file
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Judge {
    /// A history as the soak writes it, or a record of the stage guard (NDJSON)
    pub(super) history: PathBuf,
    /// Give up, as unknown, after so many seconds
    #[arg(long, value_name = "N", default_value = "60")]
    pub(super) seconds: u64,
    /// Print the verdict as one JSON object on stdout
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A schedule as a stage writes it (NDJSON)
    pub(super) schedule: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Lint {
    /// The command that speaks the target protocol; our own implementation where left out
    #[arg(long, value_name = "CMD …")]
    pub(super) target: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Mutants {
    /// Print the mutants and what they are of, and hunt none
    #[arg(long)]
    pub(super) list: bool,
    /// Only mutants whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) only: String,
    /// Only these engines
    #[arg(long, value_name = "ENGINE,…", value_delimiter = ',')]
    pub(super) engines: Vec<String>,
    /// Stop at the first engine that catches a mutant, the one that is mostly soonest first
    #[arg(long)]
    pub(super) first: bool,
    /// On so many seeds
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(super) seeds: u64,
    /// The first seed
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) seed: u64,
    /// After so many minutes, one seed has to do
    #[arg(long, value_name = "N", default_value = "20")]
    pub(super) minutes: u64,
    /// The folder that gets the table, as a page and as JSON
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(super) out: PathBuf,
}

impl Mutants {
    /// Whether this engine is let loose.
    pub(super) fn asks(&self, engine: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|only| only == engine)
    }
}
