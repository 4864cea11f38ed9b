mod asked;
mod behaviours;
mod naive;
mod page;
mod scenarios;
mod shipped;

use asked::Registry;
use naive::{Flaw, Naive, PUBLISHED};
use scenarios as on;
use scenarios::Outcome;
use shipped::Shipped;

/// Something with flaws, and what the scenario says of it.
type Broken = (&'static [Flaw], &'static str);

/// Ours passes the scenario, as does a registry in one file without a flaw; those that are broken do not, each for its
/// flaw.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Registry) -> Outcome, broken: &[Broken]) {
    assert_eq!(scenario(&mut Shipped::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut Naive::new(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = scenario(&mut Naive::new(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Defect GSDD-1: of two grants at once one is lost, and the count of the leases is as it should be.
/// Shown on M31: both read before either writes, and both count one lease.
/// Shown on the published algorithm of GSDD-1: the same.
///
/// Behaviour C1.7: nothing is lost, so there is nothing to look for after a write and nothing to warn of.
#[test]
fn of_two_grants_at_once_none_is_lost() {
    replaced(
        on::two_grants_at_once,
        &[
            (&[Flaw::Unlocked, Flaw::Count], "is lost; the grant said \"\""),
            (PUBLISHED, "is lost; the grant said \"\""),
        ],
    );
}

/// Defect GSDD-2: two are granted one lease, and both are told so.
/// Shown on M33: both read before either writes.
/// Shown on the published algorithm of GSDD-2: the same.
#[test]
fn one_lease_is_granted_to_one() {
    replaced(
        on::one_lease_for_two,
        &[(&[Flaw::Unlocked], "granted to [\"ann\", \"bob\"]"), (PUBLISHED, "granted to [\"ann\", \"bob\"]")],
    );
}

/// Defect GSDD-3: a lost change of state leaves the count of leases as it was.
/// Shown on M31: a close is overwritten by a crash, and both were told.
/// Shown on the published algorithm of GSDD-3: the same.
#[test]
fn a_lease_ends_once() {
    replaced(
        on::two_ends_at_once,
        &[(&[Flaw::Unlocked, Flaw::Count], "both were told"), (PUBLISHED, "both were told")],
    );
}

/// Defect GSDD-4: a lost update that is seen is a warning, the exit code is 0, and the lease is not on the disk.
/// Shown on M32: it compares what it wrote with what stands, and warns.
/// Shown on the published algorithm of GSDD-4: it does not even see it.
#[test]
fn a_lease_that_was_told_is_there() {
    replaced(
        on::a_grant_that_is_lost_says_so,
        &[
            (&[Flaw::Unlocked, Flaw::WarnOnly], "is lost; the grant said \"a write may have been lost\""),
            (PUBLISHED, "is lost; the grant said \"\""),
        ],
    );
}

/// Defect GSDD-5: an open lease of another is labelled as blocking and blocks nothing.
/// Shown on M37: the label is printed, and the exit code is 0.
/// Shown on the published algorithm of GSDD-5: the same.
///
/// Behaviour C1.9: what is another's blocks, what is one's own and closed is told.
#[test]
fn what_is_labelled_as_blocking_blocks() {
    replaced(
        on::another_is_at_work,
        &[
            (&[Flaw::LabelOnly], "[BLOCK] is printed, and the exit code is 0"),
            (PUBLISHED, "[BLOCK] is printed, and the exit code is 0"),
        ],
    );
}

/// Defect GSDD-6: whatever goes wrong in the section leaves it out.
/// Shown on M38: the leases are left out of the closeout, which is clear.
/// Shown on the published algorithm of GSDD-6: the same.
#[test]
fn a_closeout_that_cannot_read_does_not_pass() {
    replaced(
        on::a_closeout_that_cannot_read,
        &[(&[Flaw::SectionNull], "blocks nobody"), (PUBLISHED, "blocks nobody")],
    );
}

/// Defect GSDD-7: a damaged registry is an empty one, and a list makes it so.
/// Shown on M10: it goes on from nothing.
/// Shown on M26: a list moves the file away.
/// Shown on the published algorithm of GSDD-7: both.
#[test]
fn a_damaged_registry_is_no_empty_one() {
    replaced(
        on::the_file_is_damaged,
        &[
            (&[Flaw::CorruptIsEmpty], "List passes"),
            (&[Flaw::ReaderMoves], "List is refused and changes files"),
            (PUBLISHED, "List passes"),
        ],
    );
}

/// Defect GSDD-8: who found it damaged moves away the healthy one that another has put in its place.
/// Shown on M34: the verdict is on what stood there before.
/// Shown on the published algorithm of GSDD-8: the same.
#[test]
fn a_healthy_registry_is_not_moved_away() {
    replaced(
        on::two_find_it_damaged,
        &[
            (&[Flaw::MovesByPath], "moved away: a lease that was granted is lost"),
            (PUBLISHED, "moved away: a lease that was granted is lost"),
        ],
    );
}

/// Defect GSDD-9: any failure to read is damage.
/// Shown on M35: a folder in its place, and no file descriptor left.
/// Shown on the published algorithm of GSDD-9: the same.
#[test]
fn what_cannot_be_read_is_left_alone() {
    replaced(
        on::it_cannot_be_read,
        &[(&[Flaw::FailureIsDamage], "taken for damage, Folder"), (PUBLISHED, "taken for damage, Folder")],
    );
}

/// Defect GSDD-10: what is moved aside is named by the millisecond, and the second in one overwrites the first.
/// Shown on the published algorithm of GSDD-10: one half is left of two.
#[test]
fn evidence_is_never_overwritten() {
    replaced(
        on::damaged_twice,
        &[
            (&[Flaw::NamedByTime], "nothing is left of \"one half"),
            (PUBLISHED, "nothing is left of \"one half"),
        ],
    );
}

/// Defect GSDD-11: a temp is named by a pid, and two containers have one pid twice.
/// Shown on the published algorithm of GSDD-11: the temp of one is renamed by the other.
#[test]
fn two_containers_do_not_meet_in_a_temp() {
    replaced(
        on::two_processes_of_one_pid,
        &[
            (&[Flaw::Unlocked, Flaw::TempByPid], "a lease that was granted is lost"),
            (PUBLISHED, "a lease that was granted is lost"),
        ],
    );
}

/// Defect GSDD-12: what a process that was killed between write and rename has left is there for ever.
/// Shown on M13: a temp is left and nobody sweeps it.
/// Shown on the published algorithm of GSDD-12: the same.
#[test]
fn what_a_killed_process_left_is_swept() {
    replaced(
        on::killed_between_write_and_rename,
        &[
            (&[Flaw::NeverSweeps], "is not swept: [\"registry.json."),
            (PUBLISHED, "is not swept: [\"registry.json."),
        ],
    );
}

/// Defect GSDD-13: each worktree has a registry of its own.
/// Shown on M39: what is granted in one is not seen in the other.
/// Shown on the published algorithm of GSDD-13: the same.
#[test]
fn every_place_sees_one_registry() {
    replaced(
        on::seen_from_everywhere,
        &[(&[Flaw::PerWorktree], "LinkedWorktree lists 0 of 1"), (PUBLISHED, "LinkedWorktree lists 0 of 1")],
    );
}

/// Defect GSDD-14: an id is stored as it was typed, and a closeout takes its zeros away.
/// Shown on M40: 05 is open, and 5 is granted.
/// Shown on the published algorithm of GSDD-14: the same.
#[test]
fn one_id_is_one_lease_however_it_is_spelled() {
    replaced(
        on::one_id_in_several_spellings,
        &[(&[Flaw::RawIds], "05 is open, and 5 is granted"), (PUBLISHED, "05 is open, and 5 is granted")],
    );
}

/// Defect GSDD-15: what is closed may crash, and a clear takes away the last of several alone.
/// Shown on M41: a crash after a close.
/// Shown on the published algorithm of GSDD-15: the same.
///
/// Behaviour C1.4: what may be closed, crashed, cleared and granted anew, and that history is kept.
#[test]
fn what_ended_stays_as_it_ended() {
    replaced(
        on::what_ended_stays_ended,
        &[(&[Flaw::AnyTransition], "what is closed crashes"), (PUBLISHED, "what is closed crashes")],
    );
}

/// Defect GSDD-16: a killed session's lease is in the way until a person clears it.
/// Shown on the published algorithm of GSDD-16: nobody looks whether the session lives.
#[test]
fn the_lease_of_a_killed_session_is_in_nobodys_way() {
    let says = "the lease of a dead session is in the way";
    replaced(on::a_session_is_killed, &[(&[Flaw::NoLiveness], says), (PUBLISHED, says)]);
    let says = [(&[Flaw::NoLiveness][..], says), (PUBLISHED, "the lease of a living one is passed over")];
    replaced(on::a_session_that_wrote_is_killed, &says);
}

/// Defect GSDD-16: force leaves no trace.
/// Shown on M43: it needs no reason.
#[test]
fn force_needs_a_reason_and_keeps_it() {
    replaced(
        on::force_is_recorded,
        &[(&[Flaw::ForceUnrecorded], "force without a reason"), (PUBLISHED, "force without a reason")],
    );
}

/// Defect GSDD-17: write sets are stored and not compared.
/// Shown on M42: two leases of one file.
/// Shown on the published algorithm of GSDD-17: the same.
#[test]
fn no_two_leases_write_the_same() {
    replaced(
        on::two_that_write_the_same,
        &[(&[Flaw::WritesIgnored], "is held, and"), (PUBLISHED, "is held, and")],
    );
}

/// Defect GSDD-18: the version is not looked at, and an entry that is none ends the program.
/// Shown on the published algorithm of GSDD-18: a later version is listed, and `null` is a TypeError.
#[test]
fn a_file_of_another_shape_is_named() {
    replaced(
        on::a_later_version_wrote_it,
        &[(&[Flaw::ShapeUnchecked], "a later version's file"), (PUBLISHED, "a later version's file")],
    );
    let typed = "the file is not named";
    replaced(on::an_entry_is_none, &[(&[Flaw::ShapeUnchecked], typed), (PUBLISHED, typed)]);
}
