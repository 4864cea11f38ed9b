//! Histories of leases, statuses and proposals: what is typed, and what is kept as not well formed.

use fencehold_model::history::{
    Bind, Call, Fence, History, LeaseAsk, LeaseState, Outcome, ProposalAsk, ProposalState, Reason, Right,
    StatusAsk, Token, Told, answer_line, header_line, invoke_line,
};
use serde_json::{Value, json};

/// A history of one process in which `calls` are asked and answered one after the other.
fn history(calls: &[(&str, Value, Value)]) -> History {
    let mut text = header_line(1, "t", &json!({ "offers": ["lease", "status"] }), 250);
    for (index, (op, args, answer)) in calls.iter().enumerate() {
        let (at_us, id) = (10 * index as u64, index as u64);
        text.push_str(&invoke_line(at_us, 1, id, op, args));
        text.push_str(&answer_line(at_us + 5, 1, id, answer));
    }
    History::parse(&text).expect("it is a history")
}

fn one(op: &str, args: Value, answer: Value) -> (History, Call, Outcome) {
    let history = history(&[(op, args, answer)]);
    let op = history.ops[0].clone();
    (history, op.call, op.outcome)
}

#[test]
fn a_grant_is_typed_with_what_it_crashed() {
    let (history, call, outcome) = one(
        "lease.grant",
        json!({ "lease": "05", "holder": "a", "ttl_ms": 7, "write_set": ["src/", "docs/*.md"], "bind": "process",
            "worktree": "w", "later": true }),
        json!({ "outcome": "ok", "revision": 9, "value": { "token": 9, "lease": "5", "crashed": ["4"], "beside": ["3"] } }),
    );
    let id = |text: &str| history.names.find(text).expect("it was interned");
    let ask = LeaseAsk::Grant {
        holder: id("a"),
        ttl_us: Some(7000),
        write_set: vec![id("src/"), id("docs/*.md")],
        bind: Bind::Process,
    };
    assert_eq!(call, Call::Lease(id("05"), ask));
    let Outcome::Ok(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.token, Token::Number(9));
    let told = Told::Granted { lease: Some(id("5")), beside: vec![id("3")], crashed: vec![id("4")] };
    assert_eq!(answer.told, told);
}

#[test]
fn a_refusal_names_the_leases_in_the_way() {
    let leases =
        json!([{ "lease": "a", "token": 3, "holder": "h" }, { "lease": "b", "token": 4, "holder": "i" }]);
    let (_, _, outcome) = one(
        "lease.grant",
        json!({ "lease": "c", "holder": "h" }),
        json!({ "outcome": "refused", "reason": "overlap", "value": { "leases": leases } }),
    );
    let Outcome::Refused(Reason::Overlap, answer) = outcome else { panic!("{outcome:?}") };
    let Told::Leases { leases, next: None } = answer.told else { panic!("{:?}", answer.told) };
    assert_eq!(
        leases.iter().map(|seen| seen.token).collect::<Vec<_>>(),
        [Token::Number(3), Token::Number(4)]
    );
    let (history, _, outcome) = one(
        "lease.grant",
        json!({ "lease": "c", "holder": "h" }),
        json!({ "outcome": "refused", "reason": "already_open",
            "value": { "lease": "c", "token": 3, "holder": "i" } }),
    );
    let Outcome::Refused(Reason::AlreadyOpen, answer) = outcome else { panic!("{outcome:?}") };
    let Told::Lease(seen) = answer.told else { panic!("{:?}", answer.told) };
    assert_eq!((seen.holder, seen.token), (history.names.find("i"), Token::Number(3)));
}

#[test]
fn a_page_of_leases_says_where_the_next_begins() {
    let (history, call, outcome) = one(
        "lease.list",
        json!({ "state": "crashed", "after": "a" }),
        json!({ "outcome": "ok", "value": { "leases": [
            { "lease": "b", "state": "crashed", "holder": "h", "token": 3, "write_set": ["x"] }], "next": "b" } }),
    );
    let id = |text: &str| history.names.find(text);
    assert_eq!(call, Call::LeaseList { state: Some(LeaseState::Crashed), after: id("a") });
    let Outcome::Ok(answer) = outcome else { panic!("{outcome:?}") };
    let Told::Leases { leases, next } = answer.told else { panic!("{:?}", answer.told) };
    assert_eq!(next, id("b"));
    assert_eq!(leases[0].write_set, Some(vec![id("x").expect("interned")]));
}

