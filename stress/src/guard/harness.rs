//! A stand-in for a harness: a process that runs the hook before and after its tool calls, and is no shell.
//!
//! On stdin one JSON object a line, `id`, `event` and `payload` (the text that the hook is given); for each one on stdout,
//! with `id`, `code`, `out` (what the hook wrote) and `took_us`.

use std::io::{BufRead as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::checkout::clean;

/// The hook of the shipped command.
pub const SHIPPED: &str = "shipped";

/// The word by which the gate's binary is a broken hook.
pub(super) const BROKEN: &str = "broken-hook";
/// The word by which it is a stand-in.
pub(super) const STAND_IN: &str = "stand-in";

/// The program that runs, whatever it is called.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Runs a stand-in that asks `hook` to the end of its input.
#[must_use]
pub fn stand_in(hook: &str) -> ExitCode {
    for line in std::io::stdin().lock().lines() {
        let answered = line.map_err(|error| error.to_string()).and_then(|line| answer(hook, &line));
        let written = answered.and_then(|answer| {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(|error| error.to_string())
        });
        if let Err(why) = written {
            eprintln!("fencehold-gate: stand-in: {why}");
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}

fn answer(hook: &str, line: &str) -> Result<Value, String> {
    let request: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |field: &str| request[field].as_str().ok_or(format!("a request without {field}"));
    let (event, payload) = (text("event")?, text("payload")?);
    let begun = Instant::now();
    let mut command = Command::new(THIS_PROGRAM);
    match hook {
        SHIPPED => command.arg0("fencehold").args(["hook", event]),
        broken => command.arg0("fencehold-gate").args([BROKEN, broken, event]),
    };
    clean(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // One that has seen enough closes its end.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(payload.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let out = String::from_utf8_lossy(&output.stdout);
    Ok(json!({ "id": request["id"], "code": code, "out": out, "took_us": took_us }))
}
