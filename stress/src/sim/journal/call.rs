//! One call of a client, as a machine: it is told what came, and says what to send.
//!
//! Invariants:
//! - what is answered as not done was not recorded, and cannot be recorded any more;
//! - what is answered as recorded stands in the store, once, at the revision that is said;
//! - every answer without an event was decided on a page that the store made after the call began;
//! - each question is asked a bounded number of times, and so is each decision.

use std::path::PathBuf;
use std::sync::Arc;

use fencehold::error::{Error, Result};
use fencehold::journal::{Asking, Committed};
use fencehold_model::{Entry, Event, Revision, State, TimeMs};

use super::defect::Defect;
use super::message::{Answer, Page, Recorded, Request, Version};
use super::remote::{Limits, TIMEOUT_MS};

/// What a decision comes to: an event, or the caller's own answer.
pub(super) type Decided<A> = std::result::Result<Event, A>;

/// What a client keeps between its calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    pub(super) state: Arc<State>,
    version: Version,
    next: Revision,
    folded: (Version, Revision),
    /// The client's own clock: no business of the journal.
    pub(super) clock_ms: TimeMs,
}

/// What to do next.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // It lives for one step.
pub(super) enum Next<A> {
    /// Ask this, and wait.
    Send(Request),
    /// Answer this; and send that without waiting for it.
    Done(Result<Committed<A>>, Option<Request>),
}

#[derive(Debug, Clone)]
enum Stage {
    Fetching,
    Appending(Arc<Entry>),
    /// An append was not answered.
    Settling,
}

/// A commit, or, without an asking, a read: a decision that gives no event.
#[derive(Debug, Clone)]
pub(super) struct Call {
    asking: Option<Asking>,
    /// Whether what it is told must outlive a crash of the store.
    durable: bool,
    limits: Limits,
    defect: Option<Defect>,
    stage: Stage,
    /// How often it was decided.
    rounds: u32,
    /// How often the question of now was asked.
    tries: u32,
    waited_ms: u64,
    /// What the first append was decided on: from there on it may be recorded.
    sent_after: Option<Revision>,
    /// Whether an append was sent of which it is not known that it neither landed nor can land.
    in_doubt: bool,
}

impl Call {
    pub(super) fn new(asking: Option<Asking>, durable: bool, limits: Limits, defect: Option<Defect>) -> Self {
        let stage = Stage::Fetching;
        Call {
            asking,
            durable,
            limits,
            defect,
            stage,
            rounds: 0,
            tries: 0,
            waited_ms: 0,
            sent_after: None,
            in_doubt: false,
        }
    }

    pub(super) fn begin<A>(
        &mut self,
        cache: &mut Cache,
        decide: &mut impl FnMut(&State, TimeMs) -> Decided<A>,
    ) -> Next<A> {
        if self.defect == Some(Defect::StaleRead) && self.asking.is_none() && cache.state.revision > 0 {
            return self.decide(cache, cache.state.time_ms, decide);
        }
        self.fetch(cache)
    }

    /// The answer to what was sent last has come.
    pub(super) fn heard<A>(
        &mut self,
        answer: Answer,
        cache: &mut Cache,
        decide: &mut impl FnMut(&State, TimeMs) -> Decided<A>,
    ) -> Next<A> {
        self.tries = 0;
        match (std::mem::replace(&mut self.stage, Stage::Fetching), answer) {
            (Stage::Fetching, Answer::Page(page)) => {
                let now_ms = page.now_ms;
                let recorded = match cache.fold(page) {
                    Ok(recorded) => recorded,
                    Err(error) => return Next::Done(Err(error), None),
                };
                if let Some(known) = self.known(recorded) {
                    return Next::Done(known, None);
                }
                if self.rounds >= self.limits.rounds_max {
                    return Next::Done(Err(self.busy("others, who are faster each time")), None);
                }
                let own = self.defect == Some(Defect::ClientClock);
                self.decide(cache, if own { cache.clock_ms } else { now_ms }, decide)
            }
            (Stage::Appending(entry), Answer::Appended) => {
                let committed = Committed {
                    revision: entry.revision,
                    at_ms: entry.at_ms,
                    outcome: Ok(entry.event.clone()),
                };
                let trim = cache.append(&entry, self.limits);
                Next::Done(Ok(committed), trim)
            }
            (Stage::Appending(_), Answer::Conflict) => self.fetch(cache),
            (Stage::Settling, Answer::Recorded(recorded)) => match self.known(recorded) {
                Some(known) => Next::Done(known, None),
                None => self.fetch(cache),
            },
            (stage, answer) => unreachable!("{stage:?} was answered {answer:?}"),
        }
    }

