//! Swarm runs: green on the shipped code, red on canaries, and what they reach.

use fencehold_stress::sim::choice::{Random, Source};
use fencehold_stress::sim::scenario::{Counterexample, Scenario as _, replay};
use fencehold_stress::sim::seam::{self, Mutation, Place};
use fencehold_stress::sim::swarm::{Reached, Swarm, minimized};

/// Runs drawn from `seed` until one is judged wrong: what they reached, and the number of that run, counted from 1.
fn runs(swarm: &Swarm, seed: u64, runs_max: u64) -> (Reached, Option<(u64, Counterexample)>) {
    let (mut seeds, mut all) = (Random::new(seed), Reached::default());
    for run in 1..=runs_max {
        let (ran, reached) = swarm.play(Source::random(seeds.bits()).quiet());
        all.add(&reached);
        if let Some(what) = ran.violation {
            let schedule = ran.source.schedule(&swarm.name()).trimmed();
            return (all, Some((run, Counterexample { what, schedule, trace: Vec::new() })));
        }
    }
    (all, None)
}

#[test]
fn runs_of_the_shipped_code_are_judged_right_and_reach_what_they_are_for() {
    let (reached, found) = runs(&Swarm::small(), 1, 120);
    println!("{reached:?}");
    assert!(found.is_none(), "{:?}", found.map(|(run, found)| (run, found.what)));
    assert_eq!(reached.runs, 120);
    let sometimes = [
        ("kills", reached.kills),
        ("power cuts", reached.power_cuts),
        ("errors", reached.errors),
        ("later boots", reached.boots),
        ("contended acquires", reached.contended),
        ("overlaps", reached.overlaps),
        ("condemned files", reached.condemned),
        ("quarantines", reached.quarantines),
    ];
    for (what, count) in sometimes {
        assert!(count > 0, "{what}: {reached:?}");
    }
}

#[test]
fn a_long_run_is_judged_right() {
    let (reached, found) = runs(&Swarm::new(), 3, 2);
    assert!(found.is_none(), "{:?}", found.map(|(run, found)| (run, found.what)));
    assert!(reached.operations > 100, "{reached:?}");
}

#[test]
fn an_os_lock_that_is_ignored_is_found_and_made_short() {
    let swarm = Swarm::without_locks();
    let (_, found) = runs(&swarm, 1, 40);
    let (run, found) = found.expect("the canary is found");
    println!("in run {run}: {}", found.what);
    let before = found.schedule.answers.len();
    let short = minimized(&swarm, found, 1_000_000);
    println!("{before} answers, then {}\n{short}", short.schedule.answers.len());
    let again = replay(&swarm, &short.schedule).expect("the same questions");
    assert_eq!(again.violation.as_ref(), Some(&short.what));
    let ops = short.schedule.answers.iter().filter(|answer| answer.label == "op" && answer.chosen > 0);
    assert!(ops.count() <= 6, "{short}");
    assert!(short.schedule.answers.len() < before, "{before}");
}

/// Where the journal is synced before an answer.
fn syncs_of_commits() -> Vec<Place> {
    let run = || runs(&Swarm::small(), 1, 10);
    let record = seam::recording(run).1.shipped();
    let places = record.places.into_keys();
    places.filter(|place| place.file.ends_with("journal/prove.rs") && place.call == "sync").collect()
}

#[test]
fn a_sync_that_is_left_out_or_tried_again_is_found() {
    seam::quietly();
    let places = syncs_of_commits();
    assert!(!places.is_empty(), "a commit syncs");
    for (word, mutation) in [("skip", Mutation::Skip as fn(Place) -> Mutation), ("retry", Mutation::Retry)] {
        let found = places.iter().filter_map(|place| {
            let found = seam::under(Some(mutation(*place)), || runs(&Swarm::small(), 1, 400)).1;
            println!("{word} {place}: {:?}", found.as_ref().map(|(run, found)| (run, &found.what)));
            found
        });
        assert!(found.count() > 0, "{word}: none of {places:?} is found");
    }
}
