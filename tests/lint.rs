//! The linter: it passes what is right, and each of its rules is broken by an adapter made for it.

mod transcripts;

use std::path::Path;
use std::time::Duration;

use fencehold_stress::gate::stage::Progress;
use fencehold_stress::lint::{LintReport, Need, Standing, lint, lint_by, rules};
use fencehold_stress::target::Spec;

/// How many rules there are: a rule that is lost is noticed.
const RULES: usize = 133;

fn under_test() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_fencehold-under-test"))
}

fn of(spec: &Spec) -> LintReport {
    lint(spec, &mut Progress::new()).expect("it starts")
}

/// The one rule, asked of the adapter that misreads it.
fn misread_by(fake: &str, rule: &str) -> LintReport {
    let spec = Spec::built_in_at(under_test(), &format!("lint-fake:{fake}"));
    let rule: Vec<_> = rules().into_iter().filter(|found| found.name == rule).collect();
    lint_by(&spec, &rule, &mut Progress::new()).expect("it starts")
}

#[test]
fn our_own_server_keeps_every_rule() {
    let report = of(&Spec::own_at(under_test()));
    println!("{report}");
    assert_eq!((report.kept(), report.rules.len()), (RULES, RULES), "{report}");
    assert!(report.is_clean());
    assert!(report.elapsed < Duration::from_secs(20), "{report}");
}

#[test]
fn the_registry_that_the_broken_ones_are_made_of_keeps_every_rule_that_it_offers() {
    let report = of(&Spec::built_in_at(under_test(), fencehold_stress::targets::CONTROLS[0]));
    assert!(report.is_clean() && report.kept() >= 60, "{report}");
}

/// The right one keeps every rule; each that is wrong whoever asks is found by them, and the others are no matter of one
/// request after the other.
#[test]
fn the_applier_keeps_every_rule_that_it_offers_and_some_of_the_broken_ones_do_not() {
    let right = of(&Spec::built_in_at(under_test(), fencehold_stress::targets::CONTROLS[1]));
    assert!(right.is_clean() && right.kept() >= 13, "{right}");
    let mut found = Vec::new();
    for name in fencehold_stress::targets::appliers() {
        let report = of(&Spec::built_in_at(under_test(), name));
        let broken: Vec<&str> = report.broken().map(|(rule, _)| rule).collect();
        found.push((name, broken));
    }
    let expected = [
        ("M23", vec![]),
        ("lost-staging", vec![]),
        ("id-by-substring", vec!["proposal-ids-apart"]),
        ("cut-body", vec!["proposal-bodies"]),
        ("stub-applied", vec!["proposal-bodies"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_control_keeps_every_rule_that_it_offers() {
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stress/adapters/control.py");
    let report =
        of(&Spec::command(&["python3".to_owned(), adapter.display().to_string()]).expect("two words"));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.not_offered(), [Need::Revisions, Need::Process]);
}

#[test]
fn a_proxy_that_twists_nothing_keeps_every_rule() {
    let report = of(&Spec::built_in_at(under_test(), "lint-fake:nothing"));
    assert_eq!(report.kept(), RULES, "{report}");
}

/// The mutants speak the protocol well: what is wrong with them shows under concurrency and kills alone.
#[test]
fn mutants_are_adapters_without_a_misreading() {
    for (name, _) in fencehold_stress::targets::MUTANTS {
        let report = of(&Spec::built_in_at(under_test(), name));
        assert!(report.is_clean(), "{name}: {report}");
        assert!(report.not_offered().contains(&Need::Group("lock")), "{name}: {report}");
    }
}

#[test]
fn every_rule_is_broken_by_the_adapter_that_misreads_it() {
    let rules = rules();
    assert_eq!(rules.len(), RULES);
    let spared: Vec<String> = std::thread::scope(|scope| {
        let parts = rules.chunks(rules.len().div_ceil(4)).map(|part| {
            scope.spawn(move || {
                let spared = part.iter().filter_map(|rule| {
                    let report = misread_by(rule.name, rule.name);
                    let [(_, Standing::Broken(misread))] = report.rules.as_slice() else {
                        return Some(format!("{}: {:?}", rule.name, report.rules));
                    };
                    println!("{}: {misread}", rule.name);
                    None
                });
                spared.collect::<Vec<String>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().expect("no panic")).collect()
    });
    assert_eq!(spared, Vec::<String>::new());
}

#[test]
fn an_adapter_that_never_answers_is_told_so() {
    let report = misread_by("silent", "unknown-op");
    let said = report.to_string();
    assert!(said.contains("your adapter misreads lint.nothing: sent {"), "{said}");
    assert!(said.contains("got nothing: it did not answer in time"), "{said}");
}

#[test]
fn a_target_that_is_no_target_keeps_nothing() {
    let report = of(&Spec::parse("true").expect("a word"));
    assert!(!report.is_clean(), "{report}");
    assert_eq!((report.kept(), report.broken().count()), (0, 1), "{report}");
    let unknown = of(&Spec::parse("sh -c 'echo I am no target >&2'").expect("three words")).to_string();
    assert!(unknown.contains("it ended (on stderr: I am no target)"), "{unknown}");
}
