//! The decisions of the proposal machine, and what its events change.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::{
    Command, Decision, End, Intent, Proposal, ProposalEvent, Prose, Refusal, Standing, Sum, Target, Told,
    Verdict, What, check_content, text::check_bytes,
};
use crate::json::Malformed;
use crate::{Entry, Event, ProposalId, Revision, State};

/// Decides `command` on `state`. Pure; may be asked any number of times.
#[must_use]
pub fn decide(state: &State, command: &Command) -> Decision {
    let prose = state.prose.get(command.target());
    let Some(proposal) = prose.and_then(|prose| prose.proposals.get(command.id())) else {
        return match command {
            Command::Add { content, .. } => match check_content(content) {
                Ok(()) => record(command, What::Proposed { content: content.clone() }),
                Err(why) => Decision::Invalid(format!("the content {why}")),
            },
            Command::Resolve { reason, .. } if is_blank(reason) => Decision::Refuse(Refusal::NeedsReason),
            _ => Decision::Refuse(Refusal::NotFound),
        };
    };
    let begun = prose.and_then(|prose| prose.begun.as_ref());
    let told = proposal.told();
    match command {
        Command::Add { content, .. } if proposal.sum == Sum::of(content.as_bytes()) => {
            Decision::Already(told)
        }
        Command::Add { .. } => Decision::Refuse(Refusal::OtherContent(told)),
        Command::Resolve { reason, .. } if is_blank(reason) => Decision::Refuse(Refusal::NeedsReason),
        Command::Resolve { how, .. } if told == Told::from(*how) => Decision::Already(told),
        Command::Intend { .. } | Command::Accept { .. } if told == Told::Accepted => Decision::Already(told),
        Command::Reject { .. } if told == Told::Rejected => Decision::Already(told),
        _ if told != Told::Proposed => Decision::Refuse(Refusal::NotOpen(told)),
        Command::Intend { file, before, after, .. } => match begun {
            Some(begun) => Decision::Refuse(Refusal::Begun(Box::new(begun.clone()))),
            None => {
                let (file, before, after) = (file.clone(), before.clone(), after.clone());
                record(command, What::Intended { file, before, after })
            }
        },
        Command::Accept { intent, .. } => of_intent(command, begun, *intent, What::Accepted),
        Command::Withdraw { intent, .. } => of_intent(command, begun, *intent, What::Withdrawn),
        Command::Resolve { how, reason, intent, .. } => {
            of_intent(command, begun, *intent, What::Resolved { how: *how, reason: reason.trim().to_owned() })
        }
        Command::Reject { reason, untouched, .. } => {
            let reason = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
            let what = What::Rejected { reason: reason.map(str::to_owned) };
            match begun.filter(|(id, _)| id == command.id()) {
                Some((_, intent)) if *untouched == Some(intent.revision) => record(command, what),
                Some(begun) => Decision::Refuse(Refusal::Begun(Box::new(begun.clone()))),
                None => record(command, what),
            }
        }
    }
}

/// What ends an intent: only the one that was named.
fn of_intent(
    command: &Command,
    begun: Option<&(ProposalId, Intent)>,
    named: Revision,
    what: What,
) -> Decision {
    match begun {
        Some((id, intent)) if id == command.id() && intent.revision == named => record(command, what),
        _ => Decision::Refuse(Refusal::Settled(Told::Proposed)),
    }
}

fn record(command: &Command, what: What) -> Decision {
    let (target, id) = (command.target().clone(), command.id().clone());
    Decision::Record(Event::Proposal(ProposalEvent { target, id, what }))
}

fn is_blank(reason: &str) -> bool {
    reason.trim().is_empty()
}

/// Whether an event of a proposal can stand after this state: decisions record nothing else.
///
/// # Errors
/// What cannot be: a second proposal of one id, an end of what is not open, an accept that nobody intended.
pub fn admits(state: &State, event: &ProposalEvent) -> Result<(), Malformed> {
    let ProposalEvent { target, id, what } = event;
    let bad = |why: &str| Err(Malformed(format!("proposal {id} of {target} {why}")));
    let prose = state.prose.get(target);
    let proposal = prose.and_then(|prose| prose.proposals.get(id));
    let begun = prose.and_then(|prose| prose.begun.as_ref());
    let is_begun = begun.is_some_and(|(begun, _)| begun == id);
    match (what, proposal) {
        (What::Proposed { .. }, Some(_)) => bad("is proposed twice"),
        (What::Proposed { content }, None) => match check_bytes(content) {
            Ok(()) => Ok(()),
            Err(why) => bad(&format!("has a content that {why}")),
        },
        (_, None) => bad("was never proposed"),
        (_, Some(proposal)) if proposal.told() != Told::Proposed => {
            bad("has ended, and something befalls it")
        }
        (What::Intended { .. }, _) if begun.is_some() => bad("is begun while another accept of its file is"),
        (What::Accepted | What::Withdrawn | What::Resolved { .. }, _) if !is_begun => {
            bad("is ended as if an accept of it had begun")
        }
        _ => Ok(()),
    }
}

impl State {
    /// The proposals of a file.
    #[must_use]
    pub fn prose_of(&self, target: &Target) -> Option<&Prose> {
        self.prose.get(target)
    }

    pub(crate) fn apply_proposal(&mut self, event: &ProposalEvent, entry: &Entry) {
        let ProposalEvent { target, id, what } = event;
        let (by, at_ms, revision) = (entry.actor.clone(), entry.at_ms, entry.revision);
        if let What::Proposed { content } = what {
            let prose = self.prose.entry(target.clone()).or_default();
            let number = prose.proposals.len() as u64 + 1;
            let (sum, standing) = (Sum::of(content.as_bytes()), Standing::Open(content.clone()));
            prose.proposals.entry(id.clone()).or_insert(Proposal {
                number,
                by,
                at_ms,
                revision,
                sum,
                standing,
            });
            return;
        }
        // After a repaired gap it may be nowhere; then nothing changes.
        let Some(prose) = self.prose.get_mut(target) else { return };
        let Some(proposal) = prose.proposals.get_mut(id) else { return };
        // What is carried out was begun by somebody, whoever says that it stands.
        let by = match (&what, &prose.begun) {
            (What::Accepted, Some((_, intent))) => intent.by.clone(),
            _ => by,
        };
        let mut end = |how: Verdict, reason: Option<String>, resolved: bool| {
            let by = by.clone();
            proposal.standing = Standing::Ended(Box::new(End { how, by, at_ms, revision, reason, resolved }));
        };
        match what {
            What::Proposed { .. } => {}
            What::Intended { file, before, after } => {
                let (file, before, after) = (file.clone(), before.clone(), after.clone());
                prose.begun = Some((id.clone(), Intent { revision, by, at_ms, file, before, after }));
                return;
            }
            What::Withdrawn => {}
            What::Accepted => end(Verdict::Accepted, None, false),
            What::Rejected { reason } => end(Verdict::Rejected, reason.clone(), false),
            What::Resolved { how, reason } => end(*how, Some(reason.clone()), true),
        }
        prose.begun.take_if(|(begun, _)| begun == id);
    }
}
