//! The crash explorer: the power fails at every call, every legal subset survives, and the shipped code recovers.

use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::power::{self, Bounds, Counts, Power};

const BOUNDS: Bounds = Bounds { subsets_max: 16, again_max: 4, cuts_max: 3 };

fn explored(cases: Vec<Power>) -> Counts {
    let mut counts = Counts::default();
    for case in cases {
        let (seen, found) = case.explore(BOUNDS, 1);
        assert!(found.is_none(), "{}", found.expect("it is there"));
        counts.add(&seen);
    }
    println!("{counts:?}");
    counts
}

#[test]
fn power_alone() {
    explored(power::alone(Persistence::Ext4));
}

#[test]
fn power_pairs() {
    explored(power::pairs(Persistence::Ext4));
}
