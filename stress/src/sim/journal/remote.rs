//! The store and the messages that are under way to it.
//!
//! Invariant: whatever can go one way or the other is asked of the source; its first answer is the calm one.

use std::path::PathBuf;

use fencehold_model::TimeMs;

use super::defect::Defect;
use super::message::{Answer, Request};
use super::store::Store;
use crate::sim::choice::Source;
use crate::sim::world::{Note, Step};

/// How long a client waits for an answer, in milliseconds.
pub(super) const TIMEOUT_MS: u64 = 100;
/// The store's clock at the beginning.
const CLOCK_MS: TimeMs = 10_000;

/// A client, counted from 0.
pub(super) type ClientId = usize;

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a question that is not answered is asked.
    pub tries_max: u32,
    /// How often a commit is decided.
    pub rounds_max: u32,
    /// How many events are kept beside the folded state before a client trims.
    pub trim_after: u64,
    /// How many operation ids the store keeps.
    pub ops_kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { tries_max: 3, rounds_max: 16, trim_after: 4, ops_kept: 64 }
    }
}

/// How much goes wrong in a run, at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Answers that are lost.
    pub lost_max: u32,
    /// Requests that are served once more, at any later time.
    pub twice_max: u32,
    /// Clients that give up waiting for what is still to be served.
    pub late_max: u32,
    /// How often time passes while nothing else happens.
    pub pauses_max: u32,
    /// How long such a pause is.
    pub pause_ms: u64,
}

/// A request under way.
#[derive(Debug, Clone)]
struct Flying {
    from: ClientId,
    /// The question that its client may still wait for; none of a copy, which is no answer to anything.
    question: Option<u64>,
    request: Request,
}

/// An answer that arrives.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) to: ClientId,
    pub(super) question: u64,
    pub(super) answer: Answer,
}

/// The store, what is under way to it, and what may still go wrong.
#[derive(Debug, Clone)]
pub struct Remote {
    pub(super) store: Store,
    pub(super) source: Source,
    pub(super) limits: Limits,
    pub(super) defect: Option<Defect>,
    pub(super) left: Faults,
    /// Crashes of the store, each of which loses any number of the newest events that were not to be durable.
    pub(super) crashes_left: u32,
    /// The steps so far, where they are kept: to tell them takes longer than to make them.
    pub(super) trace: Option<Vec<Step>>,
    flying: Vec<Flying>,
    questions: u64,
}

impl Remote {
    /// An empty store.
    #[must_use]
    pub fn new(source: Source, limits: Limits, faults: Faults, defect: Option<Defect>) -> Self {
        let store = Store::new(CLOCK_MS, limits.ops_kept, defect);
        let flying = Vec::new();
        Remote {
            store,
            source,
            limits,
            defect,
            left: faults,
            crashes_left: 0,
            trace: None,
            flying,
            questions: 0,
        }
    }

    /// Puts a request on its way; the number of the question.
    pub(super) fn send(&mut self, from: ClientId, request: Request) -> u64 {
        self.questions += 1;
        self.flying.push(Flying { from, question: Some(self.questions), request });
        self.questions
    }

    /// How many requests are under way.
    pub(super) fn under_way(&self) -> usize {
        self.flying.len()
    }

    /// Where among what is under way the question stands, if it is not served yet.
    pub(super) fn place(&self, question: u64) -> Option<usize> {
        self.flying.iter().position(|flying| flying.question == Some(question))
    }

    /// Serves the request in this place; its answer, unless that is lost.
    pub(super) fn serve(&mut self, place: usize) -> Option<Arrived> {
        let Flying { from: to, question, request } = self.flying.remove(place);
        let copy = if question.is_none() { " (a copy)" } else { "" };
        let twice = self.left.twice_max > 0 && self.source.flip("twice", 8);
        if twice {
            self.left.twice_max -= 1;
            self.flying.push(Flying { from: to, question: None, request: request.clone() });
        }
        let question = question.filter(|_| !matches!(request, Request::Trim { .. }));
        let lost = question.is_some() && self.left.lost_max > 0 && self.source.flip("answer lost", 8);
        self.left.lost_max -= u32::from(lost);
        let told = self.trace.is_some().then(|| (request.name(), request.about()));
        let answer = self.store.serve(request);
        if let Some((name, about)) = told {
            let overtaken = if matches!(answer, Answer::Conflict) { " → overtaken" } else { "" };
            let unheard = if lost { ", its answer is lost" } else { "" };
            self.note(to, name, || format!("{about}{copy}{overtaken}{unheard}"));
        }
        let question = question.filter(|_| !lost)?;
        Some(Arrived { to, question, answer })
    }

    /// A client stops waiting for an answer; 0 is the number of no question.
    pub(super) fn give_up(&mut self, client: ClientId, question: u64) {
        if self.place(question).is_some() {
            self.left.late_max -= 1;
        }
        self.pass(TIMEOUT_MS);
        self.note(client, "gives up", || format!("waiting after {TIMEOUT_MS} ms"));
    }

    /// Lets time pass at the store.
    pub fn pass(&mut self, ms: u64) {
        self.store.clock_ms += ms;
    }

    /// The store crashes.
    pub(super) fn crash(&mut self) {
        self.crashes_left -= 1;
        let lost = self.source.choose("lost", self.store.not_durable() + 1);
        self.store.crash(lost);
        self.note(0, "", || format!("the store crashes and loses {lost} events"));
    }

    /// What is still under way arrives, in any order; and the store may crash once more.
    pub(super) fn drain(&mut self) {
        self.left = Faults::default();
        while self.under_way() > 0 {
            let place = self.source.choose("next", self.under_way());
            self.serve(place);
        }
        if self.crashes_left > 0 && self.source.flip("crash", 2) {
            self.crash();
        }
    }

    pub(super) fn note(&mut self, process: ClientId, call: &'static str, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(Step { process, call, path: PathBuf::from(what()), bytes: 0, note: Note::Done });
        }
    }
}
