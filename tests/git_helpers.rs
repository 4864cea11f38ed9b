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
    assert_eq!(played(scenario, Helper::Shipped), Ok(()), "ours");
    assert_eq!(played(scenario, Helper::Own(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = played(scenario, Helper::Own(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Defect CUST-1: what the helper has committed and nobody has pushed stops it for ever.
/// Shown on M52: a branch that differs is behind.
/// Shown on the published algorithm of CUST-1: the same.
#[test]
fn a_branch_that_is_ahead_is_not_behind() {
    held(on::its_own_commits_are_no_reason_to_stop, &[(&[Flaw::AheadIsBehind], "C-14"), (PUBLISHED, "C-14")]);
}

/// Defect CUST-18: what was skipped is passed off as done.
/// Shown on M52: a branch that diverged is behind.
/// Shown on M63: skipped ends with 0.
/// Shown on the published algorithm of CUST-18: the same.
///
/// Behaviour E1.3: behind is C-14, and nothing is written.
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

/// Defect CUST-9: without an upstream the branch is behind.
/// Shown on M59: nothing to compare with is something that differs.
/// Shown on the published algorithm of CUST-9: the same.
#[test]
fn without_a_branch_or_an_upstream_nothing_is_written() {
    held(
        on::no_branch_and_no_upstream,
        &[(&[Flaw::NoUpstreamIsBehind], "no-upstream is not said"), (PUBLISHED, "no-upstream is not said")],
    );
}

/// Defect CUST-15: a file with changes is a branch that is behind.
/// Shown on M63: one code for both.
/// Shown on the published algorithm of CUST-15: the same.
///
/// Behaviour E1.7: each condition has a code of its own.
#[test]
fn a_dirty_file_has_a_code_of_its_own() {
    held(
        on::a_file_with_changes,
        &[(&[Flaw::OneCode], "dirty is not said"), (PUBLISHED, "dirty is not said")],
    );
}

/// Defect CUST-8: who cannot be asked is left out of the gate.
/// Shown on M58: it goes on after a fetch that failed.
/// Shown on the published algorithm of CUST-8: the same.
#[test]
fn offline_nothing_is_written() {
    held(
        on::it_is_offline,
        &[(&[Flaw::FetchFailContinue], "something was written"), (PUBLISHED, "something was written")],
    );
}

/// Defect CUST-11: it fixes after a pull that failed.
/// Shown on M58: it goes on.
/// Shown on the published algorithm of CUST-11: the same.
///
/// Behaviour E1.5: it pulls forward, then fixes.
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

/// Defect CUST-10: `origin` is asked, whatever the branch follows.
/// Shown on M59: what is behind counts as clean.
/// Shown on the published algorithm of CUST-10: the same.
#[test]
fn the_upstreams_own_remote_is_asked() {
    held(
        on::an_upstream_of_another_remote,
        &[(&[Flaw::FetchesOrigin], "something was written"), (PUBLISHED, "something was written")],
    );
}

/// Defect CUST-10: a remote that never answers is waited for.
/// Shown on M59: the fetch hangs.
/// Shown on the published algorithm of CUST-10: the same.
#[test]
fn a_remote_that_hangs_is_not_waited_for() {
    held(on::a_remote_that_hangs, &[(&[Flaw::NoTimeout], "it waits"), (PUBLISHED, "it waits")]);
}

/// Defect CUST-7: the remote moves between the fetch and the commit, and nobody says so.
/// Shown on the published algorithm of CUST-7: it is said to be behind, which a pull forward does not end.
#[test]
fn a_remote_that_moves_after_the_fetch_costs_one_commit() {
    held(
        on::the_remote_moves_after_the_fetch,
        &[(&[Flaw::AheadIsBehind], "diverged is not said"), (PUBLISHED, "diverged is not said")],
    );
}

/// Defect CUST-5: the commit holds what a person had staged.
/// Shown on M55: the index is committed.
/// Shown on the published algorithm of CUST-5: the same.
///
/// Behaviour E1.4: the file is written and committed, that file alone.
#[test]
fn what_is_staged_is_not_swept() {
    held(
        on::staged_files_of_the_user,
        &[(&[Flaw::IndexSweep], "its commits hold"), (PUBLISHED, "its commits hold")],
    );
}

/// Defect CUST-20: each run commits.
/// Shown on M60: it commits whether or not there is something.
#[test]
fn a_run_with_nothing_to_do_commits_nothing() {
    held(on::runs_with_nothing_to_do, &[(&[Flaw::OpenLoop], "there was nothing to commit")]);
}

/// Defect CUST-2: what is committed and not pushed piles up.
/// Shown on the published algorithm of CUST-2: it counts nothing.
///
/// Behaviour E1.8: it pulls and counts; it pushes nothing.
#[test]
fn commits_that_nobody_pushes_are_bounded() {
    held(on::many_files_and_nobody_pushes, &[(PUBLISHED, "some are committed")]);
}

/// Defect CUST-16: a file that could not be committed stays written, and is skipped from then on.
/// Shown on the published algorithm of CUST-16: it ends as if all were well, too.
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

/// Defect CUST-14: what a person saves between the look and the write is lost.
/// Shown on the published algorithm of CUST-14: the file is written over.
#[test]
fn what_a_person_saves_meanwhile_is_theirs() {
    held(on::a_file_that_changes_meanwhile, &[(&[Flaw::NoRecheck], "is lost"), (PUBLISHED, "is lost")]);
}

/// Defect CUST-19: two machines write one fact, and what follows is not said to have diverged.
/// Shown on the published algorithm of CUST-19: it is said to be behind.
#[test]
fn one_fact_on_two_machines_comes_down_to_one_commit() {
    held(
        on::two_machines_write_one_fact,
        &[(&[Flaw::AheadIsBehind], "diverged is not said"), (PUBLISHED, "diverged is not said")],
    );
}
