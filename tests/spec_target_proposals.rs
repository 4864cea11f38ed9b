//! The target protocol, spoken to `fencehold serve` as a real process: proposals.

use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;

const TARGET: &str = "NOTES.md";

fn named(proposal: &str) -> Value {
    json!({ "target": TARGET, "proposal": proposal, "holder": "ann" })
}

fn proposed(proposal: &str, content: &str) -> Value {
    let mut fields = named(proposal);
    fields["content"] = json!(content);
    fields
}

/// The value of an answer with this outcome or reason, which has a revision.
fn asked(served: &mut Served, op: &str, fields: &Value, word: &str) -> Value {
    let answer = served.ask(op, fields);
    let said = answer.get("reason").unwrap_or(&answer["outcome"]);
    assert_eq!(said, word, "{op} {fields}: {answer}");
    assert!(answer["revision"].is_u64(), "{op} {fields}: {answer}");
    answer["value"].clone()
}

fn stands(proposal: &str, state: &str, already: bool) -> Value {
    json!({ "target": TARGET, "proposal": proposal, "state": state, "already": already })
}

fn states(served: &mut Served) -> Vec<(String, String)> {
    let value = asked(served, "proposal.list", &json!({ "target": TARGET }), "ok");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let all = value["proposals"].as_array().expect("a list").iter();
    all.map(|one| (text(&one["proposal"]), text(&one["state"]))).collect()
}

/// TARGET-33: `proposal.add`, `proposal.accept` and `proposal.reject` answer the `target`, the `proposal`, the `state` that
/// it is in and whether it was so `already`, and a refusal carries the state where the proposal is known.
#[test]
fn an_answer_about_a_proposal_is_where_it_stands() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let (one, other) = (proposed("p1", "One.\n"), proposed("p1", "Another.\n"));
    assert_eq!(asked(&mut served, "proposal.add", &one, "ok"), stands("p1", "proposed", false));
    assert_eq!(asked(&mut served, "proposal.add", &one, "ok"), stands("p1", "proposed", true));
    assert_eq!(asked(&mut served, "proposal.add", &other, "conflict")["state"], "proposed");
    assert_eq!(asked(&mut served, "proposal.accept", &named("p1"), "ok"), stands("p1", "accepted", false));
    assert_eq!(asked(&mut served, "proposal.accept", &named("p1"), "ok"), stands("p1", "accepted", true));
    assert_eq!(asked(&mut served, "proposal.reject", &named("p1"), "not_open")["state"], "accepted");
    assert_eq!(asked(&mut served, "proposal.add", &one, "ok"), stands("p1", "accepted", true));
    served.ok("proposal.add", &proposed("p2", "Two.\n"));
    assert_eq!(asked(&mut served, "proposal.reject", &named("p2"), "ok"), stands("p2", "rejected", false));
    assert_eq!(asked(&mut served, "proposal.reject", &named("p2"), "ok"), stands("p2", "rejected", true));
    assert_eq!(asked(&mut served, "proposal.accept", &named("p2"), "not_open")["state"], "rejected");
    let unknown = asked(&mut served, "proposal.accept", &named("p"), "not_found");
    assert_eq!(unknown, json!({ "target": TARGET, "proposal": "p" }));
    asked(&mut served, "proposal.reject", &named("p"), "not_found");
}

/// TARGET-34: Once `proposal.accept` is answered `ok` the file `target` holds the content once, byte for byte; of what waits
/// or was rejected it holds nothing.
#[test]
fn a_file_holds_what_was_accepted_and_nothing_else() {
    let yard = Yard::with_git();
    std::fs::write(yard.join(TARGET), "# Notes\n").unwrap();
    let mut served = Served::start(&yard);
    let contents = [
        ("a", "## A heading\n\n```sh\n## none\n```\n"),
        ("ab", "no end"),
        ("abc", "waits\n"),
        ("abcd", "rejected\n"),
    ];
    for (proposal, content) in contents {
        served.ok("proposal.add", &proposed(proposal, content));
    }
    assert_eq!(std::fs::read_to_string(yard.join(TARGET)).unwrap(), "# Notes\n");
    for op in ["proposal.accept", "proposal.accept"] {
        served.ok(op, &named("a"));
        served.ok(op, &named("ab"));
    }
    served.ok("proposal.reject", &named("abcd"));
    let text = std::fs::read_to_string(yard.join(TARGET)).unwrap();
    let count = contents.map(|(_, content)| text.matches(content).count());
    assert_eq!((count, text.starts_with("# Notes\n")), ([1, 1, 0, 0], true), "{text}");
}

