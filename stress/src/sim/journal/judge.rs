//! What is asked of every run of clients on one store: the log is the witness of what they were told.
//!
//! The log is folded anew, and each answer is decided anew at the revision and time that it names. What was answered
//! without an event is a promise as well: nothing of an earlier time comes after it.

use std::sync::Arc;

use fencehold::error::{Error, Happened};
use fencehold::journal::Committed;
use fencehold_model::lock::{self, Already, Command, Decision};
use fencehold_model::{Entry, Event, LockName, OpId, Revision, State, TimeMs, Token};

use super::call::{Cache, Decided};
use super::message::{Answer, Request};
use super::remote::ClientId;
use super::store::Store;
use super::wants::right;

/// An answer without an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answered {
    /// To a command.
    Decision(Box<Decision>),
    /// To a read: who holds what.
    Holds(Vec<(LockName, Token)>),
}

/// The highest revision and time that were answered so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    revision: Revision,
    at_ms: TimeMs,
}

/// What a client was told, in the order in which they asked.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) client: ClientId,
    pub(super) op: Option<OpId>,
    pub(super) command: Option<Command>,
    /// What was known to somebody before it asked.
    pub(super) before: Known,
    /// Whether its answer was to rest on nothing that a crash can lose.
    pub(super) durable: bool,
    /// The store's clock then, and when it was answered.
    pub(super) began_ms: TimeMs,
    pub(super) ended_ms: TimeMs,
    pub(super) outcome: Option<fencehold::Result<Committed<Answered>>>,
}

impl Known {
    pub(super) fn hears(&mut self, committed: &Committed<Answered>) {
        self.revision = self.revision.max(committed.revision);
        self.at_ms = self.at_ms.max(committed.at_ms);
    }
}

impl Told {
    fn who(&self) -> String {
        format!("client {}, {}", self.client, self.op.as_ref().map_or("a read", OpId::as_str))
    }

    /// An outcome as a line for people.
    pub(super) fn in_words(&self, outcome: &fencehold::Result<Committed<Answered>>) -> String {
        let op = self.op.as_ref().map_or("read", OpId::as_str);
        match outcome {
            Err(error) if error.happened() == Happened::No => format!("{op}: it did not happen"),
            Err(_) => format!("{op}: it may have happened"),
            Ok(committed) => {
                let what = match &committed.outcome {
                    Ok(event) => event.word().to_owned(),
                    Err(Answered::Decision(decision)) => match **decision {
                        Decision::Refuse(_) => "refused".to_owned(),
                        _ => "already so".to_owned(),
                    },
                    Err(Answered::Holds(holds)) if holds.is_empty() => "free".to_owned(),
                    Err(Answered::Holds(holds)) => format!("held, token {}", holds[0].1),
                };
                format!("{op}: {what}, at revision {} and {} ms", committed.revision, committed.at_ms)
            }
        }
    }
}

/// The token that a client was granted.
pub(super) fn granted(committed: &Committed<Answered>) -> Option<Token> {
    match &committed.outcome {
        Ok(Event::LockGranted { .. }) => Some(committed.revision),
        Err(Answered::Decision(decision)) => match **decision {
            Decision::Already(Already::Granted { token, .. }) => Some(token),
            _ => None,
        },
        _ => None,
    }
}

/// A command decided by `decide`, or a look.
pub(super) fn decided(
    state: &State,
    command: Option<&Command>,
    now_ms: TimeMs,
    decide: impl FnOnce(&State, &Command, TimeMs) -> Decision,
) -> Decided<Answered> {
    let Some(command) = command else { return Err(Answered::Holds(holds(state, now_ms))) };
    match decide(state, command, now_ms) {
        Decision::Record(event) => Ok(event),
        other => Err(Answered::Decision(Box::new(other))),
    }
}

fn holds(state: &State, now_ms: TimeMs) -> Vec<(LockName, Token)> {
    let grants = state.locks.iter().filter_map(|(name, lock)| Some((name, lock.grant.as_ref()?)));
    let live = grants.filter(|(_, grant)| lock::standing(state, grant, None, now_ms).is_some());
    live.map(|(name, grant)| (name.clone(), grant.token)).collect()
}

/// What is wrong with a run, if anything is.
pub(super) fn judge(store: &mut Store, told: &[Told]) -> Result<(), String> {
    let log = store.log.clone();
    in_order(&store.handed_out)?;
    once_each(&log)?;
    admits_one(told)?;
    for one in told {
        let shared = told.iter().filter(|other| other.op.is_some() && other.op == one.op).count() > 1;
        agrees(one, shared, &log, &store.handed_out).map_err(|what| format!("{}: {what}", one.who()))?;
    }
    let state = decided_anew(&log, told)?;
    // Who comes first now sees all of it.
    let fetch = Request::Fetch { known: 0, op: None, durable: false };
    let Answer::Page(page) = store.serve(fetch) else { unreachable!("a fetch is answered by a page") };
    let mut fresh = Cache::default();
    fresh.fold(page).map_err(|error| format!("a new client is told: {error}"))?;
    if state != *fresh.state {
        return Err(format!("a new client sees revision {}, or another state", fresh.state.revision));
    }
    Ok(())
}

