//! `bench-report`: ours beside what people use today, in one run on one machine.
//!
//! Every worker is a process: this program once more, or node, or python3. One measurement is some workers that start
//! together and repeat one operation for a short while; all measurements are taken in turn, several rounds of them.

mod args;
mod machine;
mod run;
mod subject;
mod task;
mod team;
mod worker;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use fencehold_benches::Result;
use fencehold_benches::results::{Report, json, markdown, page, terminal};

use args::{Cli, Command, Run};
use task::Task;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match &cli.command {
        Some(Command::Worker { task }) => Task::parse(task).and_then(|task| worker::work(&task)).map(|()| 0),
        None => report(&cli.run),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("bench-report: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures, and leaves the pages; gives the exit code.
fn report(args: &Run) -> Result<u8> {
    let utc = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let dir = args.out.join(&utc);
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let report = run::measure(args, &dir, utc, command())?;
    let json = format!("{:#}\n", json(&report));
    write(&dir.join("report.json"), &json)?;
    write(&dir.join("report.html"), &page(&report))?;
    if let Some(path) = &args.markdown {
        write(path, &markdown(&report))?;
    }
    let shown = if args.json { json } else { terminal(&report) };
    match std::io::stdout().write_all(shown.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    eprintln!("{}", dir.join("report.html").display());
    Ok(code(&report))
}

fn code(report: &Report) -> u8 {
    if report.cells.iter().any(|cell| cell.lost() > 0 || cell.surplus() > 0) {
        return 1;
    }
    let failed = report.cells.iter().any(|cell| cell.rounds.iter().any(std::result::Result::is_err));
    if failed { 3 } else { 0 }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// What was typed, by the alias of `.cargo/config.toml`.
fn command() -> String {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let words = args.iter().map(|arg| shell_words::quote(arg).into_owned());
    std::iter::once("cargo bench-report".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
