//! The `fencehold` binary; everything is in [`fencehold::cli`].

fn main() -> std::process::ExitCode {
    fencehold::cli::main(std::env::args_os())
}
