//! The rules about the protocol itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{Bench, Misread};
use super::{Need, Rule};
use crate::target::LINE_BYTES_MAX;

const DONE: Duration = Duration::from_secs(2);

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "hello",
        says: "`hello` declares what is offered and kept, and the protocol 1.",
        needs: &[],
        check: hello,
    },
    Rule {
        name: "hello-protocol",
        says: "An unknown protocol gets `fail`, and a known one after it is answered.",
        needs: &[],
        check: other_protocol,
    },
    Rule { name: "id", says: "An answer carries the id of its request.", needs: &[], check: id },
    Rule {
        name: "malformed-line",
        says: "A malformed line gets `fail` and ends nothing.",
        needs: &[],
        check: malformed,
    },
    Rule {
        name: "not-an-object",
        says: "A line that is no object gets `fail` and ends nothing.",
        needs: &[],
        check: no_object,
    },
    Rule {
        name: "not-utf-8",
        says: "A line that is not UTF-8 gets `fail` and ends nothing.",
        needs: &[],
        check: no_utf8,
    },
    Rule {
        name: "long-line",
        says: "A line of more than 1 MiB gets one `fail` and ends nothing.",
        needs: &[],
        check: too_long,
    },
    Rule { name: "unknown-op", says: "An unknown operation gets `fail`.", needs: &[], check: unknown_op },
    Rule {
        name: "unknown-field",
        says: "An unknown field is not looked at.",
        needs: &[],
        check: unknown_field,
    },
    Rule {
        name: "not-offered-op",
        says: "An operation of a group that is not offered gets `fail`.",
        needs: &[],
        check: not_offered,
    },
    Rule {
        name: "end-of-input",
        says: "The end of input is a clean end, with the exit code 0.",
        needs: &[],
        check: end_of_input,
    },
];

fn hello(bench: &mut Bench) -> Result<(), Misread> {
    let Some(greeting) = bench.greeting.take() else { return Ok(()) };
    let reply = greeting?;
    let value = reply.ok()?;
    let words = |key: &str, known: &[&str]| {
        let words = value[key].as_array();
        words.is_some_and(|words| {
            words.iter().all(|word| word.as_str().is_some_and(|word| known.contains(&word)))
        })
    };
    let one_of = |key: &str, known: &[&str]| value[key].as_str().is_some_and(|word| known.contains(&word));
    reply.must(value["target"].is_string(), "a `target`, its name and version")?;
    reply.must(value["protocol"] == 1, "`\"protocol\":1`")?;
    let groups = ["lock", "lease", "status", "log", "doc", "proposal"];
    reply.must(words("offers", &groups), "`offers`, an array of lock, lease, status, log, doc, proposal")?;
    reply
        .must(value["offers"].as_array().is_some_and(|all| !all.is_empty()), "`offers` with a group in it")?;
    reply.must(words("survives", &["kill", "power"]), "`survives`, an array of kill, power")?;
    reply.must(
        words("locks_end", &["release", "ttl", "process"]),
        "`locks_end`, an array of release, ttl, process",
    )?;
    reply.must(value["fencing"].is_boolean(), "`fencing`, true or false")?;
    reply.must(one_of("tokens", &["ordered", "opaque", "none"]), "`tokens`: ordered, opaque or none")?;
    reply.must(value["revisions"].is_boolean(), "`revisions`, true or false")?;
    let grow = value["fencing"] == false || value["tokens"] == "ordered";
    reply.must(grow, "`tokens` that are `ordered`, as `fencing` is declared")
}

/// Sends lines to a process of its own; the answers.
fn raw(bench: &mut Bench, op: &str, requests: &[Value]) -> Result<Vec<super::bench::Reply>, Misread> {
    let child = bench.spawn().map_err(|error| Misread {
        op: op.to_owned(),
        sent: "nothing yet".to_owned(),
        got: format!("no process: {error}"),
        expected: "a process that starts".to_owned(),
    })?;
    let kept = bench.children[1].replace(child);
    let replies = requests.iter().map(|request| bench.exchange(1, op, request)).collect();
    bench.children[1] = kept;
    replies
}

