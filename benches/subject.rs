//! What `cold` starts as a process: `fencehold` itself, or, called `… append-and-sync FILE`, what a script without it
//! would do after flock(1): append a line and wait for the disk.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
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
