//! What a check found.

use std::time::Duration;

use fencehold_model::history::{Call, History, Operation};
use fencehold_model::spec::Breach;

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every answer can be explained.
    Ok,
    /// Some answer cannot be explained; the first of [`Report::violations`].
    Violation(Violation),
    /// It could not be told, and why: never a pass.
    Unknown(String),
}

/// An answer that cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that it breaks.
    pub breach: Breach,
    /// The lock, file or counter that it is about.
    pub subject: String,
    /// What happened, in a sentence with the line numbers of the history.
    pub why: String,
    /// Indices into the operations of the history: the one that cannot be explained stands last.
    pub ops: Vec<usize>,
}

/// How much a check saw; a green run that never contended proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations, of every kind and outcome.
    pub ops: usize,
    /// Locks, sets of leases, tasks, proposals, logs and counters.
    pub objects: usize,
    /// Locks acquired.
    pub grants: usize,
    /// New grants whose lock had last been granted to another holder and neither released nor broken since.
    pub takeovers: usize,
    /// `held` refusals.
    pub contended: usize,
    /// Leases granted.
    pub leases: usize,
    /// Grants that crashed a lapsed lease in their way.
    pub lapsed_over: usize,
    /// Grants that were refused for an overlap.
    pub overlaps: usize,
    /// Tasks moved, reopened or merged.
    pub moves: usize,
    /// Moves that put two statuses beside each other.
    pub conflicts: usize,
    /// Conflicts ended by a choice.
    pub resolved: usize,
    /// Tasks reopened.
    pub reopened: usize,
    /// Steps down that were refused.
    pub regressions: usize,
    /// Steps of an epoch that was over, refused.
    pub stale_epochs: usize,
    /// Proposals made.
    pub proposed: usize,
    /// Proposals accepted.
    pub accepted: usize,
    /// Accepts of what had been accepted.
    pub accepted_again: usize,
    /// Proposals rejected.
    pub rejected: usize,
    /// Ends of proposals that had ended otherwise, refused.
    pub ended_otherwise: usize,
    /// Readings of files that proposals are for, by the harness.
    pub readings: usize,
    /// Operations without an answer.
    pub infos: usize,
    /// Acknowledged appends.
    pub appends: usize,
    /// Acknowledged increments.
    pub increments: usize,
    /// Operations that nobody judges.
    pub others: usize,
    /// Objects judged by their revisions alone.
    pub witnessed: usize,
    /// Objects for which an order was searched.
    pub searched: usize,
    /// Steps of a specification that the searches tried.
    pub transitions: u64,
}

/// Everything that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The outcome.
    pub verdict: Verdict,
    /// Every violation found, at most [`VIOLATIONS_MAX`].
    pub violations: Vec<Violation>,
    /// What could not be told.
    pub unknown: Vec<String>,
    /// How much was seen.
    pub counts: Counts,
    /// How long it took.
    pub elapsed: Duration,
}

/// How many violations a report lists.
pub const VIOLATIONS_MAX: usize = 20;

impl Report {
    pub(super) fn new() -> Self {
        Self {
            verdict: Verdict::Ok,
            violations: Vec::new(),
            unknown: Vec::new(),
            counts: Counts::default(),
            elapsed: Duration::ZERO,
        }
    }

    /// Adds a violation; the operation that cannot be explained stands last in `ops`.
    pub(super) fn broken(&mut self, history: &History, breach: Breach, subject: &str, ops: Vec<usize>) {
        if self.violations.len() >= VIOLATIONS_MAX {
            return;
        }
        let mut why = format!("{subject}: {breach}");
        for (place, op) in ops.iter().rev().enumerate() {
            why.push_str(if place == 0 { "; " } else { ", after " });
            why.push_str(&describe(history, &history.ops[*op]));
        }
        self.violations.push(Violation { breach, subject: subject.to_owned(), why, ops });
    }

    pub(super) fn conclude(&mut self) {
        self.verdict = if let Some(first) = self.violations.first() {
            Verdict::Violation(first.clone())
        } else if let Some(first) = self.unknown.first() {
            Verdict::Unknown(first.clone())
        } else if self.counts.objects == 0 {
            Verdict::Unknown("nothing was answered that could be judged".to_owned())
        } else {
            Verdict::Ok
        };
    }
}

/// An operation in a few words.
#[must_use]
pub fn describe(history: &History, op: &Operation) -> String {
    let what = match &op.call {
        Call::Lock(_, ask) => {
            let text = format!("{ask:?}");
            text.split([' ', '{']).next().unwrap_or("").to_lowercase()
        }
        Call::Lease(lease, ask) => {
            let text = format!("{ask:?}");
            let verb = text.split([' ', '{']).next().unwrap_or("").to_lowercase();
            format!("{verb} of lease {:?}", history.names.text(*lease))
        }
        Call::LeaseList { .. } => "lease.list".to_owned(),
        Call::Status(task, ask) => {
            let text = format!("{ask:?}");
            let verb = text.split([' ', '{', '(']).next().unwrap_or("").to_lowercase();
            format!("{verb} of task {:?}", history.names.text(*task))
        }
        Call::Append { id, .. } => format!("append of {:?}", history.names.text(*id)),
        Call::LogRead { .. } => "log.read".to_owned(),
        Call::Increment { by, .. } => format!("increment by {by}"),
        Call::DocRead { .. } => "doc.read".to_owned(),
        Call::Merge { .. } => "merge".to_owned(),
        Call::Proposal(_, id, ask) => {
            let text = format!("{ask:?}");
            let verb = text.split([' ', '{']).next().unwrap_or("").to_lowercase();
            format!("{verb} of proposal {:?}", history.names.text(*id))
        }
        Call::ProposalList { .. } => "proposal.list".to_owned(),
        Call::HarnessRead { .. } => "the harness's reading".to_owned(),
        Call::Invalid(why) => format!("invalid request ({why})"),
        Call::Other(name) => history.names.text(*name).to_owned(),
    };
    format!("{what} of process {} (line {})", history.processes[op.process].number, op.line)
}
