//! The target protocol, spoken to `fencehold serve` as a real process: leases.

use std::fs;

use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;

fn grant(lease: &str, holder: &str, more: &Value) -> Value {
    let mut fields = json!({ "lease": lease, "holder": holder });
    for (key, value) in more.as_object().unwrap() {
        fields[key] = value.clone();
    }
    fields
}

/// Asks, and wants this reason and value of a refusal.
fn refused(served: &mut Served, op: &str, fields: &Value, reason: &str, value: &Value) {
    let answer = served.ask(op, fields);
    assert_eq!(
        (&answer["outcome"], &answer["reason"]),
        (&json!("refused"), &json!(reason)),
        "{op}: {answer}"
    );
    assert_eq!(answer["value"], *value, "{op} {fields}: {answer}");
    assert!(answer["revision"].is_u64(), "{op} {fields}: {answer}");
}

/// TARGET-30: An operation on a lease or a status that records nothing creates no workspace.
#[test]
fn what_records_nothing_creates_nothing() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let asks = [
        ("lease.show", json!({ "lease": "x" }), "not_found"),
        ("lease.list", json!({}), "ok"),
        ("lease.close", json!({ "lease": "x", "token": 1 }), "not_found"),
        ("lease.crash", json!({ "lease": "x", "reason": "r" }), "not_found"),
        ("lease.crash", json!({ "lease": "x", "reason": " " }), "needs_reason"),
        ("lease.clear", json!({ "lease": "x" }), "not_found"),
        ("lease.clear", json!({ "lease": "x", "force": true }), "needs_reason"),
        ("lease.grant", json!({ "lease": "x", "holder": " " }), "fail"),
        ("status.get", json!({ "task": "t" }), "not_found"),
        ("status.reopen", json!({ "task": "t", "to": "todo", "reason": "r" }), "not_found"),
        ("status.reopen", json!({ "task": "t", "to": "todo" }), "needs_reason"),
        ("status.set", json!({ "task": "t", "to": "done", "from": "todo" }), "conflict"),
        ("status.set", json!({ "task": "t", "to": "lost" }), "fail"),
        ("status.merge", json!({ "task": "t", "epoch": 0, "turn": 0, "statuses": [] }), "fail"),
    ];
    for (op, fields, word) in &asks {
        let answer = served.ask(op, fields);
        let said = answer.get("reason").unwrap_or(&answer["outcome"]);
        assert_eq!(said, word, "{op} {fields}: {answer}");
        assert_eq!(answer["revision"].as_u64(), (*word != "fail").then_some(0), "{op}: {answer}");
    }
    assert_eq!(asks.len(), 14);
    assert!(!yard.join(".git/fencehold").exists());
}

/// TARGET-9: Every `ok` and every `refused` answer to an operation on a lock, a lease, a status or a proposal carries
/// the `revision` that it was decided at.
///
/// TARGET-21: `lease.grant` answers the canonical id, the token, the leases that it `crashed` and those that it stands
/// `beside`, and, where it has a TTL, `expires_in_ms`, which is null while its process can be watched.
#[test]
fn a_grant_says_what_it_did() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let answer = served.ask("lease.grant", &grant("x", "a", &json!({ "write_set": ["src/"] })));
    assert_eq!(answer["revision"], answer["value"]["token"], "a token is the revision of its grant");
    assert_eq!(answer["value"], json!({ "lease": "x", "token": answer["revision"] }));
    let timed = served.ok("lease.grant", &grant("y", "a", &json!({ "ttl_ms": 60_000, "write_set": ["y"] })));
    assert!((1..=60_000).contains(&timed["expires_in_ms"].as_u64().unwrap()), "{timed}");
    let bound = json!({ "ttl_ms": 1, "write_set": ["z"], "bind": "process" });
    let bound = served.ok("lease.grant", &grant("z", "a", &bound));
    assert_eq!(bound.get("expires_in_ms"), Some(&Value::Null), "{bound}");
    let short = served.ok("lease.grant", &grant("s", "a", &json!({ "ttl_ms": 1, "write_set": ["s/*.rs"] })));
    let over = grant("over", "b", &json!({ "write_set": ["s/"] }));
    let crashed =
        (0..1000).map(|_| served.ask("lease.grant", &over)).find(|answer| answer["outcome"] == "ok");
    let crashed = crashed.expect("a lapsed lease is in nobody's way");
    assert_eq!(crashed["value"]["crashed"], json!(["s"]), "{crashed}");
    let shown = served.ok("lease.show", &json!({ "lease": "s" }));
    assert_eq!((&shown["state"], &shown["evidence"]), (&json!("crashed"), &json!("ttl-passed")), "{shown}");
    assert_eq!(shown["token"], short["token"]);
}

