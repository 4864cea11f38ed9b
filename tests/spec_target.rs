//! The target protocol, spoken to `fencehold serve` as a real process: the frame, and what is no request.

use std::fs;

use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;

fn acquire(name: &str, holder: &str, ttl_ms: u64) -> Value {
    json!({ "name": name, "holder": holder, "ttl_ms": ttl_ms })
}

/// TARGET-1: Every request gets exactly one answer, with the request's `id`, in the order of the requests.
#[test]
fn a_hundred_requests_at_once_are_answered_in_order() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let mut requests = String::new();
    let id = |n: u64| match n % 4 {
        0 => json!(n),
        1 => json!(format!("n{n}")),
        2 => json!({ "n": [n] }),
        _ => json!(-1.5),
    };
    for n in 0..100 {
        let op = ["lock.acquire", "log.append", "no.such", "lock.show"][usize::try_from(n % 4).unwrap()];
        let record = json!({ "id": n.to_string() });
        let request = json!({ "id": id(n), "op": op, "name": format!("l{n}"), "holder": "a", "ttl_ms": 60_000,
            "file": "log", "record": record });
        requests += &format!("{request}\n");
    }
    served.send(requests.as_bytes());
    for n in 0..100 {
        let answer = served.answer();
        assert_eq!(answer["id"], id(n), "{answer}");
        assert_eq!(answer["outcome"], if n % 4 == 2 { "fail" } else { "ok" }, "{answer}");
    }
    assert_eq!(served.end(), (0, String::new()), "and no more than that");
}

