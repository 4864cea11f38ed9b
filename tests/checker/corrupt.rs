//! Single corruptions of a history: each makes one answer a lie.

use serde_json::{Value, json};

use super::sim::Draw;

/// The kinds of corruption, and whether every one of them must be flagged: where an answer's interval of time leaves
/// room for it, a lie may by chance be something that could have happened.
pub(super) const KINDS: &[(&str, bool)] = &[
    ("a refused acquire is answered ok", false),
    ("a fresh token is an old one", true),
    ("a refusal names another holder", true),
    ("a refusal names a token of the future", true),
    ("a refused renew or release is answered ok", true),
    ("a lock that is held is shown free", false),
    ("two revisions are swapped", true),
    ("an answer loses its revision", true),
    ("a grant loses its token", true),
    ("an acknowledged record is gone", true),
    ("a record is read twice", true),
    ("a record is cut", true),
    ("a record that nobody wrote is read", true),
    ("an increment answers the value before", true),
    ("a counter is read too high", true),
    ("a counter is read as text", true),
];

/// The history with one corruption of this kind, if there is a place for it.
pub(super) fn corrupt(text: &str, kind: usize, draw: &mut Draw) -> Option<String> {
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ops: Vec<Value> = lines.iter().map(|line| invoked(&lines, line)).collect();
    let all: Vec<usize> = (0..lines.len()).filter(|at| fits(kind, &lines[*at], &ops[*at])).collect();
    if all.len() < 3 {
        return None;
    }
    let pick = draw.below(all.len() as u64 - 2) as usize;
    let at = all[pick];
    if kind == 6 {
        // Two answers so far apart that they cannot have been concurrent.
        let last = *all.iter().rev().find(|other| lines[**other]["revision"] != lines[at]["revision"])?;
        let far = |at: usize| lines[at]["at_us"].as_u64().unwrap_or(0);
        if far(last) < far(at) + 20_000 {
            return None;
        }
        let (left, right) = (lines[at]["revision"].take(), lines[last]["revision"].take());
        (lines[at]["revision"], lines[last]["revision"]) = (right, left);
    } else {
        lie(kind, &mut lines[at], draw)?;
    }
    Some(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// The request that a line answers.
fn invoked(lines: &[Value], answer: &Value) -> Value {
    let same = |line: &&Value| {
        line["type"] == "invoke" && line["process"] == answer["process"] && line["id"] == answer["id"]
    };
    if answer["type"] == "invoke" {
        Value::Null
    } else {
        lines.iter().find(same).cloned().unwrap_or_default()
    }
}

fn fits(kind: usize, line: &Value, op: &Value) -> bool {
    let (name, is_ok) = (op["op"].as_str().unwrap_or(""), line["type"] == "ok");
    let held = line["reason"] == "held";
    match kind {
        0 | 3 => held,
        1 => name == "lock.acquire" && is_ok && line["value"]["token"] == line["revision"],
        2 => held,
        4 => line["reason"] == "not_holder",
        5 => name == "lock.show" && is_ok && line["value"]["holder"].is_string(),
        6 => name == "lock.acquire" && is_ok,
        7 => name.starts_with("lock.") && line["revision"].is_u64(),
        8 => name == "lock.acquire" && is_ok,
        9..=12 => name == "log.read" && line["value"]["records"].as_array().is_some_and(|all| all.len() > 3),
        13 => name == "doc.increment" && line["value"]["value"].as_i64().is_some_and(|value| value > 1),
        14 | 15 => name == "doc.read" && line["value"]["document"]["k"].is_i64(),
        _ => false,
    }
}

fn lie(kind: usize, line: &mut Value, draw: &mut Draw) -> Option<()> {
    match kind {
        0 => {
            let revision = line["revision"].clone();
            line["type"] = json!("ok");
            line["value"] = json!({"token": revision, "expires_in_ms": 10});
        }
        1 => line["value"]["token"] = json!(0),
        2 => line["value"]["holder"] = json!("nobody"),
        3 => line["value"]["token"] = json!(1_000_000),
        4 => {
            line["type"] = json!("ok");
            line["value"] = json!({});
        }
        5 => line["value"] = json!({"holder": null}),
        7 => {
            line.as_object_mut()?.remove("revision");
        }
        8 => {
            line["value"].as_object_mut()?.remove("token");
        }
        9..=12 => {
            let records = line["value"]["records"].as_array_mut()?;
            // The newest may be without an answer, and may then be missing.
            let at = draw.below(records.len() as u64) as usize;
            match kind {
                9 => {
                    records.clear();
                }
                10 => {
                    let again = records[at].clone();
                    records.push(again);
                }
                11 => records[at]["n"] = json!(-1),
                _ => records.insert(at, json!({"id": "alien", "n": 1})),
            }
        }
        13 => line["value"]["value"] = json!(line["value"]["value"].as_i64()? - 1),
        14 => line["value"]["document"]["k"] = json!(line["value"]["document"]["k"].as_i64()? + 1000),
        _ => line["value"]["document"]["k"] = json!("1"),
    }
    Some(())
}
