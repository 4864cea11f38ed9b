/// The explorer of the status machine, and the wrong machines that it must catch.
mod status;

use std::path::PathBuf;
use std::time::Duration;

use fencehold_stress::explore::{
    Config, Explored, LeaseConfig, LeaseMutant, LeaseSubject, LeaseWalker, Limit, Machine, Mutant, Shipped,
    Subject, Walker, explore, explore_leases, oracle_stage, stage,
};
use fencehold_stress::gate::stage::{Context, Profile, Progress};
use fencehold_stress::report::Verdict;

fn look(subject: &impl Subject, config: &Config, depth: u32) -> Explored {
    explore(subject, config, Limit { depth, time: Duration::from_secs(60) }, &mut |_| {})
}

/// LOCK-1: At any instant of journal time at most one grant of a name is live.
///
/// FENCE-1: The token of a grant is greater than every token granted in the workspace before it, whatever the name.
///
/// LOCK-7: An expired lock is nobody's: renew and release of it are refused as `expired`.
///
/// LOCK-21: A bound lock of an earlier boot is lapsed.
#[test]
fn the_whole_space_of_one_name_holds() {
    let explored = look(&Shipped, &Config::one_name(), u32::MAX);
    assert!(explored.violation.is_none(), "{explored:?}");
    assert!(explored.ended_by.is_none(), "{explored:?}");
    assert!(explored.states > 8_000 && explored.transitions > 700_000, "{explored:?}");
}

/// LOCK-4: An acquire by the same holder with the same claim keeps its token, and its expiry never becomes earlier.
///
/// JOURNAL-14's half in the model: what a rotation forgets is neither live nor within memory.
#[test]
fn two_names_hold_up_to_five_steps() {
    let explored = look(&Shipped, &Config::two_names(), 5);
    assert!(explored.violation.is_none(), "{explored:?}");
    assert!(explored.states > 2_000 && explored.transitions > 45_000, "{explored:?}");
}

/// Every wrong machine, in the configuration that can show it; printed: how much was looked at until it showed.
#[test]
fn every_wrong_machine_is_caught() {
    let mut caught = 0;
    for machine in Machine::all() {
        let name = machine.name();
        let (looked, found) = machine.search().unwrap_or_else(|| panic!("{name} was not caught"));
        println!(
            "{name}: {} after {looked}, {} steps: {}",
            found.why,
            found.path.len(),
            found.path.join(", ")
        );
        assert!(found.path.len() <= 4, "breadth first finds the shortest way: {found:?}");
        caught += 1;
    }
    assert_eq!(caught, 20 + 41 + 36);
}

fn look_at_leases(subject: &impl LeaseSubject, config: &LeaseConfig, depth: u32) -> Explored {
    explore_leases(subject, config, Limit { depth, time: Duration::from_secs(60) }, &mut |_| {})
}

/// LEASE-1: At any instant of journal time at most one grant of a lease is open, whatever the spelling of its id.
///
/// LEASE-4: No operation renews a lease: from its grant to its end its token, its holder, its write set and the
/// instant at which its TTL passes stay as they were granted.
///
/// LEASE-5: Where the policy refuses overlaps, a grant whose write set overlaps that of another live lease is refused
/// as `overlap`, with the id, the token and the holder of such leases, whichever of the two sets is the wider one.
///
/// LEASE-17: A grant that is made crashes the lapsed leases in its way, the one of its own id and those that its write
/// set overlaps, by the same event and with the evidence of each.
///
/// LEASE-31: A rotation forgets a lease that was closed or cleared 10 minutes or more before, or before 1,024 others
/// that were, and neither an open nor a crashed one.
#[test]
fn leases_hold_up_to_three_and_four_steps() {
    for advises in [false, true] {
        let two = look_at_leases(&Shipped, &LeaseConfig::two_leases(advises), 3);
        assert!(two.violation.is_none(), "{two:?}");
        assert!(two.states > 3_000 && two.transitions > 100_000, "{two:?}");
        let three = look_at_leases(&Shipped, &LeaseConfig::three_leases(advises), 4 - u32::from(advises));
        assert!(three.violation.is_none(), "{three:?}");
        assert!(three.states > 500 && three.transitions > 25_000, "{three:?}");
    }
}

