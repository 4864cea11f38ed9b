//! The kill soak: real processes on a real disk, killed at random instants, their history judged.
//!
//! Workers drive processes of the target, several at once, each with one operation in flight; the nemesis kills, stops
//! and continues them, and leaves half lines and damage; every answer is recorded at the client's side. Afterwards a
//! fresh process opens what is left, and the checker judges the whole.

mod aftermath;
mod leases;
mod nemesis;
mod proposals;
mod recorder;
mod stage;
mod tasks;
mod worker;
mod workload;

pub use aftermath::{Aftermath, repair_folder};
pub use nemesis::Deeds;
pub use recorder::{Recorder, SLACK_MS};
pub use stage::{Soak, Sometimes, soak, stage};
pub use workload::Offers;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::rng::Rng;
use crate::target::{Child, Gone, Spec};
use worker::{HUNG_AFTER, Slot};
use workload::{Client, Shared};

/// How a soak is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is driven.
    pub spec: Spec,
    /// Whether it is our own implementation, whose files the nemesis knows.
    pub ours: bool,
    /// The seed of what is drawn.
    pub seed: u64,
    /// For how long.
    pub duration: Duration,
    /// How many processes at once.
    pub processes: usize,
    /// The longest pause between two deeds of the nemesis.
    pub harm_every: Duration,
    /// How long a counterexample is shrunk; zero leaves it as it is.
    pub shrink_within: Duration,
}

/// What all threads of a run share.
#[derive(Debug)]
pub struct Arena {
    spec: Spec,
    ours: bool,
    root: PathBuf,
    workspace: PathBuf,
    stderr: PathBuf,
    recorder: Recorder,
    offers: Offers,
    shared: Shared,
    slots: Vec<Slot>,
    harm_every_us: u64,
    stop: AtomicBool,
    processes: AtomicU64,
    /// How many files the harness itself read.
    read: AtomicU64,
    answered: AtomicU64,
    hung: AtomicU64,
    garbled: Mutex<Vec<String>>,
}

/// What a run left behind, before it is judged.
#[derive(Debug)]
pub struct Run {
    /// The history's file.
    pub history: PathBuf,
    /// What the target said of itself.
    pub hello: Value,
    /// What the nemesis did.
    pub deeds: Deeds,
    /// What was found on the disk afterwards; only of our own implementation.
    pub aftermath: Option<Aftermath>,
    /// Answers that did not come, and lines that were none.
    pub complaints: Vec<String>,
}

impl Arena {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn new_process(&self) -> u64 {
        self.processes.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn spawn(&self) -> Result<Child, String> {
        self.spec
            .spawn(&self.root, &self.stderr)
            .map_err(|error| format!("starting {}: {error}", self.spec.text()))
    }

    fn note_gone(&self, gone: &Gone) {
        match gone {
            Gone::Eof => {}
            Gone::TimedOut => {
                self.hung.fetch_add(1, Ordering::SeqCst);
            }
            Gone::BadLine(_) => {
                let mut garbled = self.garbled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                garbled.push(gone.to_string());
            }
        }
    }

