//! The store: one transaction at a time.
//!
//! Invariants:
//! - every append and every barrier rewrites the head; an append lands only on the version that it was decided on;
//! - event times never go back, and no event is earlier than a time that was shown to somebody before it landed;
//! - the folded state and the events after it come to all that was appended and not lost; the folded state only grows;
//! - a crash loses at most the newest events, none that was to be durable; and no revision and no version of the head
//!   that was ever handed out, lost or not, is handed out again: both go on at a floor that is durable before;
//! - a crash rewrites the folded state as well: a trim that was sent before it may fold what it lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fencehold_model::{Entry, OpId, Revision, State, TimeMs};

use super::defect::Defect;
use super::message::{Answer, Page, Recorded, Request, Version};

/// How far apart floors are.
const FLOOR_STEP: u64 = 1_000;

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
    /// Each with the revision before it.
    events: BTreeMap<Revision, (Revision, Arc<Entry>)>,
    folded: (Version, Arc<State>),
    ops: VecDeque<Arc<Entry>>,
    forgotten: Revision,
    /// The revision that the next event gets, and the durable number that lies above it.
    next: Revision,
    floor: Revision,
    /// What a crash cannot lose.
    durable: Revision,
    /// What was appended and not lost, and all that ever was, each in its order. No client can ask for them; the judge goes
    /// by them.
    pub(super) log: Vec<Arc<Entry>>,
    pub(super) handed_out: Vec<Arc<Entry>>,
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
            next: 1,
            floor: FLOOR_STEP,
            durable: 0,
            log: Vec::new(),
            handed_out: Vec::new(),
        }
    }

    pub(super) fn serve(&mut self, request: Request) -> Answer {
        match request {
            Request::Fetch { known, op, durable } => {
                self.sync(durable);
                Answer::Page(self.page(known, op.as_ref()))
            }
            Request::Append { expected, entry, durable } => {
                let answer = self.append(expected, entry);
                self.sync(durable);
                answer
            }
            Request::Barrier { op, durable } => {
                self.head += 1;
                self.sync(durable);
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
        // Also where what the client knows was lost.
        let unknown = known != self.folded.1.revision && !self.events.contains_key(&known);
        let base = unknown.then(|| Arc::clone(&self.folded.1));
        let from = base.as_ref().map_or(known, |base| base.revision);
        Page {
            base,
            events: self.events.range(from + 1..).map(|(_, event)| event.clone()).collect(),
            next: self.next,
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
        self.handed_out.push(Arc::clone(&entry));
        self.next = entry.revision + 1;
        assert!(self.next < self.floor, "no run is that long");
        self.events.insert(entry.revision, (self.revision(), entry));
        Answer::Appended
    }

    fn recorded(&self, op: Option<&OpId>) -> Recorded {
        let entry = op.and_then(|op| self.ops.iter().rev().find(|entry| entry.op == *op));
        Recorded { entry: entry.cloned(), forgotten: self.forgotten }
    }

    /// Makes all that is there durable.
    fn sync(&mut self, wanted: bool) {
        if wanted {
            self.durable = self.revision();
        }
    }

    /// How many events a crash may lose.
    pub(super) fn not_durable(&self) -> usize {
        self.events.range(self.durable + 1..).count()
    }

    /// The machine of the store starts anew; so many of the newest events are gone.
    pub(super) fn crash(&mut self, lost: usize) {
        for _ in 0..lost {
            let Some((revision, _)) = self.events.pop_last() else { break };
            self.ops.retain(|entry| entry.revision != revision);
            self.log.retain(|entry| entry.revision != revision);
        }
        self.head += FLOOR_STEP;
        self.folded.0 += u64::from(self.defect != Some(Defect::TrimOfLost));
        self.shown_ms = self.clock_ms;
        self.next = if self.defect == Some(Defect::FloorSkipped) { self.revision() + 1 } else { self.floor };
        self.floor += FLOOR_STEP;
    }

    fn trim(&mut self, expected: Version, folded: Arc<State>) {
        if self.folded.0 != expected && self.defect != Some(Defect::TrimAnyway) {
            return;
        }
        self.events.retain(|revision, _| *revision > folded.revision);
        self.durable = self.durable.max(folded.revision);
        self.folded = (self.folded.0 + 1, folded);
    }
}
