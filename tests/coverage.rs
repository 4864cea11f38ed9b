//! `docs/coverage.md` is written from the tags over the tests: what other systems do and where they break, beside the
//! test that shows each for ours.
//!
//! The tags are lines of a test's doc comment: `Behaviour C1.4: …`, `Defect GSDD-5: …`, `Shown on M37: …` and
//! `Shown on the published algorithm of GSDD-6: …`. What can be tagged stands in the tables of this folder.

mod account;
mod bug_log;
mod page;
mod pending;
mod plans;
mod registry;
mod session_lock;
mod status_files;
mod systems;
mod tags;
mod wrong;

use account::Account;
use pending::PENDING;
use systems::SYSTEMS;

use crate::tidy::top;

/// The text of every Rust file by its path from the top; what is wrong on purpose is left out.
fn sources() -> Vec<(String, String)> {
    let mut found = crate::tidy::sources(&["tests", "impl/src", "model/src", "stress/src"]);
    found.retain(|file| !file.path.starts_with("tests/coverage"));
    found.into_iter().map(|file| (file.path, file.text)).collect()
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
    assert_eq!(counts, [('A', 28, 27), ('B', 9, 14), ('C', 11, 21), ('D', 7, 15), ('E', 8, 20)]);
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
