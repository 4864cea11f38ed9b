//! The checker: how many transitions a second the search tries on one core, how many operations a second the witness
//! check judges. On histories that are right by construction, from the generator of the checker's own tests.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fencehold_benches::{Goal, Quartiles, figure};
use fencehold_model::history::History;
use fencehold_stress::check::{Report, Verdict, check};
use fencehold_stress::explore::{Config, Limit, Shipped, explore};

#[path = "../tests/checker/machine.rs"]
mod machine;
#[path = "../tests/checker/sim.rs"]
mod sim;

use sim::Plan;

const DEADLINE: Duration = Duration::from_secs(20);
const SAMPLES: usize = 30;
/// Operations in the histories.
const OPS: usize = 20_000;

/// Locks only: six clients, three names.
fn locks(revisions: bool, kills: u64) -> History {
    let plan = Plan { revisions, kills, files: false, ..Plan::new(7, OPS) };
    History::parse(&sim::history(plan)).expect("the history is well formed")
}

fn judged(history: &History) -> Report {
    let report = check(history, DEADLINE);
    assert_eq!(report.verdict, Verdict::Ok, "it is right by construction");
    report
}

/// Samples of a rate, each from one judgement.
fn rates(history: &History, of: impl Fn(&Report) -> u64) -> Quartiles {
    Quartiles::of((0..SAMPLES).map(|_| {
        let report = judged(history);
        of(&report) as f64 / report.elapsed.as_secs_f64()
    }))
}

fn witness(criterion: &mut Criterion) {
    for (name, kills, goal) in
        [("witness", 0, Goal::AtLeast(500_000.0)), ("witness, with kills", 25, Goal::None)]
    {
        let history = locks(true, kills);
        let counts = judged(&history).counts;
        let what = format!(
            "operations a second of the whole check where there are revisions; {} operations, {} of them without an \
             answer; {} of {} locks by the witness alone",
            counts.ops, counts.infos, counts.witnessed, counts.objects
        );
        figure(&format!("checker/{name}"), &what, rates(&history, |report| report.counts.ops as u64), goal);
        let mut group = criterion.benchmark_group("checker");
        group.throughput(Throughput::Elements(counts.ops as u64));
        group.bench_function(name, |bencher| bencher.iter(|| judged(&history)));
        group.finish();
    }
}

fn search(criterion: &mut Criterion) {
    for (name, kills) in [("search", 0), ("search, with kills", 25)] {
        let history = locks(false, kills);
        let counts = judged(&history).counts;
        let what = format!(
            "transitions a second of the whole check where there are no revisions, on one core; {} transitions for {} \
             operations, {} of them without an answer",
            counts.transitions, counts.ops, counts.infos
        );
        let goal = Goal::AtLeast(1_000_000.0);
        figure(&format!("checker/{name}"), &what, rates(&history, |report| report.counts.transitions), goal);
        let mut group = criterion.benchmark_group("checker");
        group.throughput(Throughput::Elements(counts.transitions));
        group.bench_function(name, |bencher| bencher.iter(|| judged(&history)));
        group.finish();
    }
}

/// The other search: every state of a small configuration of the lock machine, each transition beside the oracle.
fn explorer(_: &mut Criterion) {
    let limit = Limit { depth: u32::MAX, time: Duration::from_secs(2) };
    let (mut transitions, mut states) = (0, 0);
    let samples = (0..5).map(|_| {
        let explored = explore(&Shipped, &Config::two_names(), limit, &mut |_| {});
        assert!(explored.violation.is_none(), "{:?}", explored.violation);
        (transitions, states) = (explored.transitions, explored.states);
        explored.transitions as f64 / explored.elapsed.as_secs_f64()
    });
    let rate = Quartiles::of(samples);
    let what = format!(
        "judged transitions a second of the breadth-first search of the lock machine, two names, on one core; \
         {transitions} transitions over {states} states in the last sample"
    );
    figure("explorer", &what, rate, Goal::AtLeast(1_000_000.0));
}

criterion_group!(benches, witness, search, explorer);
criterion_main!(benches);
