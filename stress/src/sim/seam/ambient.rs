//! What holds for every process that is started on this thread.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once, PoisonError};

use super::{Mutation, Record};

#[derive(Debug, Clone)]
pub(super) enum Ambient {
    Mutated(Mutation),
    Recorded(Arc<Mutex<Record>>),
}

thread_local! {
    static AMBIENT: RefCell<Option<Ambient>> = const { RefCell::new(None) };
}

pub(super) fn current() -> Option<Ambient> {
    AMBIENT.with_borrow(Clone::clone)
}

/// Puts back what held before, a panic included.
struct Before(Option<Ambient>);

impl Drop for Before {
    fn drop(&mut self) {
        AMBIENT.set(self.0.take());
    }
}

fn within<R>(ambient: Option<Ambient>, run: impl FnOnce() -> R) -> R {
    let _before = Before(AMBIENT.replace(ambient));
    run()
}

/// Runs `run`; each process that it starts on this thread has this mutation, or none.
pub fn under<R>(mutation: Option<Mutation>, run: impl FnOnce() -> R) -> R {
    within(mutation.map(Ambient::Mutated), run)
}

/// Runs `run` and tells which places the processes that it started on this thread called from.
pub fn recording<R>(run: impl FnOnce() -> R) -> (R, Record) {
    let record = Arc::new(Mutex::new(Record::default()));
    let result = within(Some(Ambient::Recorded(Arc::clone(&record))), run);
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
    (result, std::mem::take(&mut *record))
}

/// From now on a panic under a mutation is told to nobody but the judge: it is a way of being caught.
pub fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !matches!(current(), Some(Ambient::Mutated(_))) {
                before(info);
            }
        }));
    });
}