fn other_protocol(bench: &mut Bench) -> Result<(), Misread> {
    let root = bench.root();
    let greet = |protocol: u64| json!({ "id": protocol, "op": "hello", "protocol": protocol, "root": root.to_string_lossy() });
    let replies = raw(bench, "hello", &[greet(999), greet(1)])?;
    replies[0].failed()?;
    replies[1].ok().map(drop)
}

fn id(bench: &mut Bench) -> Result<(), Misread> {
    let largest = (1_u64 << 53) - 1;
    bench.exchange(0, "lint.nothing", &json!({ "id": largest, "op": "lint.nothing" })).map(drop)
}

/// A line that has to fail, and a question after it.
fn fails(bench: &mut Bench, line: &[u8]) -> Result<(), Misread> {
    bench.line(0, "a malformed line", line)?.failed()?;
    bench.ask("lint.nothing", &json!({})).map(drop)
}

fn malformed(bench: &mut Bench) -> Result<(), Misread> {
    fails(bench, b"{\"id\":1,\"op\":")
}

fn no_object(bench: &mut Bench) -> Result<(), Misread> {
    fails(bench, b"[\"lock.show\"]")?;
    fails(bench, b"7")
}

fn no_utf8(bench: &mut Bench) -> Result<(), Misread> {
    fails(bench, b"{\"id\":1,\"op\":\"lint.\xff\"}")
}

fn too_long(bench: &mut Bench) -> Result<(), Misread> {
    let mut line = b"{\"id\":1,\"op\":\"lint.nothing\",\"pad\":\"".to_vec();
    line.resize(LINE_BYTES_MAX + 4096, b'x');
    line.extend(b"\"}");
    fails(bench, &line)
}

fn unknown_op(bench: &mut Bench) -> Result<(), Misread> {
    bench.ask("lint.nothing", &json!({}))?.failed()?;
    bench.ask("lock.lint", &json!({ "name": bench.fresh("l") }))?.failed()
}

fn unknown_field(bench: &mut Bench) -> Result<(), Misread> {
    let (name, file) = (bench.fresh("l"), bench.fresh("f"));
    let record = json!({ "id": "r" });
    let asks = [
        ("lock", "lock.show", json!({ "name": name, "lint": { "a": [1] } })),
        ("lease", "lease.list", json!({ "lint": [] })),
        ("status", "status.set", json!({ "task": bench.fresh("t"), "to": "todo", "lint": "done" })),
        ("log", "log.append", json!({ "file": file, "record": record, "lint": true })),
        ("doc", "doc.increment", json!({ "file": bench.fresh("d"), "key": "k", "by": 1, "lint": null })),
    ];
    for (group, op, fields) in asks {
        if bench.declared.offers(Need::Group(group)) {
            bench.ask(op, &fields)?.ok()?;
        }
    }
    Ok(())
}

fn not_offered(bench: &mut Bench) -> Result<(), Misread> {
    let asks = [
        ("lock", "lock.show", json!({ "name": bench.fresh("l") })),
        ("lease", "lease.show", json!({ "lease": bench.fresh("l") })),
        ("status", "status.get", json!({ "task": bench.fresh("t") })),
        ("log", "log.read", json!({ "file": bench.fresh("f") })),
        ("doc", "doc.read", json!({ "file": bench.fresh("d") })),
        ("proposal", "proposal.list", json!({ "target": bench.fresh("p") })),
    ];
    for (group, op, fields) in asks {
        if !bench.declared.offers(Need::Group(group)) {
            bench.ask(op, &fields)?.failed()?;
        }
    }
    Ok(())
}

fn end_of_input(bench: &mut Bench) -> Result<(), Misread> {
    bench.ask_of(1, "lint.nothing", &json!({}))?;
    let status = bench.children[1].take().and_then(|mut child| child.close(DONE));
    if status.and_then(|status| status.code()) == Some(0) {
        return Ok(());
    }
    Err(Misread {
        op: "the end of input".to_owned(),
        sent: "nothing more".to_owned(),
        got: status.map_or_else(|| "no end".to_owned(), |status| status.to_string()),
        expected: format!("exit code 0 within {} s", DONE.as_secs()),
    })
}
