//! The simulated world: executions and calls a second on one core, and a search to its end.
//!
//! `cargo bench -p fencehold-benches --bench worlds`. The search prints how many runs it was.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use fencehold_stress::sim::choice::{Explorer, Random, Reduction, Source, Touched};
use fencehold_stress::sim::mutants::Protocol;
use fencehold_stress::sim::scenario::{Scenario, exhaust_by};
use fencehold_stress::sim::together::{Committers, Files, LockUsers};
use fencehold_stress::sim::world::Options;

/// Drawn runs of one scenario; `calls` of them are counted beforehand, as the mean over so many.
fn drawn(criterion: &mut Criterion, name: &str, scenario: &dyn Scenario) {
    let mut seeds = Random::new(1);
    let sample = 200;
    let steps: u64 =
        (0..sample).map(|_| scenario.run(Source::random(seeds.bits()).quiet()).source.steps()).sum();
    let mut group = criterion.benchmark_group("worlds");
    for (what, throughput) in [("executions", 1), ("calls", steps / sample)] {
        group.throughput(Throughput::Elements(throughput));
        group.bench_function(format!("{name}, {what}"), |bencher| {
            bencher.iter(|| black_box(scenario.run(Source::random(seeds.bits()).quiet()).violation));
        });
    }
    group.finish();
}

/// Every schedule of `processes` with one commit each, two preemptions and a kill at every point.
fn search(processes: usize) {
    let options = Options { alike: true, ..Options::bounded(2, 1) };
    let explorer = Explorer::reduced(Reduction::Bounded, Touched::commutes);
    let began = Instant::now();
    let explored = exhaust_by(explorer, &Committers::new(processes, options), u64::MAX, &mut |_| {});
    let explored = explored.expect("the shipped code stands every schedule");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{processes} processes with one commit each, 2 preemptions, a kill anywhere: {explored:?} in {seconds:.1} s"
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    drawn(&mut criterion, "two contenders", &Protocol::DoubleTakeover);
    drawn(&mut criterion, "two committers", &Committers::new(2, Options::default()));
    drawn(&mut criterion, "locks", &LockUsers::new());
    drawn(&mut criterion, "log and document", &Files::new());
    (2..=3).for_each(search);
    criterion.final_summary();
}
