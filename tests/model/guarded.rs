//! Guarded globs: no path lies under two locks, and what is written is read again.

use fencehold_model::json::{Fields, Tree};
use fencehold_model::policy::{GUARDED_BYTES_MAX, GUARDED_PATHS_MAX, Guard, Guarded};
use fencehold_model::{LockName, Pattern, Policy};
use proptest::prelude::*;

fn guard(paths: &[&str], lock: &str) -> Guard {
    let paths = paths.iter().map(|path| Pattern::new(path).unwrap()).collect();
    Guard { paths, lock: LockName::new(lock).unwrap() }
}

/// Guards that can stand beside each other: each below a folder of its own.
pub(super) fn guarded() -> impl Strategy<Value = Guarded> {
    let names = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    let tails = proptest::sample::subsequence(vec!["**", "x", "y/", "*.rs", "[é]"], 1..=5);
    (names, tails).prop_map(|(names, tails)| {
        let paths = |name: &str| tails.iter().map(|tail| format!("{name}/{tail}")).collect::<Vec<_>>();
        let guards = names.iter().map(|name| {
            guard(&paths(name).iter().map(String::as_str).collect::<Vec<_>>(), &format!("lock-{name}"))
        });
        Guarded::new(guards.collect()).unwrap()
    })
}

#[test]
fn no_path_lies_under_two_locks() {
    let two = |one: &str, other: &str| Guarded::new(vec![guard(&[one], "first"), guard(&[other], "second")]);
    let meet = [
        ("deploy/**", "deploy/prod.yaml"),
        ("deploy", "deploy/x"),
        ("**/*.lock", "Cargo.lock"),
        ("a*/x", "*b/x"),
        // Where a filesystem takes them for one.
        ("Deploy/", "deploy/x"),
        ("É", "é"),
        (".", "x"),
    ];
    let apart =
        [("deploy/a", "deploy/b"), ("deploy/", "deployed/"), ("*.rs", "*.toml"), ("README.md", "**/*.rs")];
    let mut seen = 0;
    for (one, other) in meet {
        for (one, other) in [(one, other), (other, one)] {
            let why = two(one, other).unwrap_err();
            assert!(why.contains(one) && why.contains("under lock second"), "{one}, {other}: {why}");
            seen += 1;
        }
    }
    for (one, other) in apart {
        assert!(two(one, other).is_ok() && two(other, one).is_ok(), "{one}, {other}");
        seen += 1;
    }
    // Under one lock they may meet.
    assert!(Guarded::new(vec![guard(&["a/"], "one"), guard(&["a/x", "a/**"], "one")]).is_ok());
    assert_eq!(seen, 18);
}

#[test]
fn guards_are_bounded_and_guard_something() {
    assert!(Guarded::new(vec![guard(&[], "idle")]).unwrap_err().contains("lock idle guards no path"));
    let many = |count: usize| {
        let paths: Vec<String> = (0..count).map(|number| format!("{number}")).collect();
        Guarded::new(vec![guard(&paths.iter().map(String::as_str).collect::<Vec<_>>(), "l")])
    };
    assert!(many(GUARDED_PATHS_MAX).is_ok() && many(GUARDED_PATHS_MAX + 1).is_err());
    let long = "x".repeat(GUARDED_BYTES_MAX / 2);
    assert!(Guarded::new(vec![guard(&[&long, &long], "l")]).is_ok());
    assert!(Guarded::new(vec![guard(&[&long, &long, "y"], "l")]).unwrap_err().contains("8193 bytes"));
}

#[test]
fn a_journal_that_guards_badly_is_malformed() {
    let mut seen = 0;
    for (guarded, why) in [
        ("[3]", "not a JSON object"),
        ("[{\"paths\":[\"a\"]}]", "`lock` is missing"),
        ("[{\"lock\":\"l\"}]", "`paths` is missing"),
        ("[{\"paths\":[],\"lock\":\"l\"}]", "guards no path"),
        ("[{\"paths\":[1],\"lock\":\"l\"}]", "holds no text"),
        ("[{\"paths\":[\"/a\"],\"lock\":\"l\"}]", "begins with `/`"),
        ("[{\"paths\":[\"a\"],\"lock\":\" \"}]", "`lock`: lock name is blank"),
        ("3", "`guarded` is not an array"),
    ] {
        let mut text = String::new();
        Policy::default().write(&mut text);
        text.insert_str(text.len() - 1, &format!(",\"guarded\":{guarded}"));
        let value = serde_json::from_str(&text).unwrap();
        let read = Policy::read(Fields::of(&Tree::of(&value)).unwrap()).unwrap_err().to_string();
        assert!(read.contains(why), "{guarded}: {read}");
        seen += 1;
    }
    assert_eq!(seen, 8);
}

/// A policy that guards nothing is the bytes that it was before anything could be guarded.
#[test]
fn what_guards_nothing_is_not_written() {
    let mut text = String::new();
    Policy::default().write(&mut text);
    assert!(!text.contains("guarded"), "{text}");
    let guarded = Guarded::new(vec![guard(&["deploy/**", "Cargo.lock"], "deploy")]).unwrap();
    let policy = Policy { guarded, ..Policy::default() };
    let mut more = String::new();
    policy.write(&mut more);
    let added = ",\"guarded\":[{\"paths\":[\"deploy/**\",\"Cargo.lock\"],\"lock\":\"deploy\"}]}";
    assert_eq!(more, format!("{}{added}", &text[..text.len() - 1]));
}
