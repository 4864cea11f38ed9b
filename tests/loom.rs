//! The shipped code under loom, on the simulated disk: every order of the calls up to a bound, which each test prints.

use std::sync::Arc;

use fencehold_stress::sim::loom_fs::{Locks, LoomBody, LoomExplored, LoomModel};
use fencehold_stress::sim::mutants::Protocol;

/// The bound of every test here.
const PREEMPTIONS_MAX: usize = 3;

fn report(what: &str, explored: &LoomExplored) {
    let LoomExplored { executions, violation } = explored;
    println!(
        "{what}: {executions} executions at up to {PREEMPTIONS_MAX} preemptions; violation: {violation:?}"
    );
}

/// Two processes ask for a dead process's lock once each; whether more than one was granted it.
fn two_takers(protocol: Protocol, locks: Locks) -> LoomExplored {
    let taker: LoomBody<bool> = Arc::new(move |fs, host| {
        protocol.acquire(&fs, &host, ["one", "two"][host.number()]).unwrap().is_some()
    });
    let model = LoomModel {
        disk: protocol.disk(),
        bodies: vec![taker.clone(), taker],
        preemptions_max: PREEMPTIONS_MAX,
        locks,
    };
    model.explore(|_, granted| {
        let holders = granted.into_iter().filter(|granted| *granted).count();
        if holders <= 1 { Ok(()) } else { Err("two holders at once".to_owned()) }
    })
}

#[test]
fn loom_passes_the_careful_lock_file() {
    let explored = two_takers(Protocol::Careful, Locks::Kept);
    report("careful lock file", &explored);
    assert_eq!(explored.violation, None);
    assert!(explored.executions >= 20, "{}", explored.executions);
}

#[test]
fn loom_finds_the_double_takeover_and_a_lock_that_is_none() {
    let mutant = two_takers(Protocol::DoubleTakeover, Locks::Kept);
    report("double takeover", &mutant);
    assert_eq!(mutant.violation.as_deref(), Some("two holders at once"));
    let unlocked = two_takers(Protocol::Careful, Locks::Ignored);
    report("careful lock file, OS lock ignored", &unlocked);
    assert_eq!(unlocked.violation.as_deref(), Some("two holders at once"));
}
