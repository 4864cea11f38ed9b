//! The exit code, and that JUnit's reader comes to the same conclusion.

use fencehold_stress::report::{Results, Verdict, table};

use super::markup::elements;
use super::{every_kind, read, results, stage, written};

/// By letter: ok, violation, unknown, not reached, skipped.
fn run(letters: &str, required: &[&str]) -> Results {
    let names = ["a", "b", "c", "d", "e"];
    let verdict = |letter| match letter {
        'o' => Verdict::Ok,
        'v' => Verdict::Violation("v".into()),
        'u' => Verdict::Unknown("u".into()),
        'n' => Verdict::NotReached("n".into()),
        _ => Verdict::Skipped("s".into()),
    };
    let stages = letters.chars().zip(names).map(|(letter, name)| stage(name, verdict(letter))).collect();
    let mut results = results(stages);
    results.required = required.iter().map(ToString::to_string).collect();
    results
}

const CONTRACT: &[(&str, &[&str], u8)] = &[
    ("o", &[], 0),
    ("oo", &["a", "b"], 0),
    ("os", &[], 0),
    ("os", &["a"], 0),
    ("os", &["b"], 3),
    ("s", &[], 3),
    ("ss", &[], 3),
    ("s", &["a"], 3),
    ("o", &["z"], 3),
    ("", &[], 3),
    ("", &["a"], 3),
    ("v", &[], 1),
    ("ov", &[], 1),
    ("vu", &[], 1),
    ("nv", &[], 1),
    ("sv", &["a"], 1),
    ("v", &["z"], 1),
    ("u", &[], 3),
    ("n", &[], 3),
    ("ou", &[], 3),
    ("on", &["a"], 3),
    ("uns", &[], 3),
    ("ovuns", &[], 1),
];

#[test]
fn the_exit_code_follows_the_contract() {
    for (letters, required, code) in CONTRACT {
        let results = run(letters, required);
        assert_eq!(results.exit_code(), *code, "{letters:?}, required {required:?}");
        assert!(table(&results).contains(&format!("exit {code}")), "{letters:?}");
    }
}

#[test]
fn junit_is_red_exactly_where_the_exit_code_is_not_zero() {
    for (letters, required, code) in CONTRACT {
        let (_folder, run) = written(&run(letters, required));
        let found = elements(&read(&run.join("junit.xml"))).unwrap_or_else(|why| panic!("{letters}: {why}"));
        let count = |name: &str| found.iter().filter(|element| element.name == name).count();
        assert_eq!(count("failure") > 0, *code == 1, "{letters:?}, required {required:?}");
        assert_eq!(count("failure") + count("error") > 0, *code != 0, "{letters:?}, required {required:?}");
    }
}

#[test]
fn junit_counts_every_kind_and_carries_the_reason() {
    let (_folder, run) = written(&every_kind());
    let text = read(&run.join("junit.xml"));
    let found = elements(&text).unwrap_or_else(|why| panic!("{why}"));
    let suite = found.iter().find(|element| element.name == "testsuite").expect("a suite");
    let counts = ["tests", "failures", "errors"].map(|name| suite.get(name).expect("a count"));
    assert_eq!(counts, ["6", "1", "3"], "five stages and a required one that is not there");
    let skipped = found.iter().find(|element| element.name == "skipped").expect("a skipped case");
    assert_eq!(skipped.get("message"), Some("python3 is not installed"));
    assert!(!text.contains("<script>"));
}

#[test]
fn the_command_that_runs_it_again_carries_all_that_was_asked() {
    let mut results = run("o", &["a"]);
    assert_eq!(results.rerun(None), "cargo gate --profile default --seed 7 --require a");
    results.target = "python3 'my adapter.py'".into();
    let again = r"cargo gate --profile default --seed 7 --only a --require a --target 'python3 '\''my adapter.py'\'''";
    assert_eq!(results.rerun(Some("a")), again);
}
