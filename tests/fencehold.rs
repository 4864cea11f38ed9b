//! The `fencehold` binary under another name, so that the tests have one to start; called `… target NAME`, one of the
//! gate's own targets; `… stand-in HOOK` and `… broken-hook NAME EVENT`, a harness and a guard of its stage `guard`; called
//! `… broken-plan FLAWS …`, one of its helpers for plan files.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    match args.as_slice() {
        [_, word, name] if word == "target" => fencehold_stress::targets::run(&name.to_string_lossy()),
        [_, word, hook] if word == "stand-in" => fencehold_stress::guard::stand_in(&hook.to_string_lossy()),
        [_, word, name, event] if word == "broken-hook" => {
            fencehold_stress::guard::broken_hook(&name.to_string_lossy(), &event.to_string_lossy())
        }
        [_, word, words, args @ ..] if word == "broken-plan" => {
            let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
            fencehold_stress::plans::broken_plan(&words.to_string_lossy(), &args)
        }
        _ => fencehold::cli::main(args),
    }
}
