//! The nemesis: SIGKILL of a harness, with the hook that it runs or without it; SIGSTOP and SIGCONT; a person who breaks
//! the lock; and the OS lock of the workspace held, so that no hook can decide.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;

use super::globs::GLOBS;
use super::{Arena, locked};
use crate::rng::Rng;
use crate::target::Signal;

/// How long the OS lock is held: longer than a hook waits.
const JAM: Duration = Duration::from_millis(1_100);

/// How long an aimed kill waits for a call that needs a lock.
const AIM: Duration = Duration::from_millis(60);
/// About what a hook takes, in microseconds.
const HOOK_US: u64 = 2_000;

/// Does harm until the run stops.
pub(super) fn harm(arena: &Arena, mut rng: Rng) -> Result<(), String> {
    let pause_us = u64::try_from(arena.options.harm_every.as_micros()).unwrap_or(u64::MAX).max(1);
    while !arena.stopping() {
        // Random instants are the point here; nothing is ordered by this pause.
        std::thread::sleep(Duration::from_micros(2_000 + rng.below(pause_us)));
        let aimed = usize::try_from(arena.last_inside.load(Ordering::Relaxed)).expect("a small number");
        let drawn = usize::try_from(rng.below(arena.slots.len() as u64)).expect("a small number");
        let slot = if rng.one_in(2) { aimed } else { drawn };
        match rng.below(100) {
            0..15 => kill(arena, slot, false),
            15..50 => aimed_kill(arena, slot, &mut rng),
            50..92 => stop_and_continue(arena, slot, &mut rng),
            92..97 => arena.break_lock(Some(rng.below(2 * GLOBS)).filter(|glob| *glob < GLOBS))?,
            97..99 if arena.options.jams => jam(arena)?,
            _ => {}
        }
    }
    Ok(())
}

/// Kills in the middle of a call that needs a lock, half of the time without the hook, which then has no harness.
fn aimed_kill(arena: &Arena, slot: usize, rng: &mut Rng) {
    let (moving, begun) = (&arena.slots[slot].moving, Instant::now());
    let before = moving.load(Ordering::SeqCst);
    while moving.load(Ordering::SeqCst) == before {
        if begun.elapsed() > AIM {
            return;
        }
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_micros(rng.below(HOOK_US)));
    kill(arena, slot, rng.one_in(2));
}

fn kill(arena: &Arena, slot: usize, alone: bool) {
    let slot = &arena.slots[slot];
    let alive = locked(&slot.alive);
    let Some((handle, process)) = &*alive else { return };
    arena.recorder.note(*process, "kill", json!({ "alone": alone }));
    if alone {
        slot.alone.store(true, Ordering::SeqCst);
        handle.signal_leader(Signal::KILL);
    } else {
        handle.signal(Signal::KILL);
    }
}

fn stop_and_continue(arena: &Arena, slot: usize, rng: &mut Rng) {
    if arena.slots[slot].alone.load(Ordering::SeqCst) {
        // Its harness may be reaped before it could be continued, and the hook would have its locks for ever.
        return;
    }
    let alive = locked(&arena.slots[slot].alive).clone();
    let Some((handle, process)) = alive else { return };
    arena.recorder.note(process, "stop", json!({}));
    handle.signal(Signal::STOP);
    let longest_ms = if rng.one_in(5) { 300 } else { 60 };
    std::thread::sleep(Duration::from_millis(5 + rng.below(longest_ms)));
    arena.recorder.note(process, "cont", json!({}));
    handle.signal(Signal::CONT);
}

fn jam(arena: &Arena) -> Result<(), String> {
    let path = arena.checkout.root.join(".git/fencehold/lock");
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let lock = File::open(&path).map_err(failed)?;
    lock.lock().map_err(failed)?;
    arena.recorder.note(0, "jam", json!({}));
    std::thread::sleep(JAM);
    arena.recorder.note(0, "unjam", json!({}));
    lock.unlock().map_err(failed)
}
