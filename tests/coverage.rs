//! `docs/coverage.md` is written from the tags over the tests: what other systems do and where they break, beside the
//! test that shows each for ours.
//!
//! The tags are lines of a test's doc comment: `Behaviour C1.4: …`, `Defect GSDD-5: …`, `Shown on M37: …` and
//! `Shown on the published algorithm of GSDD-6: …`. What can be tagged stands in the tables of this folder.

mod account;
mod page;
mod pending;
mod registry;
mod session_lock;
mod systems;
mod tags;
mod wrong;

use std::path::{Path, PathBuf};

use account::Account;
use pending::PENDING;
use systems::SYSTEMS;

/// The top of the repository.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Rust file in these folders, by its path from the top; what is wrong on purpose is left out.
fn sources() -> Vec<(String, String)> {
    let mut left: Vec<PathBuf> =
        ["tests", "impl/src", "model/src", "stress/src"].map(|folder| top().join(folder)).to_vec();
    let mut found = Vec::new();
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(top()).unwrap().display().to_string(), text));
            }
        }
    }
    found.retain(|(path, _)| !path.starts_with("tests/coverage"));
    found.sort();
    found
}

#[test]
fn the_page_says_what_the_tags_say() {
    let sources = sources();
    assert!(sources.len() > 300, "{} files", sources.len());
    let account = Account::of(&SYSTEMS, &sources, PENDING);
    assert!(account.problems.is_empty(), "{}", account.problems.join("\n"));
    let path = top().join("docs/coverage.md");
    let told = page::write(&SYSTEMS, &account);
    if std::env::var_os("FENCEHOLD_REGENERATE").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    // Not the two pages one after the other: the first line that differs says enough.
    let differs = stands.lines().zip(told.lines()).find(|(stands, told)| stands != told);
    assert!(
        stands == told,
        "docs/coverage.md is not what the tags say: {differs:?}\nwrite it anew with\n  \
         FENCEHOLD_REGENERATE=1 cargo test -p fencehold-tests --test all -- coverage"
    );
}

#[test]
fn the_tables_have_what_they_count() {
    let counts = SYSTEMS.map(|system| (system.letter, system.behaviours.len(), system.defects.len()));
    assert_eq!(counts, [('C', 11, 21), ('D', 7, 15)]);
    let known: Vec<&str> =
        fencehold_stress::sim::mutants::CATALOG.iter().map(|numbered| numbered.number).collect();
    let mut mapped = 0;
    for defect in SYSTEMS.iter().flat_map(|system| system.defects) {
        for number in defect.mutants {
            assert!(known.contains(number), "{number} of {:?} is no number of the catalog", defect.what);
            mapped += 1;
        }
    }
    assert!(mapped > 20, "{mapped}");
}
