//! Processes that use the shipped code at the same time, are killed at any call, and leave a disk that is then judged.

mod committers;
mod compacts;
mod creators;
mod files;
mod locks;
mod machines;
mod overrides;
mod prose;

pub use committers::Committers;
pub use compacts::Compacts;
pub use creators::Creators;
pub use files::Files;
pub use locks::LockUsers;
pub use machines::MachineUsers;
pub use overrides::Overrides;
pub use prose::Accepts;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fencehold_model::Entry;

use super::overrides::Way;
use super::prose as accepting;
use super::scenario::Scenario;
use super::workspace::Client;
use super::world::{Ended, Plan, World};

/// Everything that processes do together, in a fixed order.
#[must_use]
pub fn all() -> Vec<Box<dyn Scenario>> {
    vec![
        Box::new(LockUsers::new()),
        Box::new(LockUsers::rotating()),
        Box::new(MachineUsers::new()),
        Box::new(Files::new()),
        Box::new(Compacts::new()),
        Box::new(Creators::new()),
        Box::new(Overrides::new(Way::Shipped)),
        Box::new(Accepts::new(accepting::Way::Shipped)),
    ]
}

/// What processes were told, in the order in which they were told it. It stands outside of the simulated world: a kill
/// does not take it back.
#[derive(Debug)]
struct Told<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Told<T> {
    fn clone(&self) -> Self {
        Told(Arc::clone(&self.0))
    }
}

impl<T> Told<T> {
    fn nothing() -> Self {
        Told(Arc::default())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, told: T) {
        self.lock().push(told);
    }
}

/// The events that are left, where everybody ended by itself or was killed and the history has no gap.
fn whole_history(world: &World, ended: &[Ended<()>]) -> Result<Vec<Entry>, String> {
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    let read = world.alone(Plan::NONE, |fs, host| Client::new(fs, host, "judge").history());
    let read = read.returned().ok_or("the judge did not end by itself")?;
    let (entries, notes) = read.map_err(|error| format!("the next process is told: {error}"))?;
    match notes.first() {
        Some(note) => Err(format!("the history has a gap: {note}")),
        None => Ok(entries),
    }
}