#[test]
fn a_cell_is_the_same_whatever_the_order_of_its_statuses() {
    let told = |statuses: Value| {
        let merge = json!({ "task": "T", "epoch": 3, "turn": 1, "statuses": ["in_progress", "blocked"] });
        let value = json!({ "epoch": 3, "turn": 1, "statuses": statuses, "details": { "blocked": { "b": 1, "a": 2 } } });
        let (history, call, outcome) = one("status.merge", merge, json!({ "outcome": "ok", "value": value }));
        let Call::Status(_, StatusAsk::Merge(asked)) = call else { panic!("{call:?}") };
        let Outcome::Ok(answer) = outcome else { panic!("{outcome:?}") };
        let Told::Status(seen) = answer.told else { panic!("{:?}", answer.told) };
        assert_eq!(asked.statuses, seen.statuses);
        assert_eq!(history.names.text(seen.details[0].1), r#"{"a":2,"b":1}"#);
        seen
    };
    assert_eq!(told(json!(["blocked", "in_progress"])), told(json!(["in_progress", "blocked"])));
}

#[test]
fn a_step_carries_what_it_saw() {
    let (history, call, outcome) = one(
        "status.set",
        json!({ "task": "T", "to": "done", "from": "blocked", "epoch": 12, "detail": { "url": "u" }, "resolve": true }),
        json!({ "outcome": "refused", "reason": "stale_epoch",
            "value": { "epoch": 20, "turn": 0, "statuses": ["todo"] } }),
    );
    let id = |text: &str| history.names.find(text).expect("it was interned");
    let ask = StatusAsk::Set {
        to: id("done"),
        from: Some(id("blocked")),
        epoch: 12,
        detail: Some(id(r#"{"url":"u"}"#)),
        resolve: true,
    };
    assert_eq!(call, Call::Status(id("T"), ask));
    assert!(
        matches!(outcome, Outcome::Refused(Reason::StaleEpoch, answer) if matches!(answer.told, Told::Status(_)))
    );
}

#[test]
fn proposals_and_what_the_harness_read_are_typed() {
    let (history, call, outcome) = one(
        "proposal.add",
        json!({ "target": "NOTES.md", "proposal": "p1", "content": "# a\n" }),
        json!({ "outcome": "refused", "reason": "conflict", "value": { "state": "in_doubt" } }),
    );
    let id = |text: &str| history.names.find(text).expect("it was interned");
    assert_eq!(call, Call::Proposal(id("NOTES.md"), id("p1"), ProposalAsk::Add { content: id("# a\n") }));
    let Outcome::Refused(Reason::Conflict, answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.told, Told::Proposal(ProposalState::InDoubt));

    let page = json!({ "proposals": [{ "proposal": "p1", "state": "accepted" }, { "proposal": "p2", "state": "?" }],
        "next": "p2" });
    let (history, call, outcome) = one(
        "proposal.list",
        json!({ "target": "NOTES.md", "after": "p0" }),
        json!({ "outcome": "ok", "value": page }),
    );
    let id = |text: &str| history.names.find(text).expect("it was interned");
    assert_eq!(call, Call::ProposalList { target: id("NOTES.md"), after: Some(id("p0")) });
    let Outcome::Ok(answer) = outcome else { panic!("{outcome:?}") };
    let proposals = vec![(id("p1"), ProposalState::Accepted), (id("p2"), ProposalState::Unknown)];
    assert_eq!(answer.told, Told::Proposals { proposals, next: Some(id("p2")) });

    let text = json!({ "outcome": "ok", "value": { "text": "all of it" } });
    let (history, call, outcome) = one("harness.read", json!({ "file": "NOTES.md" }), text);
    assert_eq!(call, Call::HarnessRead { file: history.names.find("NOTES.md").expect("it was interned") });
    let Outcome::Ok(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.body["text"], "all of it");
}

#[test]
fn what_is_not_well_formed_is_kept_as_such() {
    let bad = [
        ("proposal.add", json!({ "target": "NOTES.md", "proposal": "p1", "content": " \n" })),
        ("proposal.accept", json!({ "target": "NOTES.md" })),
        ("proposal.list", json!({ "target": 7 })),
        ("lease.grant", json!({ "lease": " ", "holder": "a" })),
        ("lease.grant", json!({ "lease": "x", "holder": "" })),
        ("lease.grant", json!({ "lease": "x", "holder": "a", "ttl_ms": 0 })),
        ("lease.grant", json!({ "lease": "x", "holder": "a", "write_set": "src" })),
        ("lease.grant", json!({ "lease": "x", "holder": "a", "write_set": [7] })),
        ("lease.close", json!({ "lease": "x" })),
        ("lease.clear", json!({ "lease": "x", "force": "yes" })),
        ("lease.list", json!({ "state": "lost" })),
        ("status.set", json!({ "task": "T" })),
        ("status.set", json!({ "task": "T", "to": "todo", "epoch": 1.5 })),
        ("status.set", json!({ "task": "T", "to": "todo", "detail": [] })),
        ("status.reopen", json!({ "task": "T", "reason": "r" })),
        ("status.merge", json!({ "task": "T", "epoch": 0, "turn": 0, "statuses": [] })),
        ("status.merge", json!({ "task": "T", "epoch": 0, "turn": 0, "statuses": ["todo", "todo"] })),
        ("status.get", json!({ "task": 7 })),
    ];
    let calls: Vec<_> =
        bad.iter().map(|(op, args)| (*op, args.clone(), json!({ "outcome": "fail" }))).collect();
    let history = history(&calls);
    assert_eq!(history.ops.len(), bad.len());
    for (op, (word, args)) in history.ops.iter().zip(&bad) {
        assert!(matches!(op.call, Call::Invalid(_)), "{word} {args}: {:?}", op.call);
    }
}

#[test]
fn a_fence_is_of_a_lock_or_of_a_lease() {
    let args = |fence: Value| json!({ "file": "f", "fence": fence });
    let calls = [("lock", Right::Lock as fn(_) -> _), ("lease", Right::Lease)];
    for (kind, right) in calls {
        let (history, call, _) =
            one("doc.read", args(json!({ kind: "n", "token": 4 })), json!({ "outcome": "info" }));
        let id = history.names.find("n").expect("it was interned");
        let Call::DocRead { fence, .. } = call else { panic!("{call:?}") };
        assert_eq!(fence, Some(Fence { right: right(id), token: Token::Number(4) }));
    }
}
