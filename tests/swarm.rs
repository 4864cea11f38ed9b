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
    let (reached, found) = runs(&Swarm::small(), 1, 200);
    println!("{reached:?}");
    assert!(found.is_none(), "{:?}", found.map(|(run, found)| (run, found.what)));
    assert_eq!(reached.runs, 200);
    let sometimes = [
        ("kills", reached.kills),
        ("power cuts", reached.power_cuts),
        ("errors", reached.errors),
        ("later boots", reached.boots),
        ("contended acquires", reached.contended),
        ("overlaps", reached.overlaps),
        ("condemned files", reached.condemned),
        ("increments", reached.increments),
        ("appends", reached.appends),
        ("stale tokens", reached.stale),
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
            let found = seam::under(Some(mutation(*place)), || runs(&Swarm::small(), 2, 400)).1;
            println!("{word} {place}: {:?}", found.as_ref().map(|(run, found)| (run, &found.what)));
            found
        });
        assert!(found.count() > 0, "{word}: none of {places:?} is found");
    }
}

/// Runs of mutants, each without `call` at one place in `file`, until one is found for what it `says`: which, and after
/// how many runs. What is found for something else is passed over.
fn found_without(file: &str, call: &str, says: &str, runs_max: u64) -> (Place, u64, String) {
    seam::quietly();
    let record = seam::recording(|| runs(&Swarm::small(), 1, 20)).1.shipped();
    let places: Vec<Place> =
        record.places.into_keys().filter(|place| place.file.ends_with(file) && place.call == call).collect();
    assert!(!places.is_empty(), "{file} makes the call {call}");
    let mut seeds = Random::new(1);
    for run in 1..=runs_max {
        let seed = seeds.bits();
        for place in &places {
            let ran = seam::under(Some(Mutation::Skip(*place)), || {
                Swarm::small().play(Source::random(seed).quiet()).0
            });
            if let Some(what) = ran.violation.filter(|what| what.contains(says)) {
                println!("without {place}, run {run}: {}", what.lines().next().unwrap_or(""));
                return (*place, run, what);
            }
        }
    }
    panic!("none of {places:?} is found for {says:?} in {runs_max} runs");
}

/// A document whose OS lock is not taken loses updates; a record that is not synced is lost with the power; a mark that
/// is not raised lets an older token pass, at a document and at a log.
#[test]
fn what_documents_and_logs_promise_is_found_broken() {
    let seen = [
        ("mark/lock.rs", "lock", "counter \"n\"", 100),
        ("log/append.rs", "sync", "is not in the log", 100),
        ("mark/lock.rs", "write_at", "after token", 2_000),
        ("mark/lock.rs", "write_at", "stands behind one of", 2_000),
    ]
    .map(|(file, call, says, runs_max)| found_without(file, call, says, runs_max));
    assert_eq!(seen.len(), 4);
}