/// The walks see what the search sees, where a trace of the oracle alone can show it; failing walks become minimal.
#[test]
fn walks_catch_wrong_machines_and_shrink() {
    // Not here: those that need the search's own view of what is remembered, of boots, or of a repeat.
    let blind = [Mutant::BootIgnored, Mutant::BreakForgotten];
    let mut caught = 0;
    for mutant in Mutant::ALL.into_iter().filter(|mutant| !blind.contains(mutant)) {
        let (mut steps, mut seed) = (0, 0);
        let found = loop {
            let walker = Walker::new(seed);
            let walked = walker.run(&mutant);
            (steps, seed) = (steps + walked.steps, seed + 1);
            if let Some(found) = walked.found {
                break walker.shrink(&mutant, found);
            }
            assert!(seed < 500, "{mutant:?} was not caught");
        };
        println!("{mutant:?}: {steps} steps, shrunk to {}", found.path.len());
        assert!(found.path.len() <= 6, "{mutant:?}: {found:?}");
        caught += 1;
    }
    assert_eq!(caught, Mutant::ALL.len() - blind.len());
}

#[test]
fn walks_of_the_shipped_machine_agree_with_the_oracle() {
    let (mut steps, mut recorded) = (0, 0);
    for seed in 0..300 {
        let walked = Walker::new(seed).run(&Shipped);
        assert!(walked.found.is_none(), "seed {seed}: {:?}", walked.found);
        (steps, recorded) = (steps + walked.steps, recorded + walked.recorded);
    }
    assert_eq!(steps, 300 * 400);
    assert!(recorded > 20_000, "{recorded} of {steps} recorded something");
}

/// Leases walk beside their oracle, half of the walks told to it as a history tells of them: in intervals, with answers
/// lost. No answer of the shipped machine is called wrong, and those of the wrong ones are.
#[test]
fn lease_walks_agree_with_the_oracle_and_catch_wrong_machines() {
    let (mut steps, mut recorded) = (0, 0);
    for seed in 0..200 {
        let walker = LeaseWalker::new(seed);
        let walked = walker.run(&Shipped);
        let found = walked.found.map(|found| walker.shrink(&Shipped, found));
        assert!(found.is_none(), "seed {seed}: {found:?}");
        (steps, recorded) = (steps + walked.steps, recorded + walked.recorded);
    }
    assert_eq!(steps, 200 * 300);
    assert!(recorded > 10_000, "{recorded} of {steps} recorded something");
    // Not here: there is one boot.
    let blind = [LeaseMutant::BootIgnored];
    let mut caught = 0;
    for mutant in LeaseMutant::ALL.iter().filter(|mutant| !blind.contains(mutant)) {
        let found = (0..200).find_map(|seed| {
            let walker = LeaseWalker::new(seed);
            walker.run(mutant).found.map(|found| walker.shrink(mutant, found))
        });
        let found = found.unwrap_or_else(|| panic!("{mutant:?} was not caught"));
        assert!(found.path.len() <= 8, "{mutant:?}: {found:?}");
        caught += 1;
    }
    assert_eq!(caught, LeaseMutant::ALL.len() - blind.len());
}

/// The stages of the gate; in a release build this is how long they take there.
#[test]
fn the_stages_are_green_and_say_their_bound() {
    let mut context = Context {
        profile: Profile::Quick,
        seed: 7,
        run_dir: PathBuf::new(),
        target: None,
        seconds: None,
        progress: Progress::new(),
    };
    for result in [stage(&mut context), oracle_stage(&mut context)] {
        println!(
            "{}: {} {} in {:?}: {}",
            result.name, result.cases, result.unit, result.elapsed, result.bound
        );
        println!("{:?}", result.figures);
        assert_eq!(result.verdict, Verdict::Ok);
        assert!(result.cases > 10_000, "{} {}", result.cases, result.unit);
        assert!(!result.bound.is_empty());
    }
}