/// Revisions strictly grow and times never go back, whatever was lost later.
fn in_order(log: &[Arc<Entry>]) -> Result<(), String> {
    let (mut newest, mut time_ms) = (0, 0);
    for entry in log {
        let Entry { revision, at_ms, op, .. } = &**entry;
        if *revision <= newest {
            return Err(format!(
                "{op} is recorded at revision {revision}, which was handed out before; the newest is {newest}"
            ));
        }
        if *at_ms < time_ms {
            return Err(format!("{op} is recorded at {at_ms} ms, after an event of {time_ms} ms"));
        }
        (newest, time_ms) = (*revision, *at_ms);
    }
    Ok(())
}

/// No operation is there twice.
fn once_each(log: &[Arc<Entry>]) -> Result<(), String> {
    let twice = |place: &usize| log[..*place].iter().any(|other| other.op == log[*place].op);
    match (0..log.len()).find(twice) {
        Some(place) => Err(format!("{} is recorded twice", log[place].op)),
        None => Ok(()),
    }
}

/// Folds the log and decides every event and every answer anew, on the state and at the time that they name.
fn decided_anew(log: &[Arc<Entry>], told: &[Told]) -> Result<State, String> {
    let mut state = State::default();
    for next in log.iter().map(Some).chain([None]) {
        for one in told {
            let Some(Ok(Committed { revision, at_ms, outcome: Err(answer) })) = &one.outcome else {
                continue;
            };
            if *revision != state.revision {
                continue;
            }
            let again = decided(&state, one.command.as_ref(), *at_ms, right);
            if again.as_ref() != Err(answer) {
                let who = one.who();
                return Err(format!(
                    "{who}: told {answer:?} at {revision} and {at_ms} ms, where it is {again:?}"
                ));
            }
        }
        let Some(entry) = next else { break };
        let asked = told.iter().find(|told| told.op.as_ref() == Some(&entry.op));
        let again = decided(&state, asked.and_then(|told| told.command.as_ref()), entry.at_ms, right);
        if again.as_ref() != Ok(&entry.event) {
            return Err(format!(
                "{} is recorded as {:?}, and what stood before it comes to {again:?}",
                entry.op, entry.event
            ));
        }
        state.apply(entry);
    }
    Ok(state)
}

/// One token is one claim's.
fn admits_one(told: &[Told]) -> Result<(), String> {
    let grants = told.iter().filter_map(|told| {
        let Some(Ok(committed)) = &told.outcome else { return None };
        let Some(Command::Acquire { claim, .. }) = &told.command else { return None };
        Some((granted(committed)?, claim))
    });
    let grants: Vec<_> = grants.collect();
    for (place, (token, claim)) in grants.iter().enumerate() {
        if grants[..place].iter().any(|(other, whose)| other == token && whose != claim) {
            return Err(format!("token {token} was granted to two claims"));
        }
    }
    Ok(())
}

fn agrees(told: &Told, shared: bool, log: &[Arc<Entry>], handed_out: &[Arc<Entry>]) -> Result<(), String> {
    let Some(outcome) = &told.outcome else { return Err("it was never answered".to_owned()) };
    let recorded = log.iter().find(|entry| told.op.as_ref() == Some(&entry.op));
    let committed = match outcome {
        Ok(committed) => committed,
        Err(Error::Damaged { what, .. }) => return Err(format!("the store is found damaged: {what}")),
        Err(error) if error.happened() == Happened::Unknown || shared => return Ok(()),
        Err(_) => {
            return recorded.map_or(Ok(()), |entry| {
                Err(format!("answered as not done, and it is recorded at revision {}", entry.revision))
            });
        }
    };
    let Committed { revision, at_ms, outcome } = committed;
    let of = |entries: &[Arc<Entry>]| entries.iter().any(|entry| entry.revision == *revision);
    let lost = of(handed_out) && !of(log);
    if lost && told.durable {
        return Err(format!("answered at revision {revision}, which a crash then lost"));
    }
    if *at_ms > told.ended_ms || (!shared && *at_ms < told.began_ms) {
        return Err(format!(
            "decided at {at_ms} ms, by the store's clock it was {} to {} ms",
            told.began_ms, told.ended_ms
        ));
    }
    match outcome {
        Ok(event) => match recorded {
            Some(entry) if entry.revision == *revision && entry.event == *event => {}
            _ if lost => {}
            _ => {
                return Err(format!("answered as recorded at revision {revision}, the log has {recorded:?}"));
            }
        },
        Err(_) => {
            if let Some(entry) = recorded.filter(|_| !shared) {
                return Err(format!(
                    "answered without an event, and it is recorded at revision {}",
                    entry.revision
                ));
            }
            if *revision > 0 && !of(handed_out) {
                return Err(format!("decided at revision {revision}, which never was"));
            }
            promised(*revision, *at_ms, log)?;
        }
    }
    let (before, is_repeat) = (told.before, shared && outcome.is_ok());
    // What was known to somebody may be lost; the time is not.
    let known = if log.len() < handed_out.len() { 0 } else { before.revision };
    if (*revision < known || *at_ms < before.at_ms) && !is_repeat {
        return Err(format!(
            "decided at revision {revision} and {at_ms} ms; before it asked, {} and {} ms had been answered",
            before.revision, before.at_ms
        ));
    }
    Ok(())
}

/// After an answer without an event, nothing lands that was decided earlier.
fn promised(revision: Revision, at_ms: TimeMs, log: &[Arc<Entry>]) -> Result<(), String> {
    let earlier = log.iter().find(|entry| entry.revision > revision && entry.at_ms < at_ms);
    earlier.map_or(Ok(()), |entry| {
        Err(format!(
            "told what was so at {at_ms} ms; {} was recorded afterwards, as of {} ms",
            entry.op, entry.at_ms
        ))
    })
}
