//! The gate's stage `guard`: the shipped hook is never flagged, a guard with a known defect is, and so is a record with
//! one corruption.

use std::path::Path;
use std::time::Duration;

use fencehold_stress::guard::{Defect, Found, Line, Options, SHIPPED, judge, recorded, run};
use serde_json::{Value, json};

/// A few sessions on a hook: what the judge found.
fn found(hook: &'static str, seed: u64, least: Duration) -> Found {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        program: Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")).to_owned(),
        hook,
        seed,
        sessions: 5,
        calls_max: u64::MAX,
        least,
        most: Duration::from_secs(60),
        harm_every: Duration::from_millis(60),
        jams: false,
    };
    run(dir.path(), &options, &mut |_| {}).unwrap().found
}

#[test]
fn the_shipped_hook_is_never_flagged() {
    let found = found(SHIPPED, 1, Duration::from_secs(2));
    println!("{:?}", found.counts);
    assert_eq!((found.violations, found.counts.missed(2)), (vec![], vec![]));
}

/// How often a broken one gets twice the time before it counts as missed.
const DOUBLINGS: u32 = 4;

/// M39 cwd-split, M47 fail-open-silent, M50 inert-guard: real hook processes that do not block, and the same guard without
/// a defect.
///
/// Shown on M39: each folder has a lock of its own.
/// Shown on M47: what cannot be decided passes, and nothing says so.
/// Shown on M50: it answers, and guards nothing.
#[test]
fn a_broken_guard_is_caught_and_a_right_one_is_not() {
    let mut caught = 0;
    for defect in Defect::ALL {
        let said: &[&str] = match defect {
            Defect::None | Defect::PerHome => &[],
            // An inert one lets the one pass or the other, whichever is drawn first.
            Defect::Inert => &["passed"],
            Defect::PerFolder => &["passed while session"],
            Defect::PastGlobs => &["guarded of session", "passed while session"],
            Defect::FailsOpen => &["nobody can decide passed"],
        };
        for seed in 1..=3 {
            let mut violations = Vec::new();
            let is_caught = |violations: &[String]| {
                said.iter().all(|said| violations.iter().any(|why| why.contains(said)))
            };
            // A busy machine gets to few calls in half a second; the right one has to stand as much.
            for doubled in 0..=DOUBLINGS {
                let found = found(defect.word(), seed, Duration::from_millis(500 << doubled));
                println!("{}, seed {seed}: {} calls", defect.word(), found.counts.calls);
                violations.extend(found.violations);
                if is_caught(&violations) {
                    break;
                }
            }
            assert!(is_caught(&violations), "{}, seed {seed}: {violations:?}", defect.word());
            match defect {
                Defect::None => assert_eq!(violations, Vec::<String>::new(), "seed {seed}"),
                _ => caught += 1,
            }
        }
    }
    assert_eq!(caught, 12);
}

fn line(at_us: u64, process: u64, what: &str, mut detail: Value) -> Line {
    detail["at_us"] = at_us.into();
    detail["process"] = process.into();
    detail["what"] = what.into();
    detail
}

fn asked(at_us: u64, process: u64, call: u64, kind: &str) -> Line {
    let session = format!("s{process}");
    line(at_us, process, "call", json!({ "call": call, "session": session, "kind": kind, "area": 0 }))
}

fn answered(at_us: u64, process: u64, call: u64, why: Option<&str>) -> Line {
    let out = why.map_or(json!({}), |why| {
        json!({ "hookSpecificOutput": { "hookEventName": "PreToolUse", "permissionDecision": "deny",
            "permissionDecisionReason": why } })
    });
    let out = format!("{out}\n");
    line(at_us, process, "answer", json!({ "call": call, "code": 0, "out": out, "took_us": 900 }))
}

fn in_area(mut line: Line, area: u64) -> Line {
    line["area"] = area.into();
    line
}

