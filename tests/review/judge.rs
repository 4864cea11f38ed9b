//! What judges a history: leases are one object, revisions are a witness, a death ends what is pending (M16, m9).

use std::time::Duration;

use fencehold_model::history::{History, answer_line, died_line, header_line, invoke_line};
use fencehold_stress::check::{Report, Verdict, check};
use serde_json::{Value, json};

/// What one process did: an operation with its answer, or none and the process's death after it.
type Step = (u64, &'static str, Value, Option<Value>);

/// A history in which the steps come one after the other, judged.
fn judge(steps: &[Step]) -> Report {
    let hello = json!({ "target": "review", "protocol": 1, "offers": ["lock", "lease", "status"],
        "survives": ["kill"], "locks_end": ["release", "ttl", "process"], "fencing": false, "tokens": "ordered",
        "revisions": steps.iter().all(|(.., answer)| answer.as_ref().is_none_or(|it| it["revision"].is_u64())) });
    let mut text = header_line(1, "review", &hello, 250);
    for (id, (process, op, args, answer)) in (1..).zip(steps) {
        text.push_str(&invoke_line(100 * id, *process, id, op, args));
        match answer {
            Some(answer) => text.push_str(&answer_line(100 * id + 50, *process, id, answer)),
            None => text.push_str(&died_line(100 * id + 50, *process)),
        }
    }
    check(&History::parse(&text).expect("it is a history"), Duration::from_secs(20))
}

fn is_violation(report: &Report) -> bool {
    matches!(report.verdict, Verdict::Violation(_))
}

/// Two leases whose write sets touch are granted at once. Each id by itself is a perfect history: judged per name, the
/// wrong variant, it would pass; the leases that touch are one object.
#[test]
fn review_M16_leases_whose_write_sets_touch_are_one_object() {
    let grant = |process, lease: &str, writes: &str, token: u64| -> Step {
        let args = json!({ "lease": lease, "holder": lease, "write_set": [writes], "ttl_ms": 60_000 });
        (process, "lease.grant", args, Some(json!({ "outcome": "ok", "value": { "token": token } })))
    };
    let (a, b) = (grant(1, "a", "src/**", 1), grant(2, "b", "src/a.rs", 2));
    assert_eq!(judge(std::slice::from_ref(&a)).verdict, Verdict::Ok);
    assert_eq!(judge(std::slice::from_ref(&b)).verdict, Verdict::Ok, "per name both are right");
    assert!(is_violation(&judge(&[a.clone(), b])));
    assert_eq!(judge(&[a, grant(2, "b", "docs/a.md", 2)]).verdict, Verdict::Ok);
}

/// Every answer carries the revision it was decided at, and the history is replayed in their order: no search. Where
/// the revisions do not explain the answers, the witness is believed in nothing.
#[test]
fn review_M16_revisions_are_a_witness_that_is_checked_and_not_believed() {
    let acquire = |process, holder: &str, revision: u64, answer: Value| -> Step {
        let mut answer = answer;
        answer["revision"] = json!(revision);
        let args = json!({ "name": "build", "holder": holder, "ttl_ms": 60_000 });
        (process, "lock.acquire", args, Some(answer))
    };
    let ok = |token: u64| json!({ "outcome": "ok", "value": { "token": token, "expires_in_ms": 60_000 } });
    let held = |token: u64| {
        json!({ "outcome": "refused", "reason": "held",
            "value": { "holder": "a", "token": token, "expires_in_ms": 60_000 } })
    };
    let right = judge(&[acquire(1, "a", 5, ok(5)), acquire(2, "b", 5, held(5)), acquire(3, "c", 5, held(5))]);
    assert_eq!((right.verdict.clone(), right.counts.witnessed, right.counts.searched), (Verdict::Ok, 1, 0));
    // The refusal claims to have been decided before the grant that it names.
    assert!(is_violation(&judge(&[acquire(1, "a", 5, ok(5)), acquire(2, "b", 4, held(5))])));
    // Token distinctness is under test and no premise.
    assert!(is_violation(&judge(&[acquire(1, "a", 5, ok(5)), acquire(2, "b", 6, ok(5))])));
}

/// An operation without an answer ends with the death of its process: what did not happen by then, does not happen
/// later. The wrong variant leaves it pending for ever, and explains an increment that comes out of nowhere.
#[test]
fn review_M16_an_operation_ends_with_its_process() {
    let acquire = |process, holder: &str, answer: Option<Value>| -> Step {
        (process, "lock.acquire", json!({ "name": "build", "holder": holder, "ttl_ms": 60_000 }), answer)
    };
    let show = |holder: Value| -> Step {
        let answer =
            json!({ "outcome": "ok", "value": { "holder": holder, "token": 1, "expires_in_ms": 60_000 } });
        (7, "lock.show", json!({ "name": "build" }), Some(answer))
    };
    let free: Step = (
        7,
        "lock.show",
        json!({ "name": "build" }),
        Some(json!({ "outcome": "ok", "value": { "holder": null } })),
    );
    assert_eq!(judge(&[acquire(1, "a", None), show(json!("a"))]).verdict, Verdict::Ok, "it happened");
    assert_eq!(judge(&[acquire(1, "a", None), free.clone()]).verdict, Verdict::Ok, "it did not");
    let late = judge(&[acquire(1, "a", None), free, show(json!("a"))]);
    assert!(is_violation(&late), "it was dead when the lock was seen free: {:?}", late.verdict);
}

/// The bound n log n is cited for complete histories only: with operations that were never answered the checker
/// searches, and says so, both outcomes of each being open.
#[test]
fn review_m9_a_history_with_open_operations_is_searched() {
    let acquire = |process, holder: &str, answer: Option<Value>| -> Step {
        (process, "lock.acquire", json!({ "name": "build", "holder": holder, "ttl_ms": 60_000 }), answer)
    };
    let held = json!({ "outcome": "refused", "reason": "held",
        "value": { "holder": "b", "token": 1, "expires_in_ms": 60_000 } });
    // Which of the three it was, the refusal alone tells.
    let steps = [
        acquire(1, "a", None),
        acquire(2, "b", None),
        acquire(3, "c", None),
        acquire(4, "d", Some(held.clone())),
    ];
    let report = judge(&steps);
    assert_eq!((report.verdict.clone(), report.counts.infos), (Verdict::Ok, 3));
    assert!(report.counts.searched == 1 && report.counts.transitions > 4, "{:?}", report.counts);
    let nobody = judge(&[acquire(1, "a", None), acquire(4, "d", Some(held))]);
    assert!(is_violation(&nobody), "held by one who never asked");
}
