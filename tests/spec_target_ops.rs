//! The target protocol, spoken to `fencehold serve` as a real process: what its operations answer.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;

fn acquire(name: &str, holder: &str, ttl_ms: u64) -> Value {
    json!({ "name": name, "holder": holder, "ttl_ms": ttl_ms })
}

/// TARGET-9: Every `ok` and every `refused` answer to an operation on a lock, a lease, a status or a proposal carries
/// the `revision` that it was decided at.
///
/// TARGET-10: A `held` answer carries the holder, the token and `expires_in_ms`, which is null for a bound lock whose
/// process can be watched.
///
/// TARGET-11: `lock.show` answers the holder, token and `expires_in_ms` of a live grant, and a null holder where there
/// is none.
#[test]
fn an_answer_about_a_lock_says_who_and_as_of_when() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let mut last = 0;
    let mut ask = |served: &mut Served, op: &str, fields: Value, outcome: &str| {
        let answer = served.ask(op, &fields);
        assert_eq!(answer["outcome"], outcome, "{op} {fields}: {answer}");
        let revision = answer["revision"].as_u64().unwrap_or_else(|| panic!("{op}: {answer}"));
        assert!(revision >= last, "{op}: {answer} after {last}");
        last = revision;
        answer
    };
    for op in ["lock.renew", "lock.release"] {
        let refused = ask(&mut served, op, json!({ "name": "a", "holder": "h", "token": 1 }), "refused");
        assert_eq!((&refused["reason"], &refused["revision"]), (&json!("not_holder"), &json!(0)));
    }
    let nobody = ask(&mut served, "lock.show", json!({ "name": "a" }), "ok");
    assert_eq!(nobody["value"], json!({ "holder": null }));
    assert!(!yard.join(".git/fencehold").exists(), "none of these needed a workspace");
    let granted = ask(&mut served, "lock.acquire", acquire("a", "h", 60_000), "ok");
    assert_eq!(granted["revision"], granted["value"]["token"], "a token is the revision of its grant");
    let token = granted["value"]["token"].clone();
    let held = ask(&mut served, "lock.acquire", acquire("a", "other", 60_000), "refused");
    let shown = ask(&mut served, "lock.show", json!({ "name": "a" }), "ok");
    for value in [&held["value"], &shown["value"]] {
        assert_eq!((&value["holder"], &value["token"]), (&json!("h"), &token));
        let left = value["expires_in_ms"].as_u64().unwrap();
        assert!((1..=60_000).contains(&left), "{value}");
    }
    let renewed = ask(&mut served, "lock.renew", json!({ "name": "a", "holder": "h", "token": token }), "ok");
    assert!(renewed["revision"].as_u64() > held["revision"].as_u64());
    ask(&mut served, "lock.break", json!({ "name": "a", "reason": " " }), "refused");
    ask(&mut served, "lock.break", json!({ "name": "b", "reason": "r" }), "refused");
    ask(&mut served, "lock.break", json!({ "name": "a", "reason": "r" }), "ok");
    ask(&mut served, "lock.release", json!({ "name": "a", "holder": "h", "token": token }), "refused");
    let shown = ask(&mut served, "lock.show", json!({ "name": "a" }), "ok");
    assert_eq!(shown["value"]["holder"], Value::Null);
    let mut bound = acquire("b", "h", 60_000);
    bound["bind"] = "process".into();
    let bound = ask(&mut served, "lock.acquire", bound, "ok");
    let held = ask(&mut served, "lock.acquire", acquire("b", "other", 60_000), "refused");
    assert_eq!(held["value"]["token"], bound["value"]["token"]);
    assert_eq!(held["value"].get("expires_in_ms"), Some(&Value::Null), "{held}");
    let released = json!({ "name": "b", "holder": "h", "token": bound["value"]["token"] });
    ask(&mut served, "lock.release", released.clone(), "ok");
    assert_eq!(ask(&mut served, "lock.release", released, "ok")["value"]["already"], true);
}

/// TARGET-13: `wait_ms` delays an answer by at most its value and 250 ms more.
#[test]
fn a_wait_is_over_when_it_is_over() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    served.ok("lock.acquire", &acquire("a", "h", 3_600_000));
    let mut request = acquire("a", "other", 1000);
    request["wait_ms"] = 300.into();
    let mut waits = (0..5).map(|_| {
        let begun = Instant::now();
        assert_eq!(served.ask("lock.acquire", &request)["reason"], "held");
        begun.elapsed()
    });
    // A machine that is busy with other tests may be late; it is not late five times.
    let wait = waits.find(|wait| *wait <= Duration::from_millis(550)).expect("one of five is in time");
    assert!(wait >= Duration::from_millis(300), "{wait:?}");
}