/// TARGET-22: `already_open`, `not_holder` and `not_open` carry the lease, token and holder of the last grant, the last
/// one its `state` as well, and `overlap` carries those of every lease in the way as `leases`.
///
/// TARGET-23: `lease.close`, `lease.crash` and `lease.clear` answer the `state` that they lead to and the token that
/// ended, and a close that is repeated with its token answers `already`.
#[test]
fn a_refusal_names_the_grant_in_the_way() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let token =
        served.ok("lease.grant", &grant("x", "a", &json!({ "write_set": ["src/"] })))["token"].clone();
    let named = json!({ "lease": "x", "token": token, "holder": "a" });
    refused(&mut served, "lease.grant", &grant("x", "b", &json!({})), "already_open", &named);
    refused(&mut served, "lease.close", &json!({ "lease": "x", "token": 1 }), "not_holder", &named);
    let crash = json!({ "lease": "x", "token": 1, "reason": "r" });
    refused(&mut served, "lease.crash", &crash, "not_holder", &named);
    let other = served.ok("lease.grant", &grant("w", "c", &json!({ "write_set": ["lib"] })))["token"].clone();
    let both = json!({ "leases": [{ "lease": "w", "token": other, "holder": "c" }, named] });
    let wide = grant("y", "b", &json!({ "write_set": ["src/main.rs", "l*"] }));
    refused(&mut served, "lease.grant", &wide, "overlap", &both);
    refused(&mut served, "lease.clear", &json!({ "lease": "x" }), "needs_reason", &Value::Null);

    let close = json!({ "lease": "x", "token": token });
    let closed = |already: bool| json!({ "state": "closed", "token": token, "already": already });
    assert_eq!(served.ok("lease.close", &close), closed(false));
    assert_eq!(served.ok("lease.close", &close), closed(true));
    let mut ended = named.clone();
    ended["state"] = json!("closed");
    refused(&mut served, "lease.close", &json!({ "lease": "x", "token": 1 }), "not_open", &ended);
    refused(&mut served, "lease.crash", &json!({ "lease": "x", "reason": "r" }), "not_open", &ended);
    let cleared = json!({ "state": "cleared", "token": token });
    assert_eq!(served.ok("lease.clear", &json!({ "lease": "x" })), cleared);
    refused(&mut served, "lease.clear", &json!({ "lease": "x" }), "not_found", &Value::Null);
    let crash = json!({ "lease": "w", "token": other, "reason": "stuck" });
    assert_eq!(served.ok("lease.crash", &crash), json!({ "state": "crashed", "token": other }));
    let again = served.ok("lease.grant", &wide)["token"].as_u64();
    assert!(again > other.as_u64());
}

/// TARGET-24: `lease.show` answers the lease, its state, holder, token and `write_set`, and is refused as `not_found`
/// where the lease is not known.
///
/// TARGET-25: `lease.list` answers the leases of one `state`, or all, in the order of their ids, and goes on after
/// `next` where one answer cannot hold them.
#[test]
fn leases_are_shown_one_by_one_and_page_by_page() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let long = "w".repeat(4000);
    let mut tokens = Vec::new();
    // Six entries of 4,000 bytes each: 60 leases fit into no one answer.
    for n in 0..60 {
        let writes: Vec<String> = (0..6).map(|entry| format!("{n}-{entry}/{long}")).collect();
        let more = json!({ "write_set": writes, "worktree": "/w", "branch": "b", "agent": "g" });
        tokens.push(served.ok("lease.grant", &grant(&format!("l{n:02}"), "a", &more))["token"].clone());
    }
    for n in [3, 20, 59] {
        let crash = json!({ "lease": format!("l{n:02}"), "reason": "r" });
        served.ok("lease.crash", &crash);
    }
    let shown = served.ok("lease.show", &json!({ "lease": "l20" }));
    for (key, value) in [
        ("lease", "l20"),
        ("state", "crashed"),
        ("holder", "a"),
        ("reason", "r"),
        ("worktree", "/w"),
        ("agent", "g"),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    assert_eq!((&shown["token"], shown["write_set"].as_array().unwrap().len()), (&tokens[20], 6));
    refused(&mut served, "lease.show", &json!({ "lease": "l99" }), "not_found", &Value::Null);
    let mut list = |state: Value| {
        let (mut ids, mut pages, mut after) = (Vec::new(), 0, Value::Null);
        loop {
            let page = served.ok("lease.list", &json!({ "state": state, "after": after }));
            let leases = page["leases"].as_array().unwrap();
            ids.extend(leases.iter().map(|lease| lease["lease"].as_str().unwrap().to_owned()));
            pages += 1;
            match page.get("next") {
                Some(next) => after = next.clone(),
                None => return (ids, pages),
            }
        }
    };
    let all: Vec<String> = (0..60).map(|n| format!("l{n:02}")).collect();
    let (ids, pages) = list(Value::Null);
    assert!(ids == all && pages > 2, "{pages} pages: {ids:?}");
    assert_eq!(list(json!("crashed")), (vec!["l03".to_owned(), "l20".to_owned(), "l59".to_owned()], 1));
    assert_eq!(list(json!("open")).0.len(), 57);
    assert_eq!(list(json!("cleared")), (Vec::new(), 1));
}

