//! What each fake adapter does to the requests and answers that pass through it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Above every token, to make them shrink.
const ABOVE: u64 = 1 << 40;

/// One misread rule.
pub(super) struct Twist {
    rule: String,
    /// The newest token of every lock, and of every `lease/ID`, as it was answered.
    newest: BTreeMap<String, Value>,
}

impl Twist {
    pub(super) fn new(rule: &str) -> Self {
        Twist { rule: rule.to_owned(), newest: BTreeMap::new() }
    }

    pub(super) fn rule(&self) -> &str {
        &self.rule
    }

    /// The newest token of a lock, or of a `lease/ID`.
    pub(super) fn newest(&self, of: &str) -> Option<Value> {
        self.newest.get(of).cloned()
    }

    /// Twists a request before it is done.
    pub(super) fn request(&mut self, request: &mut Value) {
        let op = request["op"].as_str().unwrap_or_default().to_owned();
        match op.split_once('.').map_or("", |(group, _)| group) {
            "lock" => self.lock_request(&op, request),
            "lease" => self.lease_request(&op, request),
            "status" => self.status_request(&op, request),
            "proposal" => self.proposal_request(&op, request),
            "log" | "doc" => {
                self.file_request(&op, request);
                self.lease_fence(request);
            }
            _ if op == "hello" && self.rule == "hello-protocol" => request["protocol"] = json!(1),
            _ => {}
        }
        if self.rule == "unknown-field" && request.get("lint").is_some() {
            request["op"] = json!("lint.unknown-field");
        }
    }

    fn lock_request(&mut self, op: &str, request: &mut Value) {
        let pid = std::process::id();
        let name = request["name"].as_str().unwrap_or_default().to_owned();
        match (self.rule.as_str(), op) {
            ("acquire-blank-holder", _) if blank(&request["holder"]) => request["holder"] = json!("nobody"),
            ("acquire-ttl-0", "lock.acquire") if request["ttl_ms"] == 0 => request["ttl_ms"] = json!(1000),
            ("acquire-no-ttl", "lock.acquire") if request["ttl_ms"].is_null() => {
                request["ttl_ms"] = json!(1000);
            }
            ("acquire-again", "lock.acquire") => request["claim"] = Value::Null,
            ("acquire-other-claim", "lock.acquire") => request["claim"] = json!("claim"),
            ("acquire-wait", "lock.acquire") => {
                request["wait_ms"] = json!(request["wait_ms"].as_u64().unwrap_or(0) * 20);
            }
            ("renew-not-holder", "lock.renew") | ("release-not-holder", "lock.release") => {
                request["holder"] = json!("a");
            }
            ("release", "lock.release") | ("break", "lock.break") | ("lapse-renewed", "lock.renew") => {
                request["op"] = json!("lock.show");
            }
            ("break-blank-reason", "lock.break") => request["reason"] = json!("because"),
            ("names-apart", _) => request["name"] = json!(name.to_lowercase()),
            ("locks-shared", _) => request["name"] = json!(format!("{name}-{pid}")),
            ("locks-last", "lock.acquire") => request["bind"] = json!("process"),
            ("bind-process", "lock.acquire") => request["bind"] = Value::Null,
            ("lapse-acquire" | "lapse-own-claim" | "lapse-show", "lock.acquire") => {
                request["ttl_ms"] = json!(request["ttl_ms"].as_u64().unwrap_or(0) * 1000);
            }
            ("tokens", "lock.renew" | "lock.release") => mirror(&mut request["token"]),
            ("token-stale", "lock.renew" | "lock.release") => {
                if let Some(newest) = self.newest.get(&name) {
                    request["token"] = newest.clone();
                }
            }
            _ => {}
        }
    }

    fn file_request(&self, op: &str, request: &mut Value) {
        let pid = std::process::id();
        let file = request["file"].as_str().unwrap_or_default().to_owned();
        let record = &mut request["record"];
        match (self.rule.as_str(), op) {
            ("log-append", "log.append") if record.is_object() => record["at"] = json!(7),
            ("log-no-id", "log.append") if record.is_object() => record["id"] = json!("made-up"),
            ("log-not-an-object", "log.append") if !record.is_object() => {
                *record = json!({ "id": "made-up" });
            }
            ("log-path", "log.append") | ("doc-path", "doc.increment") if leaves(&file) => {
                request["file"] = json!("inside");
            }
            ("log-lasts", _) | ("doc-lasts", _) => request["file"] = json!(format!("{file}-{pid}")),
            ("doc-by", "doc.increment") if request["by"].as_i64().is_none() => request["by"] = json!(1),
            ("doc-merge", "doc.merge") => {
                if let Some(patch) = request["patch"].as_object_mut() {
                    patch.retain(|_, value| !value.is_null());
                }
            }
            ("doc-expect", "doc.merge") => request["expect"] = Value::Null,
            ("fence-log", "log.append")
            | ("fence-increment", "doc.increment")
            | ("fence-merge", "doc.merge")
            | ("fence-read", "doc.read") => request["fence"] = Value::Null,
            _ => {}
        }
    }

