//! What the fake adapters do to the operations on statuses.

use serde_json::{Value, json};

use super::twist::{Twist, blank, done, refused};

impl Twist {
    pub(super) fn status_request(&self, op: &str, request: &mut Value) {
        let pid = std::process::id();
        let task = request["task"].as_str().unwrap_or_default().to_owned();
        let lint = |value: &Value| value == "lint";
        match (self.rule(), op) {
            ("status-up", "status.set") if request["to"] == "done" => request["to"] = json!("blocked"),
            ("status-terminal", "status.set") if request["to"] == "cancelled" => {
                request["op"] = json!("status.get");
            }
            ("status-informed" | "status-conflict", "status.set") => request["from"] = Value::Null,
            ("status-resolve", "status.set") => request["resolve"] = Value::Null,
            ("status-detail", "status.set") => request["detail"] = Value::Null,
            ("status-unknown", "status.set" | "status.reopen") if lint(&request["to"]) => {
                request["to"] = json!("todo");
            }
            ("status-shared", _) => request["task"] = json!(format!("{task}-{pid}")),
            ("status-reopen-blank-reason", "status.reopen") if blank(&request["reason"]) => {
                request["reason"] = json!("because");
            }
            ("status-epoch" | "status-epoch-ahead", "status.set") => request["epoch"] = Value::Null,
            ("status-merge", "status.merge") => request["turn"] = json!(0),
            ("status-merge-unites", "status.merge") => request["turn"] = json!(1),
            ("status-merge-invalid", "status.merge") => request["statuses"] = json!(["todo"]),
            _ => {}
        }
    }

    pub(super) fn status_answer(&self, op: &str, answer: &mut Value) {
        let is_ok = answer["outcome"] == "ok";
        match (self.rule(), op) {
            ("status-set", "status.set") => answer["value"]["epoch"] = json!("none"),
            ("status-get", "status.get") if is_ok => answer["value"]["statuses"] = json!(["todo"]),
            ("status-regression", "status.set") if !is_ok => answer["value"] = json!({}),
            ("status-again", "status.set") if is_ok => answer["value"]["already"] = json!(false),
            ("status-beside", "status.set") => {
                if let Some(statuses) = answer["value"]["statuses"].as_array_mut() {
                    statuses.truncate(1);
                }
            }
            ("status-not-found", "status.get") if !is_ok => done(answer, &json!({ "statuses": [] })),
            ("status-reopen", _) => answer["value"]["epoch"] = json!(1),
            ("status-stale-epoch", "status.set") if !is_ok => refused(answer, "regression"),
            ("status-revisions", _) => drop(answer.as_object_mut().and_then(|all| all.remove("revision"))),
            _ => {}
        }
    }
}
