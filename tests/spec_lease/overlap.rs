//! Write sets that meet.

use std::collections::BTreeSet;

use fencehold::ledger::LeaseVerdict;
use fencehold_model::lease::{Party, Refusal};
use fencehold_model::spec::lease::{Set, Touch};
use fencehold_model::{Event, Holder, LeaseId, Policy};

use super::{Works as _, advice, close, grant, id, unchanged};
use crate::spec_kit::{HOUR, Lab};

/// LEASE-5: Where the policy refuses overlaps, a grant whose write set overlaps that of another live lease is refused
/// as `overlap`, with the id, the token and the holder of such leases, whichever of the two sets is the wider one.
#[test]
fn an_overlap_is_refused_whichever_set_is_the_wider_one() {
    let mut seen = 0;
    for (one, other) in [
        ("src/", "src/a.rs"),
        ("src", "src/a.rs"),
        ("src/*.rs", "src/a.rs"),
        ("**/*.rs", "src/a.rs"),
        ("**/*.rs", "src/"),
        (".", "docs/x/y"),
        ("src", "src"),
        ("src/*/x", "src/b/?"),
    ] {
        for (first, second) in [(one, other), (other, one)] {
            let lab = Lab::new();
            let token = lab.party().granted(&grant("first", "a").writes(&["elsewhere", first]));
            let party = Party { lease: id("first"), token, holder: Holder::new("a").unwrap() };
            let asked = grant("second", "b").writes(&[second, "also/elsewhere"]);
            let refused = unchanged(&lab, || lab.party().refused(&asked.0));
            assert_eq!(refused, Refusal::Overlap(vec![party]), "{first} {second}");
            lab.party().work(&close("first", token));
            lab.party().granted(&asked);
            seen += 1;
        }
    }
    assert_eq!(seen, 16);
}

