//! What can have happened to a proposal, and its JSON form.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::{Sum, Target, Verdict};
use crate::ProposalId;
use crate::json::{Fields, Malformed, Writer};

/// What happened to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalEvent {
    /// The file.
    pub target: Target,
    /// The proposal.
    pub id: ProposalId,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was proposed.
    Proposed {
        /// What is to be appended.
        content: String,
    },
    /// An accept was begun.
    Intended {
        /// The file's absolute path without symbolic links.
        file: String,
        /// What it held.
        before: Sum,
        /// What it is to hold.
        after: Sum,
    },
    /// The accept that was begun is carried out.
    Accepted,
    /// The accept that was begun is taken back: nothing was written.
    Withdrawn,
    /// It was rejected.
    Rejected {
        /// Why, where a reason was given.
        reason: Option<String>,
    },
    /// A doubt was ended by hand.
    Resolved {
        /// What it was.
        how: Verdict,
        /// Why.
        reason: String,
    },
}

impl ProposalEvent {
    /// The words that name its kinds on disk.
    pub(crate) const WORDS: [&'static str; 6] = [
        "proposal.proposed",
        "proposal.intended",
        "proposal.accepted",
        "proposal.withdrawn",
        "proposal.rejected",
        "proposal.resolved",
    ];

    /// The word that names its kind on disk.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let index = match &self.what {
            What::Proposed { .. } => 0,
            What::Intended { .. } => 1,
            What::Accepted => 2,
            What::Withdrawn => 3,
            What::Rejected { .. } => 4,
            What::Resolved { .. } => 5,
        };
        Self::WORDS[index]
    }

    /// Adds its fields to a JSON object.
    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        to.text("target", self.target.as_str()).text("id", self.id.as_str());
        match &self.what {
            What::Proposed { content } => {
                to.text("content", content);
            }
            What::Intended { file, before, after } => {
                to.text("file", file).text("before", before.as_str()).text("after", after.as_str());
            }
            What::Accepted | What::Withdrawn => {}
            What::Rejected { reason } => {
                to.text_if("reason", reason.as_deref());
            }
            What::Resolved { how, reason } => {
                to.text("how", how.word()).text("reason", reason);
            }
        }
    }

    /// Reads what [`ProposalEvent::write`] wrote, where `word` is one of a proposal.
    pub(crate) fn read(word: &str, fields: Fields<'_>) -> Result<Option<Self>, Malformed> {
        let Some(kind) = word.strip_prefix("proposal.") else { return Ok(None) };
        let what = match kind {
            "proposed" => What::Proposed { content: fields.text("content")?.to_owned() },
            "intended" => What::Intended {
                file: fields.text("file")?.to_owned(),
                before: fields.id("before")?,
                after: fields.id("after")?,
            },
            "accepted" => What::Accepted,
            "withdrawn" => What::Withdrawn,
            "rejected" => What::Rejected { reason: fields.text_or_none("reason")?.map(str::to_owned) },
            "resolved" => {
                let how = fields.text("how")?;
                let how =
                    Verdict::parse(how).ok_or_else(|| Malformed(format!("a doubt resolved to `{how}`")))?;
                What::Resolved { how, reason: fields.text("reason")?.to_owned() }
            }
            _ => return Ok(None),
        };
        Ok(Some(ProposalEvent { target: fields.id("target")?, id: fields.id("id")?, what }))
    }
}
