//! The target protocol, spoken to `fencehold serve` as a real process: statuses.

use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;

fn cell(statuses: &[&str], epoch: u64, turn: u64) -> Value {
    json!({ "statuses": statuses, "epoch": epoch, "turn": turn })
}

/// The value of an answer with this outcome or reason, without `already`.
fn asked(served: &mut Served, op: &str, fields: &Value, word: &str) -> Value {
    let mut answer = served.ask(op, fields);
    let said = answer.get("reason").unwrap_or(&answer["outcome"]);
    assert_eq!(said, word, "{op} {fields}: {answer}");
    assert!(answer["revision"].is_u64(), "{op} {fields}: {answer}");
    if let Some(value) = answer["value"].as_object_mut() {
        value.remove("already");
    }
    answer["value"].clone()
}

/// TARGET-28: `status.set`, `status.get`, `status.reopen` and `status.merge` answer the `statuses` that stand, sorted,
/// with their `epoch`, `turn` and `details`, and a refusal carries the same where any stands.
#[test]
fn an_answer_about_a_status_is_what_stands() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let set = |to: &str, more: Value| {
        let mut fields = json!({ "task": "T", "to": to });
        for (key, value) in more.as_object().unwrap() {
            fields[key] = value.clone();
        }
        fields
    };
    let get = json!({ "task": "T" });
    assert_eq!(asked(&mut served, "status.get", &get, "not_found"), Value::Null);
    assert_eq!(
        asked(&mut served, "status.set", &set("in_progress", json!({ "from": "todo" })), "conflict"),
        Value::Null
    );
    let mut conflict = cell(&["blocked", "in_progress"], 0, 0);
    conflict["details"] = json!({ "in_progress": { "url": "u" } });
    asked(&mut served, "status.set", &set("in_progress", json!({ "detail": { "url": "u" } })), "ok");
    assert_eq!(asked(&mut served, "status.set", &set("blocked", json!({})), "ok"), conflict);
    let other = set("in_progress", json!({ "detail": { "url": "v" } }));
    assert_eq!(asked(&mut served, "status.set", &other, "conflict"), conflict);
    assert_eq!(asked(&mut served, "status.get", &get, "ok"), conflict);
    let chosen = set("blocked", json!({ "resolve": true }));
    assert_eq!(asked(&mut served, "status.set", &chosen, "ok"), cell(&["blocked"], 0, 1));
    assert_eq!(
        asked(&mut served, "status.set", &set("todo", json!({})), "regression"),
        cell(&["blocked"], 0, 1)
    );
    assert_eq!(asked(&mut served, "status.set", &set("done", json!({})), "ok"), cell(&["done"], 0, 0));
    assert_eq!(served.ok("status.set", &set("done", json!({})))["already"], true);
    let reopen = |reason: &str| json!({ "task": "T", "to": "todo", "reason": reason });
    assert_eq!(asked(&mut served, "status.reopen", &reopen(" "), "needs_reason"), Value::Null);
    let reopened = served.ask("status.reopen", &reopen("again"));
    let epoch = reopened["revision"].as_u64().unwrap();
    let todo = cell(&["todo"], epoch, 0);
    assert_eq!(asked(&mut served, "status.get", &get, "ok"), todo);
    assert_eq!(asked(&mut served, "status.set", &set("done", json!({})), "stale_epoch"), todo);
    let merge = |epoch: u64, statuses: &[&str]| {
        let mut fields = cell(statuses, epoch, 0);
        fields["task"] = json!("T");
        fields
    };
    assert_eq!(asked(&mut served, "status.merge", &merge(0, &["done"]), "ok"), todo);
    let both = merge(epoch, &["in_progress", "blocked"]);
    assert_eq!(asked(&mut served, "status.merge", &both, "ok"), cell(&["blocked", "in_progress"], epoch, 0));
    let mut detailed = both.clone();
    detailed["details"] = json!({ "blocked": { "q": "?" } });
    assert_eq!(asked(&mut served, "status.merge", &detailed, "ok")["details"], detailed["details"]);
    assert_eq!(served.ok("status.merge", &both)["already"], true);
}

/// TARGET-29: A status that the workspace does not know, an epoch that the task has not reached, and a merge of no
/// status or of two ranks get `fail`.
#[test]
fn what_makes_no_sense_for_a_task_fails() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    served.ok("status.set", &json!({ "task": "T", "to": "todo" }));
    let bad = [
        ("status.set", json!({ "to": "lost" })),
        ("status.set", json!({ "to": "" })),
        ("status.set", json!({ "to": "done", "from": "lost" })),
        ("status.set", json!({ "to": "done", "epoch": 7 })),
        ("status.set", json!({ "to": "done", "epoch": 0.5 })),
        ("status.set", json!({ "to": "done", "epoch": "0" })),
        ("status.set", json!({ "to": "done", "detail": "text" })),
        ("status.set", json!({ "to": "done", "detail": { "text": "x".repeat(4096) } })),
        ("status.set", json!({ "to": "done", "resolve": 1 })),
        ("status.set", json!({ "to": "done", "task": " " })),
        ("status.reopen", json!({ "to": "lost", "reason": "r" })),
        ("status.reopen", json!({ "reason": "r" })),
        ("status.get", json!({ "task": ["T"] })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": [] })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": "done" })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": ["done", "todo"] })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": ["lost"] })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": ["done", "done"] })),
        ("status.merge", json!({ "epoch": 0, "turn": 0, "statuses": ["done"], "details": { "todo": {} } })),
        ("status.merge", json!({ "epoch": 0, "statuses": ["done"] })),
        ("status.merge", json!({ "turn": 0, "statuses": ["done"] })),
    ];
    for (op, more) in &bad {
        let mut fields = more.clone();
        if fields.get("task").is_none() {
            fields["task"] = json!("T");
        }
        assert_eq!(served.ask(op, &fields)["outcome"], "fail", "{op} {fields}");
    }
    assert_eq!(bad.len(), 21);
    assert_eq!(served.ok("status.get", &json!({ "task": "T" })), cell(&["todo"], 0, 0));
}
