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
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold::journal::Durability;
use fencehold_benches::{CLAIM, Checkout, Goal, HOLDER, Locks, figure, pairs, timed};
use fencehold_model::LockName;

const SUBJECT: &str = env!("CARGO_BIN_EXE_fencehold-bench-subject");
const NAME: &str = "build";
const PAIRS: usize = 300;

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts");
    assert!(status.success(), "{command:?} ended with {status}");
}

/// Its name, where ours runs, how theirs appends, that in words, and what is asked of it.
type Comparison<'a> = (&'a str, &'a Place, fn(&Checkout), &'a str, Goal);

/// A workspace, and a handle that lets go again what the processes took: how many locks there are is no part of this.
struct Place {
    checkout: Checkout,
    locks: Locks,
}

impl Place {
    /// `used`: its journal is in its second file. In the first one who comes owes the sync of the parent folder as well.
    fn new(used: bool) -> Self {
        let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
            .expect("a workspace can be made in the target folder");
        let locks = checkout.locks(Durability::Durable).expect("a handle");
        let place = Place { checkout, locks };
        while used && place.checkout.workspace().join("journal.1.ndjson").exists() {
            place.locks.acquire(&name()).expect("granted");
            place.release();
        }
        place
    }

    fn release(&self) {
        self.locks.release(&name()).expect("released");
    }

    /// `fencehold lock acquire`; the time of the process alone.
    fn acquire(&self) -> Duration {
        let took = timed(1, || {
            run(Command::new(SUBJECT)
                .args(["lock", "acquire", NAME, "--holder", HOLDER, "--claim", CLAIM])
                .current_dir(self.checkout.root()));
        });
        self.release();
        took
    }
}

fn name() -> LockName {
    LockName::new(NAME).expect("a name")
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
    let (used, first) = (Place::new(true), Place::new(false));
    let mut group = criterion.benchmark_group("cold");
    group.bench_function("fencehold lock acquire", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| used.acquire()).sum());
    });
    let probed = Command::new("flock").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !probed.is_ok_and(|status| status.success()) {
        println!("figure cold: skipped, because there is no flock(1) of util-linux on the PATH");
        return;
    }
    group.bench_function("flock -n FILE true", |bencher| bencher.iter(|| flock(&used.checkout)));
    group.bench_function("append and fdatasync, a process", |bencher| {
        bencher.iter(|| append_as_a_process(&used.checkout));
    });
    group.finish();

    let as_a_process = "append + fdatasync as a process of its own";
    let theirs: [Comparison<'_>; 3] = [
        ("cold", &used, append_as_a_process, as_a_process, Goal::AtMost(0.9)),
        ("cold, first journal file", &first, append_as_a_process, as_a_process, Goal::AtMost(0.9)),
        ("cold, strict", &used, append, "append + fdatasync by who measures", Goal::None),
    ];
    for (name, place, append, how, goal) in theirs {
        let measured = pairs(
            PAIRS,
            || place.acquire(),
            || {
                timed(1, || {
                    flock(&place.checkout);
                    append(&place.checkout);
                })
            },
        );
        let (ours, theirs) = measured.micros();
        let what = format!(
            "the time of the process `fencehold lock acquire` over that of the process `flock -n FILE true` and then {how}; \
             {:.0} and {:.0} us; on {}",
            ours.median,
            theirs.median,
            place.checkout.filesystem().expect("a known filesystem")
        );
        figure(name, &what, measured.times(), goal);
    }
}

criterion_group!(benches, cold);
criterion_main!(benches);
