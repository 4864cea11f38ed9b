//! Adapters that misread one rule: our own server behind a proxy that twists what passes.
//!
//! The linter is tested on them, a fake for each of its rules. `nothing` twists nothing, `silent` never answers.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::twist::Twist;

/// The exit code of a fake that ends by its defect.
const ENDED: u8 = 1;

struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> io::Result<Self> {
        // In the group of the proxy: one signal reaches both.
        let mut process = Command::new("/proc/self/exe")
            .arg0("fencehold")
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        Ok(Server { input: process.stdin.take(), output: BufReader::new(output), process })
    }

    fn ask(&mut self, line: &[u8]) -> io::Result<Value> {
        if let Some(input) = &mut self.input {
            input.write_all(line)?;
        }
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        serde_json::from_str(&answer).map_err(io::Error::other)
    }

    fn end(mut self) -> io::Result<()> {
        self.input = None;
        self.process.wait().map(drop)
    }
}

/// Serves the fake that misreads `rule`; gives its exit code.
pub(super) fn run(rule: &str) -> io::Result<u8> {
    let mut server = Server::start()?;
    let mut twist = Twist::new(rule);
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let answer = match serde_json::from_slice::<Value>(&line) {
            Err(_) if matches!(rule, "malformed-line" | "not-utf-8") => return ended(server),
            Ok(value) if rule == "not-an-object" && !value.is_object() => {
                json!({ "id": null, "outcome": "ok", "value": {} })
            }
            Ok(mut request) if request.is_object() && line.len() <= crate::target::LINE_BYTES_MAX => {
                if rule == "silent" && request["op"] != "hello" {
                    continue;
                }
                twist.request(&mut request);
                let mut answer = server.ask(format!("{request}\n").as_bytes())?;
                twist.answer(&request, &mut answer);
                answer
            }
            _ => {
                let answer = server.ask(&line)?;
                if rule == "long-line" {
                    say(&answer)?;
                }
                answer
            }
        };
        say(&answer)?;
    }
    server.end()?;
    Ok(if rule == "end-of-input" { ENDED } else { 0 })
}

fn ended(server: Server) -> io::Result<u8> {
    server.end()?;
    Ok(ENDED)
}

fn say(answer: &Value) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(format!("{answer}\n").as_bytes())?;
    output.flush()
}