/// Two sessions: the second is kept out of the lock and of a lease of the first, which is killed then. A third is kept out of
/// a guarded glob of the second, and goes into the other one and the checkout.
fn good() -> Vec<Line> {
    vec![
        line(1, 1, "begin", json!({ "pid": 501 })),
        line(2, 2, "begin", json!({ "pid": 502 })),
        line(3, 1, "grant", json!({ "lease": "work", "area": 0, "session": "s1" })),
        line(4, 1, "granted", json!({ "lease": "work", "granted": true })),
        asked(10, 1, 1, "moves"),
        answered(11, 1, 1, None),
        asked(20, 2, 1, "moves"),
        answered(21, 2, 1, Some("held by s1 (pid 501 on vm) for 1ms")),
        asked(22, 2, 2, "edit"),
        answered(23, 2, 2, Some("lease work: open, held by s1, since 1ms")),
        asked(24, 2, 3, "reads"),
        answered(25, 2, 3, None),
        asked(26, 2, 4, "bad"),
        answered(27, 2, 4, Some("fencehold cannot tell")),
        line(30, 1, "kill", json!({ "alone": false })),
        line(31, 1, "died", json!({})),
        asked(40, 2, 5, "moves"),
        answered(41, 2, 5, None),
        asked(50, 2, 6, "end"),
        answered(51, 2, 6, None),
        line(60, 3, "begin", json!({ "pid": 503 })),
        asked(61, 2, 7, "guarded"),
        answered(62, 2, 7, None),
        asked(63, 3, 1, "guarded"),
        answered(64, 3, 1, Some("held by s2 (pid 502 on vm)")),
        in_area(asked(65, 3, 2, "guarded"), 1),
        answered(66, 3, 2, None),
        asked(67, 3, 3, "moves"),
        answered(68, 3, 3, None),
    ]
}

#[test]
fn a_record_with_one_corruption_is_flagged() {
    let judged = judge(&good());
    assert_eq!(judged.violations, Vec::<String>::new());
    assert_eq!((judged.counts.takeovers, judged.counts.blocks, judged.counts.kills), (1, 1, 1));
    let replaced = |at: usize, by: Line| {
        let mut lines = good();
        lines[at] = by;
        lines
    };
    let with = |at: usize, field: &str, value: Value| {
        let mut lines = good();
        lines[at][field] = value;
        lines
    };
    let without = |from: usize, to: usize| [&good()[..from], &good()[to..]].concat();
    let corrupted = [
        ("is inside since", replaced(7, answered(21, 2, 1, None))),
        ("is inside since", without(14, 16)),
        ("lay in the lease work", replaced(9, answered(23, 2, 2, None))),
        ("names nobody", replaced(7, answered(21, 2, 1, Some("somebody has it")))),
        ("names nobody", replaced(9, answered(23, 2, 2, Some("somebody has it")))),
        ("which can hold nothing", replaced(7, answered(21, 2, 1, Some("held by s7 (pid 501)")))),
        ("in process 1, which", replaced(7, answered(21, 2, 1, Some("held by s1 (pid 1 on vm)")))),
        ("which can hold nothing", replaced(17, answered(41, 2, 5, Some("held by s1 (pid 501 on vm)")))),
        ("has no such lease", replaced(9, answered(23, 2, 2, Some("held by s2, since")))),
        ("a call that reads was blocked", replaced(11, answered(25, 2, 3, Some("held by s1")))),
        ("nobody can decide passed", replaced(13, answered(27, 2, 4, None))),
        ("it answered", replaced(19, answered(51, 2, 6, Some("held by s1")))),
        ("it ended with 2", with(11, "code", json!(2))),
        ("it wrote", with(11, "out", json!(""))),
        ("it wrote", with(11, "out", json!("{}\n{}\n"))),
        ("it answered", with(11, "out", json!("{\"a\":1}\n"))),
        ("the hook took", with(11, "took_us", json!(10_000_001))),
        ("is inside since", replaced(24, answered(64, 3, 1, None))),
        ("is inside since", with(25, "area", json!(0))),
        ("names nobody", replaced(24, answered(64, 3, 1, Some("somebody has it")))),
        ("which can hold nothing", replaced(24, answered(64, 3, 1, Some("held by s1 (pid 501 on vm)")))),
        ("gave no answer", replaced(11, line(25, 2, "gone", json!({ "call": 3, "hung": false })))),
    ];
    // What was written is judged again as it was.
    let text: String = good().iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(recorded(&text), Some(Ok(good())));
    assert!(recorded("{\"hello\":1}\n").is_none() && recorded("").is_none());
    assert!(recorded(&format!("{text}x\n")).unwrap().unwrap_err().contains("line 30"));
    let mut flagged = 0;
    for (why, lines) in &corrupted {
        let violations = judge(lines).violations;
        assert!(violations.iter().any(|said| said.contains(why)), "{why}: {violations:?}");
        flagged += 1;
    }
    assert_eq!(flagged, 22);
}
