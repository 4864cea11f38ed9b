//! The operations on proposals.

use std::path::PathBuf;

use fencehold_model::proposal::{Refusal, Target, check_content};
use fencehold_model::{Holder, ProposalId, Revision};
use serde_json::{Value, json};

use super::files;
use super::request::Request;
use super::target::{Greeted, RealLedger};
use super::{Failure, Outcome, Reply};
use crate::cli::proposal::Checkout;
use crate::fs::RealFs;
use crate::host::RealHost;
use crate::journal::FileJournal;
use crate::ledger::ProposalVerdict;
use crate::prose::{self, Answered, Prose, View};

/// The prose of the root.
type RealProse<'a> = Prose<'a, RealFs, FileJournal<RealFs, RealHost>, RealHost, Checkout<'a>>;

/// How many proposals one page of `proposal.list` has: with the longest ids and names a line stays below 1 MiB.
const PAGE: usize = 500;

impl Greeted {
    pub(super) fn propose(&mut self, request: &Request<'_>) -> Outcome {
        let (target, id, by) = self.named(request)?;
        let content = request.fields.text("content")?;
        check_content(content).map_err(|why| Failure::Definite(format!("`content` {why}")))?;
        let answer = self.prose()?.add(&by, &target, &id, content)?;
        Ok(told(&target, &id, &answer))
    }

    pub(super) fn accept(&mut self, request: &Request<'_>) -> Outcome {
        let (target, id, by) = self.named(request)?;
        let shown = match self.shown(request)? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        if self.ledger_if_any()?.is_none() {
            return Ok(refused(&target, &id, &Refusal::NotFound, 0));
        }
        Ok(match self.prose()?.accept(&by, &target, &id, &shown)? {
            Ok(answer) => told(&target, &id, &answer),
            // The mark at the file refuses it, not the journal: what was known there is older than this.
            Err(refusal) => {
                let revision = Some(self.ledger()?.prose_of(&target)?.revision);
                match files::refused(&refusal) {
                    Reply::Refused { reason, value, .. } => Reply::Refused { reason, revision, value },
                    other => other,
                }
            }
        })
    }

    pub(super) fn reject(&mut self, request: &Request<'_>) -> Outcome {
        let (target, id, by) = self.named(request)?;
        let reason = request.fields.text_or_none("reason")?;
        if self.ledger_if_any()?.is_none() {
            return Ok(refused(&target, &id, &Refusal::NotFound, 0));
        }
        let answer = self.prose()?.reject(&by, &target, &id, reason)?;
        Ok(told(&target, &id, &answer))
    }

    pub(super) fn list_proposals(&mut self, request: &Request<'_>) -> Outcome {
        let target = self.target(request)?;
        let after: Option<ProposalId> = request.fields.id_or_none("after")?;
        if self.ledger_if_any()?.is_none() {
            return Ok(Reply::Ok { revision: Some(0), value: json!({ "proposals": [] }) });
        }
        let seen = self.prose()?.list(Some(&target))?;
        let mut views = seen.value.iter();
        if let Some(after) = after
            && !views.any(|view| view.id == after)
        {
            return Err(Failure::Definite(format!("`after` is {after}, which nobody proposed for {target}")));
        }
        let page: Vec<&View> = views.by_ref().take(PAGE).collect();
        let proposals: Vec<Value> = page.iter().map(|view| object(view)).collect();
        let mut value = json!({ "proposals": proposals });
        if let (Some(last), Some(_)) = (page.last(), views.next()) {
            value["next"] = json!(last.id.as_str());
        }
        Ok(Reply::Ok { revision: Some(seen.revision), value })
    }

    /// The file, the proposal, and who asks.
    fn named(&self, request: &Request<'_>) -> Result<(Target, ProposalId, Holder), Failure> {
        let by = match request.fields.id_or_none("holder")? {
            Some(by) => by,
            None => self.by_hand()?,
        };
        Ok((self.target(request)?, request.fields.id("proposal")?, by))
    }

    fn target(&self, request: &Request<'_>) -> Result<Target, Failure> {
        let typed = request.fields.text("target")?;
        if typed.is_empty() || typed.starts_with('/') || typed.contains('\0') {
            return Err(Failure::Definite(format!("`target` {typed:?} is not a path relative to the root")));
        }
        Ok(prose::target(&self.fs, &self.rooted, &PathBuf::from(typed))?)
    }

    /// The prose; the first write creates the workspace.
    fn prose(&mut self) -> Result<RealProse<'_>, Failure> {
        let folder = self.folder()?;
        let guarded = self.ledger()?.policy()?.value.guarded;
        let ledger: &RealLedger = self.opened();
        let ground = Checkout { place: &self.place, guarded };
        let prose = Prose::new(&self.fs, ledger, &self.rooted, folder, ground);
        Ok(prose.with_patience(self.settings.patience))
    }
}

fn object(view: &View) -> Value {
    let proposal = &view.proposal;
    json!({ "proposal": view.id.as_str(), "state": view.told.word(), "number": proposal.number,
        "by": proposal.by.as_str() })
}

fn told(target: &Target, id: &ProposalId, answer: &Answered) -> Reply {
    let (told, already) = match &answer.verdict {
        ProposalVerdict::Stands { told, already } => (*told, *already),
        ProposalVerdict::Refused(refusal) => return refused(target, id, refusal, answer.revision),
    };
    let mut value = json!({ "target": target.as_str(), "proposal": id.as_str(), "state": told.word(), "already": already });
    if !answer.durable {
        value["durable"] = json!(false);
    }
    Reply::Ok { revision: Some(answer.revision), value }
}

fn refused(target: &Target, id: &ProposalId, refusal: &Refusal, revision: Revision) -> Reply {
    let mut value = json!({ "target": target.as_str(), "proposal": id.as_str() });
    if let Some(told) = refusal.stands() {
        value["state"] = told.word().into();
    }
    if let Refusal::InDoubt(begun) = refusal {
        value["begun"] = json!({ "proposal": begun.0.as_str(), "file": begun.1.file });
    }
    Reply::Refused { reason: refusal.word(), revision: Some(revision), value }
}