/// TARGET-2: `hello` answers the name and version of the target, protocol 1, and what it offers and survives.
#[test]
fn hello_declares() {
    let yard = Yard::with_git();
    let hello = |yard: &Yard| {
        let mut served = Served::silent(&mut yard.fencehold());
        served.ok("hello", &json!({ "protocol": 1, "root": yard.path() }))
    };
    let said = hello(&yard);
    assert_eq!(said["target"], concat!("fencehold ", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        (&said["protocol"], &said["offers"]),
        (&json!(1), &json!(["lock", "lease", "status", "log", "doc", "proposal"]))
    );
    assert_eq!(said["survives"], json!(["kill", "power"]));
    assert_eq!(said["locks_end"], json!(["release", "ttl", "process"]));
    assert_eq!((&said["fencing"], &said["tokens"]), (&json!(true), &json!("ordered")));
    assert_eq!(said["revisions"], true);
    assert!(!yard.join(".git/fencehold").exists(), "a greeting creates nothing");
    assert_eq!(yard.run(["init"]).code, 0);
    fs::write(yard.join(".git/fencehold/config.toml"), "durability = \"relaxed\"\n").unwrap();
    assert_eq!(hello(&yard)["survives"], json!(["kill"]), "and not what it would not survive");
}

/// TARGET-3: A `hello` of another protocol number gets `fail` and the number that the target speaks.
#[test]
fn another_protocol_is_told_ours() {
    let yard = Yard::with_git();
    let mut served = Served::silent(&mut yard.fencehold());
    for protocol in [json!(0), json!(2), json!(9_007_199_254_740_991_u64)] {
        let answer = served.ask("hello", &json!({ "protocol": protocol, "root": yard.path() }));
        assert_eq!(answer["outcome"], "fail", "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("here; 1 is"), "{answer}");
    }
    assert_eq!(served.ask("lock.show", &json!({ "name": "a" }))["outcome"], "fail", "not greeted by that");
    served.ok("hello", &json!({ "protocol": 1, "root": yard.path() }));
}

/// TARGET-4: A line that is blank, is not UTF-8, is no JSON object or is longer than 1 MiB gets `fail`, with `id` null
/// where none can be read, and the next line is answered as if it had not been there.
#[test]
fn a_line_that_is_no_request_fails_and_ends_nothing() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let deep = "[".repeat(100_000);
    let long = format!("{{\"id\":5,\"op\":\"lock.show\",\"name\":\"{}\"}}", "x".repeat(1 << 20));
    let huge_id = format!("{{\"id\":\"{}\",\"op\":\"lock.show\",\"name\":\"a\"}}", "x".repeat(1 << 19));
    let bad: [&[u8]; 16] = [
        b"",
        b"   \t",
        b"\r",
        b"hello",
        b"{",
        b"[1]",
        b"7",
        b"null",
        b"\"lock.show\"",
        b"{\"id\":1,\"op\":\"lock.show\",\"name\":\"\xff\"}",
        b"{\"id\":1,\"op\":\"lock.show\",\"name\":\"\\ud800\"}",
        b"\0\0\0",
        b"{\"id\":1}{\"id\":2}",
        deep.as_bytes(),
        long.as_bytes(),
        huge_id.as_bytes(),
    ];
    for line in bad {
        served.send(&[line, b"\n"].concat());
        let answer = served.answer();
        let shown = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        assert_eq!((&answer["outcome"], &answer["id"]), (&json!("fail"), &Value::Null), "{shown}: {answer}");
        assert!(answer["error"].is_string(), "{answer}");
        assert_eq!(served.ok("lock.show", &json!({ "name": "a" }))["holder"], Value::Null, "{shown}");
    }
    // The longest line that is one: 1 MiB without its newline.
    let padded = |name: &str| format!("{{\"id\":9,\"op\":\"lock.show\",\"name\":\"{name}\"}}");
    let line = format!("{}{}\n", padded("a"), " ".repeat((1 << 20) - padded("a").len()));
    served.send(line.as_bytes());
    assert_eq!(served.answer()["outcome"], "ok");
    served.send(padded("a").as_bytes());
    let (code, rest) = served.end();
    assert_eq!((code, rest.lines().count()), (0, 1), "the last line needs no newline: {rest}");
    assert!(!yard.join(".git/fencehold").exists());
}

/// TARGET-5: An unknown op, a missing or malformed field and a request before `hello` get `fail`, change nothing and
/// never end the program.
///
/// TARGET-14: A `file` that is absolute, or that leaves the root by `..` or by a symbolic link, gets `fail`.
#[test]
fn a_request_that_makes_no_sense_fails_and_changes_nothing() {
    let yard = Yard::new();
    fs::create_dir(yard.join("root")).unwrap();
    std::os::unix::fs::symlink("..", yard.join("root/up")).unwrap();
    std::os::unix::fs::symlink("../outside", yard.join("root/out")).unwrap();
    fs::write(yard.join("outside"), "{\"id\":\"a\"}\n").unwrap();
    let outside = yard.join("outside");
    let file =
        |file: &str| json!({ "file": file, "record": { "id": "a" }, "key": "k", "by": 1, "patch": {} });
    let ops = ["log.append", "log.read", "doc.increment", "doc.merge", "doc.read"];
    let paths = [
        "",
        "/",
        outside.to_str().unwrap(),
        "../outside",
        "up/outside",
        "out",
        ".",
        "a\0b",
        "d/",
        ".fencehold/x",
    ];
    let mut bad: Vec<(&str, Value)> = paths.iter().flat_map(|path| ops.map(|op| (op, file(path)))).collect();
    let with = |field: &str, value: Value| {
        let mut request = acquire("a", "h", 1000);
        request[field] = value;
        request
    };
    bad.extend([
        ("no.such", json!({})),
        ("hello", json!({ "protocol": 1, "root": yard.path() })),
        ("lock.acquire", json!({})),
        ("lock.acquire", with("name", json!(7))),
        ("lock.acquire", with("name", json!(" a"))),
        ("lock.acquire", with("name", json!("x".repeat(257)))),
        ("lock.acquire", with("holder", json!(""))),
        ("lock.acquire", with("holder", json!("a\u{7}"))),
        ("lock.acquire", with("claim", json!([]))),
        ("lock.acquire", with("ttl_ms", json!(0))),
        ("lock.acquire", with("ttl_ms", json!(-1))),
        ("lock.acquire", with("ttl_ms", json!(1.5))),
        ("lock.acquire", with("ttl_ms", json!("5000"))),
        ("lock.acquire", with("ttl_ms", json!(367_u64 * 86_400_000))),
        ("lock.acquire", with("wait_ms", json!(-5))),
        ("lock.acquire", with("bind", json!("host"))),
        ("lock.acquire", with("bind", json!({ "pid": 0 }))),
        ("lock.acquire", with("bind", json!({ "pid": 99_999_999 }))),
        ("lock.renew", json!({ "name": "a", "holder": "h" })),
        ("lock.renew", json!({ "name": "a", "holder": "h", "token": 1_u64 << 53 })),
        ("lock.renew", json!({ "name": "a", "holder": "h", "token": 1, "ttl_ms": 0 })),
        ("lock.release", json!({ "name": "a", "token": 1 })),
        ("lock.break", json!({ "name": "a", "reason": 7 })),
        ("lock.show", json!({})),
        ("log.append", json!({ "file": "l", "record": [1] })),
        ("log.append", json!({ "file": "l", "record": { "id": 1 } })),
        ("log.append", json!({ "file": "l", "record": { "id": "a" }, "fence": { "lock": "a" } })),
        (
            "log.append",
            json!({ "file": "l", "record": { "id": "a" }, "fence": { "lock": "a", "token": 1_u64 << 40 } }),
        ),
        ("log.append", json!({ "file": "l", "record": { "id": "x".repeat(512 << 10) } })),
        ("log.read", json!({ "file": "l", "after": "0" })),
        ("doc.increment", json!({ "file": "d", "key": "k" })),
        ("doc.increment", json!({ "file": "d", "key": "k", "by": 0.5 })),
        ("doc.increment", json!({ "file": "d", "key": 1, "by": 1 })),
        ("doc.merge", json!({ "file": "d" })),
        ("doc.merge", json!({ "file": "d", "patch": [1] })),
        ("doc.merge", json!({ "file": "d", "patch": {}, "expect": 1 })),
        ("doc.read", json!({ "file": "d", "fence": "lock/a=1" })),
        ("doc.read", json!({ "file": 1 })),
    ]);
    let before = yard.snapshot();
    let mut early = Served::silent(&mut yard.fencehold());
    for (op, fields) in bad.iter().filter(|(op, _)| *op != "hello") {
        assert_eq!(early.ask(op, fields)["outcome"], "fail", "before hello: {op} {fields}");
    }
    for root in [json!("relative"), json!("/no/such/folder"), json!(outside), json!(7), Value::Null] {
        assert_eq!(early.ask("hello", &json!({ "protocol": 1, "root": root }))["outcome"], "fail", "{root}");
    }
    assert_eq!(early.end().0, 0);
    for with_workspace in [false, true] {
        let mut served = Served::at(&yard.join("root"));
        let before = if with_workspace {
            served.ok("lock.acquire", &acquire("there", "h", 60_000));
            yard.snapshot()
        } else {
            before.clone()
        };
        for (op, fields) in &bad {
            let answer = served.ask(op, fields);
            assert_eq!(answer["outcome"], "fail", "{op} {fields}: {answer}");
            assert!(answer["error"].is_string(), "{answer}");
        }
        assert_eq!(yard.snapshot(), before, "with a workspace: {with_workspace}");
        assert_eq!(served.end().0, 0);
    }
}

/// TARGET-6: An unknown field is ignored.
#[test]
fn unknown_fields_are_passed_over() {
    let yard = Yard::with_git();
    let mut served = Served::silent(&mut yard.fencehold());
    let hello = json!({ "protocol": 1, "root": yard.path(), "client": "x", "since": null });
    served.ok("hello", &hello);
    let mut request = acquire("a", "h", 60_000);
    request["priority"] = json!({ "deep": [1] });
    let token = served.ok("lock.acquire", &request)["token"].clone();
    let fence = json!({ "lock": "a", "token": token, "extra": 1 });
    served.ok("log.append", &json!({ "file": "l", "record": { "id": "a" }, "fence": fence, "mode": "fast" }));
    assert_eq!(served.ok("log.read", &json!({ "file": "l", "limit": 0 }))["records"], json!([{ "id": "a" }]));
}

/// TARGET-7: At the end of input the target exits 0, and what was acquired without `bind` stays held.
///
/// TARGET-12: A lock acquired with `bind` set to `process` ends with the target that answered it.
#[test]
fn the_end_of_input_keeps_a_timed_lock_and_ends_a_bound_one() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let token = served.ok("lock.acquire", &acquire("timed", "h", 3_600_000))["token"].clone();
    let mut bound = acquire("bound", "h", 3_600_000);
    bound["bind"] = "process".into();
    let answer = served.ok("lock.acquire", &bound);
    assert_eq!(answer["expires_in_ms"], Value::Null);
    let shown = served.ok("lock.show", &json!({ "name": "bound" }));
    assert_eq!((&shown["pid"], &shown["expires_in_ms"]), (&json!(served.pid()), &Value::Null));
    assert_eq!(yard.run(["lock", "acquire", "bound", "--holder", "other"]).code, 1);
    assert_eq!(served.end(), (0, String::new()));
    assert_eq!(yard.json(0, ["lock", "show", "timed"])["token"], token);
    assert_eq!(yard.json(0, ["lock", "show", "bound"])["holder"], Value::Null);
    let taken = yard.json(0, ["lock", "acquire", "bound", "--holder", "other"]);
    assert!(taken["value"]["token"].as_u64() > answer["token"].as_u64());
}

