//! The operations on leases.

use fencehold_model::event::Process;
use fencehold_model::lease::{self, About, Command, Decision, How, Lease, Proof, Refusal};
use fencehold_model::lock::Liveness;
use fencehold_model::{LeaseId, Pattern, State, TimeMs};
use serde_json::{Value, json};

use super::request::{Bind, Request};
use super::target::{Greeted, asking};
use super::{Failure, Outcome, Reply};
use crate::cli::identity;
use crate::cli::lease::{in_the_way, standing_object};
use crate::host::Host as _;
use crate::ledger::{self, LeaseVerdict, LeaseView};
use crate::writes::{Tree, folds_case};

/// The bytes of leases in one page of `lease.list`: with what stands around them a line stays below 1 MiB.
const PAGE_BYTES: usize = 512 * 1024;

impl Greeted {
    pub(super) fn grant(&mut self, request: &Request<'_>) -> Outcome {
        let bound = self.bound(request)?;
        let text = |key| Ok::<_, Failure>(request.fields.text_or_none(key)?.map(str::to_owned));
        let command = Command::Grant {
            lease: request.lease()?,
            holder: request.holder()?,
            ttl_ms: request.fields.number_or_none("ttl_ms")?,
            writes: self.write_set(request)?,
            about: About { worktree: text("worktree")?, branch: text("branch")?, agent: text("agent")? },
            bound: bound.clone(),
            asked_by: Some((u64::from(std::process::id()), identity::host_name())),
        };
        ledger::check_lease(&command)?;
        // As of a lock: no time is told where it does not count.
        let watched = bound.is_some_and(|process| self.host.liveness(&process) != Liveness::Unknowable);
        let actor = request.holder()?;
        let ledger = self.ledger()?;
        let answer = ledger.lease(&asking(ledger, actor), &command)?;
        Ok(reply(&answer, watched))
    }

    /// The entries of what a lease writes: paths and globs relative to the root, led to where they are.
    fn write_set(&self, request: &Request<'_>) -> Result<Vec<Pattern>, Failure> {
        let texts = request.write_set()?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let tree = Tree::new(&self.fs, &self.place, folds_case(self.fs, &self.place)?)?;
        Ok(tree.write_set(&self.fs, &self.place.root, texts)?)
    }

    /// What a grant is to be bound to.
    pub(super) fn bound(&self, request: &Request<'_>) -> Result<Option<Process>, Failure> {
        Ok(match request.bind()? {
            Bind::Nothing => None,
            Bind::ThisProcess => Some(self.host.process(u64::from(std::process::id()))?),
            Bind::Pid(pid) => Some(self.host.process(pid)?),
        })
    }

    pub(super) fn close(&mut self, request: &Request<'_>) -> Outcome {
        let proof = Proof::Token(request.fields.number("token")?);
        self.lease(&Command::Close { lease: request.lease()?, proof })
    }

    pub(super) fn crash(&mut self, request: &Request<'_>) -> Outcome {
        self.lease(&Command::Crash {
            lease: request.lease()?,
            token: request.fields.number_or_none("token")?,
            reason: request.fields.text_or_none("reason")?.unwrap_or_default().to_owned(),
        })
    }

    pub(super) fn clear(&mut self, request: &Request<'_>) -> Outcome {
        self.lease(&Command::Clear {
            lease: request.lease()?,
            force: request.flag("force")?,
            reason: request.fields.text_or_none("reason")?.map(str::to_owned),
        })
    }

    /// A command that a workspace without events can only refuse.
    fn lease(&mut self, command: &Command) -> Outcome {
        ledger::check_lease(command)?;
        let actor = self.by_hand()?;
        let Some(ledger) = self.ledger_if_any()? else {
            let refusal = match lease::decide(&State::default(), command, &[], 0) {
                Decision::Refuse(refusal) => refusal,
                other => panic!("{command:?} came to {other:?} where there is no lease"),
            };
            return Ok(Reply::Refused {
                reason: refusal.word(),
                revision: Some(0),
                value: in_the_way(&refusal),
            });
        };
        Ok(reply(&ledger.lease(&asking(ledger, actor), command)?, false))
    }

