//! A decision as the oracle sees it: an operation that was asked and answered at one instant.

use fencehold_model::Event;
use fencehold_model::history::{Ask, Bind, Id, Reason, Token};
use fencehold_model::lock::{Already, Command, Decision, Proof, Refusal};
use fencehold_model::spec::{Given, LockOp};
use fencehold_model::{Claim, Holder, Revision, TimeMs};

/// Gives a short text of the explorer's own (one letter, or one letter and digits) its number.
#[must_use]
pub(super) fn id_of(text: &str) -> Id {
    let folded = text.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(131).wrapping_add(u32::from(byte)));
    Id(folded)
}

fn holder_id(holder: &Holder) -> Id {
    id_of(holder.as_str())
}

fn claim_id(claim: Option<&Claim>) -> Option<Id> {
    claim.map(|claim| id_of(claim.as_str()))
}

fn shown(proof: &Proof) -> (Token, Option<Id>) {
    match proof {
        Proof::Token(token) => (Token::Number(*token), None),
        Proof::Claim(claim) => (Token::Absent, claim_id(Some(claim))),
    }
}

/// The oracle's form of a command. `watched` says whether the process it would be bound to can be seen.
#[must_use]
pub(super) fn ask_of(command: &Command, watched: bool) -> Ask {
    match command {
        Command::Acquire { holder, claim, ttl_ms, bound, .. } => Ask::Acquire {
            holder: holder_id(holder),
            claim: claim_id(claim.as_ref()),
            ttl_us: *ttl_ms,
            bind: if bound.is_some() && watched { Bind::Process } else { Bind::No },
        },
        Command::Renew { holder, proof, ttl_ms, .. } => {
            let (token, claim) = shown(proof);
            Ask::Renew { holder: holder_id(holder), token, claim, ttl_us: *ttl_ms }
        }
        Command::Release { holder, proof, .. } => {
            let (token, claim) = shown(proof);
            Ask::Release { holder: holder_id(holder), token, claim }
        }
        Command::Break { reason, .. } => Ask::Break { blank: reason.trim().is_empty() },
    }
}

/// The operation: a command, decided at `now_ms`, its event (if any) recorded at `revision`. `seen_alive` says that
/// the grant's process was looked at and lives. One microsecond of the oracle stands for one millisecond here.
#[must_use]
pub(super) fn op_of(
    now_ms: TimeMs,
    ask: Ask,
    decision: &Decision,
    revision: Revision,
    seen_alive: bool,
) -> LockOp {
    let mut op = LockOp::at(now_ms, ask, Given::Ok);
    match decision {
        Decision::Record(Event::LockGranted { expires_ms, .. }) => {
            op.token = Token::Number(revision);
            let watched = matches!(ask, Ask::Acquire { bind: Bind::Process, .. });
            op.expires_in_us = (!watched).then(|| expires_ms.saturating_sub(now_ms));
        }
        Decision::Record(Event::LockRenewed { token, expires_ms, .. }) => {
            op.token = Token::Number(*token);
            op.expires_in_us = (!seen_alive).then(|| expires_ms.saturating_sub(now_ms));
        }
        Decision::Record(Event::LockReleased { token, .. }) => {
            (op.token, op.already) = (Token::Number(*token), Some(false));
        }
        Decision::Record(Event::LockBroken { token, .. }) => op.token = Token::Number(*token),
        Decision::Record(_) | Decision::Probe(..) => op.given = Given::Refused(Reason::Other(Id(u32::MAX))),
        Decision::Already(Already::Granted { token, expires_ms }) => {
            op.token = Token::Number(*token);
            op.expires_in_us = expires_ms.map(|expires_ms| expires_ms.saturating_sub(now_ms));
        }
        Decision::Already(Already::Released { token }) => {
            (op.token, op.already) = (Token::Number(*token), Some(true));
        }
        Decision::Refuse(refusal) => {
            op.given = Given::Refused(match refusal {
                Refusal::Held(_) => Reason::Held,
                Refusal::NotHolder => Reason::NotHolder,
                Refusal::Expired => Reason::Expired,
                Refusal::NotFound => Reason::NotFound,
                Refusal::NeedsReason => Reason::NeedsReason,
            });
            if let Refusal::Held(grant) = refusal {
                (op.holder, op.token) = (Some(holder_id(&grant.holder)), Token::Number(grant.token));
                let ends = grant.expires_ms != TimeMs::MAX;
                op.expires_in_us = ends.then(|| grant.expires_ms.saturating_sub(now_ms));
            }
        }
    }
    op
}
