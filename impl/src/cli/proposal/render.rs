//! Answers about proposals, for people and for machines.

use fencehold_model::ProposalId;
use fencehold_model::proposal::{Intent, Refusal, Standing, Target, Told};
use serde_json::{Value, json};

use super::super::front::plain;
use super::super::hook::quoted;
use super::super::locks::Locks;
use super::super::out::{Ended, REFUSED};
use super::super::session::Session;
use crate::ledger::ProposalVerdict;
use crate::prose::Answered;

/// Tells what a command came to.
pub(super) fn tell(
    session: &Session,
    locks: Option<&Locks>,
    target: &Target,
    id: &ProposalId,
    answer: &Answered,
) -> Ended {
    if let Some(locks) = locks {
        locks.tell_notes(session.out);
    }
    let (told, already) = match &answer.verdict {
        ProposalVerdict::Stands { told, already } => (*told, *already),
        ProposalVerdict::Refused(refusal) => return refused(session, target, id, refusal),
    };
    let mut value =
        json!({ "target": target.as_str(), "id": id.as_str(), "state": told.word(), "already": already });
    if !answer.durable {
        value["durable"] = json!(false);
    }
    let object = json!({ "outcome": "ok", "revision": answer.revision, "value": value });
    let what = format!("{target}: proposal {id} is {}{}", told.word(), if already { " already" } else { "" });
    session.out.done(&object, "", &what)?;
    if !session.out.json {
        session.out.say(&plain(&what));
    }
    Ok(0)
}

/// Says why a command is refused.
pub(super) fn refused(session: &Session, target: &Target, id: &ProposalId, refusal: &Refusal) -> Ended {
    session.out.say(&plain(&why(target, id, refusal)));
    let mut value = json!({ "target": target.as_str(), "id": id.as_str() });
    if let Some(told) = refusal.stands() {
        value["state"] = told.word().into();
    }
    if let Refusal::InDoubt(begun) | Refusal::Begun(begun) = refusal {
        value["begun"] = json!({ "id": begun.0.as_str(), "file": begun.1.file });
    }
    session.out.answer(&json!({ "outcome": "refused", "reason": refusal.word(), "value": value }), "")?;
    Ok(REFUSED)
}

fn why(target: &Target, id: &ProposalId, refusal: &Refusal) -> String {
    match refusal {
        Refusal::OtherContent(told) => format!(
            "{target}: the id {id} is that of another content, which is {}; propose yours under an id of its own",
            told.word()
        ),
        Refusal::NotOpen(told) => format!("{target}: proposal {id} is {}, and stays so", told.word()),
        Refusal::NotFound => {
            format!("{target}: nobody proposed {id}; `fencehold proposal list` says what there is")
        }
        Refusal::NeedsReason => {
            "the reason is blank; say why, in words, for whoever reads the history".to_owned()
        }
        Refusal::Begun(begun) => {
            format!("{target}: an accept of {} is begun; try again in a moment", begun.0)
        }
        Refusal::Settled(Told::Proposed) => {
            format!("{target}: proposal {id} is not in doubt; accept or reject it")
        }
        Refusal::Settled(told) => format!("{target}: proposal {id} is {} by now", told.word()),
        Refusal::InDoubt(begun) => format!("{}; nothing was changed", doubt(target, &begun.0, &begun.1)),
    }
}

/// A doubt, and what to do about it.
pub(in super::super) fn doubt(target: &Target, id: &ProposalId, intent: &Intent) -> String {
    // It is for pasting into a shell, whatever files and proposals are called.
    let words = format!("{} {}", quoted(target.as_str()), quoted(id.as_str()));
    format!(
        "{target}: the accept of {id} that {} began is in doubt: {} is neither as it was nor as it was to be, and the line \
         that names the proposal is not there. Look at the file, then say what it was: `fencehold proposal resolve {words} \
         --as accepted|rejected --reason TEXT`",
        intent.by, intent.file
    )
}

/// A proposal for machines, the content aside.
pub(in super::super) fn object(view: &crate::prose::View, revision: u64) -> Value {
    let proposal = &view.proposal;
    let mut object = json!({
        "target": view.target.as_str(),
        "id": view.id.as_str(),
        "number": proposal.number,
        "state": view.told.word(),
        "by": proposal.by.as_str(),
        "at_ms": proposal.at_ms,
        "sum": proposal.sum.as_str(),
        "revision": revision,
    });
    if let Standing::Ended(end) = &proposal.standing {
        object["ended"] = json!({
            "by": end.by.as_str(),
            "at_ms": end.at_ms,
            "reason": end.reason,
            "resolved": end.resolved,
        });
    }
    if let Some(intent) = &view.begun {
        object["begun"] = json!({
            "by": intent.by.as_str(),
            "at_ms": intent.at_ms,
            "file": intent.file,
            "before": intent.before.as_str(),
            "after": intent.after.as_str(),
        });
    }
    object
}
