//! What the ledger knows of a token, asked of a target that is the shipped program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use fencehold_model::Token;
use serde_json::{Value, json};

use crate::program::{Kept, Yard};
use crate::spec_kit::HOUR;

/// A target that is the shipped program, in a git repository of its own.
struct Served {
    child: Kept,
    answers: BufReader<std::process::ChildStdout>,
    yard: Yard,
}

impl Served {
    fn new() -> Self {
        let yard = Yard::with_git();
        let child = yard.fencehold().arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = Kept(child.unwrap());
        let answers = BufReader::new(child.0.stdout.take().unwrap());
        let root = yard.path().display().to_string();
        let mut served = Served { child, answers, yard };
        served.ok(&json!({ "op": "hello", "protocol": 1, "root": root }));
        served
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = json!(1);
        let stdin = self.child.0.stdin.as_mut().unwrap();
        writeln!(stdin, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ok(&mut self, request: &Value) -> Value {
        let answer = self.ask(request.clone());
        assert_eq!(answer["outcome"], "ok", "{request}: {answer}");
        answer["value"].clone()
    }

    fn grant(&mut self, name: &str, holder: &str) -> Token {
        let request = json!({ "op": "lock.acquire", "name": name, "holder": holder, "ttl_ms": HOUR });
        self.ok(&request)["token"].as_u64().unwrap()
    }

    fn release(&mut self, name: &str, holder: &str, token: Token) {
        self.ok(&json!({ "op": "lock.release", "name": name, "holder": holder, "token": token }));
    }
}

/// Every kind of guarded operation, with this fence.
fn guarded(lock: &str, token: Token) -> [Value; 4] {
    let fence = json!({ "lock": lock, "token": token });
    [
        json!({ "op": "doc.increment", "file": "d.json", "key": "n", "by": 1, "fence": fence }),
        json!({ "op": "doc.merge", "file": "d.json", "patch": { "m": 1 }, "fence": fence }),
        json!({ "op": "doc.read", "file": "d.json", "fence": fence }),
        json!({ "op": "log.append", "file": "l.ndjson", "record": { "id": "r" }, "fence": fence }),
    ]
}

/// FENCE-3: A guarded operation sent after a newer grant of its lock or lease was answered is refused as `stale_token`,
/// even where the newer token was never shown at the file.
#[test]
fn an_older_token_is_refused_at_a_file_that_never_saw_the_newer() {
    let mut refused = 0;
    for ended in ["live", "released", "broken"] {
        let mut served = Served::new();
        std::fs::write(served.yard.join("d.json"), "{}").unwrap();
        let old = served.grant("x", "first");
        served.release("x", "first", old);
        let new = served.grant("x", "second");
        match ended {
            "released" => served.release("x", "second", new),
            "broken" => _ = served.ok(&json!({ "op": "lock.break", "name": "x", "reason": "stuck" })),
            _ => {}
        }
        let before = std::fs::read(served.yard.join("d.json")).unwrap();
        for request in guarded("x", old) {
            let answer = served.ask(request.clone());
            assert_eq!(
                (&answer["outcome"], &answer["reason"]),
                (&json!("refused"), &json!("stale_token")),
                "{ended}: {request}: {answer}"
            );
            refused += 1;
        }
        assert_eq!(std::fs::read(served.yard.join("d.json")).unwrap(), before);
        assert!(!served.yard.join("l.ndjson").exists());
    }
    assert_eq!(refused, 12);
}

/// FENCE-12: A token above every revision of the journal was never handed out, and a guarded operation with it fails
/// definitely.
#[test]
fn a_token_from_nowhere_does_not_raise_a_mark() {
    let mut served = Served::new();
    std::fs::write(served.yard.join("d.json"), "{}").unwrap();
    let token = served.grant("x", "h");
    let mut failed = 0;
    for bad in [token + 1, token + (1 << 30), (1 << 53) - 1, 1 << 53] {
        for request in guarded("x", bad) {
            assert_eq!(served.ask(request.clone())["outcome"], "fail", "{request}");
            failed += 1;
        }
    }
    assert_eq!(failed, 16);
    for request in guarded("x", token) {
        served.ok(&request);
    }
}
