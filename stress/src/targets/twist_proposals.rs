//! What the fake adapters do to the operations on proposals.

use serde_json::{Value, json};

use super::twist::{Twist, blank, done, leaves, refused};

impl Twist {
    pub(super) fn proposal_request(&self, op: &str, request: &mut Value) {
        let pid = std::process::id();
        let target = request["target"].as_str().unwrap_or_default().to_owned();
        let content = request["content"].as_str().unwrap_or_default().to_owned();
        match (self.rule(), op) {
            ("proposal-other-content", "proposal.add") => request["content"] = json!("the same for all\n"),
            ("proposal-accept", "proposal.add") => request["content"] = json!("something else\n"),
            ("proposal-not-found", "proposal.accept" | "proposal.reject") if request["proposal"] == "p1" => {
                request["proposal"] = json!("p10");
            }
            ("proposal-bodies", "proposal.add") => {
                request["content"] = json!(content.split("\n#").next().unwrap_or_default());
            }
            ("proposal-blank", "proposal.add") if blank(&request["content"]) => {
                request["content"] = json!("blank");
            }
            ("proposal-path", "proposal.add") if leaves(&target) => request["target"] = json!("inside.md"),
            ("proposal-shared", _) => request["target"] = json!(format!("{pid}-{target}")),
            _ => {}
        }
    }

    pub(super) fn proposal_answer(&self, op: &str, answer: &mut Value) {
        let is_ok = answer["outcome"] == "ok";
        match (self.rule(), op) {
            ("proposal-add", "proposal.add") => answer["value"]["already"] = json!(false),
            ("proposal-accept-again", "proposal.accept") => answer["value"]["already"] = json!(false),
            ("proposal-reject", "proposal.reject") if is_ok => answer["value"]["state"] = json!("proposed"),
            ("proposal-not-open", "proposal.accept" | "proposal.reject") if !is_ok => {
                refused(answer, "conflict");
            }
            ("proposal-list", "proposal.list") => done(answer, &json!({ "proposals": [] })),
            ("proposal-ids-apart", "proposal.list") => {
                for one in answer["value"]["proposals"].as_array_mut().into_iter().flatten() {
                    one["state"] = json!("accepted");
                }
            }
            ("proposal-revisions", _) => drop(answer.as_object_mut().and_then(|all| all.remove("revision"))),
            _ => {}
        }
    }
}
