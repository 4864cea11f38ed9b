//! The run as JUnit XML: a stage is a test case. Whoever reads only this must come to the same conclusion as from the
//! exit code, so a required stage that did not run, and a run without stages, are errors.

use std::io;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Results, StageResult, Verdict};

const SUITE: &str = "fencehold-gate";

pub(super) fn junit(results: &Results) -> io::Result<String> {
    let mut suite = TestSuite::new(SUITE);
    let facts = [
        ("utc", results.utc.clone()),
        ("seed", results.seed.to_string()),
        ("profile", results.profile.to_owned()),
        ("target", results.target.clone()),
        ("machine", results.machine.clone()),
    ];
    suite.add_properties(facts.map(|(name, value)| Property::new(name, value)));
    for stage in &results.stages {
        let required = results.required.iter().any(|name| name == stage.name);
        suite.add_test_case(case(stage, required));
    }
    for name in results.absent() {
        suite.add_test_case(error(name, "required", "required, and it did not run"));
    }
    if results.is_empty() {
        suite.add_test_case(error("run", "empty", "no stage ran: that is no pass"));
    }
    let time = results.stages.iter().map(|stage| stage.elapsed).sum();
    suite.set_time(time);
    let mut report = Report::new(SUITE);
    report.set_time(time);
    report.add_test_suite(suite);
    report.to_string().map_err(io::Error::other)
}

fn case(stage: &StageResult, required: bool) -> TestCase {
    let kind = match &stage.verdict {
        Verdict::Ok => None,
        Verdict::Skipped(_) if !required => None,
        Verdict::Violation(_) => Some(NonSuccessKind::Failure),
        Verdict::Unknown(_) | Verdict::NotReached(_) | Verdict::Skipped(_) => Some(NonSuccessKind::Error),
    };
    let mut status = match (kind, &stage.verdict) {
        (Some(kind), _) => TestCaseStatus::non_success(kind),
        (None, Verdict::Ok) => TestCaseStatus::success(),
        (None, _) => TestCaseStatus::skipped(),
    };
    if stage.verdict != Verdict::Ok {
        status.set_type(stage.verdict.word()).set_message(stage.verdict.why());
        if let Some(command) = &stage.command {
            status.set_description(format!("{}\n{command}", stage.verdict.why()));
        }
    }
    let mut case = TestCase::new(stage.name, status);
    case.set_classname(SUITE).set_time(stage.elapsed);
    case.set_assertions(usize::try_from(stage.cases).unwrap_or(usize::MAX));
    let mut figures = format!("cases: {} {}\nbound: {}\n", stage.cases, stage.unit, stage.bound);
    for (name, value) in &stage.figures {
        figures.push_str(&format!("{name}: {value}\n"));
    }
    case.set_system_out(figures);
    case
}

fn error(name: &str, ty: &str, why: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(ty).set_message(why);
    let mut case = TestCase::new(name, status);
    case.set_classname(SUITE);
    case
}