/// TARGET-8: The root that `hello` names is taken as it stands: its own `.git` or its own `.fencehold`, and no
/// ancestor's.
#[test]
fn no_ancestor_of_the_root_counts() {
    let yard = Yard::with_git();
    for dir in ["sub/deeper", "tree/.fencehold", "nested"] {
        fs::create_dir_all(yard.join(dir)).unwrap();
    }
    yard.git_in(&yard.join("nested"), &["init", "-q"]);
    assert_eq!(yard.run(["lock", "acquire", "a", "--ttl", "1h"]).code, 0);
    for (root, workspace) in [
        ("sub", "sub/.fencehold"),
        ("sub/deeper", "sub/deeper/.fencehold"),
        ("tree", "tree/.fencehold"),
        ("nested", "nested/.git/fencehold"),
    ] {
        let mut command = yard.fencehold();
        let mut served = Served::silent(command.env("GIT_DIR", ".git").env("FENCEHOLD_ROOT", yard.path()));
        served.ok("hello", &json!({ "protocol": 1, "root": yard.join(root) }));
        assert_eq!(served.ok("lock.show", &json!({ "name": "a" }))["holder"], Value::Null, "{root}");
        served.ok("lock.acquire", &acquire("a", root, 3_600_000));
        assert!(yard.join(workspace).join("journal.1.ndjson").exists(), "{root}");
    }
    let mut top = Served::start(&yard);
    assert_eq!(top.ok("lock.show", &json!({ "name": "a" }))["holder"], "tester");
}

/// TARGET-18: Nothing but answers is written to stdout, each on a line of at most 1 MiB.
#[test]
fn an_answer_that_would_be_too_long_is_a_failure_that_says_so() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    fs::write(yard.join("d"), format!("{{\"text\":\"{}\"}}", "x".repeat(1 << 20))).unwrap();
    let answer = served.ask("doc.read", &json!({ "file": "d" }));
    assert_eq!(answer["outcome"], "fail");
    assert!(answer["error"].as_str().unwrap().contains("fencehold doc read"), "{answer}");
    assert!(served.ok("doc.increment", &json!({ "file": "d", "key": "n", "by": 1 }))["version"].is_string());
    // Created here and now: what is said of it goes to stderr.
    let (code, rest) = served.end();
    assert_eq!((code, rest.as_str()), (0, ""));
}
