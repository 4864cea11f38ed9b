//! Answers of the shipped code as a history has them.

use fencehold::ledger::{Answer, LeaseVerdict, LeaseView, LockView, TaskVerdict, TaskView, Verdict};
use fencehold_model::lease::{self, How, Party};
use fencehold_model::lock::Refusal;
use fencehold_model::status;
use fencehold_model::{LeaseId, Pattern, Revision, Status};
use serde_json::{Value, json};

use super::record::Told;

/// What an answer says.
pub(super) struct Said {
    /// None where the journal has no part in it.
    pub(super) revision: Option<Revision>,
    pub(super) refused: Option<&'static str>,
    pub(super) value: Value,
    pub(super) told: Told,
}

impl Said {
    fn done(revision: Revision, stands: Option<Revision>, value: Value) -> Self {
        Said { revision: Some(revision), refused: None, value, told: Told::Done(stands) }
    }

    fn refused(revision: Revision, word: &'static str, value: Value) -> Self {
        Said { revision: Some(revision), refused: Some(word), value, told: Told::Not }
    }

    pub(super) fn seen(revision: Revision, value: Value) -> Self {
        Said { revision: Some(revision), refused: None, value, told: Told::Nothing }
    }

    fn seen_none(revision: Revision) -> Self {
        Said { revision: Some(revision), refused: Some("not_found"), value: Value::Null, told: Told::Nothing }
    }

    /// Of a document or a log.
    pub(super) fn of_file(value: Value) -> Self {
        Said { revision: None, refused: None, value, told: Told::Nothing }
    }

    pub(super) fn refused_file(word: &'static str) -> Self {
        Said { revision: None, refused: Some(word), value: Value::Null, told: Told::Nothing }
    }

    /// As the line of a target.
    pub(super) fn line(&self) -> Value {
        match self.refused {
            None => json!({ "outcome": "ok", "revision": self.revision, "value": self.value }),
            Some(reason) => json!({
                "outcome": "refused", "reason": reason, "revision": self.revision, "value": self.value,
            }),
        }
    }
}

pub(super) fn of_lock(answer: &Answer, acquires: bool) -> Said {
    let revision = answer.revision;
    match &answer.verdict {
        Verdict::Granted { token, expires_ms } => {
            let value = json!({
                "token": token,
                "expires_in_ms": expires_ms.map(|expires_ms| answer.expires_in_ms(expires_ms)),
            });
            // A grant that was kept stands where it was granted.
            let told = if acquires { Told::Granted(*token) } else { Told::Nothing };
            Said { told, ..Said::done(revision, None, value) }
        }
        Verdict::Released { token, already } => {
            let value = json!({ "token": token, "already": already });
            Said::done(revision, (!already).then_some(revision), value)
        }
        Verdict::Broken { token } => Said::done(revision, Some(revision), json!({ "token": token })),
        Verdict::Refused(refusal) => {
            let value = match refusal {
                Refusal::Held(grant) => {
                    json!({ "holder": grant.holder.as_str(), "token": grant.token })
                }
                _ => Value::Null,
            };
            Said::refused(revision, refusal.word(), value)
        }
    }
}

pub(super) fn of_shown_lock(view: &LockView) -> Value {
    match &view.grant {
        None => json!({ "holder": null }),
        Some((grant, _)) => json!({ "holder": grant.holder.as_str(), "token": grant.token }),
    }
}

pub(super) fn of_lease(answer: &Answer<LeaseVerdict>, watched: bool) -> Said {
    let revision = answer.revision;
    match &answer.verdict {
        LeaseVerdict::Granted { lease, token, expires_ms, over, beside } => {
            let mut value = json!({ "lease": lease.as_str(), "token": token });
            if let Some(expires_ms) = expires_ms.filter(|_| !watched) {
                value["expires_in_ms"] = answer.expires_in_ms(expires_ms).into();
            }
            if !over.is_empty() {
                value["crashed"] = over.iter().map(|crash| crash.lease.as_str()).collect();
            }
            if !beside.is_empty() {
                value["beside"] = beside.iter().map(LeaseId::as_str).collect();
            }
            Said::done(revision, Some(revision), value)
        }
        LeaseVerdict::Closed { token, already } => {
            let value = json!({ "state": How::Closed.word(), "token": token, "already": already });
            Said::done(revision, (!already).then_some(revision), value)
        }
        LeaseVerdict::Crashed(crash) => {
            let value = json!({ "state": "crashed", "token": crash.token });
            Said::done(revision, Some(revision), value)
        }
        LeaseVerdict::Cleared { token } => {
            Said::done(revision, Some(revision), json!({ "state": "cleared", "token": token }))
        }
        LeaseVerdict::Refused(refusal) => Said::refused(revision, refusal.word(), in_the_way(refusal)),
        LeaseVerdict::Standing => unreachable!("nothing is reaped here"),
    }
}

fn in_the_way(refusal: &lease::Refusal) -> Value {
    match refusal {
        lease::Refusal::AlreadyOpen(party) | lease::Refusal::NotHolder(party) => named(party),
        lease::Refusal::NotOpen(party, how) => {
            let mut value = named(party);
            value["state"] = how.word().into();
            value
        }
        lease::Refusal::Overlap(parties) => {
            json!({ "leases": parties.iter().map(named).collect::<Vec<_>>() })
        }
        lease::Refusal::NotFound | lease::Refusal::NeedsReason => Value::Null,
    }
}

fn named(party: &Party) -> Value {
    json!({ "lease": party.lease.as_str(), "token": party.token, "holder": party.holder.as_str() })
}

pub(super) fn of_shown_lease(revision: Revision, view: Option<&LeaseView>) -> Said {
    let Some(LeaseView { id, lease, .. }) = view else { return Said::seen_none(revision) };
    let value = json!({
        "lease": id.as_str(),
        "state": lease.word(),
        "holder": lease.holder.as_str(),
        "token": lease.token,
        "write_set": lease.writes.iter().map(Pattern::as_str).collect::<Vec<_>>(),
    });
    Said::seen(revision, value)
}

pub(super) fn of_task(answer: &Answer<TaskVerdict>) -> Said {
    let revision = answer.revision;
    match &answer.verdict {
        TaskVerdict::Stands { value, already, .. } => {
            let mut object = standing(value);
            object["already"] = (*already).into();
            Said::done(revision, (!already).then_some(revision), object)
        }
        TaskVerdict::Refused(refusal) => {
            Said::refused(revision, refusal.word(), refusal.stands().map_or(Value::Null, standing))
        }
    }
}

pub(super) fn of_shown_task(revision: Revision, view: Option<&TaskView>) -> Said {
    view.map_or_else(|| Said::seen_none(revision), |view| Said::seen(revision, standing(&view.cell.value)))
}

/// What stands; no detail is ever given here.
fn standing(value: &status::Value) -> Value {
    let statuses: Vec<&str> = value.statuses.keys().map(Status::as_str).collect();
    json!({ "statuses": statuses, "epoch": value.epoch, "turn": value.turn })
}
