//! The shipped code under loom, on the simulated disk: every order of the calls up to a bound, which each test prints.

use fencehold_stress::sim::door::Locks;
use fencehold_stress::sim::loom_fs::LoomExplored;
use fencehold_stress::sim::loom_machines::{
    close_against_grant, grant_against_grant, informed_against_informed, informed_against_uninformed,
    overlap_against_overlap, set_against_reopen,
};
use fencehold_stress::sim::loom_models::{
    PREEMPTIONS_MAX, append_against_recovery, commit_against_commit, create_against_create,
    log_against_half_line, log_against_log, reader_against_rotation, two_takers,
};
use fencehold_stress::sim::mutants::Protocol;

/// One commit is like another to the journal: for what the machines make of it fewer orders are enough.
const FEW_PREEMPTIONS: usize = 2;

/// Nothing may be violated, and so many executions there must be at least: an empty search is none.
fn passes(what: &str, executions_min: u64, explored: &LoomExplored) {
    report(what, explored);
    assert_eq!(explored.violation, None, "{what}");
    assert!(explored.executions >= executions_min, "{what}: only {} executions", explored.executions);
}

fn is_found(what: &str, explored: &LoomExplored) {
    report(what, explored);
    assert!(explored.violation.is_some(), "{what} is not found in {} executions", explored.executions);
}

fn report(what: &str, explored: &LoomExplored) {
    let LoomExplored { executions, violation } = explored;
    let found = violation.as_deref().unwrap_or("nothing");
    println!(
        "{what}: {executions} executions, preemption bound {PREEMPTIONS_MAX} or {FEW_PREEMPTIONS}; found: {found}"
    );
}

#[test]
fn loom_passes_the_careful_lock_file() {
    passes("careful lock file", 300, &two_takers(Protocol::Careful, Locks::Kept, PREEMPTIONS_MAX));
}

#[test]
fn loom_finds_the_double_takeover_and_a_lock_that_is_none() {
    is_found("double takeover", &two_takers(Protocol::DoubleTakeover, Locks::Kept, PREEMPTIONS_MAX));
    is_found("OS lock ignored", &two_takers(Protocol::Careful, Locks::Ignored, PREEMPTIONS_MAX));
}

#[test]
fn a_foreign_half_line_swallows_no_record_of_ours() {
    passes("log append against a foreign half line", 100, &log_against_half_line(PREEMPTIONS_MAX));
}

#[test]
fn two_appends_to_a_log_are_both_there() {
    passes("log append against log append", 100, &log_against_log(PREEMPTIONS_MAX, Locks::Kept));
}

#[test]
fn of_two_commits_for_one_lock_one_wins() {
    passes("commit against commit", 100, &commit_against_commit(PREEMPTIONS_MAX, Locks::Kept));
}

#[test]
fn two_commits_under_an_os_lock_that_is_none_are_found() {
    is_found(
        "commit against commit, OS lock ignored",
        &commit_against_commit(PREEMPTIONS_MAX, Locks::Ignored),
    );
}

#[test]
fn a_reader_sees_the_journal_before_or_after_a_rotation() {
    passes("reader against rotation", 100, &reader_against_rotation(PREEMPTIONS_MAX));
}

#[test]
fn two_processes_that_find_a_half_line_both_go_on() {
    passes("journal append against recovery", 100, &append_against_recovery(PREEMPTIONS_MAX));
}

#[test]
fn of_two_creators_one_makes_the_workspace() {
    passes("creation against creation", 100, &create_against_create(PREEMPTIONS_MAX));
}

#[test]
fn of_two_grants_of_one_lease_one_wins() {
    passes("grant against grant", 100, &grant_against_grant(FEW_PREEMPTIONS, Locks::Kept));
}

#[test]
fn of_two_leases_that_write_one_file_one_is_granted() {
    passes("grants of one file", 100, &overlap_against_overlap(FEW_PREEMPTIONS, Locks::Kept));
}

#[test]
fn a_close_is_done_whoever_asks_for_the_lease_meanwhile() {
    passes("close against grant", 100, &close_against_grant(FEW_PREEMPTIONS));
}

#[test]
fn a_step_that_names_nothing_overwrites_nothing() {
    passes("informed against uninformed", 100, &informed_against_uninformed(FEW_PREEMPTIONS, Locks::Kept));
}

#[test]
fn of_two_ends_of_a_task_one_stands() {
    passes("informed against informed", 100, &informed_against_informed(FEW_PREEMPTIONS));
}

#[test]
fn a_late_end_does_not_undo_a_reopen() {
    passes("set against reopen", 100, &set_against_reopen(FEW_PREEMPTIONS));
}

#[test]
fn leases_and_tasks_under_an_os_lock_that_is_none_are_found() {
    is_found("grant against grant, OS lock ignored", &grant_against_grant(FEW_PREEMPTIONS, Locks::Ignored));
    is_found(
        "grants of one file, OS lock ignored",
        &overlap_against_overlap(FEW_PREEMPTIONS, Locks::Ignored),
    );
    let ignored = informed_against_uninformed(FEW_PREEMPTIONS, Locks::Ignored);
    is_found("informed against uninformed, OS lock ignored", &ignored);
}
