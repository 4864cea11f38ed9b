//! The shipped code under loom, on the simulated disk: every order of the calls up to a bound, which each test prints.

use fencehold_stress::sim::door::Locks;
use fencehold_stress::sim::loom_fs::LoomExplored;
use fencehold_stress::sim::loom_models::{
    PREEMPTIONS_MAX, append_against_recovery, commit_against_commit, create_against_create,
    log_against_half_line, log_against_log, reader_against_rotation, two_takers,
};
use fencehold_stress::sim::mutants::Protocol;

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
    println!("{what}: {executions} executions, preemption bound {PREEMPTIONS_MAX}; found: {found}");
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
