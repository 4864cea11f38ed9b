//! Leases and statuses: what a grant, a close and a set cost beside a `lock.acquire`, and whether that stays so with many
//! leases open.
//!
//! *Open handle*: one process that has caught up, as a server or an agent's client is. *Cold*: `fencehold lock acquire`
//! as one process, from `fork` to its end; it reads line one of the journal, the leases in it included.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{Asking, Durability, FileJournal, Options};
use fencehold::ledger::{LeaseVerdict, Ledger, TaskVerdict};
use fencehold_benches::{CLAIM, Checkout, Goal, HOLDER, Pairs, Quartiles, figure, pairs, timed};
use fencehold_model::lease::{About, Command as Lease, Proof};
use fencehold_model::status::Command as Status;
use fencehold_model::{Holder, LeaseId, Pattern, TaskId, Token};

const SUBJECT: &str = env!("CARGO_BIN_EXE_fencehold-bench-subject");
const PAIRS: usize = 300;
const OPS: usize = 10;
/// Live leases of the comparisons: for a process that starts, for an open handle, and for the memory.
const LIVE_COLD: usize = 1_000;
const LIVE_HANDLE: usize = 100_000;
const LIVE_MEMORY: usize = 10_000;

/// A checkout and a handle that grants, closes and sets there.
struct Desk {
    checkout: Checkout,
    ledger: Ledger<FileJournal<RealFs, RealHost>, RealHost>,
    holder: Holder,
    next: usize,
}

impl Desk {
    fn new(durability: Durability) -> Self {
        let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
            .expect("a workspace can be made in the target folder");
        Desk::at(checkout, durability)
    }

    fn at(checkout: Checkout, durability: Durability) -> Self {
        let host = RealHost::new().expect("the machine can be looked at");
        let options = Options { durability, ..Options::default() };
        let journal = FileJournal::new(RealFs, host.clone(), &checkout.workspace(), options);
        Desk {
            checkout,
            ledger: Ledger::new(journal, host),
            holder: Holder::new(HOLDER).expect("a word"),
            next: 0,
        }
    }

    /// One with this many leases open, each on a folder of its own.
    fn with_live(live: usize, durability: Durability) -> Self {
        let mut filling = Desk::new(Durability::Relaxed);
        for _ in 0..live {
            filling.grant();
        }
        let next = filling.next;
        Desk { next, ..Desk::at(filling.checkout, durability) }
    }

    fn asking(&self) -> Asking {
        Asking { actor: self.holder.clone(), op: self.ledger.new_op() }
    }

    fn id(n: usize) -> LeaseId {
        LeaseId::new(&format!("work-{n:08}")).expect("a word")
    }

    fn grant(&mut self) -> (LeaseId, Token) {
        self.next += 1;
        let lease = Desk::id(self.next);
        let entry = format!("src/area{}/part{}/file{}.rs", self.next % 100, self.next / 100 % 100, self.next);
        let command = Lease::Grant {
            lease: lease.clone(),
            holder: self.holder.clone(),
            ttl_ms: None,
            writes: vec![Pattern::new(&entry).expect("a path")],
            about: About::default(),
            bound: None,
            asked_by: None,
        };
        match self.ledger.lease(&self.asking(), &command).expect("it is recorded").verdict {
            LeaseVerdict::Granted { token, .. } => (lease, token),
            other => panic!("{lease} was not granted: {other:?}"),
        }
    }

    fn close(&self, (lease, token): (LeaseId, Token)) {
        let command = Lease::Close { lease, proof: Proof::Token(token) };
        match self.ledger.lease(&self.asking(), &command).expect("it is recorded").verdict {
            LeaseVerdict::Closed { already: false, .. } => {}
            other => panic!("it was not closed: {other:?}"),
        }
    }

    fn set(&mut self) {
        self.next += 1;
        let command = Status::Set {
            task: TaskId::new(&format!("task-{:08}", self.next)).expect("a word"),
            to: fencehold_model::Status::new("todo").expect("a word"),
            from: None,
            epoch: 0,
            detail: None,
            resolve: false,
        };
        match self.ledger.task(&self.asking(), &command).expect("it is recorded").verdict {
            TaskVerdict::Stands { already: false, .. } => {}
            other => panic!("it was not set: {other:?}"),
        }
    }
}

fn told(name: &str, what: &str, measured: &Pairs, times: usize, value: Quartiles, goal: Goal) {
    let (ours, theirs) = measured.micros();
    let each = |quartiles: Quartiles| quartiles.median / times as f64;
    figure(name, &format!("{what}; {:.0} and {:.0} us each", each(ours), each(theirs)), value, goal);
}

