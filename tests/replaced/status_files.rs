mod asked;
mod in_file;
mod naive;
mod on_board;
mod scenarios;

use asked::Runs;
use in_file::InFile;
use naive::{Flaw, Naive, PUBLISHED};
use on_board::OnBoard;
use scenarios as on;
use scenarios::Outcome;

/// Something with flaws, and what the scenario says of it.
type Broken = (&'static [Flaw], &'static str);

/// Both of ours pass the scenario, as does a status file without a flaw; those that are broken do not, each for its flaw.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Runs) -> Outcome, broken: &[Broken]) {
    assert_eq!(scenario(&mut InFile::new()), Ok(()), "in a file");
    assert_eq!(scenario(&mut OnBoard::new()), Ok(()), "on the board");
    assert_eq!(scenario(&mut Naive::new(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = scenario(&mut Naive::new(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Defect CORE-1: of two that read and then write, the last wins.
/// Shown on M01: the URL of a run that was told to be completed is gone.
/// Shown on the published algorithm of CORE-1: the same.
///
/// Defect CORE-2: an atomic rename is taken for a cure of it.
/// Shown on M01: whatever is renamed is whole, and what it takes the place of is lost.
/// Shown on the published algorithm of CORE-2: the same.
#[test]
fn of_two_writers_none_goes_over_the_other() {
    let lost = "Complete was told Done and Ask, which had looked before, Done; it is blocked";
    replaced(on::it_completes_before_a_late_question, &[(&[Flaw::Unlocked], lost), (PUBLISHED, lost)]);
}

/// Defect CORE-3: who corrects the status of a dead process goes over what is written of its end meanwhile.
/// Shown on M25: under a lock, by who had seen it running.
/// Shown on the published algorithm of CORE-3: the same, without a lock.
///
/// Behaviour B1.6: what is running and dead is corrected, and what is final is not.
#[test]
fn a_correction_goes_over_no_end() {
    let lost = "Ask was told Done and Correct, which had looked before, Done; it is failed";
    replaced(on::it_ends_before_a_late_correction, &[(&[Flaw::Stale], lost), (PUBLISHED, lost)]);
}

/// Defect CORE-10: no step is refused.
/// Shown on M25: the queue begins what has failed.
/// Shown on the published algorithm of CORE-10: the same.
#[test]
fn what_has_ended_is_not_begun_by_one_that_is_late() {
    let lost = "ShutDown was told Done and Drain, which had looked before, Done; it is running";
    replaced(on::it_fails_before_the_queue_begins_it, &[(&[Flaw::Stale], lost), (PUBLISHED, lost)]);
}

/// Behaviour B1.1: each kind of writer, held up while another writes.
/// Shown on M01: the first pair of them.
/// Shown on M25: the same.
#[test]
fn whatever_comes_between_the_steps_of_a_writer_is_kept() {
    let lost = "Complete was told Done and Complete, which had looked before, Done";
    replaced(
        on::each_between_the_steps_of_each,
        &[(&[Flaw::Unlocked], lost), (&[Flaw::Stale], lost), (PUBLISHED, lost)],
    );
}

/// Defect CORE-4: who lists the statuses changes them.
/// Shown on M26: a list corrects what it finds dead.
/// Shown on the published algorithm of CORE-4: the same.
#[test]
fn a_list_changes_nothing() {
    let says = "Dead: a list says";
    replaced(on::it_is_listed, &[(&[Flaw::ReaderWrites], says), (PUBLISHED, says)]);
}
