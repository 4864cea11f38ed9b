//! What became of a lease, in words and as JSON.

use std::collections::BTreeMap;

use fencehold_model::lease::{Cause, Command, Crash, Lease, Party, Refusal};
use fencehold_model::{LeaseId, Pattern};
use serde_json::{Value, json};

use crate::ledger::{Answer, LeaseVerdict};

/// How many entries of one write set a sentence names.
const NAMED_MAX: usize = 5;

/// An answer as the target protocol has it; one that a power cut can undo says so.
pub(super) fn object(command: &Command, answer: &Answer<LeaseVerdict>, watched: bool) -> Value {
    let mut object = json!({ "outcome": "ok", "revision": answer.revision });
    match &answer.verdict {
        LeaseVerdict::Granted { lease, token, expires_ms, over, beside } => {
            object["value"] = json!({ "lease": lease.as_str(), "token": token });
            // While its process can be watched its TTL does not count.
            if let Some(expires_ms) = expires_ms.filter(|_| !watched) {
                object["value"]["expires_in_ms"] = answer.expires_in_ms(expires_ms).into();
            }
            if !beside.is_empty() {
                object["value"]["beside"] = beside.iter().map(LeaseId::as_str).collect();
            }
            if !over.is_empty() {
                object["value"]["crashed"] = over.iter().map(|crash| crash.lease.as_str()).collect();
            }
        }
        LeaseVerdict::Refused(refusal) => {
            object["outcome"] = "refused".into();
            object["reason"] = refusal.word().into();
            let value = in_the_way(refusal);
            if !value.is_null() {
                object["value"] = value;
            }
        }
        ended => {
            object["value"] = json!({ "lease": command.lease().as_str(), "state": state(ended) });
            match ended {
                LeaseVerdict::Closed { token, already } => {
                    object["value"]["token"] = (*token).into();
                    if *already {
                        object["value"]["already"] = true.into();
                    }
                }
                LeaseVerdict::Cleared { token } | LeaseVerdict::Crashed(Crash { token, .. }) => {
                    object["value"]["token"] = (*token).into();
                }
                _ => {}
            }
        }
    }
    if !answer.durable {
        object["durable"] = false.into();
    }
    object
}

/// The word of the state that an answer leads to.
pub(super) fn state(verdict: &LeaseVerdict) -> &'static str {
    match verdict {
        LeaseVerdict::Closed { .. } => "closed",
        LeaseVerdict::Crashed(_) => "crashed",
        LeaseVerdict::Cleared { .. } => "cleared",
        LeaseVerdict::Granted { .. } | LeaseVerdict::Standing | LeaseVerdict::Refused(_) => "open",
    }
}

/// A crash for machines.
pub(super) fn crash_object(crash: &Crash) -> Value {
    let mut object = json!({ "lease": crash.lease.as_str(), "token": crash.token, "state": "crashed" });
    cause(&mut object, &crash.cause);
    object
}

/// Adds why a lease counts as crashed: `evidence`, or the `reason` that somebody gave.
pub(super) fn cause(object: &mut Value, cause: &Cause) {
    match cause {
        Cause::Reason(reason) => object["reason"] = reason.as_str().into(),
        Cause::Dead(evidence) => object["evidence"] = evidence.word().into(),
        Cause::TtlPassed => object["evidence"] = "ttl-passed".into(),
    }
}

/// What a refusal says of the leases in the way, null where it names none.
pub(in super::super) fn in_the_way(refusal: &Refusal) -> Value {
    match refusal {
        Refusal::AlreadyOpen(party) | Refusal::NotHolder(party) => named(party),
        Refusal::NotOpen(party, how) => {
            let mut value = named(party);
            value["state"] = how.word().into();
            value
        }
        Refusal::Overlap(parties) => json!({ "leases": parties.iter().map(named).collect::<Vec<_>>() }),
        Refusal::NotFound | Refusal::NeedsReason => Value::Null,
    }
}

fn named(party: &Party) -> Value {
    json!({ "lease": party.lease.as_str(), "token": party.token, "holder": party.holder.as_str() })
}

/// A refusal in one line, with what can be done.
pub(super) fn refused(command: &Command, refusal: &Refusal, others: &BTreeMap<LeaseId, Lease>) -> String {
    match refusal {
        Refusal::AlreadyOpen(party) => format!(
            "{} is open already: {}. Close it first, or look at it with `fencehold lease show {}`",
            spelled(command, &party.lease),
            held(party),
            party.lease
        ),
        Refusal::Overlap(parties) => {
            let ids = parties.iter().map(|party| (&party.lease, held(party)));
            format!(
                "lease {} would write what open leases write: {}. Wait until they are closed, or write elsewhere",
                command.lease(),
                overlapped(command, ids, others)
            )
        }
        Refusal::NotOpen(party, how) => format!(
            "{} is not open: its token {} is {} by now; see `fencehold history lease/{}`",
            spelled(command, &party.lease),
            party.token,
            how.word(),
            party.lease
        ),
        Refusal::NotHolder(party) => format!(
            "this grant of {} is not the current one: {}",
            spelled(command, &party.lease),
            held(party)
        ),
        Refusal::NotFound => format!(
            "there is no lease {}: it was never granted, or was put aside long ago; see `fencehold lease list --all`",
            command.lease()
        ),
        Refusal::NeedsReason => match command {
            Command::Clear { force: false, lease, .. } => format!(
                "lease {lease} is open, and somebody may be at work: clear it with --force and --reason, or let its \
                 holder close it"
            ),
            _ => "give a --reason that is not blank, for whoever finds the lease ended".to_owned(),
        },
    }
}

/// Whom a grant overlaps, where the policy lets it.
pub(super) fn beside(
    command: &Command,
    lease: &LeaseId,
    beside: &[LeaseId],
    others: &BTreeMap<LeaseId, Lease>,
) -> String {
    let ids = beside.iter().map(|id| {
        let holder = others.get(id).map_or_else(String::new, |other| held(&other.party(id)));
        (id, holder)
    });
    format!("lease {lease} writes what open leases write too: {}", overlapped(command, ids, others))
}

/// Leases with their holders and those of their entries that are in the way.
fn overlapped<'a>(
    command: &Command,
    leases: impl Iterator<Item = (&'a LeaseId, String)>,
    others: &BTreeMap<LeaseId, Lease>,
) -> String {
    let Command::Grant { writes, .. } = command else { return String::new() };
    let named = leases.map(|(id, holder)| {
        let theirs = others.get(id).map_or(&[][..], |other| &other.writes);
        let meets = |theirs: &&Pattern| writes.iter().any(|ours| ours.overlaps(theirs));
        let theirs: Vec<&str> = theirs.iter().filter(meets).map(Pattern::as_str).collect();
        format!("lease {id} ({}; {holder})", some(&theirs))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The first few of a list, and how many there are.
pub(in super::super) fn some(entries: &[&str]) -> String {
    match entries.len() {
        0 => "nothing".to_owned(),
        1..=NAMED_MAX => entries.join(" "),
        count => format!("{} and {} more", entries[..NAMED_MAX].join(" "), count - NAMED_MAX),
    }
}

fn held(party: &Party) -> String {
    format!("held by {}, token {}", party.holder, party.token)
}

/// A lease as it was typed, and as it is known where that is another text.
fn spelled(command: &Command, lease: &LeaseId) -> String {
    if command.lease() == lease {
        format!("lease {lease}")
    } else {
        format!("lease {lease} (typed {})", command.lease())
    }
}
