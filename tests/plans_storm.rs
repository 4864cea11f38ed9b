//! The gate's stage `plans`: a helper without a flaw is never flagged, one with a flaw is.

use std::path::Path;
use std::time::Duration;

use fencehold_stress::plans::storm::{Found, Options, run};
use fencehold_stress::plans::{Flaw, Helper};

fn found(helper: Helper, seed: u64, kills: bool, least_ms: u64) -> Found {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        program: Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")).to_owned(),
        helper,
        seed,
        machines: 3,
        tasks: 16,
        least: Duration::from_millis(least_ms),
        most: Duration::from_secs(60),
        kills,
        short: false,
    };
    run(dir.path(), &options, &mut |_| {}).unwrap()
}

#[test]
fn the_shipped_helper_is_never_flagged() {
    let found = found(Helper::Shipped, 1, true, 3_000);
    println!("{:?}", found.counts);
    assert_eq!((found.violations, found.counts.missed(true, false)), (vec![], vec![]));
}

#[test]
fn a_helper_without_a_flaw_is_never_flagged() {
    let found = found(Helper::Own(&[]), 1, true, 1_500);
    println!("{:?}", found.counts);
    assert_eq!((found.violations, found.counts.missed(true, false)), (vec![], vec![]));
}

/// How often a broken one gets twice the time before it counts as missed.
const DOUBLINGS: u32 = 4;

#[test]
fn a_broken_helper_is_caught() {
    let broken: [(&'static [Flaw], &str); 5] = [
        (&[Flaw::AheadIsBehind], "of a branch with commits of its own"),
        (&[Flaw::IndexSweep], "holds what a person had staged"),
        (&[Flaw::PullFailContinue, Flaw::FetchFailContinue], "nobody could be asked, and it went on"),
        (&[Flaw::OpenLoop], "of the helper of"),
        (&[Flaw::SkippedIsFine], "ended as if all were well"),
    ];
    for (flaws, says) in broken {
        let mut violations = Vec::new();
        // A busy machine gets to little in half a second.
        for doubled in 0..=DOUBLINGS {
            let found = found(Helper::Own(flaws), 1 + u64::from(doubled), false, 500 << doubled);
            println!("{flaws:?}: {:?}", found.counts);
            violations.extend(found.violations);
            if violations.iter().any(|why| why.contains(says)) {
                break;
            }
        }
        assert!(violations.iter().any(|why| why.contains(says)), "{flaws:?}: {violations:?}");
    }
}
