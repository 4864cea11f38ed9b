//! The transcripts of the protocol are what our own server answers.
//!
//! `FENCEHOLD_REGENERATE=1` writes the answers anew; the requests stay as they stand in the files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_stress::target::{Child, Spec};
use serde_json::Value;

const ANSWER: Duration = Duration::from_secs(10);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../stress/protocol")
}

/// The placeholders of one transcript: what was answered, by kind, in the order of its first appearance.
#[derive(Default)]
struct Seen {
    tokens: Vec<Value>,
    epochs: Vec<Value>,
    versions: Vec<Value>,
}

impl Seen {
    /// Puts placeholders for what differs from run to run.
    fn hide(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let numbered = |kind: &str, seen: &mut Vec<Value>, value: &Value| {
                        let found = seen.iter().position(|known| known == value);
                        let at = found.unwrap_or_else(|| {
                            seen.push(value.clone());
                            seen.len() - 1
                        });
                        Value::from(format!("<{kind} {}>", at + 1))
                    };
                    match key.as_str() {
                        _ if value.is_null() => {}
                        "token" => *value = numbered("token", &mut self.tokens, value),
                        "epoch" if *value != 0 => *value = numbered("epoch", &mut self.epochs, value),
                        "version" if *value != "absent" => {
                            *value = numbered("version", &mut self.versions, value);
                        }
                        // Of a proposal it is the file, and always the same.
                        "target" if value.as_str().is_some_and(|text| text.starts_with("NOTES")) => {}
                        "revision" | "target" | "error" | "pid" | "host" => {
                            *value = format!("<{key}>").into();
                        }
                        "expires_in_ms" | "since_ms" | "held_for_ms" | "ended_for_ms" => {
                            *value = "<milliseconds>".into();
                        }
                        _ => self.hide(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Puts what was answered in the place of placeholders.
    fn show(&self, request: &str, root: &Path) -> String {
        let mut line = request.replace("<root>", &root.to_string_lossy());
        for (kind, seen) in [("token", &self.tokens), ("epoch", &self.epochs), ("version", &self.versions)] {
            for (at, value) in seen.iter().enumerate() {
                line = line.replace(&format!("\"<{kind} {}>\"", at + 1), &value.to_string());
            }
        }
        assert!(!line.contains("\"<"), "a placeholder that nothing was answered for: {line}");
        line
    }
}

fn is_answer(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|line| line.get("outcome").is_some())
}

/// What a transcript with these requests looks like.
fn transcript(name: &str, requests: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path().canonicalize().expect("the folder is there").join("root");
    std::fs::create_dir(&root).expect("a new folder");
    let spec = Spec::own_at(super::under_test());
    let mut child: Child = spec.spawn(&root, &dir.path().join("stderr")).expect("it starts");
    if !name.starts_with("hello") {
        child.hello(ANSWER).expect("it answers `hello`");
    }
    let mut seen = Seen::default();
    let mut text = String::new();
    for request in requests {
        let line = seen.show(request, &root);
        child.send(format!("{line}\n").as_bytes(), ANSWER).expect("it takes a line");
        let mut answer = child.receive(ANSWER).expect("it answers");
        seen.hide(&mut answer);
        text.push_str(&format!("{request}\n{answer}\n"));
    }
    text
}

#[test]
fn the_transcripts_are_what_our_own_server_answers() {
    let regenerate = std::env::var_os("FENCEHOLD_REGENERATE").is_some();
    let mut words = BTreeSet::new();
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    paths.sort();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let stands = std::fs::read_to_string(&path).expect("readable");
        let requests: Vec<&str> = stands.lines().filter(|line| !is_answer(line)).collect();
        let told = transcript(&name, &requests);
        if regenerate {
            std::fs::write(&path, &told).expect("writable");
        } else {
            assert_eq!(stands, told, "{name}: run again with FENCEHOLD_REGENERATE=1 if this is meant");
        }
        for (request, answer) in requests.iter().zip(told.lines().skip(1).step_by(2)) {
            let answer: Value = serde_json::from_str(answer).expect("an answer");
            let op = serde_json::from_str::<Value>(request).unwrap_or_default()["op"].clone();
            let word = answer["reason"].as_str().or(answer["outcome"].as_str()).expect("a word").to_owned();
            words.insert(format!("{} {word}", op.as_str().unwrap_or("malformed")));
        }
    }
    let missing: Vec<&str> = EVERY.iter().copied().filter(|word| !words.contains(*word)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "operations and reasons without a transcript");
}

/// Every operation that is offered, with every outcome and reason that it can have.
const EVERY: &[&str] = &[
    "hello ok",
    "hello fail",
    "malformed fail",
    "lock.acquire ok",
    "lock.acquire held",
    "lock.acquire fail",
    "lock.renew ok",
    "lock.renew not_holder",
    "lock.renew expired",
    "lock.release ok",
    "lock.release not_holder",
    "lock.release expired",
    "lock.break ok",
    "lock.break needs_reason",
    "lock.break not_found",
    "lock.show ok",
    "lock.show fail",
    "lease.grant ok",
    "lease.grant already_open",
    "lease.grant overlap",
    "lease.grant fail",
    "lease.close ok",
    "lease.close not_holder",
    "lease.close not_open",
    "lease.close not_found",
    "lease.close fail",
    "lease.crash ok",
    "lease.crash needs_reason",
    "lease.crash not_open",
    "lease.crash not_holder",
    "lease.crash not_found",
    "lease.clear ok",
    "lease.clear needs_reason",
    "lease.clear not_found",
    "lease.clear fail",
    "lease.show ok",
    "lease.show not_found",
    "lease.list ok",
    "lease.list fail",
    "status.set ok",
    "status.set regression",
    "status.set conflict",
    "status.set stale_epoch",
    "status.set fail",
    "status.reopen ok",
    "status.reopen needs_reason",
    "status.reopen not_found",
    "status.reopen fail",
    "status.get ok",
    "status.get not_found",
    "status.merge ok",
    "status.merge fail",
    "log.append ok",
    "log.append stale_token",
    "log.append guarded",
    "log.append fail",
    "log.read ok",
    "log.read fail",
    "doc.increment ok",
    "doc.increment stale_token",
    "doc.increment guarded",
    "doc.increment fail",
    "doc.merge ok",
    "doc.merge version",
    "doc.merge stale_token",
    "doc.merge guarded",
    "doc.merge fail",
    "doc.read ok",
    "doc.read not_found",
    "doc.read stale_token",
    "doc.read guarded",
    "proposal.add ok",
    "proposal.add conflict",
    "proposal.add fail",
    "proposal.accept ok",
    "proposal.accept not_open",
    "proposal.accept not_found",
    "proposal.accept guarded",
    "proposal.accept stale_token",
    "proposal.accept fail",
    "proposal.reject ok",
    "proposal.reject not_open",
    "proposal.reject not_found",
    "proposal.reject fail",
    "proposal.list ok",
    "proposal.list fail",
];
