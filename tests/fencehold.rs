//! The `fencehold` binary under another name, so that the tests have one to start.

fn main() -> std::process::ExitCode {
    fencehold::cli::main(std::env::args_os())
}