/// TARGET-26: A `write_set` that is no array of strings, that has a malformed glob, that leaves the root, or that ends
/// in `/` where a file stands, gets `fail`.
///
/// TARGET-5: An unknown op, a missing or malformed field and a request before `hello` get `fail`, change nothing and
/// never end the program.
#[test]
fn a_lease_that_is_not_well_formed_is_not_granted() {
    let yard = Yard::with_git();
    fs::write(yard.join("file"), "").unwrap();
    let mut served = Served::start(&yard);
    let bad = [
        json!({ "write_set": "src" }),
        json!({ "write_set": [7] }),
        json!({ "write_set": [["src"]] }),
        json!({ "write_set": ["src/[a"] }),
        json!({ "write_set": ["**"] }),
        json!({ "write_set": ["../src"] }),
        json!({ "write_set": ["src/../../out"] }),
        json!({ "write_set": ["/src"] }),
        json!({ "write_set": [""] }),
        json!({ "write_set": ["file/"] }),
        json!({ "ttl_ms": 0 }),
        json!({ "ttl_ms": "5m" }),
        json!({ "ttl_ms": 1_u64 << 60 }),
        json!({ "holder": " " }),
        json!({ "lease": "" }),
        json!({ "lease": 7 }),
        json!({ "worktree": " " }),
        json!({ "branch": 7 }),
        json!({ "agent": "a\nb" }),
        json!({ "bind": "me" }),
        json!({ "bind": { "pid": "1" } }),
    ];
    for more in &bad {
        let answer = served.ask("lease.grant", &grant("x", "a", more));
        assert_eq!(answer["outcome"], "fail", "{more}: {answer}");
    }
    let others = [
        ("lease.close", json!({ "lease": "x" })),
        ("lease.close", json!({ "lease": "x", "token": "1" })),
        ("lease.crash", json!({ "lease": "x", "reason": 7 })),
        ("lease.clear", json!({ "lease": "x", "force": "yes" })),
        ("lease.show", json!({})),
        ("lease.list", json!({ "state": "lost" })),
        ("lease.list", json!({ "after": 7 })),
    ];
    for (op, fields) in &others {
        assert_eq!(served.ask(op, fields)["outcome"], "fail", "{op} {fields}");
    }
    assert_eq!(bad.len() + others.len(), 28);
    assert!(!yard.join(".git/fencehold").exists());
}

/// TARGET-31: An entry of a `write_set` that names a folder that stands is that folder, with a `/` at its end or
/// without.
#[test]
fn a_folder_that_stands_is_written_whole() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("src")).unwrap();
    let mut served = Served::start(&yard);
    for (lease, typed) in [("x", "src"), ("y", "./src/")] {
        served.ok("lease.grant", &grant(lease, "a", &json!({ "write_set": [typed, "docs", "new/"] })));
        let shown = served.ok("lease.show", &json!({ "lease": lease }));
        assert_eq!(shown["write_set"], json!(["docs", "new/", "src/"]), "{typed}");
        let glob = grant("glob", "b", &json!({ "write_set": ["**/*.rs"] }));
        assert_eq!(served.ask("lease.grant", &glob)["reason"], "overlap", "{typed}");
        let lock = served.ok("lease.grant", &grant("docs", "b", &json!({ "write_set": ["docs.rs"] })));
        served.ok("lease.close", &json!({ "lease": "docs", "token": lock["token"] }));
        let token = &shown["token"];
        served.ok("lease.close", &json!({ "lease": lease, "token": token }));
    }
    let glob = grant("glob", "b", &json!({ "write_set": ["**/*.rs"] }));
    served.ok("lease.grant", &glob);
    served.ok("lease.grant", &grant("z", "a", &json!({ "write_set": ["docs"] })));
}

/// TARGET-27: A lease granted with `bind` set to `process` lapses with the target that answered it.
#[test]
fn a_lease_of_a_target_that_is_gone_is_in_nobodys_way() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let mut gone = Served::start(&yard);
    gone.ok("lease.grant", &grant("x", "a", &json!({ "bind": "process", "write_set": ["src"] })));
    let wide = grant("y", "b", &json!({ "write_set": ["src/main.rs"] }));
    assert_eq!(served.ask("lease.grant", &wide)["reason"], "overlap");
    assert_eq!(gone.end().0, 0);
    let shown = served.ok("lease.show", &json!({ "lease": "x" }));
    assert_eq!(shown["state"], "open");
    assert!(shown["lapsed"]["evidence"].is_string(), "{shown}");
    assert_eq!(served.ok("lease.grant", &wide)["crashed"], json!(["x"]));
}
