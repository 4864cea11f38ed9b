//! What is shown at a log or a document: a fence, or force with a reason.

use fencehold_model::{NUMBER_BOUND, Token};
use serde_json::{Value, json};

use super::args::Fenced;
use super::locks::Locks;
use super::out::{Ended, Out, REFUSED};
use super::session::Session;
use crate::error::{Error, Result};
use crate::ledger::FenceStanding;
use crate::mark::{Answer, Fence, Mark, Refusal, Shown};

/// Reads a token: a whole number from 1, below 2^53.
pub(super) fn token(text: &str) -> std::result::Result<Token, String> {
    match text.parse::<Token>() {
        Ok(token) if (1..NUMBER_BOUND).contains(&token) && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(token)
        }
        _ => Err(format!("{text:?} is no token: give the number that acquire or grant printed")),
    }
}

/// The ledger that a write works with, and what it shows there. Nothing is created for a write that can only be refused.
pub(super) fn enter(
    session: &Session,
    fenced: &Fenced,
    force: Option<&str>,
) -> Result<Answer<(Locks, Shown)>> {
    if force.is_some_and(|reason| reason.trim().is_empty()) {
        return Ok(Err(Refusal::NeedsReason));
    }
    let locks = match &fenced.fence {
        Some(fence) => Locks::open(session)?.ok_or_else(|| never_granted(fence))?,
        None => Locks::open_or_create(session)?,
    };
    let shown = shown(&locks, fenced, force)?;
    Ok(shown.map(|shown| (locks, shown)))
}

fn never_granted(fence: &Fence) -> Error {
    Error::usage(format!(
        "no lock and no lease of this workspace ever had the token {}; nothing was changed. Show the one that acquire \
         or grant printed",
        fence.token
    ))
}

/// What is shown, after a look into the ledger. A token that it has passed is stale, even where the newer one was never
/// shown at the file; one that it never reached is an error: the mark would take it, and refuse every real one after.
fn shown(locks: &Locks, fenced: &Fenced, force: Option<&str>) -> Result<Answer<Shown>> {
    let force = force.map(str::to_owned);
    let Some(fence) = &fenced.fence else { return Ok(Ok(Shown { fence: None, force })) };
    match locks.fence_standing(fence)? {
        (right, FenceStanding::Good) => {
            Ok(Ok(Shown { fence: Some(Fence { right, token: fence.token }), force }))
        }
        (right, FenceStanding::Stale { newest }) => {
            Ok(Err(Refusal::StaleToken(Mark { right, token: newest })))
        }
        (_, FenceStanding::NeverGranted) => Err(never_granted(fence)),
    }
}

/// A mark in answers: `lock` or `lease`, and `token`.
pub(super) fn described(mark: &Mark) -> Value {
    json!({ mark.right.kind(): mark.right.name(), "token": mark.token })
}

/// Says why a file refuses.
pub(super) fn refuse(out: Out, refusal: &Refusal) -> Ended {
    out.say(&refusal.to_string());
    let mut object = json!({ "outcome": "refused", "reason": refusal.word() });
    match refusal {
        Refusal::StaleToken(mark) | Refusal::Guarded(mark) => {
            object["value"] = described(mark);
        }
        Refusal::Ruled(lock) => object["value"] = json!({ "lock": lock.as_str() }),
        Refusal::Version { found, .. } => object["value"] = json!({ "version": found.as_str() }),
        _ => {}
    }
    out.answer(&object, "")?;
    Ok(REFUSED)
}
