//! Histories: what a run looked like from its clients' side, one JSON object a line.
//!
//! ```text
//! {"history":1,"seed":7,"target":"…","hello":{…},"slack_ms":250}
//! {"at_us":10,"process":1,"type":"invoke","id":1,"op":"lock.acquire","args":{…}}
//! {"at_us":90,"process":1,"type":"ok","id":1,"revision":17,"value":{"token":17}}
//! {"at_us":95,"process":1,"type":"died"}
//! ```
//!
//! An operation is *answered* (`ok`, `refused`), failed (`fail`: it did not and will not happen) or *indefinite*
//! (`info`: it may have happened, up to the death of its process, or at any later time where no death is recorded).
//! An operation `harness.read` is none of the target's: the harness read a file of the root itself, and its `value` holds
//! the `text`, or null where there was no file.
//! Times are microseconds of the harness's monotonic clock; equal times count as concurrent.

mod answer;
mod call;
mod header;
mod lease;
mod lock;
mod names;
mod parse;
mod proposal;
mod status;
mod write;

pub use answer::{Answer, Reason, Told};
pub use call::{Bind, Call, Fence, Right, Token};
pub use header::{Expect, HISTORY_VERSION, Header, Hello, SLACK_MS_DEFAULT, Tokens};
pub use lease::{LeaseAsk, LeaseSeen, LeaseState};
pub use lock::Ask;
pub use names::{Id, Names};
pub use parse::BadHistory;
pub use proposal::{ProposalAsk, ProposalState};
pub use status::{StatusAsk, StatusSeen};
pub use write::{answer_line, died_line, header_line, invoke_line, nemesis_line};

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// The time of what never came.
pub const NEVER: u64 = u64::MAX;

/// One recorded run.
#[derive(Debug, Clone)]
pub struct History {
    /// Line one.
    pub header: Header,
    /// The operations in the order of their `invoke` lines.
    pub ops: Vec<Operation>,
    /// The lives of the processes, in the order in which they first appear.
    pub processes: Vec<Life>,
    /// Every name, holder, claim, lease, path, task, status, file, key, record id, proposal and content that occurs.
    pub names: Names,
    /// How many times the nemesis wrote into the target's files (`tear`, `damage`).
    pub damages: usize,
    /// The files that the nemesis changed as a person does (`edit`, its `detail` names the `file`).
    pub edits: BTreeSet<Id>,
    source: Arc<str>,
    lines: Vec<Line>,
}

/// One call of the target, with what came of it.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Index of its process in [`History::processes`].
    pub process: usize,
    /// The request's id.
    pub id: u64,
    /// What was asked.
    pub call: Call,
    /// When it was sent.
    pub invoked_us: u64,
    /// When it was answered; of an indefinite one, its process's death, or [`NEVER`].
    pub ended_us: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// The point at which the target says that it was decided.
    pub revision: Option<u64>,
    /// Its `invoke` line, from 1.
    pub line: u32,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done.
    Ok(Answer),
    /// The rules refused it; nothing changed.
    Refused(Reason, Answer),
    /// It did not and will not happen.
    Fail,
    /// It may have happened.
    Info,
}

/// One incarnation of one process of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Its number in the history, never used twice.
    pub number: u64,
    /// A time at which it surely lived: the latest `invoke` that it answered, 0 if it answered none.
    pub alive_us: u64,
    /// When it was known dead, or [`NEVER`].
    pub died_us: u64,
}

#[derive(Debug, Clone)]
struct Line {
    bytes: Range<usize>,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Op(usize),
    Died(usize),
    Nemesis,
}

impl Operation {
    /// Whether it was answered `ok` or `refused`.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_) | Outcome::Refused(..))
    }

    /// What it was answered, where that was `ok`.
    #[must_use]
    pub fn ok(&self) -> Option<&Answer> {
        match &self.outcome {
            Outcome::Ok(answer) => Some(answer),
            _ => None,
        }
    }

    /// Whether it may have happened and nobody knows.
    #[must_use]
    pub fn is_info(&self) -> bool {
        self.outcome == Outcome::Info
    }
}
