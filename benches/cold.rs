//! One lock taken by a process of its own, as a script or a hook takes it.
//!
//! *Ours*: `fencehold lock acquire NAME` as one process, from `fork` to its end: it finds the checkout, takes the lock
//! durably, and prints a token that fences.
//!
//! *Theirs*, what a script does without it: `flock -n FILE true` (util-linux, which itself starts `true`), and then one
//! `fdatasync` of an appended line, so that there is a trace of it after a power cut. Twice: with that append made by
//! a second process, as a shell would (the figure with the goal), and made by the process that measures, which costs
//! no start of a process (a second line, the stricter comparison).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold_benches::{Checkout, Goal, figure, pairs, timed};

const SUBJECT: &str = env!("CARGO_BIN_EXE_fencehold-bench-subject");
const PAIRS: usize = 500;

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts");
    assert!(status.success(), "{command:?} ended with {status}");
}

/// `fencehold lock acquire`, on a name of its own.
fn ours(checkout: &Checkout, number: &mut u64) {
    *number += 1;
    run(Command::new(SUBJECT)
        .args(["lock", "acquire", &format!("lock-{number:08}"), "--holder", "bench"])
        .current_dir(checkout.root()));
}

/// `flock -n FILE true`.
fn flock(checkout: &Checkout) {
    run(Command::new("flock").args(["-n", "file", "true"]).current_dir(checkout.root()));
}

/// An appended line and its `fdatasync`, by a process of its own.
fn append_as_a_process(checkout: &Checkout) {
    run(Command::new(SUBJECT).args(["append-and-sync", "noted"]).current_dir(checkout.root()));
}

/// The same, by this process.
fn append(checkout: &Checkout) {
    let path = checkout.root().join("noted");
    let appended = OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| {
        file.write_all(b"a line as a script would note it\n")?;
        file.sync_data()
    });
    appended.expect("the disk takes an append");
}

fn cold(criterion: &mut Criterion) {
    let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .expect("a workspace can be made in the target folder");
    let mut number = 0;
    let mut group = criterion.benchmark_group("cold");
    group.bench_function("fencehold lock acquire", |bencher| bencher.iter(|| ours(&checkout, &mut number)));
    let probed = Command::new("flock").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !probed.is_ok_and(|status| status.success()) {
        println!("figure cold: skipped, because there is no flock(1) of util-linux on the PATH");
        return;
    }
    group.bench_function("flock -n FILE true", |bencher| bencher.iter(|| flock(&checkout)));
    group.bench_function("append and fdatasync, a process", |bencher| {
        bencher.iter(|| append_as_a_process(&checkout));
    });
    group.finish();

    /// A name, what appends and syncs, how, and the goal.
    type Theirs = (&'static str, fn(&Checkout), &'static str, Goal);
    let theirs: [Theirs; 2] = [
        ("cold", append_as_a_process, "append + fdatasync as a process of its own", Goal::AtMost(0.9)),
        ("cold, strict", append, "append + fdatasync by who measures", Goal::None),
    ];
    for (name, append, how, goal) in theirs {
        let measured = pairs(
            PAIRS,
            || timed(1, || ours(&checkout, &mut number)),
            || {
                timed(1, || {
                    flock(&checkout);
                    append(&checkout);
                })
            },
        );
        let (ours, theirs) = measured.micros();
        let what = format!(
            "the time of the process `fencehold lock acquire` over that of the process `flock -n FILE true` and then {how}; \
             {:.0} and {:.0} us; on {}",
            ours.median,
            theirs.median,
            checkout.filesystem().expect("a known filesystem")
        );
        figure(name, &what, measured.times(), goal);
    }
}

criterion_group!(benches, cold);
criterion_main!(benches);