/// What the lock file of every package is to a source file: nothing.
#[test]
fn a_glob_of_files_is_granted_beside_files_that_it_does_not_match() {
    let mut seen = 0;
    for (one, other) in [
        ("**/Cargo.lock", "src/a.rs"),
        ("**/*.rs", "README.md"),
        ("src/**/*.rs", "src/a.md"),
        ("*.toml", "src/"),
        ("src/a/", "src/a.rs"),
    ] {
        for (first, second) in [(one, other), (other, one)] {
            let lab = Lab::new();
            lab.party().granted(&grant("first", "a").writes(&[first]));
            lab.party().granted(&grant("second", "b").writes(&[second]));
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

/// LEASE-6: Where the policy advises, a grant whose write set overlaps those of other live leases is made, and its
/// answer and its event name the first 64 of them.
#[test]
fn an_overlap_is_told_where_the_policy_advises() {
    let lab = Lab::new();
    lab.party().take(&advice());
    let party = lab.party();
    for n in 0..70 {
        party.granted(&grant(&format!("w{n:02}"), "a").writes(&["src/"]));
    }
    party.granted(&grant("other", "a").writes(&["docs"]));
    let first: Vec<LeaseId> = (0..64).map(|n| id(&format!("w{n:02}"))).collect();
    let asked = grant("wide", "b").writes(&["src/a.rs", "src/b.rs"]);
    let LeaseVerdict::Granted { beside, over, .. } = party.work(&asked.0) else { panic!("it is granted") };
    assert_eq!((beside, over.len()), (first.clone(), 0));
    let last = lab.events().pop().unwrap().event;
    let Event::Lease(fencehold_model::lease::LeaseEvent::Granted(granted)) = last else { panic!("{last:?}") };
    assert_eq!(granted.beside, first);
    // A lease of which a live grant stands is not granted again, whatever it overlaps.
    assert_eq!(party.refused(&asked.0).word(), "already_open");
    lab.machine.pass(HOUR);
}

/// LEASE-36: A policy that begins to refuse overlaps ends no lease: those that overlap already stand on, and each is in
/// the way of the next grant.
#[test]
fn what_overlaps_stands_on_under_a_stricter_policy() {
    let lab = Lab::new();
    lab.party().take(&advice());
    let one = lab.party().granted(&grant("one", "a").writes(&["src"]));
    let other = lab.party().granted(&grant("other", "b").writes(&["src/a.rs"]));
    lab.party().take(&Policy::default());
    assert_eq!((lab.party().state("one"), lab.party().state("other")), (("open", one), ("open", other)));
    let asked = grant("third", "c").writes(&["src/*.rs"]);
    let Refusal::Overlap(parties) = lab.party().refused(&asked.0) else { panic!("two are in the way") };
    assert_eq!(parties.iter().map(|party| party.token).collect::<Vec<_>>(), [one, other]);
    lab.party().work(&close("one", one));
    assert_eq!(lab.party().refused(&asked.0).word(), "overlap");
    lab.party().work(&close("other", other));
    lab.party().granted(&asked);
}

const ENTRIES: [&str; 31] = [
    ".",
    "src",
    "src/",
    "src/a/",
    "src/x/y",
    "docs/",
    "**/*.rs",
    "src/a.rs",
    "src/b.rs",
    "src/a",
    "src/*.rs",
    "src/*",
    "s*",
    "sr?",
    "src/?.rs",
    "src/[ab].rs",
    "src/[!a].rs",
    "src/[a-c]*",
    "**/a.rs",
    "src/**/x",
    "**/x/**/y",
    "docs",
    "docs/*.md",
    "docs/b.md",
    "docs/.md",
    "srcs",
    "x",
    "y/x",
    "\\*",
    "a*b",
    "*ba",
];

/// LEASE-7: Two write sets overlap exactly where there is a path that an entry of each covers, or where an entry of one
/// is a file whose path is the literal beginning of an entry of the other or lies above it.
///
/// LEASE-8: In an entry `*` stands for any characters of one name, `?` for one of them, `[…]` for one of a class,
/// `[!…]` for one outside of it, `**` as a whole name for any number of names, and `\` before a character for that
/// character.
///
/// LEASE-37: An entry with a wildcard covers what it matches and everything below that, one without that ends in `/`,
/// and `.`, is a folder and covers its path and everything below, and any other is a file and covers its path alone.
#[test]
fn every_two_entries_overlap_as_the_oracle_says() {
    let sets: Vec<Vec<&str>> = ENTRIES.iter().map(|entry| vec![*entry]).collect();
    let touch = Touch::of(&sets).unwrap();
    let lab = Lab::new();
    let party = lab.party();
    let (mut overlaps, mut apart) = (0, 0);
    for (one, n) in ENTRIES.iter().zip(0..) {
        let token = party.granted(&grant("one", "a").writes(&[one]));
        for (other, m) in ENTRIES.iter().zip(0..) {
            let asked = grant("other", "b").writes(&[other]);
            match (touch.touches(Set(n), Set(m)), party.work(&asked.0)) {
                (true, LeaseVerdict::Refused(Refusal::Overlap(_))) => overlaps += 1,
                (false, LeaseVerdict::Granted { token, .. }) => {
                    apart += 1;
                    party.work(&close("other", token));
                }
                (touches, came) => panic!("{one} {other}: {touches}, and {came:?}"),
            }
        }
        party.work(&close("one", token));
    }
    assert!(overlaps > 150 && apart > 150 && overlaps + apart == 31 * 31, "{overlaps} {apart}");
}

/// LEASE-7: Two write sets overlap exactly where there is a path that an entry of each covers, or where an entry of one
/// is a file whose path is the literal beginning of an entry of the other or lies above it.
///
/// LEASE-8: In an entry `*` stands for any characters of one name, `?` for one of them, `[…]` for one of a class,
/// `[!…]` for one outside of it, `**` as a whole name for any number of names, and `\` before a character for that
/// character.
///
/// LEASE-37: An entry with a wildcard covers what it matches and everything below that, one without that ends in `/`,
/// and `.`, is a folder and covers its path and everything below, and any other is a file and covers its path alone.
#[test]
fn the_oracle_of_write_sets_knows_these_by_name() {
    let apart = [
        ("src/a.rs", "src/b.rs"),
        ("src", "srcs"),
        ("src/", "srcs"),
        ("src", "**/*.rs"),
        ("README.md", "**/README.md/x"),
        ("src/a/b", "src/*/b/c"),
        ("src/*.rs", "src/a.md"),
        ("src/?.rs", "src/ab.rs"),
        ("src/[!a].rs", "src/a.rs"),
        ("src/[b-d]", "src/a"),
        ("\\*", "x"),
        ("[!a-z]*", "x"),
        ("?", "ab"),
        ("**/x", "a"),
        ("**/x", "a/b"),
    ];
    let together = [
        ("src/**/x", "src/x"),
        ("src/**/x", "src/a/b/x/y"),
        ("**/x", "a/"),
        ("src", "src/a.rs"),
        ("src", "src/*.rs"),
        ("src", "src/sub/"),
        ("src/*/", "src/a/b"),
        ("src/", "src"),
        (r"\[a]/", r"\[a]/b"),
        (r"\[a]", r"\[a]/*"),
        ("a*b", "*ba*b"),
        ("src/*", "src/a/b/c"),
        ("src/a/b/c", "src/*"),
        ("[a-]x", "-x"),
        ("[]]", "]"),
        (".", "anything"),
        ("...", ".*."),
        ("\\*", "?"),
    ];
    let all: BTreeSet<&str> = apart.iter().chain(&together).flat_map(|(a, b)| [*a, *b]).collect();
    let sets: Vec<Vec<&str>> = all.iter().map(|entry| vec![*entry]).collect();
    let touch = Touch::of(&sets).unwrap();
    let place = |entry: &str| Set(all.iter().position(|known| *known == entry).unwrap() as u32);
    for (said, cases) in [(false, &apart[..]), (true, &together[..])] {
        for (a, b) in cases {
            assert_eq!(touch.touches(place(a), place(b)), said, "{a} {b}");
            assert_eq!(touch.touches(place(b), place(a)), said, "{b} {a}");
        }
    }
    for bad in ["", "/", "./", "a//", "*//", "/a", "a//b", "a/../b", "a/.", "[", "a\\", "[a"] {
        assert!(Touch::of(&[vec![bad]]).is_err(), "{bad:?}");
    }
}