/// TARGET-35: `proposal.list` answers the `proposal`, `state`, `number` and `by` of every proposal for the `target`, in the
/// order of their numbers, and goes on after `next` where one answer cannot hold them.
#[test]
fn a_list_goes_on_where_it_ended() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    assert_eq!(states(&mut served), []);
    // More than one page, and the last one first in the order of ids.
    let ids: Vec<String> = (0..=500).map(|number| format!("p{:03}", 999 - number)).collect();
    for id in &ids {
        served.ok("proposal.add", &proposed(id, &format!("About {id}.\n")));
    }
    served.ok("proposal.reject", &named(&ids[500]));
    let first = served.ok("proposal.list", &json!({ "target": TARGET }));
    assert_eq!(
        first["proposals"][0],
        json!({ "proposal": "p999", "state": "proposed", "number": 1, "by": "ann" })
    );
    assert_eq!((first["proposals"].as_array().unwrap().len(), &first["next"]), (500, &json!(ids[499])));
    let rest = served.ok("proposal.list", &json!({ "target": TARGET, "after": first["next"] }));
    let last = json!([{ "proposal": "p499", "state": "rejected", "number": 501, "by": "ann" }]);
    assert_eq!(rest, json!({ "proposals": last }));
}

/// TARGET-36: A `target` that is absolute, or that leaves the root by `..` or by a symbolic link, a content that is blank or
/// leaves a fence open, and an `after` that nobody proposed get `fail`.
#[test]
fn what_makes_no_sense_for_a_proposal_fails() {
    let yard = Yard::with_git();
    let outside = Yard::new();
    std::fs::write(outside.join("notes.md"), "theirs\n").unwrap();
    std::os::unix::fs::symlink(outside.join("notes.md"), yard.join("link.md")).unwrap();
    let mut served = Served::start(&yard);
    let add = |target: &str, content: &str| json!({ "target": target, "proposal": "p1", "content": content });
    let bad = [
        ("proposal.add", add("/NOTES.md", "One.\n")),
        ("proposal.add", add("../NOTES.md", "One.\n")),
        ("proposal.add", add("link.md", "One.\n")),
        ("proposal.add", add(".git/config", "One.\n")),
        ("proposal.add", add("", "One.\n")),
        ("proposal.add", add(TARGET, " \n")),
        ("proposal.add", add(TARGET, "```\nnever closed\n")),
        ("proposal.add", add(TARGET, &"x".repeat(64 * 1024))),
        ("proposal.add", json!({ "target": TARGET, "proposal": "p1" })),
        ("proposal.add", json!({ "target": TARGET, "proposal": " ", "content": "One.\n" })),
        ("proposal.add", json!({ "target": TARGET, "proposal": "p1", "content": "One.\n", "holder": "" })),
        ("proposal.accept", json!({ "target": TARGET })),
        (
            "proposal.accept",
            json!({ "target": TARGET, "proposal": "p1", "fence": { "lock": "x", "token": 7 } }),
        ),
        ("proposal.reject", json!({ "target": TARGET, "proposal": 7 })),
        ("proposal.list", json!({ "target": 7 })),
    ];
    for (op, fields) in &bad {
        let answer = served.ask(op, fields);
        assert!(answer["outcome"] == "fail" && answer["error"].is_string(), "{op} {fields}: {answer}");
    }
    assert_eq!(bad.len(), 15);
    served.ok("proposal.add", &proposed("p1", "One.\n"));
    let answer = served.ask("proposal.list", &json!({ "target": TARGET, "after": "p7" }));
    assert_eq!(answer["outcome"], "fail", "{answer}");
    assert_eq!(states(&mut served), [("p1".to_owned(), "proposed".to_owned())]);
    assert_eq!(std::fs::read_to_string(outside.join("notes.md")).unwrap(), "theirs\n");
}

/// TARGET-37: An operation on a proposal that records nothing creates no workspace.
#[test]
fn looking_for_a_proposal_creates_nothing() {
    let yard = Yard::with_git();
    let before = yard.snapshot();
    let mut served = Served::start(&yard);
    assert_eq!(states(&mut served), []);
    asked(&mut served, "proposal.accept", &named("p1"), "not_found");
    asked(&mut served, "proposal.reject", &named("p1"), "not_found");
    assert_eq!(served.ask("proposal.add", &proposed("p1", " "))["outcome"], "fail");
    assert!(before == yard.snapshot(), "something was created");
}
