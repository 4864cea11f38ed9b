//! One proposal for one file, as the oracle understands it.
//!
//! - It is made once: the same id again is the same content, or a conflict.
//! - It ends once: accepted or rejected, never both, and stays so.
//! - It is in doubt only where something else than the target writes its file.

use super::{Breach, Spec};

/// The specification of one proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalSpec {
    /// Whether something else than the target wrote the file: then an intent may be one that nobody can tell the end of.
    pub edited: bool,
}

/// All that is to be known of one proposal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Proposal {
    /// There is none of this id.
    #[default]
    Nothing,
    /// It was made.
    Made {
        /// Its content.
        content: u32,
        /// How it ended, if it did.
        end: Option<End>,
    },
}

/// How a proposal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Its content is in the file.
    Accepted,
    /// It never will be.
    Rejected,
}

/// What was asked of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalAsk {
    /// `proposal.add`, of this content.
    Add(u32),
    /// `proposal.accept` or `proposal.reject`.
    End(End),
    /// `proposal.list`, as far as it is about this one.
    List,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalGiven {
    /// It was done, or is so already.
    Ok,
    /// It was refused.
    Refused(ProposalReason),
    /// Nobody knows.
    Info,
}

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalReason {
    /// There is no such proposal.
    NotFound,
    /// It ended otherwise.
    NotOpen,
    /// Another content has this id, or an end is in doubt.
    Conflict,
    /// One of the target's own, which is not judged.
    Own,
    /// Any other.
    Other,
}

/// The state that an answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalTold {
    /// It waits.
    Proposed,
    /// It ended so.
    Ended(End),
    /// Nobody can tell.
    InDoubt,
    /// What is no state.
    Unknown,
}

/// One operation on one proposal, with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalOp {
    /// What was asked.
    pub ask: ProposalAsk,
    /// What came of it.
    pub given: ProposalGiven,
    /// The state that the answer names; of a list none where the proposal is not in it.
    pub told: Option<ProposalTold>,
    /// Whether the answer says that it was so before.
    pub already: Option<bool>,
}

impl Spec for ProposalSpec {
    type State = Proposal;
    type Op = ProposalOp;

    fn initial(&self) -> Proposal {
        Proposal::Nothing
    }

    fn step(&self, proposal: &Proposal, op: &ProposalOp) -> Result<Proposal, Breach> {
        match (op.ask, op.given) {
            (_, ProposalGiven::Refused(ProposalReason::Own)) => Ok(*proposal),
            (_, ProposalGiven::Info) => Err(Breach::Malformed),
            (ProposalAsk::List, _) => self.listed(proposal, op.told),
            (ProposalAsk::Add(content), ProposalGiven::Ok) => self.added(proposal, content, op),
            (ProposalAsk::Add(content), ProposalGiven::Refused(reason)) => match proposal {
                Proposal::Made { content: other, .. } if *other != content => {
                    self.refused(proposal, reason, ProposalReason::Conflict, op.told)
                }
                _ => Err(Breach::WronglyRefused),
            },
            (ProposalAsk::End(end), ProposalGiven::Ok) => ended(proposal, end, op),
            (ProposalAsk::End(end), ProposalGiven::Refused(reason)) => {
                self.not_ended(proposal, end, reason, op.told)
            }
        }
    }

    fn only_tells(&self, op: &ProposalOp) -> bool {
        op.ask == ProposalAsk::List || matches!(op.given, ProposalGiven::Refused(_))
    }

    fn effects(&self, proposal: &Proposal, op: &ProposalOp) -> [Option<Proposal>; 2] {
        let next = match (op.ask, *proposal) {
            (ProposalAsk::Add(content), Proposal::Nothing) => Some(Proposal::Made { content, end: None }),
            (ProposalAsk::End(end), Proposal::Made { content, end: None }) => {
                Some(Proposal::Made { content, end: Some(end) })
            }
            _ => None,
        };
        [next, None]
    }
}

