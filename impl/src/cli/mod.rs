//! The command line: `fencehold`.
//!
//! [`main`] is the whole program, so that any binary of the workspace can be it. Data goes to stdout, prose to
//! stderr; exit codes are a contract (see `--help`); a reader of stdout that goes away is no error; a panic is a bug
//! of ours and ends with 70.

mod acquire;
mod args;
mod audit;
mod config;
mod deinit;
mod describe;
mod doc;
mod fence;
mod front;
mod gate;
mod git;
mod guarded;
mod history;
mod hook;
mod identity;
mod init;
mod inspect;
mod lease;
mod lock;
mod locks;
mod log;
mod out;
mod plan;
mod proposal;
mod render;
mod repair;
mod run;
mod serve;
mod session;
mod settings;
mod shell;
mod span;
mod task;
mod team;
mod union_lines;
mod waiting;
mod watch;
mod whole;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Cli, Command};
use out::{Ended, Out, fail};

/// Runs `fencehold` with these arguments, the program's name included.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    ExitCode::from(guarded(|| enter(&args)))
}

/// Gives the code of `run`, or that of a bug of ours where it panics.
fn guarded(run: impl FnOnce() -> u8) -> u8 {
    std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        out::say("this is a bug of fencehold; what it says above would help to find it");
        out::BUG
    })
}

fn enter(args: &[OsString]) -> u8 {
    // No command for people: what `lock run` starts. It stands before the parser, so that no help names it.
    if let [_, command, parent, dashes, child @ ..] = args
        && command == run::CHILD_COMMAND
        && dashes == "--"
    {
        return run::code_of(run::be_child(parent, child), Out { json: false });
    }
    if let [_, command, root, token] = args
        && command == hook::renewer::COMMAND
    {
        return out::code_of(
            hook::renewer::be(root, token).map(|()| 0).map_err(out::Stop::Error),
            Out { json: false },
        );
    }
    // Nor is this: a harness asks, and an error of usage would stop every call of its agent.
    if let [_, command, event, rest @ ..] = args
        && command == "hook"
        && let Some(event) = event.to_str().filter(|event| hook::is_event(event))
    {
        return hook::enter(event, rest);
    }
    // Git asks.
    if let [_, command, event, rest @ ..] = args
        && command == "hook"
        && let Some(event) = event.to_str().filter(|event| hook::is_of_git(event))
    {
        return hook::answer_git(event, rest);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return explain(&error, args),
    };
    let out = Out { json: cli.common.json };
    if let Command::Lock(args::Lock::Run(run)) = &cli.command {
        return run::code_of(run::run(run, &cli.common), out);
    }
    out::code_of(dispatch(&cli), out)
}

/// Help and version go to stdout and are no error; what cannot be parsed is usage.
fn explain(error: &clap::Error, args: &[OsString]) -> u8 {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let out = Out { json: false };
            out::code_of(out.data(&text).map(|()| 0), out)
        }
        _ => {
            use std::io::Write as _;
            // Where nobody can read it the code still says it.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            if args.iter().take_while(|word| *word != "--").any(|word| word == "--json") {
                // The first paragraph: what follows is the usage.
                let why: Vec<&str> =
                    text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
                let why = why.join(" ");
                let _ = Out { json: true }.data(&format!("{}\n", fail(why.trim_start_matches("error: "))));
            }
            if is_lock_run(args) { run::OURS } else { out::USAGE }
        }
    }
}

/// Whether what could not be parsed was meant as a `lock run`, wherever the flags that all commands take stand.
fn is_lock_run(args: &[OsString]) -> bool {
    let mut commands = Vec::new();
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            "--" => break,
            "--root" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            command => commands.push(command.to_owned()),
        }
    }
    matches!(commands.as_slice(), [lock, run, ..] if lock == "lock" && run == "run")
}

fn dispatch(cli: &Cli) -> Ended {
    let common = &cli.common;
    let out = Out { json: common.json };
    match &cli.command {
        Command::Init(asked) => init::init(asked, common),
        Command::Deinit(asked) => deinit::deinit(asked, common),
        Command::Where => inspect::place(common),
        Command::Status => front::status(common),
        Command::Watch => watch::watch(common),
        Command::Audit(who) => audit::audit(who, common),
        Command::Doctor => inspect::doctor(common),
        Command::History { name } => history::history(name.as_deref(), common),
        Command::Repair => repair::repair(common),
        Command::Whoami(who) => identity::whoami(who, out),
        Command::Lock(command) => lock::lock(command, common),
        Command::Lease(command) => lease::lease(command, common),
        Command::Task(command) => task::task(command, common),
        Command::Plan(command) => plan::plan(command, common),
        Command::Proposal(command) => proposal::proposal(command, common),
        Command::Config(command) => config::config(command, common),
        Command::Hook(command) => hook::hook(command, common),
        Command::Log(command) => log::log(command, common),
        Command::Doc(command) => doc::doc(command, common),
        Command::Completions { shell } => shell::completions(*shell, out),
        Command::Man { command } => shell::man(command, out),
        Command::Serve => Ok(serve::run().map(|()| 0)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_bug_of_ours() {
        assert_eq!(guarded(|| panic!("a test: an invariant of ours is broken")), 70);
        assert_eq!(guarded(|| 4), 4);
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