    pub(super) fn show_lease(&mut self, request: &Request<'_>) -> Outcome {
        let lease = request.lease()?;
        let seen = self.ledger_if_any()?.map(|ledger| ledger.show_lease(&lease)).transpose()?;
        let revision = Some(seen.as_ref().map_or(0, |seen| seen.revision));
        Ok(match seen.as_ref().and_then(|seen| Some((seen.value.as_ref()?, seen.at_ms))) {
            Some((view, now_ms)) => Reply::Ok { revision, value: standing_object(view, now_ms) },
            None => Reply::Refused { reason: Refusal::NotFound.word(), revision, value: Value::Null },
        })
    }

    pub(super) fn list_leases(&mut self, request: &Request<'_>) -> Outcome {
        let state = request.fields.text_or_none("state")?;
        if let Some(state) = state.filter(|state| !Lease::WORDS.contains(state)) {
            let why = format!("`state` {state:?} is none; the states are {}", Lease::WORDS.join(", "));
            return Err(Failure::Definite(why));
        }
        let after: Option<LeaseId> = request.fields.id_or_none("after")?;
        let Some(ledger) = self.ledger_if_any()? else {
            return Ok(Reply::Ok { revision: Some(0), value: json!({ "leases": [] }) });
        };
        let after = match after {
            Some(after) => Some(ledger.policy()?.value.lease(&after)),
            None => None,
        };
        let seen = ledger.leases()?;
        let chosen = seen.value.iter().filter(|view| {
            state.is_none_or(|state| state == view.lease.word())
                && after.as_ref().is_none_or(|after| view.id > *after)
        });
        Ok(Reply::Ok { revision: Some(seen.revision), value: page(chosen, seen.at_ms) })
    }
}

/// As many of the leases as one answer holds, at least one, and where the next page begins after.
fn page<'a>(views: impl Iterator<Item = &'a LeaseView>, now_ms: TimeMs) -> Value {
    let (mut leases, mut bytes) = (Vec::new(), 0);
    let mut last: Option<&LeaseId> = None;
    for view in views {
        let lease = standing_object(view, now_ms);
        bytes += lease.to_string().len() + 1;
        if let Some(last) = last.filter(|_| bytes > PAGE_BYTES) {
            return json!({ "leases": leases, "next": last.as_str() });
        }
        leases.push(lease);
        last = Some(&view.id);
    }
    json!({ "leases": leases })
}

fn reply(answer: &ledger::Answer<LeaseVerdict>, watched: bool) -> Reply {
    let revision = Some(answer.revision);
    let mut value = match &answer.verdict {
        LeaseVerdict::Granted { lease, token, expires_ms, over, beside } => {
            let mut value = json!({ "lease": lease.as_str(), "token": token });
            if let Some(expires_ms) = expires_ms {
                value["expires_in_ms"] = match watched {
                    true => Value::Null,
                    false => answer.expires_in_ms(*expires_ms).into(),
                };
            }
            if !over.is_empty() {
                value["crashed"] = over.iter().map(|crash| crash.lease.as_str()).collect();
            }
            if !beside.is_empty() {
                value["beside"] = beside.iter().map(LeaseId::as_str).collect();
            }
            value
        }
        LeaseVerdict::Closed { token, already } => {
            json!({ "state": How::Closed.word(), "token": token, "already": already })
        }
        LeaseVerdict::Crashed(crash) => {
            json!({ "state": How::Crashed(crash.cause.clone()).word(), "token": crash.token })
        }
        LeaseVerdict::Cleared { token } => json!({ "state": How::Cleared(None).word(), "token": token }),
        LeaseVerdict::Refused(refusal) => {
            return Reply::Refused { reason: refusal.word(), revision, value: in_the_way(refusal) };
        }
        LeaseVerdict::Standing => panic!("nothing was reaped, and nothing was to be"),
    };
    if !answer.durable {
        value["durable"] = json!(false);
    }
    Reply::Ok { revision, value }
}
