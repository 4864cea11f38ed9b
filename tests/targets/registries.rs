//! The registries of leases and statuses, and the appliers of proposals: each that is wrong is caught, those that are
//! right are not; and our own implementation is judged the same with its revisions and without.

use std::path::Path;
use std::time::Duration;

use fencehold_model::history::History;
use fencehold_stress::check::{Verdict, check};
use fencehold_stress::soak::{Options, Soak, soak};
use fencehold_stress::target::Spec;
use fencehold_stress::targets;

/// Up to how many operations a defect may stay unseen.
const OPERATIONS_MAX: usize = 40_000;
const FIRST_MS: u64 = 300;

fn soaked(spec: Spec, seed: u64, duration: Duration) -> (tempfile::TempDir, Soak) {
    let dir = tempfile::Builder::new().prefix("fencehold-test-").tempdir().expect("a temporary folder");
    let options = Options {
        spec,
        ours: false,
        seed,
        duration,
        processes: 4,
        harm_every: Duration::from_millis(40),
        shrink_within: Duration::ZERO,
    };
    let soak = soak(dir.path(), &options, &mut |_, _| {}).expect("the harness does its part");
    (dir, soak)
}

fn registry(name: &str) -> Spec {
    Spec::built_in_at(Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")), name)
}

/// Soaks it for longer and longer; how many operations were sent up to the first that cannot be explained.
fn to_violation(name: &str) -> usize {
    // That a dead process counts as alive shows only once the slack has passed.
    let first_ms = if name == "M27" { 5 * FIRST_MS } else { FIRST_MS };
    let mut before = 0;
    for doubled in 0..5 {
        let duration = Duration::from_millis(first_ms << doubled);
        let (_dir, soak) = soaked(registry(name), doubled, duration);
        assert!(!matches!(soak.report.verdict, Verdict::Unknown(_)), "{name}: {:?}", soak.report.verdict);
        let first = soak.report.violations.iter().filter_map(|violation| violation.ops.iter().max()).min();
        if let Some(first) = first {
            let why = &soak.report.violations[0].why;
            println!("{name}: caught after {} operations: {why}", before + first + 1);
            return before + first + 1;
        }
        before += soak.report.counts.ops;
    }
    panic!("{name} was not caught in {before} operations");
}

#[test]
fn every_registry_with_a_defect_is_caught() {
    let names: Vec<&str> = targets::registries().collect();
    assert_eq!(names.len(), 14, "{names:?}");
    for name in names {
        let operations = to_violation(name);
        assert!(operations <= OPERATIONS_MAX, "{name}: {operations}");
    }
}

#[test]
fn every_applier_with_a_defect_is_caught() {
    let names: Vec<&str> = targets::appliers().collect();
    assert_eq!(names, ["M23", "lost-staging", "id-by-substring", "cut-body", "stub-applied"]);
    for name in names {
        let operations = to_violation(name);
        assert!(operations <= OPERATIONS_MAX, "{name}: {operations}");
    }
}

#[test]
fn the_applier_without_a_defect_is_not_flagged() {
    let (mut accepted, mut readings, mut lost) = (0, 0, 0);
    for seed in 0..3 {
        let (_dir, soak) = soaked(registry(targets::CONTROLS[1]), seed, Duration::from_millis(700));
        assert_eq!(soak.report.verdict, Verdict::Ok, "seed {seed}: {:?}", soak.report.counts);
        assert!(soak.run.complaints.is_empty(), "{:?}", soak.run.complaints);
        let counts = soak.report.counts;
        (accepted, readings, lost) =
            (accepted + counts.accepted, readings + counts.readings, lost + counts.infos);
    }
    println!("{accepted} accepted, {readings} readings, {lost} operations without an answer");
    assert!(accepted > 10 && readings > 10, "{accepted} accepted, {readings} readings");
}

#[test]
fn the_registry_without_a_defect_is_not_flagged() {
    let mut moves = 0;
    for seed in 0..3 {
        let (_dir, soak) = soaked(registry(targets::CONTROLS[0]), seed, Duration::from_millis(700));
        assert_eq!(soak.report.verdict, Verdict::Ok, "seed {seed}: {:?}", soak.report.counts);
        assert!(soak.run.complaints.is_empty(), "{:?}", soak.run.complaints);
        moves += soak.report.counts.moves + soak.report.counts.leases;
    }
    assert!(moves > 100, "only {moves} moves and grants");
}

#[test]
fn witness_and_search_agree_on_leases_and_tasks() {
    let own = Spec::own_at(Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")));
    let (_dir, soak) = soaked(own, 3, Duration::from_millis(1_500));
    assert_eq!(soak.report.verdict, Verdict::Ok, "{:?}", soak.report.counts);
    assert!(soak.report.counts.witnessed > 4, "{:?}", soak.report.counts);
    let text = std::fs::read_to_string(&soak.run.history).expect("a history");
    let blind = text.replacen("\"revisions\":true", "\"revisions\":false", 1);
    assert!(blind != text);
    let report = check(&History::parse(&blind).expect("a history"), Duration::from_secs(30));
    assert_eq!(report.verdict, Verdict::Ok, "{:?}", report.counts);
    assert!(report.counts.searched > 4 && report.counts.overlaps > 0, "{:?}", report.counts);
}
