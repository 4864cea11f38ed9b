//! Proposals in one JSON file beside the prose that they are for, under an OS lock: small and right, then wrong in one
//! place each.
//!
//! Each defect is one that a program in the field has. The right one writes the content behind a line that names the
//! proposal; who finds that line in the file knows that the content is there, whoever was killed when.

mod staging;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::wire::{self, Answer, Outcome, Target};
use staging::Staging;

/// What is wrong with an applier of proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Nothing: the control.
    None,
    /// M23: the list is read, then the file is appended to, then the list is written: nothing claims a proposal between,
    /// and nothing in the file tells that it was applied.
    MergeTwice,
    /// An accept writes the list that it read before it began.
    LostStaging,
    /// What is accepted leaves the list by a search for its id in the others' ids.
    IdBySubstring,
    /// A content ends where its next heading begins.
    CutBody,
    /// What begins with a heading cannot be parsed: a placeholder stands for it, and is applied.
    StubApplied,
}

/// The appliers by name, each with its defect in a few words.
pub(super) const ALL: [(&str, Defect, &str); 6] = [
    (
        "prose",
        Defect::None,
        "control: proposals in one file, under an OS lock, applied behind a line with their id",
    ),
    (
        "M23",
        Defect::MergeTwice,
        "merge-twice: two accepts, or one that was killed and one more, apply it twice",
    ),
    ("lost-staging", Defect::LostStaging, "a proposal that arrives during an accept is lost"),
    ("id-by-substring", Defect::IdBySubstring, "an accept of p1 takes p10 out of the list as well"),
    ("cut-body", Defect::CutBody, "what is proposed is cut at its first heading"),
    ("stub-applied", Defect::StubApplied, "a placeholder for what cannot be parsed is applied"),
];

/// The target.
pub(super) struct Applier {
    defect: Defect,
}

impl Applier {
    pub(super) fn new(defect: Defect) -> Self {
        Applier { defect }
    }
}

impl Target for Applier {
    fn hello(&self) -> Value {
        let name = ALL.iter().find(|(_, defect, _)| *defect == self.defect).map_or("", |(name, ..)| name);
        json!({ "target": format!("{name} applier"), "offers": ["proposal"], "survives": ["kill"],
            "locks_end": [], "fencing": false, "tokens": "none", "revisions": false })
    }

    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome {
        let path = wire::below(root, request, "target")?;
        let staging = Staging::of(root, wire::text(request, "target")?)?;
        match op {
            "proposal.list" => staging.alone(|all| Ok(listed(all, &path))),
            "proposal.add" => {
                let (id, content) = (wire::text(request, "proposal")?, wire::text(request, "content")?);
                staging.alone(|all| Ok(add(all, id, content)))
            }
            "proposal.accept" => self.accept(&staging, &path, wire::text(request, "proposal")?),
            "proposal.reject" => {
                let id = wire::text(request, "proposal")?;
                staging.alone(|all| Ok(reject(all, &path, id)))
            }
            _ => Err(format!("the operation `{op}` is not offered")),
        }
    }
}

impl Applier {
    fn accept(&self, staging: &Staging, path: &Path, id: &str) -> Outcome {
        match self.defect {
            Defect::MergeTwice => {
                let seen = staging.look()?;
                if seen[id]["state"] == "proposed" {
                    staging.alone(|_| {
                        apply(path, id, &content_of(&seen[id])).map(|()| Answer::Ok(Value::Null))
                    })?;
                }
                staging.alone(|all| Ok(end(all, id, "accepted")))
            }
            Defect::LostStaging => {
                let mut seen = staging.look()?;
                if seen[id]["state"] != "proposed" {
                    return Ok(end(&mut seen, id, "accepted"));
                }
                staging.alone(|all| {
                    if !stands(path, id) {
                        apply(path, id, &content_of(&seen[id]))?;
                    }
                    let answer = end(&mut seen, id, "accepted");
                    *all = seen.clone();
                    Ok(answer)
                })
            }
            _ => staging.alone(|all| {
                settle(all, path);
                if all[id]["state"] == "proposed" {
                    apply(path, id, &self.wanted(&all[id]))?;
                    self.end_others(all, id);
                }
                Ok(end(all, id, "accepted"))
            }),
        }
    }

    /// What goes into the file.
    fn wanted(&self, proposal: &Value) -> String {
        let content = content_of(proposal);
        match self.defect {
            Defect::CutBody => content.split("\n## ").next().unwrap_or_default().to_owned(),
            Defect::StubApplied if content.starts_with('#') => {
                "(a proposal that could not be parsed)\n".to_owned()
            }
            _ => content,
        }
    }

    /// The others that are found where this id is looked for.
    fn end_others(&self, all: &mut Value, id: &str) {
        if self.defect != Defect::IdBySubstring {
            return;
        }
        for (other, proposal) in all.as_object_mut().into_iter().flatten() {
            if other.contains(id) && other != id && proposal["state"] == "proposed" {
                proposal["state"] = json!("accepted");
            }
        }
    }
}

fn content_of(proposal: &Value) -> String {
    proposal["content"].as_str().unwrap_or_default().to_owned()
}

fn marker(id: &str) -> String {
    format!("<!-- accepted: {id} -->")
}

/// Whether the file says that this proposal was applied.
fn stands(path: &Path, id: &str) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line == marker(id))
}

/// Appends a content to the file, in one rename.
fn apply(path: &Path, id: &str, content: &str) -> Result<(), String> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    staging::replace(path, &format!("{before}\n{}\n{content}\n", marker(id)))
}

/// What was applied by who was killed before it could say so is accepted.
fn settle(all: &mut Value, path: &Path) {
    for (id, proposal) in all.as_object_mut().into_iter().flatten() {
        if proposal["state"] == "proposed" && stands(path, id) {
            proposal["state"] = json!("accepted");
        }
    }
}

fn listed(all: &mut Value, path: &Path) -> Answer {
    settle(all, path);
    let empty = Map::new();
    let proposals = all.as_object().unwrap_or(&empty).iter();
    let proposals: Vec<Value> =
        proposals.map(|(id, proposal)| json!({ "proposal": id, "state": proposal["state"] })).collect();
    Answer::Ok(json!({ "proposals": proposals }))
}

fn add(all: &mut Value, id: &str, content: &str) -> Answer {
    let stands = &all[id];
    if stands.is_null() {
        all[id] = json!({ "state": "proposed", "content": content });
        return Answer::Ok(json!({ "state": "proposed", "already": false }));
    }
    let told = json!({ "state": stands["state"], "already": true });
    if content_of(stands) == content { Answer::Ok(told) } else { Answer::Refused("conflict", told) }
}

fn reject(all: &mut Value, path: &Path, id: &str) -> Answer {
    settle(all, path);
    end(all, id, "rejected")
}

fn end(all: &mut Value, id: &str, state: &str) -> Answer {
    let stands = all[id]["state"].clone();
    if stands.is_null() {
        return Answer::Refused("not_found", Value::Null);
    }
    if stands != "proposed" && stands != state {
        return Answer::Refused("not_open", json!({ "state": stands }));
    }
    all[id]["state"] = json!(state);
    Answer::Ok(json!({ "state": state, "already": stands == state }))
}

/// The file that the proposals of a target are in.
fn list_of(root: &Path, target: &str) -> PathBuf {
    root.join("staging").join(format!("{}.json", target.replace('/', "%")))
}
