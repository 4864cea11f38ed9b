mod naive;
mod scenarios;
mod shipped;

use naive::{Flaw, Naive, PUBLISHED};
use scenarios as on;
use scenarios::{Outcome, Phases};
use shipped::Shipped;

/// Ours passes the scenario, as does a script without a flaw; those that are broken do not, each for its flaw.
#[track_caller]
fn replaced(
    scenario: fn(&mut dyn FnMut() -> Box<dyn Phases>) -> Outcome,
    broken: &[(&'static [Flaw], &str)],
) {
    assert_eq!(scenario(&mut || Box::new(Shipped::new())), Ok(()), "ours");
    assert_eq!(scenario(&mut || Box::new(Naive::new(&[]))), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = scenario(&mut || Box::new(Naive::new(flaws))).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Defect GSDD-19: a proof counts as fresh by the time of its file, and an empty one as a proof.
/// Shown on the published algorithm of GSDD-19: a touch, a checkout, a time in the future and an empty file pass.
#[test]
fn a_proof_is_fresh_by_history_and_not_by_the_time_of_its_file() {
    replaced(
        on::stale_proof,
        &[
            (&[Flaw::TimeOfFile], "passed after: a touch"),
            (&[Flaw::EmptyPasses], "passed after: an empty file"),
            (PUBLISHED, "passed after: a touch"),
        ],
    );
}

/// Defect GSDD-20: of two phases that are called done at once, one is lost, and so is one of two overrides.
/// Shown on the published algorithm of GSDD-20: both read before either writes.
#[test]
fn of_two_phases_at_once_none_is_lost() {
    replaced(
        on::two_at_once,
        &[
            (&[Flaw::Unlocked], "both were told that it is done"),
            (PUBLISHED, "both were told that it is done"),
        ],
    );
}

/// Defect GSDD-21: force may pass with a blank reason, or with a flag for one.
/// Shown on M43: force without a reason passes, and one that is forced leaves no record.
/// Shown on the published algorithm of GSDD-21: the same.
#[test]
fn force_needs_a_reason_and_leaves_it_with_the_step() {
    replaced(
        on::reasons,
        &[
            (&[Flaw::BlankReason], "passed by force with [\"--force\", \"--reason\", \"\"]"),
            (&[Flaw::RecordApart], "was forced, and nothing says why"),
            (PUBLISHED, "passed by force with [\"--force\", \"--reason\", \"\"]"),
        ],
    );
}
