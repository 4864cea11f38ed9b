use fencehold_model::json::{Fields, Tree};
use fencehold_model::policy::gates::{AGE_MS_MAX, Gate, GatePath, Require, Tasks, Work, check};
use fencehold_model::policy::{self, Decision};
use fencehold_model::status::{Forced, Vocabulary};
use fencehold_model::{Policy, State, Status, TaskId};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn path() -> impl Strategy<Value = GatePath> {
    let name = prop_oneof![Just("{task}".to_owned()), "[a-z*?\\[\\]{}é\"]{1,6}", "\\PC{1,4}"];
    proptest::collection::vec(name, 1..4)
        .prop_map(|names| names.join("/"))
        .prop_filter("the top of the tree is inside of it", |path| path != ".")
        .prop_filter_map("some are no path", |path| GatePath::new(&path).ok())
}

/// A path that names a file outside of git's own.
fn log() -> impl Strategy<Value = GatePath> {
    path().prop_filter("a log is a file", |path| path.log_of(&TaskId::new("task").unwrap()).is_ok())
}

fn paths() -> impl Strategy<Value = Vec<GatePath>> {
    proptest::collection::vec(path(), 0..3)
}

fn require() -> impl Strategy<Value = Require> {
    let work = prop_oneof![
        Just(Work::None),
        Just(Work::Lease),
        proptest::collection::vec(path(), 1..3).prop_map(Work::Paths)
    ];
    let age = proptest::option::of(prop_oneof![Just(1), Just(AGE_MS_MAX), 1..AGE_MS_MAX]);
    (path(), paths(), any::<(bool, bool)>(), work, age).prop_map(
        |(file, when, (not_empty, committed), newer_than, max_age_ms)| Require {
            file,
            when,
            not_empty,
            committed,
            newer_than,
            max_age_ms,
        },
    )
}

/// Gates before statuses of a vocabulary.
pub(super) fn gates(vocabulary: &Vocabulary) -> impl Strategy<Value = Vec<Gate>> + use<> {
    let statuses: Vec<Status> = vocabulary.rungs().iter().map(|rung| rung.status.clone()).collect();
    let tasks = proptest::option::of("[a-z*]{1,5}".prop_map(|text| Tasks::new(&text).unwrap()));
    let gate = (
        proptest::sample::select(statuses),
        tasks,
        paths(),
        proptest::collection::vec(require(), 1..3),
        proptest::option::of(log()),
    );
    let gate = gate.prop_map(|(to, tasks, when, require, on_override)| Gate {
        to,
        tasks,
        when,
        require,
        on_override,
    });
    proptest::collection::vec(gate, 0..3)
}

