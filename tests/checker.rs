//! The checker judges histories whose verdict is known.

mod corrupt;
mod machine;
mod sim;

use std::path::Path;
use std::time::{Duration, Instant};

use fencehold_model::history::{Expect, History, answer_line, header_line, invoke_line};
use fencehold_stress::check::{Report, Verdict, check, shrink};
use serde_json::json;

use corrupt::{KINDS, corrupt};
use sim::{Draw, Plan};

const DEADLINE: Duration = Duration::from_secs(20);

fn judge(text: &str) -> Report {
    check(&History::parse(text).expect("the history is well formed"), DEADLINE)
}

/// The judged histories: their names and texts.
fn corpus() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stress/corpus");
    let mut files = Vec::new();
    for folder in std::fs::read_dir(&root).expect("the corpus is there") {
        for file in std::fs::read_dir(folder.expect("a folder").path()).expect("a folder of the corpus") {
            let path = file.expect("a history").path();
            files.push((path.display().to_string(), std::fs::read_to_string(&path).expect("readable")));
        }
    }
    files.sort();
    files
}

fn verdict(report: &Report) -> Expect {
    match report.verdict {
        Verdict::Ok => Expect::Ok,
        Verdict::Violation(_) => Expect::Violation,
        Verdict::Unknown(_) => Expect::Unknown,
    }
}

