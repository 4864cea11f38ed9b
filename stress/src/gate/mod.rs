//! The gate: its stages, its command line, its run folder.

mod args;
mod broken;
mod corpus;
mod matrix;
mod matrix_page;
mod mutants;
mod processes;
mod run;
mod seam;
mod section;
pub mod stage;
mod worlds;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};

/// Runs `fencehold-gate` with these arguments, the program's name included.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let code = match &cli.command {
        Command::Target { name } => return crate::targets::run(name),
        Command::StandIn { hook } => return crate::guard::stand_in(hook),
        Command::TwoUsers => return crate::guard::be_two_users(),
        Command::BrokenHook { name, event } => return crate::guard::broken_hook(name, event),
        Command::BrokenPlan { words, args } => return crate::plans::broken_plan(words, args),
        Command::Run(run) => run::run(run),
        Command::Repair { workspace } => {
            crate::soak::repair_folder(workspace).map(|()| 0).map_err(|error| error.to_string())
        }
        Command::Judge(judge) => run::judge(judge),
        Command::Lint(lint) => run::lint(lint),
        Command::Replay(replay) => run::replay(replay),
        Command::Minimize(replay) => run::minimize(replay),
        Command::Mutants(mutants) => matrix::mutants(mutants),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("fencehold-gate: {why}");
            ExitCode::from(2)
        }
    }
}

/// The command that runs a schedule again.
#[must_use]
pub fn replay_command(schedule: &Path) -> String {
    format!("cargo replay {}", shell_words::quote(&schedule.to_string_lossy()))
}

/// The command that judges a history again.
#[must_use]
pub fn judge_command(history: &Path) -> String {
    let path = shell_words::quote(&history.to_string_lossy()).into_owned();
    format!("cargo run --release --quiet -p fencehold-stress --bin fencehold-gate -- judge {path}")
}
