//! Each of the targets with a known defect is found broken, and the correct one never is.

mod child;
mod drive;
mod registries;

use std::path::Path;
use std::time::Duration;

use fencehold_model::history::History;
use fencehold_stress::check::{Report, Verdict, check};
use fencehold_stress::rng::Rng;
use fencehold_stress::target::Spec;
use fencehold_stress::targets;
use serde_json::{Value, json};

use drive::{Plan, drive};

/// How many seeds.
const SEEDS: u64 = 10;

fn mutant(name: &str) -> Spec {
    Spec::built_in_at(Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")), name)
}

fn control() -> Spec {
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stress/adapters/control.py");
    Spec::command(&["python3".to_owned(), adapter.display().to_string()]).expect("two words")
}

fn judge(history: &str) -> Report {
    check(&History::parse(history).expect("a well-formed history"), Duration::from_secs(20))
}

/// Runs the plan with every seed; how many operations were sent up to the first that cannot be explained.
fn to_violation(name: &str, plan: Plan) -> Vec<usize> {
    let found = (0..SEEDS).map(|seed| {
        let history = drive(&mutant(name), Plan { seed, ..plan });
        let report = judge(&history);
        assert!(matches!(report.verdict, Verdict::Violation(_)), "{name}, seed {seed}: {report:?}");
        let last = report.violations.iter().filter_map(|violation| violation.ops.iter().max().copied());
        last.min().expect("a violation names its operations") + 1
    });
    let mut found: Vec<usize> = found.collect();
    found.sort_unstable();
    let (median, worst) = (found[found.len() / 2], found[found.len() - 1]);
    println!(
        "{name}: operations to the first violation over {SEEDS} seeds: median {median}, worst {worst}, {found:?}"
    );
    found
}

fn increments(_: &mut Rng, _: u64, _: u64, _: &Value) -> (&'static str, Value) {
    ("doc.increment", json!({ "file": "doc", "key": "k", "by": 1 }))
}

fn appends(rng: &mut Rng, worker: u64, id: u64, _: &Value) -> (&'static str, Value) {
    if rng.one_in(20) {
        return ("log.read", json!({ "file": "log" }));
    }
    ("log.append", json!({ "file": "log", "record": { "id": format!("{worker}-{id}"), "n": id } }))
}

const PLAN: Plan =
    Plan { seed: 0, workers: 4, ops: 40, kill_one_in: 50, stop_one_in: 0, tear_one_in: 0, draw: increments };

#[test]
fn m01_loses_updates() {
    to_violation("M01", PLAN);
}

#[test]
fn m03_loses_updates_once_a_holder_was_killed() {
    to_violation("M03", Plan { workers: 6, ops: 150, kill_one_in: 20, ..PLAN });
}

#[test]
fn m16_loses_records_behind_a_half_line() {
    to_violation("M16", Plan { ops: 120, tear_one_in: 50, draw: appends, ..PLAN });
}

#[test]
fn every_mutant_is_named() {
    let names: Vec<&str> = targets::MUTANTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["M01", "M03", "M16"]);
}

/// A bit of everything that the control offers.
fn mixed(rng: &mut Rng, worker: u64, id: u64, token: &Value) -> (&'static str, Value) {
    let name = format!("n{}", rng.below(3));
    let holder = format!("h{worker}");
    let claim = format!("c{worker}");
    let ttl_ms = 20 + rng.below(200);
    let fence = json!({ "lock": name, "token": token });
    let mut doc = json!({ "file": "doc", "key": "k", "by": 1 });
    if !token.is_null() && rng.one_in(4) {
        doc["file"] = json!(format!("doc-{name}"));
        doc["fence"] = fence;
    }
    match rng.below(20) {
        0..5 => {
            let mut args = json!({ "name": name, "holder": holder, "ttl_ms": ttl_ms });
            if !rng.one_in(4) {
                args["claim"] = json!(claim);
            }
            if rng.one_in(4) {
                args["wait_ms"] = json!(rng.below(60));
            }
            ("lock.acquire", args)
        }
        5..7 => ("lock.renew", json!({ "name": name, "holder": holder, "claim": claim, "ttl_ms": ttl_ms })),
        7..9 => ("lock.release", json!({ "name": name, "holder": holder, "claim": claim })),
        9 if !token.is_null() => ("lock.release", json!({ "name": name, "holder": holder, "token": token })),
        9 => ("lock.break", json!({ "name": name, "reason": "a test" })),
        10 => ("lock.show", json!({ "name": name })),
        11 => ("doc.read", json!({ "file": "doc" })),
        12..15 => ("doc.increment", doc),
        _ => appends(rng, worker, id, token),
    }
}

#[test]
fn the_control_is_never_flagged() {
    for seed in 0..3 {
        let plan = Plan {
            seed,
            workers: 4,
            ops: 80,
            kill_one_in: 15,
            stop_one_in: 15,
            tear_one_in: 15,
            draw: mixed,
        };
        let history = drive(&control(), plan);
        let report = judge(&history);
        println!("control, seed {seed}: {:?} in {:?}", report.counts, report.elapsed);
        assert_eq!(report.verdict, Verdict::Ok, "seed {seed}: {report:#?}\n{history}");
    }
}