    /// No answer came in time.
    pub(super) fn timed_out<A>(&mut self, cache: &Cache) -> Next<A> {
        self.waited_ms += TIMEOUT_MS;
        if let Stage::Appending(entry) = &self.stage {
            let op = entry.op.clone();
            match self.defect {
                Some(Defect::AmbiguousIsNo) => {
                    return Next::Done(Err(self.busy("nobody: no answer came")), None);
                }
                Some(Defect::NoLookUp) => return self.fetch(cache),
                Some(Defect::NoBarrier) => {
                    self.stage = Stage::Settling;
                    return Next::Send(Request::LookUp { op });
                }
                _ => {
                    self.stage = Stage::Settling;
                    return Next::Send(Request::Barrier { op, durable: self.durable });
                }
            }
        }
        self.tries += 1;
        if self.tries >= self.limits.tries_max {
            let error = if self.in_doubt { self.unknown() } else { self.busy("nobody: no answer came") };
            return Next::Done(Err(error), None);
        }
        match (&self.stage, &self.asking) {
            (Stage::Settling, Some(asking)) if self.defect == Some(Defect::NoBarrier) => {
                Next::Send(Request::LookUp { op: asking.op.clone() })
            }
            (Stage::Settling, Some(asking)) => {
                Next::Send(Request::Barrier { op: asking.op.clone(), durable: self.durable })
            }
            _ => self.fetch(cache),
        }
    }

    fn fetch<A>(&mut self, cache: &Cache) -> Next<A> {
        self.stage = Stage::Fetching;
        let op = self.asking.as_ref().map(|asking| asking.op.clone());
        let op = op.filter(|_| self.defect != Some(Defect::NoLookUp));
        let durable = self.durable && self.defect != Some(Defect::NotDurable);
        Next::Send(Request::Fetch { known: cache.state.revision, op, durable })
    }

    /// What the store's word on the operation id settles. None: it is not recorded and will not be by what was sent.
    fn known<A>(&mut self, recorded: Recorded) -> Option<Result<Committed<A>>> {
        if let Some(entry) = recorded.entry {
            return Some(Ok(committed(&entry)));
        }
        let forgotten = self.sent_after.is_some_and(|after| recorded.forgotten > after);
        if self.in_doubt && forgotten && self.defect != Some(Defect::ForgottenIsNo) {
            return Some(Err(self.unknown()));
        }
        self.in_doubt = false;
        None
    }

    fn decide<A>(
        &mut self,
        cache: &mut Cache,
        now_ms: TimeMs,
        decide: &mut impl FnMut(&State, TimeMs) -> Decided<A>,
    ) -> Next<A> {
        self.rounds += 1;
        let revision = cache.state.revision;
        let event = match decide(&cache.state, now_ms) {
            Ok(event) => event,
            Err(answer) => {
                let committed = Committed { revision, at_ms: now_ms, outcome: Err(answer) };
                return Next::Done(Ok(committed), None);
            }
        };
        let asking = self.asking.clone().expect("a read records nothing");
        let (actor, op) = (asking.actor, asking.op);
        let entry = Arc::new(Entry { revision: cache.next, at_ms: now_ms, actor, op, event });
        self.sent_after.get_or_insert(revision);
        self.in_doubt = true;
        self.stage = Stage::Appending(Arc::clone(&entry));
        Next::Send(Request::Append { expected: cache.version, entry, durable: self.durable })
    }

    fn busy(&self, in_the_way: &str) -> Error {
        Error::Busy { path: store(), waited_ms: self.waited_ms, in_the_way: in_the_way.to_owned() }
    }

    fn unknown(&self) -> Error {
        let what =
            format!("an append was sent, and within {} ms nothing told what became of it", self.waited_ms);
        Error::indefinite(&store(), what)
    }
}

fn committed<A>(entry: &Entry) -> Committed<A> {
    Committed { revision: entry.revision, at_ms: entry.at_ms, outcome: Ok(entry.event.clone()) }
}

fn store() -> PathBuf {
    PathBuf::from("the simulated store")
}

impl Cache {
    /// Folds what is new. The events must follow what is there one by one, and come to what the store says.
    pub(super) fn fold(&mut self, page: Page) -> Result<Recorded> {
        if let Some(base) = page.base {
            self.state = base;
        }
        for (before, entry) in &page.events {
            self.follows(*before, self.state.revision)?;
            Arc::make_mut(&mut self.state).apply(entry);
        }
        self.follows(page.revision, self.state.revision)?;
        self.version = page.version;
        self.next = page.next;
        self.folded = page.folded;
        Ok(page.recorded)
    }

    fn follows(&self, revision: Revision, expected: Revision) -> Result<()> {
        if revision == expected {
            return Ok(());
        }
        let what = format!("revision {revision} stands where {expected} should");
        let advice = "An event that was recorded is gone".to_owned();
        Err(Error::Damaged { path: store(), line: None, what, advice })
    }

    /// Takes note of an append of its own; the trim that is due, if one is.
    fn append(&mut self, entry: &Entry, limits: Limits) -> Option<Request> {
        let due = self.state.revision >= self.folded.1 + limits.trim_after;
        // The newest event is never trimmed.
        let before = due.then(|| Arc::clone(&self.state));
        Arc::make_mut(&mut self.state).apply(entry);
        before.map(|folded| Request::Trim { expected: self.folded.0, folded })
    }
}
