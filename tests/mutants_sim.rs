//! The two lock-file mutants are found by the world, the control is not flagged, and a finding replays.

use fencehold_stress::sim::choice::Schedule;
use fencehold_stress::sim::mutants::{Protocol, executions_to_violation, run_control, run_mutants};
use fencehold_stress::sim::scenario::replay;

const SEEDS: [u64; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

#[test]
fn both_lock_file_mutants_are_found_from_every_seed() {
    for mutant in run_mutants(&SEEDS) {
        println!(
            "{}: median {:?}, worst {:?}, {:?}",
            mutant.name, mutant.median, mutant.worst, mutant.per_seed
        );
        assert!(mutant.worst.is_some_and(|worst| worst <= 2_000), "{}: {:?}", mutant.name, mutant.per_seed);
    }
}

#[test]
fn a_finding_is_made_again_by_its_schedule_read_back_from_its_file() {
    for (protocol, what) in
        [(Protocol::DoubleTakeover, "two holders at once"), (Protocol::ReleaseByPath, "the lock of")]
    {
        let found = executions_to_violation(protocol, 1, 20_000).unwrap().counterexample;
        println!("{found}");
        let schedule = Schedule::from_ndjson(&found.schedule.to_ndjson()).unwrap();
        let again = replay(&protocol, &schedule).unwrap();
        assert_eq!(again.violation.as_ref(), Some(&found.what));
        assert_eq!(again.trace, found.trace);
        assert!(found.what.contains(what), "{}", found.what);
    }
}

#[test]
fn the_careful_lock_file_is_never_flagged() {
    let executions = 5_000;
    let started = std::time::Instant::now();
    let flagged = run_control(1, executions, &mut |_| {});
    println!("control: {executions} executions in {:?}", started.elapsed());
    assert!(flagged.is_none(), "{}", flagged.unwrap().counterexample);
}
