//! The session guard under real processes: simulated sessions in one checkout, each with a process of its own as its
//! harness, ask the shipped hook before each tool call, while a nemesis kills, stops and continues them.
//!
//! Invariants: a call is recorded before it is sent and its answer after it was received, a death before the signal and a
//! session's end before it is told, so that what the record shows as held was held at least for so long; the judge sees
//! the record alone.

mod broken;
mod checkout;
mod counts;
mod draw;
mod globs;
mod harness;
mod inside;
mod judge;
mod leased;
mod nemesis;
mod record;
mod session;
mod stage;
mod users;
mod users_apart;
mod users_at_work;

pub(crate) use checkout::no_git;

pub use broken::{Defect, answer as broken_hook};
pub use counts::Counts;
pub use harness::{SHIPPED, stand_in};
pub use judge::{Found, judge};
pub use record::{Line, recorded};
pub use stage::stage;
pub use users::{Users, two_users};
pub use users_apart::be_two_users;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::rng::Rng;
use crate::target::{Handle, Signal};
use checkout::Checkout;
use record::Recorder;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that is `fencehold` when it is called so, and the stand-in when it is told to.
    pub program: PathBuf,
    /// What the sessions ask: [`SHIPPED`], or the word of a [`Defect`].
    pub hook: &'static str,
    /// The seed of what is drawn.
    pub seed: u64,
    /// How many sessions at once.
    pub sessions: usize,
    /// After how many tool calls a session's place is done.
    pub calls_max: u64,
    /// For how long at the least, where the calls last so long.
    pub least: Duration,
    /// For how long at the most: a run goes on beyond `least` only until everything that must happen sometimes did.
    pub most: Duration,
    /// The longest pause between two deeds of the nemesis.
    pub harm_every: Duration,
    /// Whether the OS lock of the workspace is held now and then, so that no hook can decide.
    pub jams: bool,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// What the judge found in the record.
    pub found: Found,
    /// Where the record was written.
    pub record: PathBuf,
}

/// The place of one session at a time.
#[derive(Debug, Default)]
struct Slot {
    alive: Mutex<Option<(Handle, u64)>>,
    /// Whether the harness was killed and the hook that it ran was not.
    alone: AtomicBool,
    /// How many calls that need a lock were about to be sent.
    moving: AtomicU64,
}

/// What all threads of a run share.
#[derive(Debug)]
struct Arena {
    options: Options,
    checkout: Checkout,
    recorder: Recorder,
    slots: Vec<Slot>,
    stop: AtomicBool,
    processes: AtomicU64,
    names: AtomicU64,
    calls: AtomicU64,
    /// The place that was let through last.
    last_inside: AtomicU64,
    living: Mutex<BTreeSet<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Arena {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn next(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// How often a run looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs sessions in a new checkout below `dir` and judges what they were told; `tell` hears how many calls were made.
///
/// # Errors
/// Where the harness itself could not do its part.
pub fn run(dir: &Path, options: &Options, tell: &mut dyn FnMut(u64)) -> Result<Run, String> {
    let arena = Arena {
        checkout: Checkout::make(dir, &options.program)?,
        recorder: Recorder::new(),
        slots: (0..options.sessions).map(|_| Slot::default()).collect(),
        stop: AtomicBool::new(false),
        processes: AtomicU64::new(0),
        names: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        last_inside: AtomicU64::new(0),
        living: Mutex::default(),
        options: options.clone(),
    };
    storm(&arena, tell)?;
    let lines = arena.recorder.into_lines();
    let record = dir.join("guard.ndjson");
    std::fs::write(&record, record::text(&lines))
        .map_err(|error| format!("{}: {error}", record.display()))?;
    Ok(Run { found: judge(&lines), record })
}

fn storm(arena: &Arena, tell: &mut dyn FnMut(u64)) -> Result<(), String> {
    let mut rng = Rng::new(arena.options.seed);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let sessions: Vec<_> = (0..arena.slots.len())
            .map(|slot| {
                let rng = Rng::new(rng.bits());
                scope.spawn(move || session::work(arena, slot, rng))
            })
            .collect();
        let rng = Rng::new(rng.bits());
        let nemesis = scope.spawn(move || nemesis::harm(arena, rng));
        loop {
            // The clock of the run; nothing is ordered by it.
            std::thread::sleep(LOOK_EVERY);
            tell(arena.calls.load(Ordering::Relaxed));
            let elapsed = begun.elapsed();
            let done = sessions.iter().all(std::thread::ScopedJoinHandle::is_finished);
            // Judged anew at each look beyond the least: by then there is little of it.
            let reached =
                || elapsed >= arena.options.least && arena.recorder.peek(|lines| judge(lines).is_enough());
            if done || elapsed >= arena.options.most || reached() {
                break;
            }
        }
        arena.stop.store(true, Ordering::SeqCst);
        let harmed = nemesis.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        for slot in &arena.slots {
            if let Some((handle, _)) = &*locked(&slot.alive) {
                handle.signal(Signal::CONT);
            }
        }
        for session in sessions {
            session.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        harmed
    })
}
