//! The `fencehold` binary under another name, so that the tests have one to start; called `… target NAME`, one of the
//! gate's own targets; `… stand-in HOOK` and `… broken-hook NAME EVENT`, a harness and a guard of its stage `guard`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    match args.as_slice() {
        [_, word, name] if word == "target" => fencehold_stress::targets::run(&name.to_string_lossy()),
        [_, word, hook] if word == "stand-in" => fencehold_stress::guard::stand_in(&hook.to_string_lossy()),
        [_, word, name, event] if word == "broken-hook" => {
            fencehold_stress::guard::broken_hook(&name.to_string_lossy(), &event.to_string_lossy())
        }
        _ => fencehold::cli::main(args),
    }
}
