//! The trait `Journal` over the simulated store: a call sends, waits for what the source lets happen, and answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fencehold::error::Result;
use fencehold::journal::{Asking, Committed, Durability, Journal, Seen};
use fencehold_model::{Entry, Event, State, TimeMs, WorkspaceId};

use super::call::{Cache, Call, Decided, Next};
use super::message::{Answer, Request};
use super::remote::{ClientId, Remote};
use crate::sim::choice::Source;

/// One store, and the way to it. Every clone is the same one.
#[derive(Debug, Clone)]
pub struct SimStore(Arc<Mutex<Remote>>);

/// What is wrong with the way of one client to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing but what the source chooses.
    Chosen,
    /// Nothing that it sends arrives.
    CutOff,
    /// What it sends arrives before it gives up, and it hears no answer but that to a fetch.
    Unanswered,
}

/// One client of a [`SimStore`].
#[derive(Debug)]
pub struct SimJournal {
    store: SimStore,
    id: ClientId,
    trouble: Trouble,
    durability: Durability,
    /// How far the client's own clock is ahead of the store's.
    ahead_ms: u64,
    cache: Mutex<Cache>,
}

impl SimStore {
    /// The store that `remote` leads to.
    #[must_use]
    pub fn new(remote: Remote) -> Self {
        SimStore(Arc::new(Mutex::new(remote)))
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self, id: usize, trouble: Trouble, ahead_ms: u64) -> SimJournal {
        let (store, durability) = (self.clone(), Durability::Durable);
        SimJournal { store, id, trouble, durability, ahead_ms, cache: Mutex::default() }
    }

    /// One whose answers do not wait until what they rest on is durable.
    #[must_use]
    pub fn relaxed(&self, id: usize) -> SimJournal {
        SimJournal { durability: Durability::Relaxed, ..self.client(id, Trouble::Chosen, 0) }
    }

    /// Lets time pass.
    pub fn pass(&self, ms: u64) {
        self.remote().pass(ms);
    }

    /// All that was ever appended, in that order.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.remote().store.log.iter().map(|entry| Entry::clone(entry)).collect()
    }

    /// The source with all that was asked of it so far.
    #[must_use]
    pub fn source(&self) -> Source {
        self.remote().source.clone()
    }

    fn remote(&self) -> MutexGuard<'_, Remote> {
        // Nothing of a caller runs while it is locked, so what a panic leaves is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimJournal {
    fn call<A>(
        &self,
        asking: Option<Asking>,
        mut decide: impl FnMut(&State, TimeMs) -> Decided<A>,
    ) -> Result<Committed<A>> {
        // The decision runs outside of every lock: whatever it asks of other clients is answered.
        let mut cache = self.cache().clone();
        let (limits, defect) = {
            let remote = self.store.remote();
            cache.clock_ms = remote.store.clock_ms + self.ahead_ms;
            (remote.limits, remote.defect)
        };
        let mut call = Call::new(asking, self.durability == Durability::Durable, limits, defect);
        let mut next = call.begin(&mut cache, &mut decide);
        loop {
            let request = match next {
                Next::Send(request) => request,
                Next::Done(result, trim) => {
                    if let Some(trim) = trim {
                        self.store.remote().send(self.id, trim);
                    }
                    *self.cache() = cache;
                    return result;
                }
            };
            next = match self.ask(request) {
                Some(answer) => call.heard(answer, &mut cache, &mut decide),
                None => call.timed_out(&cache),
            };
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and waits. None where no answer came in time.
    fn ask(&self, request: Request) -> Option<Answer> {
        let mut remote = self.store.remote();
        let deaf = self.trouble == Trouble::Unanswered && !matches!(request, Request::Fetch { .. });
        if self.trouble == Trouble::CutOff {
            remote.give_up(self.id, 0);
            return None;
        }
        let question = remote.send(self.id, request);
        loop {
            // The oldest comes first where nothing is out of order.
            let late = self.trouble == Trouble::Chosen && remote.left.late_max > 0;
            let may_give_up = late || remote.place(question).is_none();
            let under_way = remote.under_way();
            let chosen = remote.source.choose("next", under_way + usize::from(may_give_up));
            if chosen == under_way {
                remote.give_up(self.id, question);
                return None;
            }
            if let Some(arrived) = remote.serve(chosen).filter(|it| it.question == question && !deaf) {
                return Some(arrived.answer);
            }
        }
    }
}

impl Journal for SimJournal {
    fn commit<A>(
        &self,
        asking: &Asking,
        decide: impl FnMut(&State, TimeMs) -> std::result::Result<Event, A>,
    ) -> Result<Committed<A>> {
        self.call(Some(asking.clone()), decide)
    }

    fn read<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>> {
        let mut look = Some(look);
        let seen = self.call(None, |state, now_ms| {
            let look = look.take().expect("an answer without an event is the last word");
            Err((look(state, now_ms), now_ms))
        })?;
        let Err((value, at_ms)) = seen.outcome else { unreachable!("a read decides on no event") };
        Ok(Seen { revision: seen.revision, at_ms, value })
    }

    fn now_ms(&self) -> Result<TimeMs> {
        self.read(|_, now_ms| now_ms).map(|seen| seen.value)
    }

    fn workspace(&self) -> Result<WorkspaceId> {
        Ok(WorkspaceId::new("simulated-store").expect("letters and a dash make an id"))
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}
