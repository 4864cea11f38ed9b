//! A worker: it drives one process after another, each until it is killed.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Arena;
use super::workload::Client;
use crate::rng::Rng;
use crate::target::{Child, Handle};

/// A target that says nothing for so long is hung; the longest stop of the nemesis is far shorter.
pub(super) const HUNG_AFTER: Duration = Duration::from_secs(20);

/// What the harness does itself.
const HARNESS_READ: &str = "harness.read";

/// The place of one process at a time: the nemesis signals what stands here, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<(Handle, u64)>>);

impl Slot {
    /// The process that runs here: what signals it, and its number in the history.
    pub(super) fn alive(&self) -> Option<(Handle, u64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, alive: Option<(Handle, u64)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = alive;
    }
}

/// Drives processes until the run stops. An error ends the run: the harness could not do its part.
pub(super) fn work(arena: &Arena, slot: usize, mut rng: Rng) -> Result<(), String> {
    while !arena.stopping() {
        let process = arena.new_process();
        let mut child = arena.spawn()?;
        arena.slots[slot].set(Some((child.handle(), process)));
        let client = Client::new(Rng::new(rng.bits()), arena.offers, &arena.shared, slot, process);
        if child.hello(HUNG_AFTER).is_ok() {
            converse(arena, process, &mut child, client);
        }
        arena.slots[slot].set(None);
        child.kill_and_reap();
        arena.recorder.died(process);
    }
    Ok(())
}

fn converse(arena: &Arena, process: u64, child: &mut Child, mut client: Client<'_>) {
    let mut id = 0;
    while !arena.stopping() {
        id += 1;
        let (op, args) = client.next();
        let Some(answer) = ask(arena, child, process, id, op, &args) else { return };
        arena.answered.fetch_add(1, Ordering::Relaxed);
        client.learn(op, &args, &answer);
    }
}

/// The number that the harness itself has in a history.
const HARNESS: u64 = 0;

/// Reads a file of the root, as anyone can, and records what stands there.
fn read(arena: &Arena, args: &Value) -> Value {
    let id = arena.read.fetch_add(1, Ordering::SeqCst) + 1;
    let path = arena.root.join(args["file"].as_str().unwrap_or_default());
    arena.recorder.invoke(HARNESS, id, HARNESS_READ, args);
    let text = std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let answer = json!({ "outcome": "ok", "value": { "text": text } });
    arena.recorder.answer(HARNESS, id, &answer);
    answer
}

/// Sends one operation and records both ends of it; none where no answer came.
pub(super) fn ask(
    arena: &Arena,
    child: &mut Child,
    process: u64,
    id: u64,
    op: &str,
    args: &Value,
) -> Option<Value> {
    if op == HARNESS_READ {
        return Some(read(arena, args));
    }
    let mut request = args.clone();
    request["id"] = json!(id);
    request["op"] = json!(op);
    arena.recorder.invoke(process, id, op, args);
    match child.request(&request, HUNG_AFTER) {
        Ok(answer) => {
            arena.recorder.answer(process, id, &answer);
            Some(answer)
        }
        Err(gone) => {
            arena.note_gone(&gone);
            None
        }
    }
}
