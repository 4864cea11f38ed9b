use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::repo::Repo;
use crate::program::{Yard, fencehold_in};

const GATES: &str = "[[gates]]\nto = \"done\"\nrequire = [ { file = \"DONE.md\" } ]\n\
                     on_override = { append = \"overrides.ndjson\" }\n";

/// GATE-16: A task of a board that a gate stands before stays as it is: `task merge` names it with what is not met, merges
/// all others, and exits 1.
#[test]
fn a_board_brings_nothing_past_a_gate() {
    let other = Yard::with_git();
    assert_eq!(other.run(["task", "set", "7", "done"]).code, 0);
    assert_eq!(other.run(["task", "set", "8", "blocked"]).code, 0);
    let board = other.join("board.ndjson");
    assert_eq!(other.run(["task", "export", board.to_str().unwrap()]).code, 0);
    let repo = Repo::with(GATES);
    let file = board.to_str().unwrap();
    let merged = repo.0.json(1, ["task", "merge", file]);
    assert_eq!((&merged["reason"], &merged["value"]["changed"]), (&"gate".into(), &json!(["8"])), "{merged}");
    assert_eq!(merged["value"]["refused"][0]["unmet"][0]["file"], "DONE.md");
    assert_eq!(repo.0.run(["task", "get", "7"]).code, 1, "it has no status");
    let blank = repo.0.json(1, ["task", "merge", file, "--force", "--reason", " "]);
    assert_eq!(blank["reason"], "needs_reason");
    assert_eq!(repo.0.run(["task", "merge", file, "--force", "--reason", "moved house"]).code, 0);
    assert_eq!(repo.0.run(["task", "get", "7"]).stdout, "done\n");
    assert_eq!(repo.entries("overrides.ndjson").len(), 1);
}

/// A reopen into a gated status, and the choice of one side of a conflict, come to the gate as well.
#[test]
fn neither_a_reopen_nor_a_choice_goes_round() {
    let repo = Repo::with("");
    for status in ["done", "in_progress"] {
        assert_eq!(repo.0.run(["task", "set", status, status]).code, 0);
    }
    assert_eq!(repo.0.run(["task", "set", "in_progress", "blocked"]).code, 1, "a conflict");
    repo.write("fencehold.toml", &GATES.replace("\"done\"", "\"blocked\""));
    assert_eq!(repo.0.run(["config", "apply"]).code, 0);
    let choice = repo.0.json(1, ["task", "set", "in_progress", "blocked", "--resolve"]);
    assert_eq!(choice["reason"], "gate", "{choice}");
    let reopen = ["task", "reopen", "done", "blocked", "--reason", "again"];
    assert_eq!(repo.0.json(1, reopen)["reason"], "gate");
    assert_eq!(repo.0.run(reopen.iter().copied().chain(["--force"])).code, 0);
    assert_eq!(repo.entries("overrides.ndjson")[0]["reason"], "again");
    repo.write("DONE.md", "");
    assert_eq!(repo.0.run(["task", "set", "in_progress", "blocked", "--resolve"]).code, 0);
}

/// GATE-17: Through the target protocol a gate is refused as `gate` with what is not met as `unmet`, and `status.set`,
/// `status.reopen` and `status.merge` take `force` with a `reason`.
#[test]
fn the_target_protocol_comes_to_the_same_gates() {
    let repo = Repo::with(GATES);
    let set = |more: Value| {
        let mut ask = json!({ "id": 1, "op": "status.set", "task": "7", "to": "done" });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask
    };
    let asked = [
        json!({ "id": 0, "op": "hello", "protocol": 1, "root": repo.0.path() }),
        set(json!({})),
        set(json!({ "force": true })),
        set(json!({ "force": true, "reason": "-" })),
        json!({ "id": 1, "op": "status.merge", "task": "7", "epoch": 0, "turn": 0, "statuses": ["done"] }),
        set(json!({ "force": true, "reason": "why" })),
        json!({ "id": 1, "op": "status.reopen", "task": "7", "to": "done", "reason": "again" }),
    ];
    let mut serve = fencehold_in(&repo.0.path())
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text: String = asked.iter().map(|ask| format!("{ask}\n")).collect();
    serve.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = serve.wait_with_output().unwrap();
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let reasons: Vec<&Value> = answers[1..].iter().map(|answer| &answer["reason"]).collect();
    let refused = ["gate", "needs_reason", "needs_reason", "gate"].map(Value::from);
    assert_eq!(reasons[..4], refused.iter().collect::<Vec<_>>(), "{answers:?}");
    assert_eq!(answers[1]["value"]["unmet"][0]["file"], "DONE.md");
    assert_eq!((&answers[5]["outcome"], &answers[5]["value"]["forced"]), (&"ok".into(), &true.into()));
    assert_eq!(answers[6]["reason"], "gate");
    assert_eq!(repo.entries("overrides.ndjson").len(), 1);
}