#[test]
fn every_history_of_the_corpus_gets_its_verdict() {
    let (mut seen, mut wrong) = ([0; 3], Vec::new());
    for (name, text) in corpus() {
        let history = History::parse(&text).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        let report = check(&history, DEADLINE);
        let expected = history.header.expect.expect("a judged history says its verdict");
        assert!(history.header.why.is_some(), "{name} does not say why");
        seen[expected as usize] += 1;
        let rule = history.header.breach.as_deref();
        let found = report.violations.iter().any(|violation| Some(violation.breach.word()) == rule);
        if verdict(&report) != expected || (rule.is_some() && !found) {
            wrong.push(format!("{name}: {:?}", report.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen[0] >= 53 && seen[1] >= 103 && seen[2] >= 2, "good, bad, unknown: {seen:?}");
}

fn plans(seeds: u64) -> impl Iterator<Item = Plan> {
    (0..seeds).map(|seed| {
        let mut plan = Plan::new(seed, 400);
        plan.clients = 2 + (seed % 7) as usize;
        plan.names = 1 + seed % 4;
        plan.revisions = seed % 3 != 0;
        plan.tokens = ["ordered", "ordered", "opaque", "none"][(seed / 3 % 4) as usize];
        plan.kills = [0, 40, 12][(seed / 12 % 3) as usize];
        plan
    })
}

#[test]
fn histories_that_are_right_by_construction_are_never_flagged() {
    let (mut ops, mut takeovers, mut infos, mut witnessed, mut searched) = (0, 0, 0, 0, 0);
    for plan in plans(288) {
        let report = judge(&sim::history(plan));
        assert_eq!(report.verdict, Verdict::Ok, "seed {}: {:?}", plan.seed, report.counts);
        ops += report.counts.ops;
        takeovers += report.counts.takeovers;
        infos += report.counts.infos;
        witnessed += report.counts.witnessed;
        searched += report.counts.searched;
    }
    println!(
        "{ops} operations, {takeovers} takeovers, {infos} infos, {witnessed} witnessed, {searched} searched"
    );
    assert!(takeovers > 500 && infos > 500 && witnessed > 400, "{takeovers} {infos} {witnessed}");
}

#[test]
fn witness_and_search_agree_where_the_revisions_are_taken_away() {
    for seed in 0..60 {
        let text = sim::history(Plan { kills: 12, ..Plan::new(seed, 300) });
        let blind = text.replacen("\"revisions\":true", "\"revisions\":false", 1);
        assert!(blind != text);
        assert_eq!(judge(&text).verdict, Verdict::Ok, "seed {seed}, with revisions");
        assert_eq!(judge(&blind).verdict, Verdict::Ok, "seed {seed}, without");
    }
}

#[test]
fn single_corruptions_are_flagged() {
    let mut draw = Draw(99);
    for (kind, (what, always)) in KINDS.iter().enumerate() {
        let (mut made, mut flagged) = (0, 0);
        for seed in 0..24 {
            let text = sim::history(Plan { kills: 40, ..Plan::new(1000 + seed, 300) });
            let Some(bad) = corrupt(&text, kind, &mut draw) else { continue };
            made += 1;
            let report = judge(&bad);
            let is_flagged = matches!(report.verdict, Verdict::Violation(_));
            assert!(
                is_flagged || !always,
                "seed {seed}, {what}: {:?}\n{}",
                report.verdict,
                diff(&text, &bad)
            );
            flagged += u32::from(is_flagged);
        }
        println!("{flagged} of {made}: {what}");
        assert!(made >= 8 && flagged * 4 >= made * 3, "{what}: {flagged} of {made}");
    }
}

fn diff(good: &str, bad: &str) -> String {
    let lines = good.lines().zip(bad.lines()).enumerate().filter(|(_, (good, bad))| good.len() != bad.len());
    lines.map(|(at, (good, bad))| format!("{}\n- {good}\n+ {bad}\n", at + 1)).collect()
}

#[test]
fn shrinking_keeps_the_violation_and_its_culprit() {
    for (name, text) in corpus() {
        let history = History::parse(&text).expect("well formed");
        let shrunk = shrink(&history, DEADLINE);
        assert_eq!(shrunk.is_some(), history.header.expect == Some(Expect::Violation), "{name}");
        let Some(shrunk) = shrunk else { continue };
        let again = judge(shrunk.history.text());
        let Verdict::Violation(violation) = &again.verdict else { panic!("{name}: {:?}", again.verdict) };
        assert_eq!(violation.breach, shrunk.violation.breach, "{name}");
        assert!(shrunk.history.ops.len() <= history.ops.len(), "{name}");
    }
}

#[test]
fn a_long_history_shrinks_to_the_grant_and_the_lie() {
    let mut draw = Draw(5);
    let (mut before, mut after) = (0, 0);
    for (kind, seed) in [(2, 1), (4, 2), (10, 3), (11, 4), (3, 5)] {
        let text = sim::history(Plan { kills: 0, ..Plan::new(seed, 600) });
        let bad = corrupt(&text, kind, &mut draw).expect("there is a place for it");
        let history = History::parse(&bad).expect("well formed");
        let shrunk = shrink(&history, DEADLINE).expect("it is a violation");
        println!("{}: {} of {} operations", KINDS[kind].0, shrunk.history.ops.len(), history.ops.len());
        before += history.ops.len();
        after += shrunk.history.ops.len();
    }
    assert!(after * 20 < before, "{after} of {before}");
}

/// Lost acquires that may each have happened or not, in any order, and one answer that none of them explains.
fn nasty(lost: u64) -> String {
    let hello = json!({"offers": ["lock"], "locks_end": ["release", "ttl"], "tokens": "none"});
    let mut text = header_line(0, "nasty", &hello, 250);
    for process in 0..lost {
        let args = json!({"name": "n", "holder": format!("h{process}"), "claim": format!("c{process}"), "ttl_ms": 1 + process});
        text.push_str(&invoke_line(process, process, 1, "lock.acquire", &args));
    }
    let args = json!({"name": "n", "holder": "z", "ttl_ms": 10});
    text.push_str(&invoke_line(900_000_000, lost, 1, "lock.acquire", &args));
    let held = json!({"outcome": "refused", "reason": "held", "value": {"holder": "ghost"}});
    text.push_str(&answer_line(900_000_100, lost, 1, &held));
    text
}

#[test]
fn the_deadline_holds_and_gives_unknown() {
    let history = History::parse(&nasty(60)).expect("well formed");
    for deadline in [Duration::ZERO, Duration::from_millis(300)] {
        let begun = Instant::now();
        let report = check(&history, deadline);
        let took = begun.elapsed();
        assert!(matches!(report.verdict, Verdict::Unknown(_)), "{:?}", report.verdict);
        assert!(took < deadline + Duration::from_millis(200), "{took:?} for {deadline:?}");
    }
    assert!(matches!(judge(&nasty(6)).verdict, Verdict::Violation(_)));
}

#[test]
fn bad_lines_are_named_with_what_to_do() {
    let header = header_line(0, "t", &json!({}), 250);
    let invoke = invoke_line(10, 1, 1, "lock.show", &json!({"name": "n"}));
    let answer = answer_line(20, 1, 1, &json!({"outcome": "ok", "value": {}}));
    let cases: [(String, usize, &str); 9] = [
        (String::new(), 1, "empty"),
        ("{}\n".into(), 1, "\"history\":1"),
        ("{\"history\":2}\n".into(), 1, "newer program"),
        (format!("{header}{invoke}{}", &answer[..9]), 3, "cut it off"),
        (format!("{header}\u{0}\n"), 2, "not JSON"),
        (format!("{header}{answer}"), 2, "its invoke is missing"),
        (format!("{header}{invoke}{invoke}"), 3, "not used twice"),
        (format!("{header}{}", invoke.replace("invoke", "woke")), 2, "is unknown"),
        (format!("{header}{invoke}{}", answer.replace("20", "5")), 3, "before it was sent"),
    ];
    for (text, line, words) in cases {
        let bad = History::parse(&text).expect_err(words);
        assert!(bad.line == line && bad.why.contains(words), "{bad} for {words:?}");
    }
}

#[test]
fn a_history_is_written_as_it_was_read() {
    for (name, text) in corpus() {
        let history = History::parse(&text).expect("well formed");
        assert_eq!(history.text(), text, "{name}");
        assert_eq!(history.select(|_| true, true).lines().count(), text.lines().count(), "{name}");
    }
}

/// TARGET-32: A history of leases and statuses is judged by the `policy` of its `hello`, and where that names none, by the
/// defaults.
#[test]
fn a_history_is_judged_by_the_policy_that_it_names() {
    let (_, text) = corpus()
        .into_iter()
        .find(|(name, _)| name.ends_with("good/lease-spelled-otherwise.ndjson"))
        .expect("it is in the corpus");
    assert_eq!(verdict(&judge(&text)), Expect::Ok);
    let (header, rest) = text.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
    let policy = header["hello"].as_object_mut().unwrap().remove("policy").expect("it names one");
    assert_eq!(policy["lease_ids"], "numbers");
    let by_default = judge(&format!("{header}\n{rest}"));
    assert_eq!(
        verdict(&by_default),
        Expect::Violation,
        "05 and 5 are two where ids are texts: {by_default:?}"
    );
}
