//! Opening a workspace and reading it once: with many events behind it against one with few.
//!
//! What is read is line one of the newest file, the folded state, and the lines after it, of which there are at most
//! [`ROTATE_BYTES`] or as many as line one is long: everything before lies in the archive.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold::journal::{Durability, ROTATE_BYTES};
use fencehold_benches::{Checkout, Goal, figure, pairs, timed};
use fencehold_model::LockName;

const MANY: usize = 100_000;
const FEW: usize = 100;
const PAIRS: usize = 300;
const OPENS: usize = 5;
/// The locks that are taken and released in turn: as many are remembered, however many events there were.
const NAMES: usize = 20;

/// A workspace with `events` behind it. `full`: and then with as many more as the newest file takes before it rotates.
fn workspace(events: usize, full: bool) -> Checkout {
    let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .expect("a workspace can be made in the target folder");
    // How it was written does not matter to who opens it.
    let locks = checkout.locks(Durability::Relaxed).expect("a handle");
    let mut written = 0;
    while written < events || (full && !is_full(&checkout)) {
        let name = LockName::new(&format!("lock-{:08}", written / 2 % NAMES)).expect("a name");
        locks.acquire(&name).expect("granted");
        locks.release(&name).expect("released");
        written += 2;
    }
    checkout
}

/// Length of line one of the newest file, and of the lines after it.
fn sizes(checkout: &Checkout) -> (usize, usize) {
    let journal = checkout.journal().expect("the workspace has a journal");
    let head = journal.iter().position(|byte| *byte == b'\n').expect("line one is whole") + 1;
    (head, journal.len() - head)
}

fn is_full(checkout: &Checkout) -> bool {
    let (head, tail) = sizes(checkout);
    let bound = usize::try_from(ROTATE_BYTES).expect("it is small").max(head);
    tail + 2_048 > bound
}

fn open(checkout: &Checkout) -> usize {
    checkout.locks(Durability::Durable).and_then(|locks| locks.held()).expect("it can be read")
}

fn opening(criterion: &mut Criterion) {
    let few = workspace(FEW, false);
    for (name, full) in [("open", false), ("open, the newest file about to rotate", true)] {
        let many = workspace(MANY, full);
        let measured = pairs(PAIRS, || timed(OPENS, || open(&many)), || timed(OPENS, || open(&few)));
        let (ours, theirs) = measured.micros();
        let shown = |checkout: &Checkout| {
            let (head, tail) = sizes(checkout);
            format!("{head} + {tail} bytes")
        };
        let what = format!(
            "the time to open and read once with {MANY} events behind it over that with {FEW}; {:.0} and {:.0} us; \
             line one + the lines after it: {} and {}; rotated beyond {ROTATE_BYTES}",
            ours.median / OPENS as f64,
            theirs.median / OPENS as f64,
            shown(&many),
            shown(&few)
        );
        figure(name, &what, measured.times(), Goal::AtMost(2.0));
        criterion.bench_function(&format!("{name}: {MANY} events"), |bencher| bencher.iter(|| open(&many)));
    }
    criterion.bench_function(&format!("open: {FEW} events"), |bencher| bencher.iter(|| open(&few)));
}

criterion_group!(benches, opening);
criterion_main!(benches);
