//! What `cold` starts as a process: `fencehold` itself, or, called `… append-and-sync FILE`, what a script without it
//! would do after flock(1): append a line and wait for the disk. Called `… memory-of ARGS`, it starts itself with these
//! and prints the most memory that this took.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if let [_, word, command @ ..] = args.as_slice()
        && word == "memory-of"
    {
        return memory_of(command);
    }
    let [_, word, file] = args.as_slice() else { return fencehold::cli::main(args) };
    if word != "append-and-sync" {
        return fencehold::cli::main(args);
    }
    let appended = OpenOptions::new().append(true).create(true).open(file).and_then(|mut file| {
        file.write_all(b"a line as a script would note it\n")?;
        file.sync_data()
    });
    match appended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// Prints `ru_maxrss` of getrusage(2) in KiB. By a process that is small itself: before it executes its program, a child
/// counts with all that its parent has.
fn memory_of(command: &[OsString]) -> ExitCode {
    let ended = std::env::current_exe().and_then(|myself| {
        Command::new(myself).args(command).stdout(Stdio::null()).status()?;
        Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?)
    });
    match ended {
        Ok(usage) => {
            println!("{}", usage.max_rss());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("memory-of: {error}");
            ExitCode::FAILURE
        }
    }
}
