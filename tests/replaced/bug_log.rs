mod in_memory;
mod page;
mod scenarios;
mod shipped;

use in_memory::{Flaw, InMemory};
use scenarios as on;
use scenarios::{BugLog, Outcome};
use shipped::Shipped;

/// Ours passes the scenario, as does a log in memory without a flaw; the published algorithm does not, nor does that log
/// with one of these flaws.
#[track_caller]
fn replaced(scenario: fn(&mut dyn BugLog) -> Outcome, flaws: &[Flaw]) {
    assert_eq!(scenario(&mut Shipped::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut InMemory::new(&[])), Ok(()), "no flaw");
    for flaw in flaws {
        let why = scenario(&mut InMemory::new(&[*flaw])).expect_err("a flaw");
        println!("{flaw:?}: {why}");
    }
    let why = scenario(&mut InMemory::published()).expect_err("the published algorithm");
    println!("the published algorithm: {why}");
}

/// Behaviour A1.17: a record is one line, appended by one write, and behind a torn one on a line of its own.
/// Behaviour A1.18: what is torn is passed over, and named.
/// Defect WOLF-11: what is appended behind a line without its end is glued to it, and lost with it.
/// Shown on M16: an append looks at nothing.
/// Shown on M17: a reader ends at what it cannot read, or gives it.
/// Shown on the published algorithm of WOLF-11: the record that was appended last is not read.
#[test]
fn behind_a_torn_line_every_record_is_read() {
    replaced(on::a_hook_died_in_its_line, &[Flaw::M16Glue, Flaw::M17Throws, Flaw::M17TailReturned]);
}

/// Defect WOLF-13: two records get one id, and nobody is told.
/// Shown on M18: an id is the number of records and one.
/// Shown on the published algorithm of WOLF-13: two of 32 bits meet.
#[test]
fn two_records_of_one_id_are_told() {
    replaced(on::two_of_one_id, &[Flaw::M18LengthId]);
}

/// Behaviour A1.1: the older form becomes lines.
/// Behaviour A1.23: ids and counts are kept, and a second run changes nothing.
/// Defect WOLF-14: a migration that dies half way is never ended, and what an old hook adds later is never found.
/// Shown on M21: where the new file is there, nothing is looked at any more.
/// Shown on the published algorithm of WOLF-14: killed between its renames.
#[test]
fn a_migration_that_dies_at_any_step_is_ended_by_the_next() {
    replaced(on::a_migration_dies_and_an_old_hook_goes_on, &[Flaw::M21Half]);
}

/// Defect WOLF-15: of two migrations at once the second one throws away what was appended between.
/// Shown on M21: the new file is put in the place of the one that is there.
/// Shown on the published algorithm of WOLF-15: both look before either renames.
#[test]
fn two_migrations_at_once_lose_nothing() {
    replaced(on::two_migrations_and_an_append, &[Flaw::M21Overwriting]);
}

/// Defect WOLF-16: a file whose `bugs` is no array becomes an empty log.
/// Shown on the published algorithm of WOLF-16: it is moved away.
#[test]
fn what_is_no_array_is_refused_and_stays() {
    replaced(on::the_old_file_is_no_array, &[]);
}

/// Behaviour A1.2: the old file stays where it is.
/// Defect WOLF-23: a reader that nobody remembered reads the old file.
/// Shown on the published algorithm of WOLF-23: it is not there any more, so it is empty.
#[test]
fn a_reader_of_the_old_file_finds_it() {
    replaced(on::an_old_reader_reads, &[]);
}

/// Defect WOLF-27: a filesystem on which the lock and the append mean nothing is not noticed.
/// Shown on the published algorithm of WOLF-27: it looks at no filesystem.
#[test]
fn a_filesystem_on_which_a_lock_means_nothing_is_refused() {
    replaced(on::the_files_lie_where_no_lock_holds, &[]);
}
