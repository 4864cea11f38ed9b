//! The proposals of a ledger. What of them touches a file is done in [`crate::prose`], under the file's OS lock.

use std::collections::BTreeMap;

use fencehold_model::Event;
use fencehold_model::proposal::{self, Command, Decision, Prose, Target, Told, What};

use super::{Answer, Ledger, ProposalVerdict, check_reason};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Journal, Seen};

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Decides a command about a proposal and records what comes of it. The revision of an answer to
    /// [`Command::Intend`] names the intent.
    ///
    /// # Errors
    /// A content or a reason that makes no sense, and all that [`Journal::commit`] gives.
    pub fn proposal(&self, asking: &Asking, command: &Command) -> Result<Answer<ProposalVerdict>> {
        match command {
            Command::Reject { reason: Some(reason), .. } | Command::Resolve { reason, .. } => {
                check_reason(reason)?;
            }
            _ => {}
        }
        #[allow(clippy::result_large_err)]
        let committed = self.journal.commit(asking, |state, _| match proposal::decide(state, command) {
            Decision::Record(event) => Ok(event),
            other => Err(other),
        })?;
        let verdict = match &committed.outcome {
            Ok(Event::Proposal(event)) => {
                let told = match &event.what {
                    What::Proposed { .. } | What::Intended { .. } | What::Withdrawn => Told::Proposed,
                    What::Accepted => Told::Accepted,
                    What::Rejected { .. } => Told::Rejected,
                    What::Resolved { how, .. } => (*how).into(),
                };
                ProposalVerdict::Stands { told, already: false }
            }
            Ok(event) => panic!("deciding {command:?} recorded {event:?}"),
            Err(Decision::Already(told)) => ProposalVerdict::Stands { told: *told, already: true },
            Err(Decision::Refuse(refusal)) => ProposalVerdict::Refused(refusal.clone()),
            Err(Decision::Invalid(why)) => return Err(Error::usage(format!("{why}; nothing was changed"))),
            Err(Decision::Record(_)) => panic!("{command:?} was not answered"),
        };
        self.answered(&committed, verdict)
    }

    /// The proposals of a file.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn prose_of(&self, target: &Target) -> Result<Seen<Prose>> {
        self.journal.read(|state, _| state.prose_of(target).cloned().unwrap_or_default())
    }

    /// Every proposal there ever was, by the file that it is about.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn prose(&self) -> Result<Seen<BTreeMap<Target, Prose>>> {
        self.journal.read(|state, _| state.prose.clone())
    }
}