/// TARGET-15: `log.read` answers the records in order, the count of damaged lines and the duplicate ids, and goes on
/// after `next` where one answer cannot hold them.
#[test]
fn a_log_of_many_pages_is_read_whole() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let id = |n: usize| format!("{:0>60000}", n % 20);
    let mut text = String::new();
    for n in 0..40 {
        // Each number is four times as long in an answer as in the file.
        let numbers = vec!["1e15"; if n == 7 { 30_000 } else { 10 }].join(",");
        text += &format!("{{\"id\":\"{}\",\"n\":{n},\"x\":[{numbers}]}}\n", id(n));
        if n % 10 == 0 {
            text += "junk\n";
        }
    }
    fs::write(yard.join("l"), text).unwrap();
    for with_workspace in [false, true] {
        let (mut seen, mut damaged, mut duplicates, mut after, mut pages) = (Vec::new(), 0, 0, json!(0), 0);
        loop {
            let page = served.ok("log.read", &json!({ "file": "l", "after": after }));
            seen.extend(page["records"].as_array().unwrap().iter().map(|record| record["n"].clone()));
            damaged += page["damaged"].as_u64().unwrap();
            duplicates += page["duplicates"].as_array().unwrap().len();
            pages += 1;
            match page.get("next") {
                Some(next) => after = next.clone(),
                None => break,
            }
        }
        assert_eq!(seen, (0..40).map(|n| json!(n)).collect::<Vec<_>>());
        assert!(pages > 4, "{pages} pages");
        assert_eq!((damaged, duplicates), (4, 20));
        assert_eq!(served.ask("log.read", &json!({ "file": "l", "after": 1 }))["outcome"], "fail");
        if !with_workspace {
            assert!(!yard.join(".git/fencehold").exists());
            served.ok("lock.acquire", &acquire("a", "h", 1000));
        }
    }
}

/// TARGET-16: `doc.increment` answers the new value and version, `doc.merge` the version, and `doc.read` the document
/// and version.
#[test]
fn what_a_document_operation_answers_is_what_stands_there() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let missing = served.ask("doc.read", &json!({ "file": "d" }));
    assert_eq!((&missing["outcome"], &missing["reason"]), (&json!("refused"), &json!("not_found")));
    let first = served.ok("doc.increment", &json!({ "file": "d", "key": "n", "by": -3 }));
    assert_eq!(first["value"], -3);
    let read = served.ok("doc.read", &json!({ "file": "d" }));
    assert_eq!(read, json!({ "document": { "n": -3 }, "version": first["version"] }));
    let patch = json!({ "file": "d", "patch": { "n": null, "a": { "b": 1 } }, "expect": first["version"] });
    let merged = served.ok("doc.merge", &patch);
    assert_eq!(
        served.ok("doc.read", &json!({ "file": "d" })),
        json!({
        "document": { "a": { "b": 1 } }, "version": merged["version"] })
    );
    let again = served.ask("doc.merge", &patch);
    assert_eq!((&again["reason"], &again["value"]), (&json!("version"), &merged));
}

/// TARGET-17: An operation on a damaged document, and on a damaged journal, gets `fail` with an error that says
/// `damaged`.
#[test]
fn damage_fails_and_is_called_so() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    fs::write(yard.join("d"), "{\"n\":").unwrap();
    let damaged = |answer: &Value| {
        assert_eq!(answer["outcome"], "fail", "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("damaged"), "{answer}");
    };
    for _ in 0..2 {
        damaged(&served.ask("doc.read", &json!({ "file": "d" })));
        damaged(&served.ask("doc.increment", &json!({ "file": "d", "key": "n", "by": 1 })));
        damaged(&served.ask("doc.merge", &json!({ "file": "d", "patch": {} })));
        served.ok("lock.acquire", &acquire("a", "h", 60_000));
        served.ok("lock.break", &json!({ "name": "a", "reason": "r" }));
    }
    assert_eq!(fs::read_to_string(yard.join("d")).unwrap(), "{\"n\":");
    let journal = yard.join(".git/fencehold/journal.1.ndjson");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text + "{\"id\":\"a foreign line\"}\n").unwrap();
    let before = yard.snapshot();
    for served in [&mut served, &mut Served::start(&yard)] {
        damaged(&served.ask("lock.acquire", &acquire("b", "h", 60_000)));
        damaged(&served.ask("lock.break", &json!({ "name": "a", "reason": "r" })));
    }
    damaged(&Served::start(&yard).ask("lock.show", &json!({ "name": "a" })));
    assert_eq!(yard.snapshot(), before);
}

/// TARGET-19: For another holder no grant is answered while a timed grant is surely live, where no release and no break
/// came between.
///
/// TARGET-20: An acquire sent after a timed grant has surely lapsed is not refused as `held` by that grant.
#[test]
fn another_holder_is_granted_after_the_ttl_and_not_before() {
    let yard = Yard::with_git();
    let (mut one, mut two) = (Served::start(&yard), Served::start(&yard));
    let (ttl, grain) = (Duration::from_millis(200), Duration::from_millis(1));
    for round in 0..5 {
        let name = format!("l{round}");
        let sent = Instant::now();
        let first = one.ok("lock.acquire", &acquire(&name, "one", 200))["token"].clone();
        let answered = Instant::now();
        let mut request = acquire(&name, "two", 60_000);
        request["wait_ms"] = if round % 2 == 0 { 30_000.into() } else { 0.into() };
        loop {
            let asked = Instant::now();
            let answer = two.ask("lock.acquire", &request);
            if answer["outcome"] == "ok" {
                assert!(
                    sent.elapsed() >= ttl - grain,
                    "granted {:?} after the first was asked for",
                    sent.elapsed()
                );
                assert!(answer["value"]["token"].as_u64() > first.as_u64());
                break;
            }
            assert_eq!(answer["reason"], "held");
            assert!(asked < answered + ttl + Duration::from_millis(250), "late: {answer}");
        }
    }
}
