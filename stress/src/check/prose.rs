//! The files that proposals are for: what was accepted stands there once, byte for byte, and nothing else of what was
//! proposed does.
//!
//! A reading is of one instant, and an accept changes the file a moment before it is answered. So a reading is judged by
//! what had been answered before it began and what had not been sent when it ended; by which end a proposal came to at
//! any time; and by what is told of it after the file was settled: after an accept of another proposal for this file,
//! which finishes what a killed one began.

use std::collections::BTreeMap;

use fencehold_model::history::{Call, History, Id, NEVER, Outcome, ProposalAsk, ProposalState, Told};
use fencehold_model::spec::Breach;

use super::report::Report;

/// What is known of one proposal, with the operations that say so.
#[derive(Debug, Clone, Copy)]
struct Known {
    content: Option<Id>,
    /// Whether the content is one of several that were sent, and nobody knows which.
    unsure: bool,
    /// Whether an answer said that it was made.
    is_told: bool,
    /// The first accept that was sent and may have happened.
    asked_us: u64,
    /// The first answer that says that it is accepted.
    accepted: Option<(u64, usize)>,
    /// An answer that says that it is rejected.
    rejected: Option<usize>,
    /// The last answer that says that it waits: when it was sent.
    waits: Option<(u64, usize)>,
    /// When it was first seen in the file.
    seen: Option<(u64, usize)>,
}

impl Default for Known {
    fn default() -> Self {
        Known {
            content: None,
            unsure: false,
            is_told: false,
            asked_us: NEVER,
            accepted: None,
            rejected: None,
            waits: None,
            seen: None,
        }
    }
}

/// One file.
#[derive(Debug, Default)]
struct Prose {
    proposals: BTreeMap<Id, Known>,
    /// When accepts that changed something were sent and answered.
    settled: Vec<(u64, u64)>,
}

/// Judges every reading of a file that proposals are for.
pub(super) fn check(history: &History, report: &mut Report) {
    let mut files = gather(history);
    for (at, op) in history.ops.iter().enumerate() {
        let (Call::HarnessRead { file }, Outcome::Ok(answer)) = (&op.call, &op.outcome) else { continue };
        let Some(prose) = files.get_mut(file) else { continue };
        report.counts.readings += 1;
        let text = answer.body["text"].as_str().unwrap_or("");
        let edited = history.edits.contains(file);
        let contents: Vec<Id> = prose.proposals.values().filter_map(|known| known.content).collect();
        for (id, known) in &mut prose.proposals {
            let Some(content) =
                known.content.filter(|content| !known.unsure && tells_apart(history, *content, &contents))
            else {
                continue;
            };
            let count = occurrences(text, history.names.text(content));
            let reading = Reading { at, start_us: op.invoked_us, end_us: op.ended_us, count };
            if let Some((breach, other)) = reading.wrong(known, &prose.settled, edited) {
                let subject =
                    format!("proposal {:?} for {:?}", history.names.text(*id), history.names.text(*file));
                report.broken(history, breach, &subject, other.into_iter().chain([at]).collect());
            }
            if count > 0 && known.seen.is_none() {
                known.seen = Some((op.ended_us, at));
            }
        }
    }
}

/// One proposal in one reading.
struct Reading {
    at: usize,
    start_us: u64,
    end_us: u64,
    count: usize,
}

impl Reading {
    /// What is wrong with it, and the operation that says so.
    fn wrong(&self, known: &Known, settled: &[(u64, u64)], edited: bool) -> Option<(Breach, Option<usize>)> {
        if self.count > 1 {
            return Some((Breach::ProseTwice, known.accepted.map(|(_, at)| at)));
        }
        if edited {
            // A person may have taken it out, or put it in.
            return None;
        }
        if self.count == 0 {
            let before = |(end_us, at): (u64, usize)| (end_us < self.start_us && at != self.at).then_some(at);
            let owed = known.accepted.and_then(before).or_else(|| known.seen.and_then(before))?;
            return Some((Breach::ProseLost, Some(owed)));
        }
        if known.asked_us > self.end_us {
            return Some((Breach::ProseAlien, None));
        }
        if let Some(at) = known.rejected {
            return Some((Breach::ProseAlien, Some(at)));
        }
        let (waits_us, at) = known.waits?;
        let is_settled = settled.iter().any(|(start, end)| *start > self.end_us && *end < waits_us);
        is_settled.then_some((Breach::ProseAlien, Some(at)))
    }
}

/// Whether no other content has this one in it, so that counting it counts nothing else.
fn tells_apart(history: &History, content: Id, all: &[Id]) -> bool {
    let text = history.names.text(content);
    let others = all.iter().filter(|other| **other != content).map(|other| history.names.text(*other));
    let twice = all.iter().filter(|other| **other == content).count() > 1;
    !twice && !others.into_iter().any(|other| other.contains(text))
}

fn occurrences(text: &str, content: &str) -> usize {
    if content.is_empty() { 0 } else { text.matches(content).count() }
}

fn gather(history: &History) -> BTreeMap<Id, Prose> {
    let mut files: BTreeMap<Id, Prose> = BTreeMap::new();
    for (at, op) in history.ops.iter().enumerate() {
        let told = match &op.outcome {
            Outcome::Ok(answer) | Outcome::Refused(_, answer) => Some(&answer.told),
            Outcome::Fail | Outcome::Info => None,
        };
        match &op.call {
            Call::Proposal(target, id, ask) => {
                let prose = files.entry(*target).or_default();
                let known = prose.proposals.entry(*id).or_default();
                let is_done = op.ok().is_some();
                match ask {
                    // Where an id was made with two contents, the one that was refused never counts.
                    ProposalAsk::Add { content } if is_done => {
                        (known.content, known.is_told, known.unsure) = (Some(*content), true, false);
                    }
                    ProposalAsk::Add { content } if op.is_info() && !known.is_told => {
                        known.unsure |= known.content.is_some_and(|other| other != *content);
                        known.content = Some(*content);
                    }
                    ProposalAsk::Accept if is_done || op.is_info() => {
                        known.asked_us = known.asked_us.min(op.invoked_us);
                    }
                    _ => {}
                }
                if let Some(Told::Proposal(state)) = told {
                    known.learn(*state, op.invoked_us, op.ended_us, at);
                }
                let changed = op.ok().is_some_and(|answer| answer.already != Some(true));
                if *ask == ProposalAsk::Accept && changed {
                    prose.settled.push((op.invoked_us, op.ended_us));
                }
            }
            Call::ProposalList { target, .. } => {
                let Some(Told::Proposals { proposals, .. }) = told else { continue };
                let prose = files.entry(*target).or_default();
                for (id, state) in proposals {
                    prose.proposals.entry(*id).or_default().learn(*state, op.invoked_us, op.ended_us, at);
                }
            }
            _ => {}
        }
    }
    files
}

impl Known {
    fn learn(&mut self, state: ProposalState, start_us: u64, end_us: u64, at: usize) {
        match state {
            ProposalState::Accepted if self.accepted.is_none_or(|(first, _)| end_us < first) => {
                self.accepted = Some((end_us, at));
            }
            ProposalState::Rejected => self.rejected = Some(at),
            ProposalState::Proposed if self.waits.is_none_or(|(last, _)| last < start_us) => {
                self.waits = Some((start_us, at));
            }
            _ => {}
        }
    }
}