impl ProposalSpec {
    fn listed(&self, proposal: &Proposal, told: Option<ProposalTold>) -> Result<Proposal, Breach> {
        let fits = match (proposal, told) {
            (Proposal::Nothing, None) => true,
            (Proposal::Nothing, Some(_)) => return Err(Breach::ProposalAlien),
            (Proposal::Made { .. }, None) => return Err(Breach::ProposalLost),
            (Proposal::Made { end: None, .. }, Some(ProposalTold::InDoubt)) => {
                return if self.edited { Ok(*proposal) } else { Err(Breach::ProposalDoubt) };
            }
            (Proposal::Made { end, .. }, Some(told)) => told == state(*end),
        };
        if fits { Ok(*proposal) } else { Err(Breach::ProposalState) }
    }

    fn not_ended(
        &self,
        proposal: &Proposal,
        end: End,
        reason: ProposalReason,
        told: Option<ProposalTold>,
    ) -> Result<Proposal, Breach> {
        // While one intent for the file is in doubt, no proposal for it is ended.
        let in_doubt = reason == ProposalReason::Conflict && told == Some(ProposalTold::InDoubt);
        match proposal {
            Proposal::Made { end: None, .. } if in_doubt && self.edited => Ok(*proposal),
            _ if in_doubt && !self.edited => Err(Breach::ProposalDoubt),
            Proposal::Nothing => self.refused(proposal, reason, ProposalReason::NotFound, told),
            Proposal::Made { end: Some(other), .. } if *other != end => {
                self.refused(proposal, reason, ProposalReason::NotOpen, told)
            }
            Proposal::Made { .. } => Err(Breach::WronglyRefused),
        }
    }

    /// It was refused for the reason that is due, and names the state that it is in, if any.
    fn refused(
        &self,
        proposal: &Proposal,
        reason: ProposalReason,
        due: ProposalReason,
        told: Option<ProposalTold>,
    ) -> Result<Proposal, Breach> {
        if reason != due {
            return Err(Breach::WrongReason);
        }
        match (proposal, told) {
            (Proposal::Made { end, .. }, Some(told)) if !self.is(*end, told) => Err(Breach::ProposalState),
            (Proposal::Nothing, Some(_)) => Err(Breach::ProposalState),
            _ => Ok(*proposal),
        }
    }

    fn added(&self, proposal: &Proposal, content: u32, op: &ProposalOp) -> Result<Proposal, Breach> {
        let told = op.told.ok_or(Breach::Malformed)?;
        match proposal {
            Proposal::Nothing if told != ProposalTold::Proposed => Err(Breach::ProposalState),
            Proposal::Nothing if op.already == Some(true) => Err(Breach::WrongAlready),
            Proposal::Nothing => Ok(Proposal::Made { content, end: None }),
            Proposal::Made { content: other, .. } if *other != content => Err(Breach::ProposalContent),
            Proposal::Made { end, .. } if !self.is(*end, told) => Err(Breach::ProposalState),
            Proposal::Made { .. } if op.already == Some(false) => Err(Breach::WrongAlready),
            Proposal::Made { .. } => Ok(*proposal),
        }
    }

    /// Whether this tells of a proposal that ended so, or did not.
    fn is(&self, end: Option<End>, told: ProposalTold) -> bool {
        told == state(end) || (told == ProposalTold::InDoubt && end.is_none() && self.edited)
    }
}

fn state(end: Option<End>) -> ProposalTold {
    end.map_or(ProposalTold::Proposed, ProposalTold::Ended)
}

fn ended(proposal: &Proposal, end: End, op: &ProposalOp) -> Result<Proposal, Breach> {
    let told = op.told.ok_or(Breach::Malformed)?;
    let Proposal::Made { content, end: before } = *proposal else { return Err(Breach::ProposalAlien) };
    if before.is_some_and(|before| before != end) {
        return Err(Breach::ProposalEnds);
    }
    if told != ProposalTold::Ended(end) {
        return Err(Breach::ProposalState);
    }
    if op.already.is_some_and(|already| already != before.is_some()) {
        return Err(Breach::WrongAlready);
    }
    Ok(Proposal::Made { content, end: Some(end) })
}
