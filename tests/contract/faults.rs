//! The simulated journal's own faults: delay, duplicates, lost answers, trimming while a client sleeps. And its mutants,
//! each beside the same setting without the defect.

use std::collections::BTreeMap;

use fencehold_stress::sim::choice::Source;
use fencehold_stress::sim::journal::{Defect, StoreUsers, at_large, crashing, forgetful, small};
use fencehold_stress::sim::scenario::{Counterexample, Scenario, exhaust, search};
use fencehold_stress::sim::stage;

/// For each defect: the most executions that any of ten seeds may take to the first violation, the executions of its
/// setting without it, all of them, and what the finding says.
const FOUND: [(Defect, u64, u64, &str); 13] = [
    (Defect::AbsenceAsCas, 1_000, 192, "recorded at revision 1, which was handed out before"),
    (Defect::NoLookUp, 100, 3, "is recorded twice"),
    (Defect::NoBarrier, 1_000, 23, "answered as not done, and it is recorded"),
    (Defect::AmbiguousIsNo, 100, 3, "answered as not done, and it is recorded"),
    (Defect::ForgottenIsNo, 1_000, 3_420, "recorded at revision 1"),
    (Defect::StaleRead, 100, 738, "by the store's clock"),
    (Defect::ClientClock, 10, 20, "by the store's clock"),
    (Defect::EarlierThanShown, 500, 60, "was recorded afterwards"),
    (Defect::TrimAnyway, 500, 5, "damaged"),
    (Defect::TrimOfLost, 2_000, 51, "a new client sees revision 1, or another state"),
    (Defect::HolderIsClaim, 10, 20, "granted to two claims"),
    (Defect::FloorSkipped, 1_000, 400, "which was handed out before"),
    (Defect::NotDurable, 1_000, 357, "which a crash then lost"),
];

#[test]
fn every_defect_is_found_from_every_seed_and_replays() {
    let mut seen = 0;
    for (defect, executions_max, _, what) in FOUND {
        let found: Vec<_> = (1..=10)
            .map(|seed| {
                let found = search(&defect.shown(), seed, executions_max, &mut |_| {});
                found.unwrap_or_else(|| panic!("{}: not found from seed {seed}", defect.name()))
            })
            .collect();
        let mut executions: Vec<u64> = found.iter().map(|found| found.executions).collect();
        executions.sort_unstable();
        println!("{}: median {}, worst {}", defect.name(), executions[5], executions[9]);
        for found in found {
            let Counterexample { what: said, schedule, .. } = &found.counterexample;
            assert!(said.contains(what), "{}", found.counterexample);
            assert_eq!(stage::replay(&schedule.to_ndjson()).unwrap(), Some(found.counterexample));
        }
        seen += 1;
    }
    assert_eq!(seen, Defect::ALL.len());
}

#[test]
fn every_defect_is_found_in_a_short_run_and_its_setting_without_it_stands_to_the_end() {
    for (defect, _, runs, what) in FOUND {
        let found = exhaust(&defect.shown(), 10_000, &mut |_| {}).unwrap_err();
        println!("{found}");
        assert!(found.what.contains(what), "{found}");
        assert!(found.trace.len() <= 13, "{found}");
        let control = exhaust(&defect.setting(), 100_000, &mut |_| {});
        let control = control.unwrap_or_else(|flagged| panic!("{flagged}"));
        assert_eq!((control.runs, control.complete), (runs, true), "{}", defect.name());
    }
}

#[test]
fn a_crash_that_loses_events_is_reached_and_takes_nothing_that_was_to_be_durable() {
    let users = crashing();
    let mut lost = 0;
    for seed in 0..1_000 {
        let ran = users.traced(Source::random(seed));
        assert_eq!(ran.violation, None, "seed {seed}");
        let crash = |name: &str| name.starts_with("the store crashes") && !name.contains("loses 0");
        lost += u64::from(ran.trace.iter().any(|step| crash(&step.path.to_string_lossy())));
    }
    assert!(lost > 20, "{lost}");
    println!("{lost} of 1000 runs lose events");
}

#[test]
fn small_settings_stand_to_their_end() {
    let runs: Vec<u64> = small()
        .iter()
        .map(|users| {
            let explored = exhaust(users, 100_000, &mut |_| {}).unwrap_or_else(|flagged| panic!("{flagged}"));
            assert!(explored.complete, "{}", users.name());
            explored.runs
        })
        .collect();
    assert_eq!(runs, [2_520, 4_392, 177, 1_589]);
}

/// Found by the drawn clients of a store that crashes, from seed 21: a trim was under way while the store crashed and lost
/// what the trim folds; it landed, and an event that nobody has any more was so again.
#[test]
fn a_trim_sent_before_a_crash_brings_nothing_back_that_the_crash_lost() {
    let found = exhaust(&Defect::TrimOfLost.shown(), 10_000, &mut |_| {}).unwrap_err();
    let calls: Vec<&str> = found.trace.iter().map(|step| step.call).collect();
    assert!(calls.windows(2).any(|two| two == ["", "trim"]), "the trim lands behind the crash: {found}");
    for seed in [21, 22, 23] {
        let found = search(&crashing(), seed, 20_000, &mut |_| {});
        assert!(found.is_none(), "seed {seed}: {}", found.expect("it is there").counterexample);
    }
}

/// A client folds, stands still, others append past it and trim; the key that it waits for is absent again.
#[test]
fn absence_is_no_version_once_keys_are_trimmed() {
    let found = exhaust(&Defect::AbsenceAsCas.shown(), 10_000, &mut |_| {}).unwrap_err();
    let calls: Vec<(usize, &str)> = found.trace.iter().map(|step| (step.process, step.call)).collect();
    let told = "is told";
    assert_eq!(
        calls,
        [
            (0, "fetch"),
            (1, "fetch"),
            (1, "append"),
            (1, told),
            (1, "fetch"),
            (1, "append"),
            (1, told),
            (1, "trim"),
            (0, "append"),
            (0, told),
        ],
        "{found}"
    );
}

/// How often each thing was reached in drawn runs that nothing was wrong with.
fn reached(users: &StoreUsers, executions: u64) -> BTreeMap<&'static str, u64> {
    let told = |what: &'static str| (what, what);
    let signs = [
        ("overtaken", "→ overtaken"),
        ("a copy that changed nothing", "(a copy) → overtaken"),
        ("an answer lost", "its answer is lost"),
        told("it may have happened"),
        told("it did not happen"),
        told("refused"),
        told("already so"),
        told("free"),
    ];
    let calls = ["trim", "barrier", "gives up"];
    let mut reached: BTreeMap<&str, u64> =
        signs.iter().map(|(name, _)| *name).chain(calls).map(|it| (it, 0)).collect();
    for seed in 0..executions {
        let ran = users.traced(Source::random(seed));
        assert_eq!(ran.violation, None, "seed {seed}");
        for (name, sign) in signs {
            let any = ran.trace.iter().any(|step| step.path.to_string_lossy().contains(sign));
            *reached.get_mut(name).unwrap() += u64::from(any);
        }
        for call in calls {
            *reached.get_mut(call).unwrap() += u64::from(ran.trace.iter().any(|step| step.call == call));
        }
    }
    reached
}

#[test]
fn clients_at_large_stand_drawn_schedules_and_reach_everything() {
    for users in [at_large(), forgetful(), crashing()] {
        let started = std::time::Instant::now();
        let reached = reached(&users, 5_000);
        println!("{}: {reached:?} in {:?}", users.name(), started.elapsed());
        assert!(reached.values().all(|runs| *runs > 0), "{}: {reached:?}", users.name());
    }
}
