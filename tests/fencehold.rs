//! The `fencehold` binary under another name, so that the tests have one to start; called `… target NAME`, one of the
//! gate's own targets.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    match args.as_slice() {
        [_, word, name] if word == "target" => fencehold_stress::targets::run(&name.to_string_lossy()),
        _ => fencehold::cli::main(args),
    }
}
