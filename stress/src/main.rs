//! The gate's binary. Called `fencehold` it is that program: the gate executes itself anew as what it kills, so what is
//! killed is the code that ships, and no other package's binary has to be built first.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let name = args.first().map(Path::new).and_then(Path::file_name);
    if name.is_some_and(|name| name == "fencehold") {
        return fencehold::cli::main(args);
    }
    fencehold_stress::gate::main(args)
}
