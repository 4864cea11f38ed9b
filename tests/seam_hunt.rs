//! The mutants of the shipped code at the seam: caught where it is known that they are, by counterexamples that are
//! small; and nothing is flagged where nothing is wrong.

use fencehold_stress::sim::seam::hunt::{Cost, Known, check, engines, known};
use fencehold_stress::sim::seam::{Kind, Mutant, census, mutants, quietly};

/// Those of which no counterexample with one fault was found, each with why it needs two, as far as that is argued.
const LARGER: [(&str, &str); 7] = [
    (
        "skip sync_dir in journal/commit.rs durable_floor",
        "who raises the floor syncs it under the OS lock: another meets an unsynced one only after a death or a failed sync",
    ),
    (
        "skip sync in journal/commit.rs undo",
        "reached only after a failed write; what it leaves undone only a power cut shows",
    ),
    (
        "skip sync in journal/condemned.rs keep_condemned",
        "reached only after a failed sync; what it leaves undone only a power cut shows",
    ),
    (
        "skip sync_dir in journal/prove.rs pay_directory_debts",
        "who rotates syncs the directory under the OS lock, and until then all that stands in the new file stands in the \
         old one: a debt is left only by a death or a failed sync",
    ),
    (
        "skip sync in journal/rotate.rs rotate_if_due",
        "not argued: the state goes on in the new file, and it is the history that loses a line of somebody who died",
    ),
    (
        "skip sync in journal/rotate.rs begin_file",
        "while nothing else fails the writer's own sync of the same file comes before its answer, and the old file has it all",
    ),
    (
        "skip sync_dir in quarantine.rs keep",
        "the copy and its entry are made under the OS lock: another meets an unsynced entry only after a death",
    ),
];

/// Left out, these lose what was answered or let two in at once.
fn is_left_out(mutant: &Mutant) -> bool {
    matches!(mutant.kind, Kind::SkipSync | Kind::SkipSyncDir | Kind::SkipLock)
}

#[test]
fn whoever_leaves_out_a_sync_a_directory_sync_or_a_lock_is_caught_by_a_small_counterexample() {
    quietly();
    let left_out: Vec<Mutant> = mutants(&census()).into_iter().filter(is_left_out).collect();
    assert!(left_out.len() > 35, "{} syncs and locks", left_out.len());
    let checked = check(&left_out, &engines(), 1, false);
    println!("{checked:#?}");
    assert_eq!(checked.missed, Vec::<String>::new());
    assert_eq!(checked.unknown, Vec::<String>::new());
    assert!(checked.caught + checked.harmless + checked.open.len() == left_out.len());
    let larger: Vec<&String> = checked.small.1.iter().map(|(name, _)| name).collect();
    let most = Cost::SMALL;
    println!("{} within {most:?}, {} not: {larger:?}", checked.small.0, larger.len());
    let expected: Vec<&str> = LARGER.iter().map(|(name, _)| *name).collect();
    assert_eq!(larger, expected, "those that need one fault more");
    assert_eq!(checked.small.0 + larger.len(), checked.caught);
}

#[test]
fn of_every_mutant_it_is_known_what_became_of_it() {
    let known = known();
    let all = mutants(&census());
    let unknown: Vec<&str> =
        all.iter().map(|mutant| mutant.name.as_str()).filter(|name| !known.contains_key(name)).collect();
    assert!(all.len() > 150, "{} mutants", all.len());
    assert!(unknown.is_empty(), "run `fencehold-gate mutants`, which writes caught.tsv: {unknown:#?}");
    let stale: Vec<&&str> =
        known.keys().filter(|name| !all.iter().any(|mutant| mutant.name == **name)).collect();
    assert!(stale.is_empty(), "there are no such mutants any more: {stale:#?}");
    let open: Vec<&&str> =
        known.iter().filter(|(_, known)| **known == Known::Open).map(|(name, _)| name).collect();
    assert!(open.is_empty(), "neither caught nor argued to harm nobody: {open:#?}");
    let caught = known.values().filter(|known| matches!(known, Known::Caught { .. })).count();
    assert_eq!((caught, all.len() - caught), (186, 54), "ARCHITECTURE.md says how many");
}

#[test]
fn the_explorer_flags_nothing_where_nothing_is_wrong() {
    let engines = engines();
    let explorer = engines.iter().find(|engine| engine.name == "explorer").unwrap();
    for ground in &explorer.grounds {
        let hunt = ground.hunt(1);
        println!("{}: {} executions", ground.name, hunt.executions);
        assert_eq!(hunt.violation, None, "{}", ground.name);
    }
    assert!(explorer.grounds.len() >= 14, "{} grounds", explorer.grounds.len());
}

/// The mutants that the review of the protocol asked for, as far as the seam can express them: a name, and the mutant.
const REVIEWED: [(&str, &str); 5] = [
    ("retry-after-EIO", "retry sync in journal/prove.rs prove"),
    ("answer-before-durable", "skip sync in journal/prove.rs prove"),
    ("cached-fd-after-rotation", "old stat in journal/file.rs is_newest"),
    ("unlinked lock", "old stat in journal/section.rs take_the_lock"),
    ("token-floor skipped", "skip rename in journal/floor.rs write"),
];

#[test]
fn the_mutants_that_a_review_of_the_protocol_asks_for_are_there() {
    let all = mutants(&census());
    for (what, name) in REVIEWED {
        assert!(all.iter().any(|mutant| mutant.name == name), "{what}: there is no mutant {name:?}");
    }
}
