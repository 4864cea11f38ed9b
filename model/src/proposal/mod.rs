//! The proposal machine: an edit to shared prose, proposed by anyone, applied by one, exactly once.
//!
//! ```text
//! proposed ──intended──► begun ──accepted──► accepted      the file is replaced between the two
//!    │  ▲                  │
//!    │  └────withdrawn─────┤                               nothing was written, and nobody will write it
//!    └─────────rejected────┴──resolved──► accepted | rejected
//! ```
//!
//! Invariants:
//! - what is accepted was intended before, with the bytes of the file before and after; nothing is accepted without it;
//! - of one file at most one accept is begun at a time, whatever tree it is in;
//! - what is accepted or rejected stays so: no command leads out of it;
//! - an id of a file names one content for ever: another one under it is refused, the same one again changes nothing;
//! - a number is given once among the proposals of a file, in the order in which they came, and is never another's;
//! - the content of what is ended is dropped; who, when, how and its sum stay.
//!
//! Whether the file holds what was begun is not known here: who looks at it under the file's OS lock says so
//! ([`Command::Accept`], [`Command::Withdraw`], [`Command::Reject`]), naming the intent that was looked at.

mod decide;
mod event;
mod form;
mod line;
mod sum;
mod target;
mod text;
mod unclosed;

pub use decide::{admits, decide};
pub use event::{ProposalEvent, What};
pub(crate) use form::{Written, read_proposal, write_proposal};
pub use sum::Sum;
pub use target::{TARGET_BYTES_MAX, Target};
pub use text::{CONTENT_BYTES_MAX, Unfit, applied, check_content, holds, marker};
pub use unclosed::{Unclosed, unclosed};

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::{Holder, ProposalId, Revision, TimeMs};

/// The proposals of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    /// Every one that there ever was.
    pub proposals: BTreeMap<ProposalId, Proposal>,
    /// The accept that is begun: an intent that is neither carried out, nor taken back, nor resolved as far as is known.
    pub begun: Option<(ProposalId, Intent)>,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number among those of its file, from 1, in the order in which they came.
    pub number: u64,
    /// Who proposed it.
    pub by: Holder,
    /// When.
    pub at_ms: TimeMs,
    /// Where that stands.
    pub revision: Revision,
    /// Of its content.
    pub sum: Sum,
    /// Its content, or how it ended.
    pub standing: Standing,
}

/// Whether a proposal is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is open, with this content.
    Open(String),
    /// It has ended.
    Ended(Box<End>),
}

/// How a proposal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Accepted or rejected.
    pub how: Verdict,
    /// By whom.
    pub by: Holder,
    /// When.
    pub at_ms: TimeMs,
    /// Where that stands.
    pub revision: Revision,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// Whether somebody said so who looked at a file that did not say it by itself.
    pub resolved: bool,
}

/// An accept that is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Where it stands.
    pub revision: Revision,
    /// Who began it.
    pub by: Holder,
    /// When.
    pub at_ms: TimeMs,
    /// The file: its absolute path without symbolic links.
    pub file: String,
    /// What it held.
    pub before: Sum,
    /// What it is to hold.
    pub after: Sum,
}

/// How a proposal can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Its content stands in the file, or did.
    Accepted,
    /// It does not, and never will.
    Rejected,
}

/// Where a proposal stands, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// Open.
    Proposed,
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
    /// An accept is begun, and the file is neither as it was nor as it was to be. Only who looks at the file knows.
    InDoubt,
}

