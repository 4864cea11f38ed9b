//! Answers in words and as JSON.

use fencehold_model::LockName;
use fencehold_model::lock::{Grant, Refusal};
use serde_json::{Value, json};

use super::locks::{Told, What};
use super::span;

/// Who holds a grant, since when, until when, and where, in words.
pub(super) fn who(grant: &Grant, now_ms: u64) -> String {
    let since = span::show(now_ms.saturating_sub(grant.since_ms));
    let until = match (&grant.bound, grant.expires_ms) {
        (Some(process), u64::MAX) => format!("until process {} ends", process.pid),
        (_, expires_ms) => {
            format!("lapses in {} unless renewed", span::show(expires_ms.saturating_sub(now_ms)))
        }
    };
    let place = match (&grant.bound, &grant.asked_by) {
        (Some(process), _) => format!(" (pid {} on {})", process.pid, process.host),
        (None, Some((pid, host))) => format!(" (asked by pid {pid} on {host})"),
        (None, None) => String::new(),
    };
    format!("held by {}{place} for {since}, {until}; token {}", grant.holder, grant.token)
}

/// A refusal in words, with what can be done.
pub(super) fn refused(name: &LockName, refusal: &Refusal, now_ms: u64) -> String {
    match refusal {
        Refusal::Held(grant) => format!("{name} is {}", who(grant, now_ms)),
        Refusal::NotHolder => format!(
            "this grant of {name} is not the current one: it was never yours, or has ended; see `fencehold lock show`"
        ),
        Refusal::Expired => {
            format!("{name} lapsed before this; it is nobody's now. Acquire it again, under a new token")
        }
        Refusal::NotFound => format!("nobody holds {name}"),
        Refusal::NeedsReason => "the reason is blank; say why, for whoever loses the lock".to_owned(),
    }
}

/// An answer as the target protocol has it; one that a power cut can undo says so.
pub(super) fn object(told: &Told) -> Value {
    let mut object = json!({ "outcome": "ok", "revision": told.revision });
    match &told.what {
        What::Granted { token, expires_in_ms } => {
            object["value"] = json!({ "token": token, "expires_in_ms": expires_in_ms });
            if *expires_in_ms == Some(0) {
                object["outcome"] = "refused".into();
                object["reason"] = Refusal::Expired.word().into();
            }
        }
        What::Ended { token, already } => {
            object["value"] = json!({ "token": token });
            if *already {
                object["value"]["already"] = true.into();
            }
        }
        What::Refused(refusal) => {
            object["outcome"] = "refused".into();
            object["reason"] = refusal.word().into();
            if let Refusal::Held(grant) = refusal {
                object["value"] = grant_object(grant, told.now_ms);
            }
        }
    }
    if !told.durable {
        object["durable"] = false.into();
    }
    object
}

/// A grant for machines.
pub(super) fn grant_object(grant: &Grant, now_ms: u64) -> Value {
    let expires_in_ms = (grant.expires_ms != u64::MAX).then(|| grant.expires_ms.saturating_sub(now_ms));
    let mut object = json!({
        "holder": grant.holder.as_str(),
        "token": grant.token,
        "expires_in_ms": expires_in_ms,
        "held_for_ms": now_ms.saturating_sub(grant.since_ms),
    });
    if let Some((pid, host)) = &grant.asked_by {
        object["asked_by"] = json!({ "pid": pid, "host": host });
    }
    if let Some(process) = &grant.bound {
        object["bound"] = json!({ "pid": process.pid, "host": process.host });
    }
    object
}
