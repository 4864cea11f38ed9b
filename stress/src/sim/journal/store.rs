//! The store: one transaction at a time.
//!
//! Invariants:
//! - every append and every barrier rewrites the head; an append lands only on the version that it was decided on;
//! - event times never go back, and no event is earlier than a time that was shown to somebody before it landed;
//! - the folded state and the events after it come to all that was ever appended; the folded state only grows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fencehold_model::{Entry, OpId, Revision, State, TimeMs};

use super::defect::Defect;
use super::message::{Answer, Page, Recorded, Request, Version};

/// The store.
#[derive(Debug, Clone)]
pub(super) struct Store {
    defect: Option<Defect>,
    /// How many operation ids are kept.
    ops_kept: usize,
    pub(super) clock_ms: TimeMs,
    /// The latest time that was shown to anybody.
    shown_ms: TimeMs,
    head: Version,
    events: BTreeMap<Revision, Arc<Entry>>,
    folded: (Version, Arc<State>),
    ops: VecDeque<Arc<Entry>>,
    forgotten: Revision,
    /// All that was ever appended, in that order. No client can ask for it; the judge goes by it.
    pub(super) log: Vec<Arc<Entry>>,
}

impl Store {
    pub(super) fn new(clock_ms: TimeMs, ops_kept: usize, defect: Option<Defect>) -> Self {
        Store {
            defect,
            ops_kept,
            clock_ms,
            shown_ms: 0,
            head: 1,
            events: BTreeMap::new(),
            folded: (1, Arc::default()),
            ops: VecDeque::new(),
            forgotten: 0,
            log: Vec::new(),
        }
    }

    pub(super) fn serve(&mut self, request: Request) -> Answer {
        match request {
            Request::Fetch { known, op } => Answer::Page(self.page(known, op.as_ref())),
            Request::Append { expected, entry } => self.append(expected, entry),
            Request::Barrier { op } => {
                self.head += 1;
                Answer::Recorded(self.recorded(Some(&op)))
            }
            Request::LookUp { op } => Answer::Recorded(self.recorded(Some(&op))),
            Request::Trim { expected, folded } => {
                self.trim(expected, folded);
                Answer::Trimmed
            }
        }
    }

    /// The revision of the newest event.
    pub(super) fn revision(&self) -> Revision {
        self.events.last_key_value().map_or(0, |(revision, _)| *revision).max(self.folded.1.revision)
    }

    fn page(&mut self, known: Revision, op: Option<&OpId>) -> Page {
        self.shown_ms = self.shown_ms.max(self.clock_ms);
        let trimmed = known < self.folded.1.revision;
        let base = trimmed.then(|| Arc::clone(&self.folded.1));
        let from = base.as_ref().map_or(known, |base| base.revision);
        Page {
            base,
            events: self.events.range(from + 1..).map(|(_, entry)| Arc::clone(entry)).collect(),
            revision: self.revision(),
            version: self.head,
            folded: (self.folded.0, self.folded.1.revision),
            now_ms: self.clock_ms,
            recorded: self.recorded(op),
        }
    }

    fn append(&mut self, expected: Version, entry: Arc<Entry>) -> Answer {
        let earlier = entry.at_ms < self.shown_ms && self.defect != Some(Defect::EarlierThanShown);
        let same = match self.defect {
            Some(Defect::AbsenceAsCas) => !self.events.contains_key(&entry.revision),
            _ => self.head == expected,
        };
        if !same || earlier {
            return Answer::Conflict;
        }
        self.head += 1;
        if self.ops.len() == self.ops_kept
            && let Some(oldest) = self.ops.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.revision);
        }
        self.ops.push_back(Arc::clone(&entry));
        self.log.push(Arc::clone(&entry));
        self.events.insert(entry.revision, entry);
        Answer::Appended
    }

    fn recorded(&self, op: Option<&OpId>) -> Recorded {
        let entry = op.and_then(|op| self.ops.iter().rev().find(|entry| entry.op == *op));
        Recorded { entry: entry.cloned(), forgotten: self.forgotten }
    }

    fn trim(&mut self, expected: Version, folded: Arc<State>) {
        if self.folded.0 != expected && self.defect != Some(Defect::TrimAnyway) {
            return;
        }
        self.events.retain(|revision, _| *revision > folded.revision);
        self.folded = (self.folded.0 + 1, folded);
    }
}
