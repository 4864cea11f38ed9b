mod asked;
mod naive;
mod scenarios;
mod shipped;

use asked::Merging;
use naive::{Flaw, Naive, PUBLISHED};
use scenarios as on;
use scenarios::Outcome;
use shipped::Shipped;

/// Ours passes the scenario, as does a merge without a flaw; each with this flaw does not, nor does the published one.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Merging) -> Outcome, flaws: &[Flaw], says: &str) {
    assert_eq!(scenario(&mut Shipped::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut Naive::new(&[])), Ok(()), "no flaw");
    for flaws in [flaws, PUBLISHED] {
        let why = scenario(&mut Naive::new(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
}

/// Defect WOLF-17: what is proposed while a merge is at work is lost with the rewriting of the session's file.
/// Shown on the published algorithm of WOLF-17: it rewrites the file that it has read before.
///
/// Behaviour A1.24: a session proposes, and the shared file is as it was.
/// Behaviour A1.5: what is proposed, and by whom, stands apart from the file until it is accepted.
#[test]
fn what_is_proposed_during_a_merge_waits_for_the_next() {
    replaced(on::another_is_proposed_at_each_step, &[Flaw::StaleRewrite], "is not what waits");
}

/// Defect WOLF-18: two merges at once, or one that was killed and another, apply a proposal twice.
/// Shown on M23: nothing claims a proposal between the look and the file.
/// Shown on the published algorithm of WOLF-18: the same.
#[test]
fn two_merges_apply_a_proposal_once() {
    replaced(on::two_merge_at_once, &[Flaw::NoClaim], "2 times");
}

/// Defect WOLF-18: the same of one that died.
/// Shown on M23: what was appended is still proposed.
/// Shown on the published algorithm of WOLF-18: the same.
#[test]
fn a_merge_that_died_is_not_done_twice() {
    replaced(on::one_dies_at_each_step, &[Flaw::NoClaim], "2 times");
}

/// Defect WOLF-19: two proposals of one millisecond go by one name, so merging one removes both.
/// Shown on the published algorithm of WOLF-19: it looks for the time in each block.
#[test]
fn two_of_one_millisecond_are_two() {
    replaced(on::two_of_one_instant, &[Flaw::ByInstant], "is not what waits");
}

/// Defect WOLF-20: a rewriting cuts what is proposed at its headings.
/// Shown on the published algorithm of WOLF-20: it splits at every heading of the second level.
///
/// Behaviour A1.25: what waits is listed, and shown as it was given.
#[test]
fn a_body_with_headings_stays_whole() {
    replaced(on::a_body_has_headings, &[Flaw::SplitsAtHeadings], "is not what waits");
}

/// Defect WOLF-24: a placeholder for what cannot be read is merged.
/// Shown on the published algorithm of WOLF-24: it is an entry like any other.
///
/// Behaviour A1.26: all that waits is merged in one step, after it was looked at.
#[test]
fn what_cannot_be_read_is_never_merged() {
    replaced(on::something_unreadable_is_proposed, &[Flaw::MergesStubs], "was not proposed");
}

/// Defect WOLF-21: an agent's own edit goes into the shared file; only the text of the protocol forbids it.
/// Shown on the published algorithm of WOLF-21: nothing is asked.
///
/// Behaviour A1.6: the shared file is written by an accept.
#[test]
fn an_agent_that_edits_the_shared_file_itself_is_stopped() {
    replaced(on::an_agent_edits_it_itself, &[Flaw::EditsPass], "went into the file");
}

/// Behaviour A1.27: the exit code says whether something waits.
#[test]
fn a_check_says_whether_something_waits() {
    let mut ours = Shipped::new();
    assert_eq!(ours.check(), 0);
    ours.propose("One.\n");
    assert_eq!(ours.check(), 1);
    ours.look(0);
    ours.pick(0, "One.\n");
    ours.apply(0);
    assert_eq!(ours.check(), 0);
}
