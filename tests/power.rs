//! The crash explorer: the power fails at every call, every legal subset survives, and the shipped code recovers.

use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::power::{self, Bounds, Counts, Files, Power, Recovery};
use fencehold_stress::sim::scenario::exhaust;
use fencehold_stress::sim::seam::{Mutation, Place, recording, under};
use fencehold_stress::sim::stage;

const ONCE: Bounds = Bounds { subsets_max: 2, again_max: 0, cuts_max: 1 };
const AGAIN: Bounds = Bounds { subsets_max: 1, again_max: 1, cuts_max: 3 };

fn explored(cases: impl IntoIterator<Item = Power>, bounds: Bounds) -> Counts {
    let mut counts = Counts::default();
    for case in cases {
        let (seen, found) = case.explore(bounds, 1);
        assert!(found.is_none(), "{}", found.expect("it is there"));
        counts.add(&seen);
    }
    println!("{counts:?}");
    counts
}

fn used(model: Persistence) -> impl Iterator<Item = Power> {
    power::alone(model).into_iter().filter(|case| case.start() == "used")
}

fn named(cases: Vec<Power>, end: &str) -> Power {
    use fencehold_stress::sim::scenario::Scenario as _;
    let mut found = cases.into_iter().filter(|case| case.name().ends_with(end));
    let case = found.next().expect("a case of that name");
    assert!(found.next().is_none(), "{end} names one case");
    case
}

#[test]
fn every_operation_survives_a_power_cut_at_each_of_its_calls() {
    let counts = explored(used(Persistence::Pages), ONCE);
    assert!(counts.cases == 23 && counts.cuts > 500 && counts.judged > 300, "{counts:?}");
}

#[test]
fn a_recovery_that_is_cut_off_twice_comes_to_the_same() {
    let cases = power::alone(Persistence::Ext4)
        .into_iter()
        .filter(|case| ["damaged", "nothing", "condemned"].contains(&case.start()));
    let counts = explored(cases, AGAIN);
    assert!(counts.recoveries > 10 && counts.judged > 100, "{counts:?}");
}

/// The first process's line is lost with a failed sync; the second one folds it into the next file and acks a grant that
/// only it allows.
#[test]
fn two_operations_agree_with_all_that_either_was_told() {
    let cases = || power::pairs(Persistence::Ext4);
    let pairs = [
        "/used: lock acquire | lock acquire, held",
        "/used: lease close | lease grant, open",
        "/used: lock release | lock acquire",
        "/used: lock acquire | look",
    ];
    let counts = explored(pairs.map(|pair| named(cases(), pair)), ONCE);
    assert!(counts.cases == 4 && counts.cuts > 100, "{counts:?}");
}

#[test]
fn documents_and_logs_survive_a_power_cut_at_each_of_their_calls() {
    let mut runs = 0;
    for case in Files::all(Persistence::Pages) {
        runs += exhaust(&case, 60, &mut |_| {}).unwrap_or_else(|found| panic!("{found}")).runs;
    }
    assert!(runs > 300, "{runs} runs");
}

/// What is wrong with each recovery is found, it replays, and the same case with the shipped recovery stands.
fn is_found(canary: Recovery, bounds: Bounds, says: &str) {
    for model in [Persistence::Ext4, Persistence::Pages] {
        let case = power::harmed(model, canary);
        explored([case.clone()], bounds);
        let (counts, found) = case.recovering(canary).explore(bounds, 1);
        let found = found.unwrap_or_else(|| panic!("{canary:?} is not found: {counts:?}"));
        println!("{canary:?}: after {} images: {found}", counts.images);
        assert!(found.what.contains(says), "{found}");
        let again = stage::replay(&found.schedule.to_ndjson()).expect("it replays");
        assert_eq!(again.map(|again| again.what), Some(found.what));
    }
}

#[test]
fn a_recovery_whose_second_call_wipes_what_the_first_saved_is_found() {
    is_found(Recovery::SavesOver, ONCE, "recovering again changed");
}

#[test]
fn a_recovery_that_takes_what_was_saved_for_rubbish_is_found() {
    is_found(Recovery::Sweeps, ONCE, "which was saved, is changed or gone");
}

/// Of two lines that were not synced the second survives: it was decided after the first, which nobody has any more.
#[test]
fn a_recovery_that_applies_what_stands_behind_a_break_is_found() {
    is_found(Recovery::PastBreaks, ONCE, "was never asked for");
}

fn syncs_of(case: &Power) -> Vec<Place> {
    let (_, record) = recording(|| case.explore(ONCE, 1));
    let in_commits = |place: &&Place| place.file.ends_with("journal/prove.rs") && place.call == "sync";
    let syncs: Vec<Place> = record.shipped().places.keys().copied().collect();
    let syncs: Vec<Place> = syncs.iter().filter(in_commits).copied().collect();
    assert!(!syncs.is_empty(), "a commit syncs its line");
    syncs
}

#[test]
fn a_commit_that_skips_its_sync_is_found_and_replays() {
    let case = named(power::alone(Persistence::Ext4), "/used: lock acquire");
    let skipped = syncs_of(&case).into_iter().find_map(|place| {
        under(Some(Mutation::Skip(place)), || {
            let (_, found) = case.explore(ONCE, 1);
            let found = found?;
            let again = stage::replay(&found.schedule.to_ndjson()).expect("it replays");
            Some((found.what, again.map(|again| again.what)))
        })
    });
    let (what, again) = skipped.expect("a skipped sync is found");
    assert!(what.contains("is lost"), "{what}");
    assert_eq!(again, Some(what));
}

#[test]
fn a_floor_that_is_not_synced_is_found() {
    let case = named(power::alone(Persistence::Pages), "/used, after a reboot: lock acquire");
    let (_, record) = recording(|| case.explore(ONCE, 1));
    let record = record.shipped();
    let places: Vec<Place> = record
        .places
        .keys()
        .filter(|place| place.call.starts_with("sync") && !place.file.ends_with("prove.rs"))
        .copied()
        .collect();
    assert!(places.len() > 1, "{places:?}");
    let missed: Vec<String> = places
        .iter()
        .filter(|place| under(Some(Mutation::Skip(**place)), || case.explore(ONCE, 1).1.is_none()))
        .map(ToString::to_string)
        .collect();
    println!(
        "{} of {} are found by this case; not by it: {missed:?}",
        places.len() - missed.len(),
        places.len()
    );
    assert!(missed.len() < places.len(), "none of {places:?} is found");
}
