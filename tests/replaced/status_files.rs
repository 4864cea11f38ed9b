mod asked;
mod file;
mod file_scenarios;
mod in_file;
mod naive;
mod naive_file;
mod on_board;
mod scenarios;
mod shipped_file;

use asked::Runs;
use file::StatusFile;
use file_scenarios as on_file;
use in_file::InFile;
use naive::{Flaw, Naive, PUBLISHED};
use naive_file::{BEFORE, NaiveFile, PLANNED, SHIPPED, SKETCHED, Slip};
use on_board::OnBoard;
use scenarios as on;
use scenarios::Outcome;
use shipped_file::ShippedFile;

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

/// Something that writes a file with these slips, and what the scenario says of it.
type Slipping = (&'static [Slip], &'static str);

/// The same of the file alone.
#[track_caller]
fn replaced_file(scenario: fn(&mut dyn StatusFile) -> Outcome, slipping: &[Slipping]) {
    assert_eq!(scenario(&mut ShippedFile::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut NaiveFile::new(&[])), Ok(()), "no slip");
    for (slips, says) in slipping {
        let why = scenario(&mut NaiveFile::new(slips)).expect_err("a slip");
        assert!(why.contains(says), "{slips:?}: {why}");
    }
    assert!(!slipping.is_empty(), "nothing shows that it can fail");
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

/// Defect CORE-5: every temp has one name.
/// Shown on the published algorithm of CORE-5: one renames what another has half written.
///
/// Defect CORE-6: a temp is named by the time.
/// Shown on the published algorithm of CORE-6: two within a tick have one temp.
///
/// Defect CORE-14: what cannot be read is a failed run.
/// Shown on M11: a reader finds a truncated file, and says that it failed.
/// Shown on the published algorithm of CORE-14: the same.
///
/// Behaviour B1.2: whoever reads while others write finds a whole file.
#[test]
fn two_that_write_and_one_that_reads_see_whole_files() {
    let torn = "a reader is told that it failed: EOF while parsing";
    replaced_file(
        on_file::two_write_and_one_reads,
        &[
            (SKETCHED, torn),
            (PLANNED, torn),
            (&[Slip::Unlocked, Slip::FixedTemp], torn),
            (&[Slip::Unlocked, Slip::TempByTime], torn),
            (&[Slip::InPlace], torn),
            (BEFORE, torn),
        ],
    );
}

/// Defect CORE-7: a temp is left where it could not be written.
/// Shown on M13: on a full disk.
/// Shown on the published algorithm of CORE-7: the same.
///
/// Behaviour B1.7: what could not be written is not told to be done, and the file is as it was.
#[test]
fn on_a_full_disk_nothing_is_left_behind() {
    let left = "left behind: [\"status.json.tmp.2\"]";
    replaced_file(on_file::the_disk_is_full, &[(&[Slip::LeavesTemp], left), (SHIPPED, left)]);
}

/// Defect CORE-7: what a killed writer left stays.
/// Shown on M13: nobody sweeps.
///
/// Behaviour B1.8: a temp is removed whatever becomes of its writer.
#[test]
fn what_a_killed_writer_left_goes_with_the_next_write() {
    let left = "left behind: [\"status.json.tmp.2\"]";
    replaced_file(on_file::a_writer_is_killed, &[(&[Slip::LeavesTemp], left), (SHIPPED, left)]);
}

/// Defect CORE-8: the mode becomes 0644, and a link becomes a file.
/// Shown on M15: each alone.
/// Shown on the published algorithm of CORE-8: a secret can be read by everybody.
#[test]
fn a_secret_stays_one_and_a_link_stays_a_link() {
    let read_by_all = "the mode was 600 and is 644";
    replaced_file(
        on_file::it_is_secret_and_a_link,
        &[
            (&[Slip::ModeDropped], read_by_all),
            (&[Slip::LinkDropped], "a link became a file"),
            (SHIPPED, read_by_all),
        ],
    );
}

/// Defect CORE-9: a process is known by its number.
/// Shown on M27: another process has it by now.
/// Shown on the published algorithm of CORE-9: it is running for ever.
#[test]
fn a_number_that_is_used_again_keeps_no_run_alive() {
    let says = "a stranger keeps it running";
    replaced(on::the_number_of_its_process_is_used_again, &[(&[Flaw::PidOnly], says), (PUBLISHED, says)]);
}

/// Defect CORE-13: a mutex within a process does not see the other one.
/// Shown on M30: a thread of each writes what it read before the other wrote.
/// Shown on the published algorithm of CORE-13: the same, without a mutex.
#[test]
fn threads_of_two_processes_lose_nothing() {
    let lost = "16 were told that theirs is there, and 8 are";
    replaced_file(on_file::threads_of_two_processes_write, &[(&[Slip::ThreadOnly], lost), (SHIPPED, lost)]);
}
