//! What the fake adapters do to the operations on leases.

use serde_json::{Value, json};

use super::twist::{Twist, blank, done, leaves, mirror, refused};

impl Twist {
    pub(super) fn lease_request(&self, op: &str, request: &mut Value) {
        let pid = std::process::id();
        let lease = request["lease"].as_str().unwrap_or_default().to_owned();
        match (self.rule(), op) {
            ("lease-blank-holder", "lease.grant") if blank(&request["holder"]) => {
                request["holder"] = json!("nobody");
            }
            ("lease-ttl-0", "lease.grant") if request["ttl_ms"] == 0 => request["ttl_ms"] = json!(1000),
            ("lease-write-set", "lease.grant") if !is_write_set(&request["write_set"]) => {
                request["write_set"] = json!([]);
            }
            ("lease-folder" | "lease-glob" | "lease-overlap", "lease.grant") => {
                request["write_set"] = json!([]);
            }
            ("lease-apart", "lease.grant") => request["write_set"] = json!(["."]),
            ("lease-shared", _) => request["lease"] = json!(format!("{lease}-{pid}")),
            ("lease-lasts", "lease.grant") => {
                request["bind"] = json!("process");
            }
            ("lease-bind-process", "lease.grant") => request["bind"] = Value::Null,
            ("lease-lapse", "lease.grant") => request["ttl_ms"] = Value::Null,
            ("lease-close", "lease.close")
            | ("lease-crash", "lease.crash")
            | ("lease-clear", "lease.clear") => {
                request["op"] = json!("lease.show");
            }
            ("lease-close-other", "lease.close") => {
                if let Some(newest) = self.newest(&format!("lease/{lease}")) {
                    request["token"] = newest;
                }
            }
            ("lease-crash-blank-reason", "lease.crash") => request["reason"] = json!("because"),
            ("lease-clear-open", "lease.clear") => {
                request["force"] = json!(true);
                request["reason"] = json!("because");
            }
            ("lease-again", "lease.close") => mirror(&mut request["token"]),
            ("lease-list-state", "lease.list") => request["state"] = Value::Null,
            _ => {}
        }
    }

    pub(super) fn lease_answer(&self, op: &str, answer: &mut Value) {
        let is_ok = answer["outcome"] == "ok";
        match (self.rule(), op) {
            ("lease-grant", "lease.grant") if is_ok => answer["value"]["token"] = json!("seven"),
            ("lease-show", "lease.show") if is_ok => answer["value"]["holder"] = json!("somebody"),
            ("lease-already-open", "lease.grant") if !is_ok => answer["value"] = json!({}),
            ("lease-close-again", "lease.close") if answer["value"]["already"] == true => {
                refused(answer, "not_open");
            }
            ("lease-not-open", _) if answer["reason"] == "not_open" => refused(answer, "not_holder"),
            ("lease-not-found", "lease.show") if !is_ok => done(answer, &json!({ "state": "cleared" })),
            ("lease-again", _) if is_ok && answer["value"].get("token").is_some() => {
                mirror(&mut answer["value"]["token"]);
            }
            ("lease-list", "lease.list") => {
                if let Some(leases) = answer["value"]["leases"].as_array_mut() {
                    leases.reverse();
                }
            }
            ("lease-list-pages", "lease.list") => answer["value"]["next"] = Value::Null,
            ("lease-revisions", _) => drop(answer.as_object_mut().and_then(|all| all.remove("revision"))),
            _ => {}
        }
    }

    /// The fence of a file's operation.
    pub(super) fn lease_fence(&self, request: &mut Value) {
        match self.rule() {
            "fence-lease" | "fence-lease-crashed" => request["fence"] = Value::Null,
            "fence-apart" => {
                if let Some(name) = request["fence"]["lock"].as_str() {
                    let newest = self.newest(&format!("lease/{name}"));
                    request["fence"] = json!({ "lease": name, "token": newest });
                }
            }
            _ => {}
        }
    }
}

fn is_write_set(value: &Value) -> bool {
    let Some(entries) = value.as_array() else { return value.is_null() };
    entries.iter().all(|entry| entry.as_str().is_some_and(|path| !leaves(path)))
}
