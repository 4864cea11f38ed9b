//! The simulated journal: how many executions of its clients are made, and judged, in a second on one core.

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold_benches::{Goal, Quartiles, figure, timed};
use fencehold_stress::sim::choice::{Random, Source};
use fencehold_stress::sim::journal::{Defect, StoreUsers, at_large};
use fencehold_stress::sim::scenario::Scenario;

/// How many samples, and how many executions each has.
const SAMPLES: usize = 50;
const EXECUTIONS: usize = 2_000;

/// Samples of the rate of drawn executions.
fn rates(users: &StoreUsers) -> Quartiles {
    let mut seeds = Random::new(1);
    let mut execution = || {
        let ran = users.run(Source::random(seeds.bits()));
        assert_eq!(ran.violation, None, "nothing is wrong with it");
    };
    timed(EXECUTIONS, &mut execution);
    Quartiles::of((0..SAMPLES).map(|_| EXECUTIONS as f64 / timed(EXECUTIONS, &mut execution).as_secs_f64()))
}

fn executions(_: &mut Criterion) {
    for (name, users, what, goal) in [
        (
            "two contenders",
            Defect::HolderIsClaim.setting(),
            "two clients that ask for one lock, without faults",
            Goal::AtLeast(60_000.0),
        ),
        ("at large", at_large(), "three clients with four operations each, and every fault", Goal::None),
    ] {
        let what = format!("executions a second on one core: {what}");
        figure(&format!("store/{name}"), &what, rates(&users), goal);
    }
}

criterion_group!(benches, executions);
criterion_main!(benches);