/// Whether `*` in `pattern` can stand for texts so that it becomes `id`; by trying every one.
fn fits(pattern: &[u8], id: &[u8]) -> bool {
    match pattern.split_first() {
        None => id.is_empty(),
        Some((b'*', rest)) => (0..=id.len()).any(|from| fits(rest, &id[from..])),
        Some((letter, rest)) => id.split_first().is_some_and(|(first, id)| first == letter && fits(rest, id)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_pattern_over_ids_is_what_trying_every_text_comes_to(pattern in "[ab*]{1,7}", id in "[ab]{1,8}") {
        let matched = Tasks::new(&pattern).unwrap().matches(&TaskId::new(&id).unwrap());
        prop_assert_eq!(matched, fits(pattern.as_bytes(), id.as_bytes()), "{} {}", pattern, id);
    }

    #[test]
    fn no_id_leads_a_path_out_of_the_tree(id in "[a./{}]{1,9}", path in path()) {
        let Ok(id) = TaskId::new(&id) else { return Ok(()) };
        if let Ok(path) = path.of(&id) {
            // The top itself is a path where no id made it one.
            let inside = path == "." || path.split('/').all(|name| !matches!(name, "" | "." | ".."));
            prop_assert!(inside && !path.starts_with('/'), "{}", path);
        }
    }
}

/// A policy without a gate is written as it was before there were any.
#[test]
fn a_policy_without_gates_has_the_bytes_it_had() {
    let mut text = String::new();
    Policy::default().write(&mut text);
    assert!(!text.contains("gates"), "{text}");
    assert!(text.ends_with("\"overlap\":\"refuse\"}"), "{text}");
}

/// GATE-20: A line of the journal whose step by force has no reason, 0 or more than 32 conditions, a worktree without an
/// absolute path, or a log that is none, is a break.
#[test]
fn what_no_step_by_force_leaves_behind_is_no_line() {
    let unmet = json!({ "file": "DONE.md", "condition": "file", "why": "it does not exist" });
    let good = json!({ "reason": "why", "unmet": [unmet], "root": "/w", "owes": ["a/b.ndjson"] });
    let read = |forced: &Json| Forced::read(Fields::of(&Tree::of(forced)).unwrap()).map_err(|bad| bad.0);
    assert!(read(&good).is_ok(), "{good}");
    let wrong = [
        ("reason", json!(" - "), "says nothing"),
        ("unmet", json!([]), "past 0 recorded conditions"),
        ("unmet", json!(vec![unmet; 33]), "past 33 recorded conditions"),
        ("root", json!("."), "no absolute path"),
        ("root", json!(""), "no absolute path"),
        ("owes", json!(["/etc/passwd"]), "no path of a log"),
        ("owes", json!(["a", "../b"]), "no path of a log"),
        ("owes", json!([""]), "a log"),
        ("owes", json!(["."]), "is a folder"),
        ("owes", json!(["sub/.git/config"]), "git's own"),
    ];
    let mut seen = 0;
    for (field, value, why) in wrong {
        let mut forced = good.clone();
        forced[field] = value;
        let bad = read(&forced).unwrap_err();
        assert!(bad.contains(why), "{field}: {bad}");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// GATE-1: A policy has at most 32 gates, each before a status of its vocabulary and requiring 1 to 16 files, and one with
/// anything else, or with a path that leaves the tree, fails definitely.
#[test]
fn what_no_gate_can_say_is_refused() {
    for bad in ["", "/a", "../a", "a/../../b", "a//b", "./a", "a\0b", &"a".repeat(257)] {
        assert!(GatePath::new(bad).is_err(), "{bad:?}");
    }
    let path = GatePath::new("phases/{task}/DONE.md").unwrap();
    for (id, leads_in) in
        [("7", true), ("a/b", true), ("..", false), ("a/../..", false), ("/etc", false), (".", false)]
    {
        assert_eq!(path.of(&TaskId::new(id).unwrap()).is_ok(), leads_in, "{id}");
    }
    let gate = |to: &str, require: Vec<Require>| Gate {
        to: Status::new(to).unwrap(),
        tasks: None,
        when: Vec::new(),
        require,
        on_override: None,
    };
    let exists = || Require::exists(path.clone());
    let old = |age| Require { max_age_ms: Some(age), ..exists() };
    let none = Require { newer_than: Work::Paths(Vec::new()), ..exists() };
    let wrong: [(Vec<Gate>, &str); 8] = [
        (vec![gate("shipped", vec![exists()])], "status shipped is unknown"),
        (vec![gate("done", Vec::new())], "requires nothing"),
        (vec![gate("done", vec![exists(); 17])], "requires 17 files"),
        (vec![gate("done", vec![none])], "`newer_than` without a path"),
        (vec![gate("done", vec![old(0)])], "a max_age of 0 ms"),
        (vec![gate("done", vec![old(1), old(AGE_MS_MAX + 1)])], "366 days"),
        (
            vec![gate("done", vec![Require { when: vec![path.clone(); 17], ..exists() }])],
            "more than 16 paths",
        ),
        (vec![gate("done", vec![exists()]); 33], "33 gates"),
    ];
    let mut seen = 0;
    for (gates, named) in wrong {
        let why = check(&gates, &Vocabulary::default()).unwrap_err();
        assert!(why.contains(named), "{named}: {why}");
        let policy = Policy { gates, ..Policy::default() };
        assert!(matches!(policy::decide(&State::default(), &policy), Decision::Invalid(_)), "{named}");
        seen += 1;
    }
    assert_eq!(seen, 8);
    let good = Policy { gates: vec![gate("done", vec![exists()])], ..Policy::default() };
    assert!(matches!(policy::decide(&State::default(), &good), Decision::Record(_)));
}