    /// Repairs the workspace; killed after `after`, if that is given. True where it ended well.
    fn repair(&self, after: Option<Duration>) -> Result<bool, String> {
        aftermath::repair(&self.workspace, &self.stderr, after)
    }
}

/// Runs a soak below `dir`: the disk in `dir/disk`, the history in `dir/history.ndjson`.
///
/// # Errors
/// Where the harness itself could not do its part.
pub fn run(dir: &Path, options: &Options, tell: &mut dyn FnMut(u64, Duration)) -> Result<Run, String> {
    let root = dir.join("disk");
    let stderr = dir.join("stderr.txt");
    std::fs::create_dir_all(&root).map_err(|error| format!("creating {}: {error}", root.display()))?;
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let hello = first_hello(&options.spec, &root, &stderr)?;
    let history = dir.join("history.ndjson");
    let arena = begin(options, &root, &stderr, &history, &hello)
        .map_err(|error| format!("creating {}: {error}", history.display()))?;
    let deeds = storm(&arena, options, tell)?;
    last_looks(&arena)?;
    arena.recorder.finish().map_err(|error| format!("writing {}: {error}", history.display()))?;
    let aftermath = options.ours.then(|| Aftermath::of(&arena.workspace, &history, &deeds)).transpose()?;
    let mut complaints = arena.garbled.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let hung = arena.hung.load(Ordering::SeqCst);
    if hung > 0 {
        complaints.push(format!("{hung} requests were not answered within {} s", HUNG_AFTER.as_secs()));
    }
    Ok(Run { history, hello, deeds, aftermath, complaints })
}

fn first_hello(spec: &Spec, root: &Path, stderr: &Path) -> Result<Value, String> {
    let mut child = spec.spawn(root, stderr).map_err(|error| format!("starting {}: {error}", spec.text()))?;
    let answer =
        child.hello(HUNG_AFTER).map_err(|gone| format!("{} gave no answer to hello: {gone}", spec.text()))?;
    match answer["outcome"].as_str() {
        Some("ok") if answer["value"].is_object() => Ok(answer["value"].clone()),
        _ => Err(format!("{} answered hello with {answer}", spec.text())),
    }
}

fn begin(options: &Options, root: &Path, stderr: &Path, history: &Path, hello: &Value) -> io::Result<Arena> {
    Ok(Arena {
        spec: options.spec.clone(),
        ours: options.ours,
        root: root.to_owned(),
        workspace: root.join(".fencehold"),
        stderr: stderr.to_owned(),
        recorder: Recorder::begin(history, options.seed, options.spec.text(), hello)?,
        offers: Offers::of(hello),
        shared: Shared::default(),
        slots: (0..options.processes).map(|_| Slot::default()).collect(),
        harm_every_us: u64::try_from(options.harm_every.as_micros()).unwrap_or(u64::MAX).max(1),
        stop: AtomicBool::new(false),
        processes: AtomicU64::new(0),
        read: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        hung: AtomicU64::new(0),
        garbled: Mutex::new(Vec::new()),
    })
}

/// Lets workers and nemesis loose for the time asked for.
fn storm(arena: &Arena, options: &Options, tell: &mut dyn FnMut(u64, Duration)) -> Result<Deeds, String> {
    let mut rng = Rng::new(options.seed);
    let end = Instant::now() + options.duration;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arena.slots.len())
            .map(|slot| {
                let rng = Rng::new(rng.bits());
                scope.spawn(move || worker::work(arena, slot, rng))
            })
            .collect();
        let rng = Rng::new(rng.bits());
        let nemesis = scope.spawn(move || nemesis::harm(arena, rng));
        while Instant::now() < end && !workers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
            // The clock of the run; nothing is ordered by it.
            std::thread::sleep(Duration::from_millis(100));
            tell(arena.answered.load(Ordering::Relaxed), end.saturating_duration_since(Instant::now()));
        }
        arena.stop.store(true, Ordering::SeqCst);
        let deeds = join(nemesis)?;
        for (handle, _) in arena.slots.iter().filter_map(Slot::alive) {
            handle.signal(crate::target::Signal::CONT);
        }
        for worker in workers {
            join(worker)?;
        }
        Ok(deeds)
    })
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T, String>>) -> Result<T, String> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A fresh process opens what is left.
fn last_looks(arena: &Arena) -> Result<(), String> {
    let process = arena.new_process();
    let mut child = arena.spawn()?;
    child.hello(HUNG_AFTER).map_err(|gone| format!("after the run a fresh process gave no hello: {gone}"))?;
    let mut id = 0;
    for (op, mut args) in Client::last_looks(&arena.shared, arena.offers) {
        loop {
            id += 1;
            let answer = worker::ask(arena, &mut child, process, id, op, &args)
                .ok_or_else(|| format!("after the run a fresh process did not answer {op} {args}"))?;
            match answer["value"].get("next") {
                Some(next) if !next.is_null() => args["after"] = next.clone(),
                _ => break,
            }
        }
    }
    child.close(HUNG_AFTER);
    arena.recorder.died(process);
    Ok(())
}