/// What can be asked of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Propose a content.
    Add {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// What is to be appended; [`check_content`] says what it must be like.
        content: String,
    },
    /// Begin to accept.
    Intend {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// The file's absolute path without symbolic links.
        file: String,
        /// What it holds.
        before: Sum,
        /// What it is to hold.
        after: Sum,
    },
    /// End the accept that was begun by this intent: the file holds the content, durably.
    Accept {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// The intent.
        intent: Revision,
    },
    /// Take this intent back: the file is untouched, and nobody is at work on it.
    Withdraw {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// The intent.
        intent: Revision,
    },
    /// Reject.
    Reject {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// Why.
        reason: Option<String>,
        /// The intent of it whose file is untouched, while nobody is at work on it.
        untouched: Option<Revision>,
    },
    /// End a doubt.
    Resolve {
        /// The file.
        target: Target,
        /// The proposal.
        id: ProposalId,
        /// What it was.
        how: Verdict,
        /// Why; blank is refused.
        reason: String,
        /// The intent whose file does not tell.
        intent: Revision,
    },
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happens; the journal makes it so.
    Record(crate::Event),
    /// It already is so.
    Already(Told),
    /// The rules refuse it; nothing changes.
    Refuse(Refusal),
    /// It makes no sense, and why.
    Invalid(String),
}

/// Why the rules refuse a command, and what stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The id is that of another content.
    OtherContent(Told),
    /// It has ended.
    NotOpen(Told),
    /// Nobody proposed it.
    NotFound,
    /// The command needs a reason that is not blank.
    NeedsReason,
    /// An accept of the file is begun, and is to be settled first: by whom looks at the file.
    Begun(Box<(ProposalId, Intent)>),
    /// The intent that was named is not the one that stands.
    Settled(Told),
    /// An accept of the file, of this proposal, is begun, and the file does not tell how it ended. Told by who looked.
    InDoubt(Box<(ProposalId, Intent)>),
}

impl Refusal {
    /// Its word in answers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::OtherContent(_) | Refusal::Begun(_) | Refusal::Settled(_) | Refusal::InDoubt(_) => {
                "conflict"
            }
            Refusal::NotOpen(_) => "not_open",
            Refusal::NotFound => "not_found",
            Refusal::NeedsReason => "needs_reason",
        }
    }

    /// Where the proposal stands, where that is told.
    #[must_use]
    pub fn stands(&self) -> Option<Told> {
        match self {
            Refusal::OtherContent(told) | Refusal::NotOpen(told) | Refusal::Settled(told) => Some(*told),
            Refusal::InDoubt(_) => Some(Told::InDoubt),
            Refusal::Begun(_) => Some(Told::Proposed),
            Refusal::NotFound | Refusal::NeedsReason => None,
        }
    }
}

impl Verdict {
    /// Its word on disk and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        Told::from(self).word()
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Verdict::Accepted, Verdict::Rejected].into_iter().find(|how| how.word() == word)
    }
}

impl From<Verdict> for Told {
    fn from(how: Verdict) -> Self {
        match how {
            Verdict::Accepted => Told::Accepted,
            Verdict::Rejected => Told::Rejected,
        }
    }
}

impl Told {
    /// Its word in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Told::Proposed => "proposed",
            Told::Accepted => "accepted",
            Told::Rejected => "rejected",
            Told::InDoubt => "in_doubt",
        }
    }
}

impl Proposal {
    /// Where it stands, as far as the journal knows.
    #[must_use]
    pub fn told(&self) -> Told {
        match &self.standing {
            Standing::Open(_) => Told::Proposed,
            Standing::Ended(end) => end.how.into(),
        }
    }

    /// Its content, while it is open.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        match &self.standing {
            Standing::Open(content) => Some(content),
            Standing::Ended(_) => None,
        }
    }
}

impl Command {
    /// The file that it is about.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            Command::Add { target, .. }
            | Command::Intend { target, .. }
            | Command::Accept { target, .. }
            | Command::Withdraw { target, .. }
            | Command::Reject { target, .. }
            | Command::Resolve { target, .. } => target,
        }
    }

    /// The proposal that it is about.
    #[must_use]
    pub fn id(&self) -> &ProposalId {
        match self {
            Command::Add { id, .. }
            | Command::Intend { id, .. }
            | Command::Accept { id, .. }
            | Command::Withdraw { id, .. }
            | Command::Reject { id, .. }
            | Command::Resolve { id, .. } => id,
        }
    }
}