/// Grant, close and set beside `lock.acquire`, all durable, each in a workspace of its own.
fn beside_a_lock(_: &mut Criterion) {
    let mut locks = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .and_then(|checkout| Ok((checkout.locks(Durability::Durable)?, checkout)))
        .expect("a handle");
    let mut acquire = || timed(OPS, || locks.0.acquire_next().expect("granted"));
    let mut desk = Desk::new(Durability::Durable);
    let grants = pairs(PAIRS, || timed(OPS, || desk.grant()), &mut acquire);
    let what = "the rate of durable grants, one path each, over that of lock.acquire";
    told("nouns/grant", what, &grants, OPS, grants.rates(), Goal::AtLeast(1.0));
    let mut desk = Desk::new(Durability::Durable);
    let closes = pairs(
        PAIRS,
        || {
            let granted: Vec<_> = (0..OPS).map(|_| desk.grant()).collect();
            let mut granted = granted.into_iter();
            timed(OPS, || desk.close(granted.next().expect("as many")))
        },
        &mut acquire,
    );
    told("nouns/close", "the same for closes", &closes, OPS, closes.rates(), Goal::AtLeast(1.0));
    let mut desk = Desk::new(Durability::Durable);
    let sets = pairs(PAIRS, || timed(OPS, || desk.set()), &mut acquire);
    told("nouns/set", "the same for sets of new tasks", &sets, OPS, sets.rates(), Goal::AtLeast(1.0));
}

/// Grant and close on an open handle, with many leases open against none.
fn handle(_: &mut Criterion) {
    for durability in [Durability::Durable, Durability::Relaxed] {
        let mut many = Desk::with_live(LIVE_HANDLE, durability);
        let mut none = Desk::new(durability);
        let turn = |desk: &mut Desk| {
            let granted = desk.grant();
            desk.close(granted);
        };
        let measured = pairs(PAIRS, || timed(OPS, || turn(&mut many)), || timed(OPS, || turn(&mut none)));
        let what = format!(
            "the time of a grant and its close ({durability:?}) on an open handle with {LIVE_HANDLE} leases open over \
             that with none; by the sums, rotations included, {:.3}",
            1.0 / measured.rate_of_sums()
        );
        let name = format!("nouns/handle, {durability:?}");
        told(&name, &what, &measured, OPS, measured.times(), Goal::AtMost(1.15));
    }
}

fn cold_acquire(desk: &Desk) -> Duration {
    let took = timed(1, || {
        let status = Command::new(SUBJECT)
            .args(["lock", "acquire", "build", "--holder", HOLDER, "--claim", CLAIM])
            .current_dir(desk.checkout.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("it starts").success());
    });
    let locks = desk.checkout.locks(Durability::Durable).expect("a handle");
    locks.release(&fencehold_model::LockName::new("build").expect("a word")).expect("released");
    took
}

/// A process that starts, with many leases open against none, and what it takes of memory.
fn cold(_: &mut Criterion) {
    let (many, none) = (Desk::with_live(LIVE_COLD, Durability::Durable), Desk::new(Durability::Durable));
    let measured = pairs(PAIRS, || cold_acquire(&many), || cold_acquire(&none));
    let what =
        format!("the time of `fencehold lock acquire` with {LIVE_COLD} leases open over that with none");
    told("nouns/cold", &what, &measured, 1, measured.times(), Goal::AtMost(1.15));
    let many = Desk::with_live(LIVE_MEMORY, Durability::Durable);
    for (name, args) in [
        ("lock acquire", &["lock", "acquire", "build", "--claim", CLAIM][..]),
        ("lease grant", &["lease", "grant", "another", "--writes", "else/where.rs"]),
        ("lease list", &["lease", "list"]),
    ] {
        let what = format!(
            "the most memory (MiB, ru_maxrss) that `fencehold {name}` took with {LIVE_MEMORY} leases open"
        );
        let mib = memory_mib(&many, args);
        figure(&format!("nouns/memory, {name}"), &what, Quartiles::of([mib]), Goal::AtMost(24.0));
    }
}

/// What a command takes of memory at the most.
fn memory_mib(desk: &Desk, args: &[&str]) -> f64 {
    let mut command = Command::new(SUBJECT);
    command.arg("memory-of").args(args).current_dir(desk.checkout.root()).env("FENCEHOLD_HOLDER", HOLDER);
    let output = command.output().expect("it starts");
    let kib = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    kib.expect("it prints a number") / 1024.0
}

criterion_group!(benches, beside_a_lock, cold, handle);
criterion_main!(benches);