    /// Twists the answer to a request.
    pub(super) fn answer(&mut self, request: &Value, answer: &mut Value) {
        let op = request["op"].as_str().unwrap_or_default();
        if op == "lock.acquire"
            && let (Some(name), Some(token)) = (request["name"].as_str(), answer["value"].get("token"))
            && answer["outcome"] == "ok"
        {
            self.newest.insert(name.to_owned(), token.clone());
        }
        if op == "lease.grant"
            && let (Some(lease), Some(token)) = (request["lease"].as_str(), answer["value"].get("token"))
            && answer["outcome"] == "ok"
        {
            self.newest.insert(format!("lease/{lease}"), token.clone());
        }
        self.lease_answer(op, answer);
        self.status_answer(op, answer);
        if op.starts_with("proposal.") {
            self.proposal_answer(op, answer);
        }
        let is_ok = answer["outcome"] == "ok";
        match (self.rule.as_str(), op) {
            ("hello", "hello") => {
                drop(answer["value"].as_object_mut().and_then(|value| value.remove("fencing")));
            }
            ("not-offered-op", "hello") => answer["value"]["offers"] = json!(["lock", "doc"]),
            ("id", op) if op != "hello" => answer["id"] = json!(7),
            ("unknown-op", op) if op.contains("lint") => done(answer, &json!({})),
            ("acquire", "lock.acquire") if is_ok => answer["value"]["token"] = json!("seven"),
            ("acquire-held", "lock.acquire") if !is_ok => answer["value"] = json!({}),
            ("show-held", "lock.show") => answer["value"]["holder"] = json!("somebody"),
            ("show-free", "lock.show") => answer["value"] = json!({}),
            ("renew", "lock.renew") if is_ok => mirror(&mut answer["value"]["token"]),
            ("tokens", _) if answer["value"].get("token").is_some() => mirror(&mut answer["value"]["token"]),
            ("release-again", "lock.release") if answer["value"]["already"] == true => {
                refused(answer, "not_holder");
            }
            ("break-free" | "lapse-break", "lock.break") => done(answer, &json!({})),
            ("lapse-renew", "lock.renew") if !is_ok => refused(answer, "not_holder"),
            ("lapse-release", "lock.release") if !is_ok => done(answer, &json!({ "already": false })),
            ("revisions", _) => drop(answer.as_object_mut().and_then(|answer| answer.remove("revision"))),
            _ => self.file_answer(op, request, answer),
        }
    }

    fn file_answer(&self, op: &str, request: &Value, answer: &mut Value) {
        match (self.rule.as_str(), op) {
            ("log-order", "log.read") => {
                if let Some(records) = answer["value"]["records"].as_array_mut() {
                    records.reverse();
                }
            }
            ("log-duplicates", "log.read") => answer["value"]["duplicates"] = json!([]),
            ("log-damaged", "log.read") => answer["value"]["damaged"] = json!(1),
            ("log-pages", "log.read") => answer["value"]["next"] = Value::Null,
            ("doc-increment", "doc.increment") if answer["outcome"] == "ok" => {
                answer["value"]["value"] = request["by"].clone();
            }
            ("doc-not-an-integer", "doc.increment") => done(answer, &json!({ "value": 1, "version": "1" })),
            ("doc-version", "doc.read") => answer["value"]["version"] = json!("1"),
            ("doc-absent", "doc.read") if answer["outcome"] == "refused" => {
                *answer = json!({ "id": answer["id"], "outcome": "fail", "error": "there is no such file" });
            }
            _ => {}
        }
    }
}

/// Whether a field says nothing.
pub(super) fn blank(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.trim().is_empty())
}

/// Turns the order of tokens around.
pub(super) fn mirror(token: &mut Value) {
    if let Some(number) = token.as_u64() {
        *token = json!(ABOVE - number.min(ABOVE));
    }
}

pub(super) fn done(answer: &mut Value, value: &Value) {
    *answer = json!({ "id": answer["id"], "outcome": "ok", "value": value });
}

pub(super) fn refused(answer: &mut Value, reason: &str) {
    *answer = json!({ "id": answer["id"], "outcome": "refused", "reason": reason });
}

pub(super) fn leaves(file: &str) -> bool {
    file.is_empty() || file.starts_with('/') || file.contains("..")
}
