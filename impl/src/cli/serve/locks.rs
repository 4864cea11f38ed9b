//! The operations on locks.

use std::time::Duration;

use fencehold_model::lock::{Command, Grant, Refusal};
use fencehold_model::{Holder, TimeMs};
use serde_json::{Value, json};

use super::request::Request;
use super::target::{Greeted, RealLedger, asking};
use super::{Failure, Outcome, Reply};
use crate::cli::identity;
use crate::cli::locks::without_workspace;
use crate::cli::waiting::Waiting;
use crate::error::{Error, Result};
use crate::fs::Watch;
use crate::host::Deadline;
use crate::ledger::{self, Answer, Verdict};

impl Greeted {
    pub(super) fn acquire(&mut self, request: &Request<'_>) -> Outcome {
        let holder = request.holder()?;
        let bound = self.bound(request)?;
        let command = Command::Acquire {
            name: request.name()?,
            holder: holder.clone(),
            claim: request.claim()?,
            ttl_ms: request.fields.number("ttl_ms")?,
            bound,
            asked_by: Some((u64::from(std::process::id()), identity::host_name())),
        };
        let wait = request.wait()?;
        // Before the first write makes a workspace for it.
        ledger::check(&command)?;
        Ok(reply(&submit_waiting(self.ledger()?, &holder, &command, wait)?))
    }

    pub(super) fn renew(&mut self, request: &Request<'_>) -> Outcome {
        let (name, holder, proof) = (request.name()?, request.holder()?, request.proof()?);
        let ttl_ms = request.fields.number_or_none("ttl_ms")?;
        self.submit(&holder, &Command::Renew { name, holder: holder.clone(), proof, ttl_ms })
    }

    pub(super) fn release(&mut self, request: &Request<'_>) -> Outcome {
        let (name, holder, proof) = (request.name()?, request.holder()?, request.proof()?);
        self.submit(&holder, &Command::Release { name, holder: holder.clone(), proof })
    }

    pub(super) fn end_by_hand(&mut self, request: &Request<'_>) -> Outcome {
        let name = request.name()?;
        let reason = request.fields.text_or_none("reason")?.unwrap_or_default().to_owned();
        let actor = self.by_hand()?;
        self.submit(&actor, &Command::Break { name, reason })
    }

    /// The actor of what names no holder.
    pub(super) fn by_hand(&self) -> std::result::Result<Holder, Failure> {
        Holder::new(identity::host_name().trim())
            .map_err(|bad| Failure::Definite(format!("this machine's name is no actor: {bad}")))
    }

    fn submit(&mut self, actor: &Holder, command: &Command) -> Outcome {
        ledger::check(command)?;
        let Some(ledger) = self.ledger_if_any()? else {
            let reason = without_workspace(command).word();
            return Ok(Reply::Refused { reason, revision: Some(0), value: Value::Null });
        };
        Ok(reply(&ledger.submit(&asking(ledger, actor.clone()), command)?))
    }

    pub(super) fn show(&mut self, request: &Request<'_>) -> Outcome {
        let name = request.name()?;
        let Some(ledger) = self.ledger_if_any()? else {
            return Ok(Reply::Ok { revision: Some(0), value: json!({ "holder": null }) });
        };
        let seen = ledger.show(&name)?;
        let value = match &seen.value.grant {
            None => json!({ "holder": null }),
            Some((grant, expires_ms)) => describe(grant, *expires_ms, seen.at_ms),
        };
        Ok(Reply::Ok { revision: Some(seen.revision), value })
    }
}

/// Submits `command`, and again whenever something changed, while it is refused as held and the wait is not over.
fn submit_waiting(ledger: &RealLedger, actor: &Holder, command: &Command, wait: Duration) -> Result<Answer> {
    let first = ledger.submit(&asking(ledger, actor.clone()), command)?;
    if wait.is_zero() || !matches!(first.verdict, Verdict::Refused(Refusal::Held(_))) {
        return Ok(first);
    }
    let deadline = Deadline::after(wait);
    let dir = ledger.journal().dir();
    let (watch, _) = Watch::begin(dir)?;
    let mut shown = None;
    loop {
        // Asked again after the watch stands: what changed before it is not told.
        let answer = ledger.submit(&asking(ledger, actor.clone()), command)?;
        let Verdict::Refused(Refusal::Held(grant)) = &answer.verdict else { return Ok(answer) };
        let left = deadline.left();
        if left.is_zero() {
            return Ok(answer);
        }
        shown.get_or_insert_with(|| Waiting::begin(dir, command.name(), actor, left));
        let until_expiry = Duration::from_millis(grant.expires_ms.saturating_sub(answer.now_ms).max(1));
        let process =
            grant.bound.as_ref().map(|process| process.pid).filter(|_| grant.expires_ms == TimeMs::MAX);
        watch
            .wait(left.min(until_expiry), process)
            .map_err(|error| Error::environment("watching", dir, error))?;
    }
}

fn reply(answer: &Answer) -> Reply {
    let revision = Some(answer.revision);
    let mut value = match &answer.verdict {
        Verdict::Granted { token, expires_ms } => json!({
            "token": token,
            "expires_in_ms": expires_ms.map(|expires_ms| answer.expires_in_ms(expires_ms)),
        }),
        Verdict::Released { token, already } => json!({ "token": token, "already": already }),
        Verdict::Broken { token } => json!({ "token": token }),
        Verdict::Refused(refusal) => {
            let value = match refusal {
                Refusal::Held(grant) => {
                    let expires_ms = (grant.expires_ms != TimeMs::MAX).then_some(grant.expires_ms);
                    describe(grant, expires_ms, answer.now_ms)
                }
                _ => Value::Null,
            };
            return Reply::Refused { reason: refusal.word(), revision, value };
        }
    };
    if !answer.durable {
        value["durable"] = json!(false);
    }
    Reply::Ok { revision, value }
}

fn describe(grant: &Grant, expires_ms: Option<TimeMs>, now_ms: TimeMs) -> Value {
    json!({
        "holder": grant.holder.as_str(),
        "token": grant.token,
        "since_ms": now_ms.saturating_sub(grant.since_ms),
        "expires_in_ms": expires_ms.map(|expires_ms| expires_ms.saturating_sub(now_ms)),
        "pid": grant.bound.as_ref().map(|process| process.pid).or(grant.asked_by.as_ref().map(|(pid, _)| *pid)),
        "host": grant.asked_by.as_ref().map(|(_, host)| host),
    })
}
