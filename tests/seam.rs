//! The seam between the shipped code and the simulated disk: every place that calls is known, and what is deliberately
//! wrong there is wrong nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fencehold::fs::{File as _, Fs, How, create_synced};
use fencehold_stress::sim::disk::Disk;
use fencehold_stress::sim::seam::{Record, census, recording};
use fencehold_stress::sim::world::{Ended, Plan, World};

/// Calls the port from a generic function, from a closure in it, and through a helper of the shipped code, twice.
fn caller<F: Fs>(fs: &F) {
    let file = fs.open(Path::new("/a"), How::CreateNew { mode: 0o600 }).unwrap();
    let twice = |bytes: &[u8]| file.append(bytes).and_then(|_| file.sync());
    twice(b"one").unwrap();
    twice(b"two").unwrap();
    create_synced(fs, Path::new("/b"), 0o600, b"b").unwrap();
    create_synced(fs, Path::new("/c"), 0o600, b"c").unwrap();
}

#[test]
fn every_place_that_calls_is_told_from_every_other_in_generics_closures_and_helpers() {
    let world = World::calm(Disk::new());
    let (ended, record) = recording(|| world.alone(Plan::NONE, |fs, _| caller(&fs)));
    assert_eq!(ended, Ended::Returned(()));
    let places: Vec<(u32, &str, u64)> =
        record.places.iter().map(|(place, count)| (place.line, place.call, *count)).collect();
    let first = places.iter().map(|(line, ..)| *line).min().unwrap();
    let from_first: Vec<(u32, &str, u64)> =
        places.iter().map(|(line, call, count)| (line - first, *call, *count)).collect();
    let expected = [
        (0, "create", 1),
        (1, "append", 2),
        (1, "sync", 2),
        (4, "append", 1),
        (4, "create", 1),
        (4, "sync", 1),
        (5, "append", 1),
        (5, "create", 1),
        (5, "sync", 1),
    ];
    assert_eq!(from_first, expected, "lines counted from the first call");
    assert!(record.places.keys().all(|place| place.file.ends_with("tests/seam.rs")), "{:?}", record.places);
}

/// The census, taken once.
fn known() -> &'static Record {
    static KNOWN: LazyLock<Record> = LazyLock::new(census);
    &KNOWN
}

/// How many places of each kind the census finds. Where the shipped code has got or lost one, say so here; a new one is
/// a mutant as well, which somebody has to catch.
const KINDS: [(&str, usize); 22] = [
    ("adopt", 3),
    ("append", 13),
    ("create", 17),
    ("fstat", 22),
    ("link", 1),
    ("list", 5),
    ("lock", 4),
    ("lock_shared", 2),
    ("make_dir", 4),
    ("open", 21),
    ("read_at", 19),
    ("remove_dir", 4),
    ("rename", 6),
    ("rename_new", 6),
    ("resolve", 4),
    ("stat", 36),
    ("sync", 19),
    ("sync_dir", 23),
    ("truncate", 2),
    ("unlink", 15),
    ("unlock", 5),
    ("write_at", 3),
];

#[test]
fn every_place_of_the_shipped_code_is_counted() {
    let record = known();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for place in record.places.keys() {
        *kinds.entry(place.call).or_default() += 1;
    }
    let found: Vec<(&str, usize)> = kinds.into_iter().collect();
    assert_eq!(
        found,
        KINDS,
        "the shipped code calls the disk from other places: correct KINDS of {}",
        file!()
    );
}

/// How a call is written in the source, and the method it is of.
const WRITTEN: [(&str, &str); 11] = [
    (".sync()", "sync"),
    (".sync_dir(", "sync_dir"),
    ("create_synced(", "sync"),
    (".unlock()", "unlock"),
    (".write_at(", "write_at"),
    (".rename(", "rename"),
    (".rename_new(", "rename_new"),
    (".lock(LockMode::Exclusive", "lock"),
    ("file.lock(mode", "lock"),
    ("LockMode::Exclusive)?;", "lock"),
    ("LockMode::Shared)?;", "lock_shared"),
];

#[test]
fn what_the_source_calls_is_reached_by_the_census() {
    let reached: BTreeSet<(String, u32, &str)> =
        known().places.keys().map(|place| (place.file.to_owned(), place.line, place.call)).collect();
    let mut missed = Vec::new();
    let mut seen = 0;
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../impl/src"))) {
        let name = path.to_string_lossy();
        let name = name[name.find("impl/src").unwrap()..].to_owned();
        if name.starts_with("impl/src/fs/") || name.starts_with("impl/src/cli/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            for (_, call) in WRITTEN.iter().filter(|(written, _)| line.contains(written)) {
                seen += 1;
                if !reached.contains(&(name.clone(), number, *call)) {
                    missed.push((name.clone(), number, line.trim().to_owned()));
                }
            }
        }
    }
    for m in &missed {
        println!("{m:?}");
    }
    assert!(seen > 40, "{seen} calls were found in the source");
    assert_eq!(missed.len(), 0);
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    below.flatten().collect()
}
