//! Every operation, killed before each of its calls, each of its writes cut at every byte, each of its calls failed.

use fencehold_stress::sim::overrides::Way;
use fencehold_stress::sim::scenario::{Scenario as _, replay};
use fencehold_stress::sim::torn::{self, Torn};

/// Every case of every operation; the number of cases.
fn judged(operations: Vec<Torn>) -> u64 {
    let started = std::time::Instant::now();
    let mut cases = 0;
    for torn in operations {
        let explored = torn.all(&mut |_| {}).unwrap_or_else(|found| panic!("{found}"));
        println!("{}: {} calls, {} cases", torn.name(), torn.calls().len(), explored.runs);
        assert!(explored.complete && explored.runs > torn.calls().len() as u64);
        cases += explored.runs;
    }
    println!("{cases} cases in {:?}", started.elapsed());
    cases
}

#[test]
fn a_torn_lock_command_is_there_whole_or_not_at_all() {
    assert!(judged(torn::locks()) > 3_000);
}

#[test]
fn a_torn_lease_command_is_there_whole_or_not_at_all() {
    assert!(judged(torn::leases()) > 1_500);
}

#[test]
fn a_torn_step_of_a_task_is_there_whole_or_not_at_all() {
    assert!(judged(torn::tasks()) > 1_500);
}

#[test]
fn a_torn_rotation_loses_nothing() {
    assert!(judged(torn::rotations()) > 1_500);
}

#[test]
fn a_torn_creation_leaves_a_whole_workspace_or_none() {
    assert!(judged(torn::creations()) > 300);
}

#[test]
fn a_torn_append_is_one_bad_line_at_the_most() {
    assert!(judged(torn::logs()) > 2_000);
}

/// LOG-23: Wherever a compaction is killed, the log is the whole old file or the whole new one, and the next one ends
/// what it left.
#[test]
fn a_torn_compaction_counts_every_id_once() {
    assert!(judged(torn::compactions()) > 700);
}

/// LOG-28: However often an import is killed, run again or run beside another, each entry stands in the log once.
#[test]
fn a_torn_import_is_ended_by_the_next() {
    assert!(judged(torn::imports()) > 300);
}

#[test]
fn a_torn_update_leaves_the_old_document_or_the_new_one() {
    assert!(judged(torn::documents()) > 4_000);
}

#[test]
fn an_update_that_overwrites_in_place_is_found_and_replays() {
    let canary = torn::canary();
    let found = canary.all(&mut |_| {}).unwrap_err();
    assert!(found.what.contains("half an update"), "{found}");
    let again = replay(&canary, &found.schedule).unwrap();
    assert_eq!(again.violation.as_ref(), Some(&found.what));
}

/// GATE-13's half of one process: killed before every call, cut at every byte, every call failed.
#[test]
fn a_torn_override_leaves_its_entry_once_or_owes_it() {
    assert!(judged(torn::overrides(Way::Shipped)) > 500);
}

#[test]
fn every_wrong_way_to_leave_an_entry_is_found_where_one_process_is_killed() {
    let mut found = 0;
    for way in Way::WRONG {
        let caught = torn::overrides(way).iter().find_map(|torn| torn.all(&mut |_| {}).err());
        let caught = caught.unwrap_or_else(|| panic!("{way:?} is not found"));
        println!("{way:?}: {}", caught.what);
        found += 1;
    }
    assert_eq!(found, 4);
}
