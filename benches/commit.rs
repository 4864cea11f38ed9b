//! One commit in one process: a durable `lock.acquire` on a name of its own against a bare append of as many bytes and
//! its `fdatasync`, and how many relaxed ones there are in a second.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fencehold::journal::Durability;
use fencehold_benches::{Checkout, Goal, Quartiles, figure, pairs, timed};
use fencehold_model::LockName;

/// How many pairs, and how many operations a sample of a pair has.
const PAIRS: usize = 400;
const OPS: usize = 10;
/// How many samples of the relaxed rate, and how many commits each has.
const SAMPLES: usize = 100;
const COMMITS: usize = 2_000;
/// The names that are taken and released in turn.
const NAMES: usize = 64;

fn checkout() -> Checkout {
    Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .expect("a workspace can be made in the target folder")
}

fn bare(checkout: &Checkout) -> File {
    let path = checkout.root().join("bare");
    OpenOptions::new().append(true).create(true).open(path).expect("a file can be made beside the workspace")
}

/// The last line of the journal: what the bare append writes as well.
fn line(checkout: &Checkout) -> Vec<u8> {
    let journal = checkout.journal().expect("the workspace has a journal");
    let mut lines = journal.split_inclusive(|byte| *byte == b'\n');
    lines.next_back().expect("an acquire wrote a line").to_vec()
}

fn append(mut bare: &File, line: &[u8]) {
    bare.write_all(line).and_then(|()| bare.sync_data()).expect("the disk takes an append");
}

fn durable(criterion: &mut Criterion) {
    let checkout = checkout();
    let mut locks = checkout.locks(Durability::Durable).expect("a handle");
    for _ in 0..100 {
        locks.acquire_next().expect("granted");
    }
    let (bare, line) = (bare(&checkout), line(&checkout));
    let measured = pairs(
        PAIRS,
        || timed(OPS, || locks.acquire_next().expect("granted")),
        || timed(OPS, || append(&bare, &line)),
    );
    let (ours, theirs) = measured.micros();
    let what = format!(
        "the rate of durable acquires on distinct names over that of bare write + fdatasync of {} bytes; {:.0} and \
         {:.0} us each; by the sums, rotations included, {:.3}; on {}",
        line.len(),
        ours.median / OPS as f64,
        theirs.median / OPS as f64,
        measured.rate_of_sums(),
        checkout.filesystem().expect("a known filesystem")
    );
    figure("commit/durable", &what, measured.rates(), Goal::AtLeast(0.9));

    let mut group = criterion.benchmark_group("commit");
    group.bench_function("durable lock.acquire", |bencher| {
        bencher.iter_batched(|| (), |()| locks.acquire_next().expect("granted"), BatchSize::PerIteration);
    });
    group.bench_function("bare write + fdatasync", |bencher| {
        bencher.iter_batched(|| (), |()| append(&bare, &line), BatchSize::PerIteration);
    });
    group.finish();
}

fn rates(mut sample: impl FnMut() -> Duration) -> Quartiles {
    sample();
    Quartiles::of((0..SAMPLES).map(|_| COMMITS as f64 / sample().as_secs_f64()))
}

fn relaxed(criterion: &mut Criterion) {
    let checkout = checkout();
    let mut locks = checkout.locks(Durability::Relaxed).expect("a handle");
    let names: Vec<LockName> =
        (0..NAMES).map(|n| LockName::new(&format!("turn-{n:08}")).expect("a name")).collect();
    let mut turn = 0;
    let mut acquire_and_release = || {
        let name = &names[turn % NAMES];
        turn += 1;
        locks.acquire(name).expect("granted");
        locks.release(name).expect("released");
    };
    let reached = rates(|| timed(COMMITS / 2, &mut acquire_and_release));
    let what =
        format!("relaxed commits a second in one process: {NAMES} names, acquired and released in turn");
    figure("commit/relaxed", &what, reached, Goal::AtLeast(200_000.0));
    let mut group = criterion.benchmark_group("commit");
    group.bench_function("relaxed acquire and release", |bencher| bencher.iter(&mut acquire_and_release));
    group.finish();

    let reached = rates(|| timed(COMMITS, || locks.acquire_next().expect("granted")));
    let what = format!(
        "the same for acquires on distinct names, all of them held at the end, {} of them",
        SAMPLES * COMMITS + COMMITS
    );
    figure("commit/relaxed, distinct", &what, reached, Goal::None);
}

criterion_group!(benches, durable, relaxed);
criterion_main!(benches);
