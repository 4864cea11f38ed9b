//! What is asked of proposals and what is told of them, typed.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::call::id;
use super::{Id, Names};

/// What was asked of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalAsk {
    /// `proposal.add`
    Add {
        /// What is proposed, byte for byte.
        content: Id,
    },
    /// `proposal.accept`
    Accept,
    /// `proposal.reject`
    Reject,
}

/// The state of a proposal, as an answer names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProposalState {
    /// It waits.
    Proposed,
    /// Its content is in the file.
    Accepted,
    /// It never will be.
    Rejected,
    /// The file was changed between an intent and its end, and nobody can tell.
    InDoubt,
    /// A word that is none of these.
    Unknown,
}

impl ProposalAsk {
    /// Types the fields of the operation `proposal.` and `verb`; none where that is unknown.
    pub(super) fn read(verb: &str, args: &Value, names: &mut Names) -> Result<Option<Self>, String> {
        Ok(Some(match verb {
            "add" => ProposalAsk::Add { content: id(args, "content", names)? },
            "accept" => ProposalAsk::Accept,
            "reject" => ProposalAsk::Reject,
            _ => return Ok(None),
        }))
    }
}

impl ProposalState {
    /// The state that `value` names, none where it names none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(match value["state"].as_str()? {
            "proposed" => ProposalState::Proposed,
            "accepted" => ProposalState::Accepted,
            "rejected" => ProposalState::Rejected,
            "in_doubt" => ProposalState::InDoubt,
            _ => ProposalState::Unknown,
        })
    }

    /// The proposals of a list, none where it is none.
    pub(super) fn read_list(value: &Value, names: &mut Names) -> Option<Vec<(Id, Self)>> {
        let all = value["proposals"].as_array()?;
        all.iter().map(|one| Some((names.intern(one["proposal"].as_str()?), Self::read(one)?))).collect()
    }
}
