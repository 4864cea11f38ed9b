//! Helpers that keep plan files and a board in step over git: ours passes each scenario, as does one of the gate's own
//! without a flaw; those with one do not, each for its flaw.

use std::path::Path;

use fencehold_stress::plans::scenarios::{self as on, Stage};
use fencehold_stress::plans::{Flaw, Helper, Outcome, PUBLISHED};

/// Helpers with flaws, and what the scenario says of each.
type Broken = (&'static [Flaw], &'static str);

fn played(scenario: fn(&Stage<'_>) -> Outcome, helper: Helper) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_fencehold-under-test"));
    scenario(&Stage { dir: dir.path(), program, helper })
}

#[track_caller]
fn held(scenario: fn(&Stage<'_>) -> Outcome, broken: &[Broken]) {
    assert_eq!(played(scenario, Helper::Own(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = played(scenario, Helper::Own(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

#[test]
fn a_branch_that_is_ahead_is_not_behind() {
    held(on::its_own_commits_are_no_reason_to_stop, &[(&[Flaw::AheadIsBehind], "C-14"), (PUBLISHED, "C-14")]);
}

#[test]
fn behind_and_diverged_are_two_things() {
    held(
        on::behind_and_diverged,
        &[
            (&[Flaw::AheadIsBehind], "diverged is not said"),
            (&[Flaw::SkippedIsFine], "as if all were well"),
            (PUBLISHED, "as if all were well"),
        ],
    );
}

#[test]
fn without_a_branch_or_an_upstream_nothing_is_written() {
    held(
        on::no_branch_and_no_upstream,
        &[(&[Flaw::NoUpstreamIsBehind], "no-upstream is not said"), (PUBLISHED, "no-upstream is not said")],
    );
}

#[test]
fn a_dirty_file_has_a_code_of_its_own() {
    held(
        on::a_file_with_changes,
        &[(&[Flaw::OneCode], "dirty is not said"), (PUBLISHED, "dirty is not said")],
    );
}

#[test]
fn offline_nothing_is_written() {
    held(
        on::it_is_offline,
        &[(&[Flaw::FetchFailContinue], "something was written"), (PUBLISHED, "something was written")],
    );
}

#[test]
fn a_failed_pull_stops() {
    held(
        on::a_pull_that_fails,
        &[
            (&[Flaw::PullFailContinue], "pull-failed is not said"),
            (&[Flaw::PullFailContinue, Flaw::FetchFailContinue], "something was written"),
            (PUBLISHED, "something was written"),
        ],
    );
}

#[test]
fn the_upstreams_own_remote_is_asked() {
    held(
        on::an_upstream_of_another_remote,
        &[(&[Flaw::FetchesOrigin], "something was written"), (PUBLISHED, "something was written")],
    );
}

#[test]
fn a_remote_that_hangs_is_not_waited_for() {
    held(on::a_remote_that_hangs, &[(&[Flaw::NoTimeout], "it waits"), (PUBLISHED, "it waits")]);
}

#[test]
fn a_remote_that_moves_after_the_fetch_costs_one_commit() {
    held(
        on::the_remote_moves_after_the_fetch,
        &[(&[Flaw::AheadIsBehind], "diverged is not said"), (PUBLISHED, "diverged is not said")],
    );
}

#[test]
fn what_is_staged_is_not_swept() {
    held(
        on::staged_files_of_the_user,
        &[(&[Flaw::IndexSweep], "its commits hold"), (PUBLISHED, "its commits hold")],
    );
}

#[test]
fn a_run_with_nothing_to_do_commits_nothing() {
    held(on::runs_with_nothing_to_do, &[(&[Flaw::OpenLoop], "there was nothing to commit")]);
}

#[test]
fn commits_that_nobody_pushes_are_bounded() {
    held(
        on::many_files_and_nobody_pushes,
        &[(&[Flaw::Unbounded], "some are committed"), (PUBLISHED, "some are committed")],
    );
}

#[test]
fn a_commit_that_fails_is_taken_back() {
    held(
        on::a_commit_that_is_refused,
        &[(&[Flaw::NoRestore], "stays written"), (PUBLISHED, "stays written")],
    );
}

#[test]
fn what_git_is_in_the_middle_of_is_named_first() {
    held(
        on::something_is_in_progress,
        &[(&[Flaw::GoesOn], "index-locked is not said"), (PUBLISHED, "something was written")],
    );
    held(on::nobody_is_the_author, &[(&[Flaw::GoesOn], "no-author is not said")]);
}

#[test]
fn what_a_person_saves_meanwhile_is_theirs() {
    held(on::a_file_that_changes_meanwhile, &[(&[Flaw::NoRecheck], "is lost"), (PUBLISHED, "is lost")]);
}

#[test]
fn one_fact_on_two_machines_comes_down_to_one_commit() {
    held(
        on::two_machines_write_one_fact,
        &[(&[Flaw::AheadIsBehind], "diverged is not said"), (PUBLISHED, "diverged is not said")],
    );
}
