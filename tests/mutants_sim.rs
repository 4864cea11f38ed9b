//! Every mutant of the simulated world is found for what it is, no control is flagged, a finding replays, and the catalog
//! of the numbered defects tells the truth.

use std::collections::BTreeSet;
use std::path::Path;

use fencehold_stress::sim::choice::{Random, Schedule, Source};
use fencehold_stress::sim::mutants::{
    CATALOG, Defect, Mutant, Protocol, Store, Test, Where, executions_to_violation, run_controls, run_mutants,
};
use fencehold_stress::sim::scenario::{replay, search};
use fencehold_stress::targets;

const SEEDS: [u64; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// Defect WOLF-25: tests of what happens at once that pass with and without a lock.
/// Shown on M64: each check here is asked about programs without the lock, and about right ones.
#[test]
fn every_mutant_is_found_from_every_seed() {
    let results = run_mutants(&SEEDS);
    for mutant in &results {
        println!(
            "{}: median {:?}, worst {:?}, {:?}; {}",
            mutant.name,
            mutant.median,
            mutant.worst,
            mutant.per_seed,
            mutant.example.as_ref().map_or("", |example| &example.counterexample.what)
        );
        assert_eq!((mutant.per_seed.len(), mutant.elapsed.len()), (10, 10));
        assert!(mutant.worst.is_some_and(|worst| worst <= 2_000), "{}: {:?}", mutant.name, mutant.per_seed);
    }
    assert_eq!(results.len(), 27 + 13);
}

/// What is found of a mutant, whichever seed finds it.
const SYMPTOMS: [(&str, &[&str]); 27] = [
    ("M01 rmw-nolock", &["increments of"]),
    ("M03 unlocked-fallback", &["increments of"]),
    ("M04 age-steal-live", &["two holders at once", "was removed under it"]),
    ("M05 double-takeover", &["two holders at once", "was removed under it"]),
    ("M06 release-by-path", &["two holders at once", "was removed under it"]),
    ("M08 clock-step", &["two holders at once", "was removed under it"]),
    ("M08 future-clock", &["held for ever"]),
    ("M09 nested-lock", &["the lock was not got, though no time passed"]),
    ("M10 corrupt-to-default", &["nobody was told", "bytes are gone"]),
    ("M11 inplace-write", &["a healthy document is taken for damaged"]),
    ("M13 live temp swept", &["the temp of a live writer was swept"]),
    ("M13 tmp-leak", &["is left, and was not swept"]),
    ("M14 swallow-write-error", &["increments of"]),
    ("M15 mode-drop", &["the mode of the document became"]),
    ("M15 symlink-drop", &["took the place of a symlink"]),
    ("M16 torn-tail-glue", &["is there 0 times", "a reader does not see it"]),
    ("M17 torn tail returned", &["a record that nobody wrote"]),
    ("M17 torn-tail-throws", &["a reader of the log fails"]),
    ("M18 length-id", &["two records have the id"]),
    ("M27 pid-reuse", &["held for ever"]),
    ("M30 thread-only-mutex", &["increments of"]),
    ("M34 quarantine-healthy", &["a healthy document was moved"]),
    ("M35 ioerror-is-corrupt", &["a healthy document is taken for damaged", "a healthy document was moved"]),
    ("M45 acquire-not-exclusive", &["two holders at once", "was removed under it"]),
    ("M47 fail-open", &["two holders at once", "was removed under it"]),
    ("M48 no-heartbeat", &["two holders at once", "was removed under it"]),
    ("M51 no-fence", &["was let in behind"]),
];

#[test]
fn a_numbered_mutant_is_found_for_what_it_is() {
    let mutants = Mutant::numbered();
    assert_eq!(mutants.len(), SYMPTOMS.len());
    let mut found = 0;
    for (mutant, (name, symptoms)) in mutants.iter().zip(SYMPTOMS) {
        assert_eq!(mutant.name, name);
        for seed in SEEDS {
            let mut seeds = Random::new(seed);
            let what = (0..2_000)
                .find_map(|_| mutant.scenario.run(Source::random(seeds.bits()).quiet()).violation)
                .unwrap_or_else(|| panic!("{name} is not found from seed {seed}"));
            assert!(symptoms.iter().any(|symptom| what.contains(symptom)), "{name}: {what}");
            found += 1;
        }
    }
    assert_eq!(found, 270);
}

#[test]
fn a_finding_is_made_again_by_its_schedule_read_back_from_its_file() {
    for (protocol, what) in
        [(Protocol::DoubleTakeover, "two holders at once"), (Protocol::ReleaseByPath, "the lock of")]
    {
        let found = executions_to_violation(protocol, 1, 20_000).unwrap().counterexample;
        println!("{found}");
        let schedule = Schedule::from_ndjson(&found.schedule.to_ndjson()).unwrap();
        let again = replay(&protocol, &schedule).unwrap();
        assert_eq!(again.violation.as_ref(), Some(&found.what));
        assert_eq!(again.trace, found.trace);
        assert!(found.what.contains(what), "{}", found.what);
    }
}

#[test]
fn no_control_is_ever_flagged() {
    let executions = 4_000;
    let mut seen = 0;
    let flagged = run_controls(1, executions, &mut |count| seen = count);
    assert!(flagged.is_none(), "{}", flagged.unwrap().counterexample);
    assert_eq!((seen, Mutant::controls().len()), (4 * executions, 4));
}

/// A control that meets nothing is none.
#[test]
fn the_careful_store_meets_every_fault_and_every_start() {
    let mut seeds = Random::new(7);
    let mut times = [0; 11];
    for _ in 0..1_000 {
        let (ran, reached) = Store::new(Defect::None).watched(Source::random(seeds.bits()).quiet());
        assert_eq!(ran.violation, None);
        let met = [
            reached.counts.kills > 0,
            reached.counts.stalls > 0,
            reached.counts.errors > 1,
            reached.busy > 0,
            reached.damaged > 1,
            reached.failed > 1,
            reached.linked,
            reached.torn,
            reached.torn && reached.counts.kills > 0,
            reached.linked && reached.failed > 0,
            reached.done > 10,
        ];
        times.iter_mut().zip(met).for_each(|(times, met)| *times += u32::from(met));
    }
    println!("{times:?} of 1000");
    assert!(times.iter().all(|times| *times >= 10), "{times:?}");
}

/// M30 is right as long as one process writes: a test within one process does not see it.
#[test]
fn a_mutex_of_one_process_is_not_flagged_where_one_process_writes() {
    let mut seen = 0;
    let flagged = search(&Store::alone(Defect::ThreadOnlyMutex), 1, 1_000, &mut |count| seen = count);
    assert!(flagged.is_none(), "{}", flagged.unwrap().counterexample);
    assert_eq!(seen, 1_000);
}

#[test]
fn the_catalog_names_every_number_and_everything_that_it_names_is_there() {
    let never_given = ["M02", "M07", "M12", "M19", "M22", "M24", "M36", "M44", "M46", "M49", "M61", "M62"];
    let numbers: Vec<String> = (1..=64)
        .map(|number| format!("M{number:02}"))
        .filter(|it| !never_given.contains(&it.as_str()))
        .collect();
    assert_eq!(CATALOG.map(|numbered| numbered.number.to_owned()).to_vec(), numbers);

    let mutants: BTreeSet<&str> = Mutant::numbered().iter().map(|mutant| mutant.name).collect();
    let processes: BTreeSet<&str> = targets::broken().collect();
    let (mut named, mut named_processes) = (BTreeSet::new(), BTreeSet::new());
    let mut named_guards = BTreeSet::new();
    let (mut command_lines, mut git_helpers, mut argued) = (0, 0, 0);
    for numbered in CATALOG {
        let number = numbered.number;
        match numbered.by {
            Where::Targets { simulated, process, guard } => {
                assert!(process || guard || !simulated.is_empty(), "{number} is caught by nothing");
                if guard {
                    named_guards.insert(number);
                }
                for name in simulated {
                    assert!(name.starts_with(number) && mutants.contains(name), "{number}: {name}");
                    assert!(named.insert(*name), "{name} stands there twice");
                }
                if process {
                    assert!(processes.contains(number), "{number} is no target");
                    named_processes.insert(number);
                }
            }
            Where::CommandLine(test) => command_lines += u32::from(is_there(number, test)),
            Where::GitHelper(test) => git_helpers += u32::from(is_there(number, test)),
            Where::Argued { why, shown } => {
                assert!(!why.is_empty(), "{number}");
                argued += u32::from(shown.is_none_or(|test| is_there(number, test)));
            }
        }
    }
    assert_eq!(named, mutants, "every mutant of the simulated disk has its number");
    let numbered: BTreeSet<&str> = processes.into_iter().filter(|name| name.starts_with('M')).collect();
    assert_eq!(named_processes, numbered, "every target with a number is named");
    let guards = fencehold_stress::guard::Defect::ALL.map(fencehold_stress::guard::Defect::word);
    let guards: BTreeSet<&str> = guards.into_iter().filter(|word| word.starts_with('M')).collect();
    assert_eq!((&named_guards, named_guards.len()), (&guards, 3), "every guard with a number is named");
    let others = [command_lines, git_helpers, argued];
    assert!(others.iter().all(|count| *count > 0), "no bench is empty: {others:?}");
}

/// Whether the test that is named for a number stands in its file.
fn is_there(number: &str, Test { file, name }: Test) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{number}: {file}: {error}"));
    assert!(text.contains(&format!("fn {name}()")), "{number}: {file} has no {name}");
    true
}
