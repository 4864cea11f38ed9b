//! Swarm runs: drawn plans of operations and faults, judged by the checker.

use fencehold_stress::sim::seam::{Mutation, Place, recording, under};
use fencehold_stress::sim::swarm::{Plan, Reached, minimize};

const OPS_MAX: u32 = 150;

#[test]
fn drawn_plans_are_judged_right_and_reach_what_is_rare() {
    let mut all = Reached::default();
    for seed in 0..25 {
        let plan = Plan::drawn(seed, OPS_MAX);
        let outcome = plan.run();
        assert_eq!(outcome.found, None, "{}", plan.to_json());
        all.add(outcome.reached);
    }
    println!("{all:?}");
    assert!(all.ops > 1_000 && all.contended > 0 && all.killed > 0 && all.power_cuts > 0, "{all:?}");
}

/// The events of a condemned file that were folded into the next one may stand in no file any more.
#[test]
fn what_a_condemned_file_lost_and_its_successor_kept_is_no_violation() {
    for seed in [134, 142, 177, 240, 257] {
        let plan = Plan::drawn(seed, 1_000);
        assert_eq!(plan.run().found, None, "{}", plan.to_json());
    }
}

#[test]
fn a_plan_reads_back_equal_and_makes_the_same_run() {
    let plan = Plan::drawn(7, OPS_MAX);
    let again = Plan::of_schedule(&plan.schedule()).expect("a swarm's").expect("a plan");
    assert_eq!(plan, again);
    assert_eq!(plan.run().history, again.run().history);
}

fn place(plan: &Plan, call: &str, file: &str) -> Place {
    let (_, record) = recording(|| plan.run());
    let found =
        record.shipped().places.into_keys().find(|place| place.call == call && place.file.ends_with(file));
    found.expect("the shipped code calls it")
}

#[test]
fn a_lock_that_does_not_lock_is_found_and_shrunk() {
    let lock = place(&Plan::drawn(0, OPS_MAX), "lock", "journal/section.rs");
    let shortest = (0..40).find_map(|seed| {
        let plan = Plan::drawn(seed, OPS_MAX);
        under(Some(Mutation::Skip(lock)), || Some((plan.operations(), minimize(&plan, 200)?)))
    });
    let (before, shortest) = shortest.expect("a lock that does not lock is found within 40 plans");
    println!("{} of {before} operations: {}", shortest.plan.operations(), shortest.what);
    assert!(shortest.plan.operations() < before, "{}", shortest.plan.to_json());
}
