mod in_memory;
mod scenarios;
mod shipped;

use in_memory::{Flaw, InMemory, PUBLISHED};
use scenarios as on;
use scenarios::{Outcome, Totals};
use shipped::Shipped;

/// Ours passes the scenario, as do totals in memory without a flaw; the published ones do not, nor do those with one of
/// these flaws.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Totals) -> Outcome, flaws: &[Flaw]) {
    assert_eq!(scenario(&mut Shipped::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut InMemory::new(&[])), Ok(()), "no flaw");
    for flaw in flaws {
        let why = scenario(&mut InMemory::new(&[*flaw])).expect_err("a flaw");
        println!("{flaw:?}: {why}");
    }
    let why = scenario(&mut InMemory::new(PUBLISHED)).expect_err("the published algorithm");
    println!("the published algorithm: {why}");
}

/// Behaviour A1.3: totals in a JSON file, to which several add.
/// Behaviour A1.11: whoever does not get the lock in time is refused, and writes nothing.
/// Behaviour A1.15: one lock around read, change and write.
/// Defect WOLF-1: whoever does not get the lock goes on without, and updates are lost.
/// Shown on M01: there is no lock.
/// Shown on M03: it goes on without.
/// Shown on the published algorithm of WOLF-1: after five tries.
#[test]
fn whoever_does_not_get_the_lock_writes_nothing() {
    replaced(on::it_is_held_for_longer_than_one_waits, &[Flaw::M01Unlocked, Flaw::M03Fallback]);
}

/// Behaviour A1.9: the lock of a dead process is nobody's, whatever stands in its file.
/// Defect WOLF-2: while the lock of a dead process is there, every writer goes on without.
/// Shown on M03: the second one does.
/// Shown on the published algorithm of WOLF-2: for ten seconds.
#[test]
fn the_lock_of_a_killed_writer_is_free_at_once_and_for_one() {
    replaced(on::its_holder_was_killed, &[Flaw::M03Fallback]);
}

/// Behaviour A1.10: nobody takes a lock over.
/// Defect WOLF-3: two judge one lock stale, and both take it over.
/// Shown on M05: both judge before either takes.
/// Shown on the published algorithm of WOLF-3: the second removes the fresh lock of the first.
#[test]
fn of_two_behind_a_dead_one_none_is_lost() {
    replaced(on::two_come_behind_a_dead_one, &[Flaw::M05DoubleTakeover]);
}

/// Behaviour A1.12: a release is of one's own.
/// Defect WOLF-4: a release is by path, and removes the lock of another.
/// Shown on M06: one that has ended releases again.
/// Shown on the published algorithm of WOLF-4: the same.
#[test]
fn one_that_has_ended_releases_nothing_of_another() {
    replaced(on::one_that_has_ended_releases_again, &[Flaw::M06ReleaseByPath]);
}

/// Defect WOLF-5: a live holder is robbed after ten seconds.
/// Shown on M04: by the age of its lock.
/// Shown on the published algorithm of WOLF-5: the same.
#[test]
fn a_slow_writer_is_not_robbed() {
    replaced(on::it_is_held_for_eleven_seconds, &[Flaw::M04StealByAge]);
}

/// Defect WOLF-6: a lock file without a time in it never goes stale.
/// Shown on the published algorithm of WOLF-6: all writers go on without, for ever.
#[test]
fn an_empty_lock_file_is_in_nobodys_way() {
    replaced(on::an_empty_lock_file_is_left, &[Flaw::EmptyNeverStale]);
}

/// Defect WOLF-7: a time in the future is never stale.
/// Shown on M08: the clock was ahead when its holder died.
/// Shown on the published algorithm of WOLF-7: the same.
#[test]
fn a_lock_file_from_the_future_is_in_nobodys_way() {
    replaced(on::a_lock_file_from_the_future_is_left, &[Flaw::M08FutureClock]);
}

/// Behaviour A1.13: what cannot be read is damage, and no default.
/// Defect WOLF-8: what cannot be read is replaced by its defaults.
/// Shown on M10: one is added to nothing.
/// Shown on the published algorithm of WOLF-8: the same, and a line on stderr.
#[test]
fn totals_that_cannot_be_read_are_not_begun_anew() {
    replaced(on::they_are_half_written, &[Flaw::M10CorruptToDefault]);
}

/// Behaviour A1.14: written beside and renamed, or not at all.
/// Defect WOLF-9: where a rename fails the file is written in place, and a failure of that is swallowed.
/// Shown on M11: a part of it stands there.
/// Shown on M14: it is told to be done.
/// Shown on the published algorithm of WOLF-9: both.
#[test]
fn what_cannot_be_written_is_told_and_nothing_is_changed() {
    replaced(on::the_disk_takes_a_part, &[Flaw::M11InPlace, Flaw::M14Swallowed]);
}

/// Defect WOLF-10: an update that calls the writer waits for itself, and goes on without.
/// Shown on M09: it asks for the lock that it has.
/// Shown on the published algorithm of WOLF-10: it warns, and writes without.
#[test]
fn an_update_does_not_wait_for_itself() {
    replaced(on::nobody_is_in_the_way, &[Flaw::M09Nested]);
}

/// Behaviour A1.4: a file of what a session did.
/// Defect WOLF-22: two sessions share one file, and what each did is mixed.
/// Shown on the published algorithm of WOLF-22: both count in one.
#[test]
fn each_session_counts_for_itself() {
    replaced(on::two_sessions_edit_one_file, &[Flaw::SharedSession]);
}

/// Defect WOLF-26: what is deleted is brought back by the defaults under the file.
/// Shown on the published algorithm of WOLF-26: the next update has it again.
#[test]
fn what_is_deleted_stays_deleted() {
    replaced(on::a_key_is_deleted, &[Flaw::DefaultsUnder]);
}
