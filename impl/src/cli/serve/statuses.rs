//! The operations on statuses.

use std::collections::BTreeMap;

use fencehold_model::json::Fields;
use fencehold_model::status::{self, Command, Decision, Detail, Refusal, Value as Cell};
use fencehold_model::{Revision, State, Status};
use serde_json::{Value, json};

use super::request::Request;
use super::target::{Greeted, asking};
use super::{Failure, Outcome, Reply};
use crate::cli::task::value_object;
use crate::ledger::{self, TaskVerdict};

impl Greeted {
    pub(super) fn set(&mut self, request: &Request<'_>) -> Outcome {
        let fields = request.fields;
        let command = Command::Set {
            task: request.task()?,
            to: fields.id("to")?,
            from: fields.id_or_none("from")?,
            epoch: fields.number_or_none("epoch")?.unwrap_or(0),
            detail: fields.get("detail").map(|detail| Detail::new(&detail.to_value())).transpose()?,
            resolve: request.flag("resolve")?,
        };
        self.task(&command)
    }

    pub(super) fn reopen(&mut self, request: &Request<'_>) -> Outcome {
        let reason = request.fields.text_or_none("reason")?.unwrap_or_default().to_owned();
        self.task(&Command::Reopen { task: request.task()?, to: request.fields.id("to")?, reason })
    }

    pub(super) fn merge_status(&mut self, request: &Request<'_>) -> Outcome {
        let value = Cell {
            epoch: request.fields.number("epoch")?,
            turn: request.fields.number("turn")?,
            statuses: statuses(request.fields)?,
        };
        self.task(&Command::Merge { task: request.task()?, value })
    }

    fn task(&mut self, command: &Command) -> Outcome {
        ledger::check_task(command)?;
        let actor = self.by_hand()?;
        if self.ledger_if_any()?.is_none() {
            // What is not recorded makes no workspace.
            match status::decide(&State::default(), command) {
                Decision::Record(_) => {}
                Decision::Refuse(refusal) => return Ok(refused(&refusal, 0)),
                Decision::Invalid(why) => return Err(Failure::Definite(why)),
                Decision::Already(value) => panic!("{value:?} stands where there is no task"),
            }
        }
        let ledger = self.ledger()?;
        let answer = ledger.task(&asking(ledger, actor), command)?;
        let (value, already) = match &answer.verdict {
            TaskVerdict::Stands { value, already } => (value, *already),
            TaskVerdict::Refused(refusal) => return Ok(refused(refusal, answer.revision)),
        };
        let mut value = value_object(value);
        value["already"] = already.into();
        if !answer.durable {
            value["durable"] = json!(false);
        }
        Ok(Reply::Ok { revision: Some(answer.revision), value })
    }

    pub(super) fn get(&mut self, request: &Request<'_>) -> Outcome {
        let task = request.task()?;
        let Some(ledger) = self.ledger_if_any()? else { return Ok(refused(&Refusal::NotFound, 0)) };
        let seen = ledger.show_task(&task)?;
        Ok(match seen.value {
            Some(view) => Reply::Ok { revision: Some(seen.revision), value: value_object(&view.cell.value) },
            None => refused(&Refusal::NotFound, seen.revision),
        })
    }
}

/// The statuses of a merge, each with its detail.
fn statuses(fields: Fields<'_>) -> Result<BTreeMap<Status, Option<Detail>>, Failure> {
    let mut statuses = BTreeMap::new();
    for status in fields.array("statuses")? {
        let bad = || Failure::Definite(format!("`statuses` holds {status}, which is no status"));
        let status = Status::new(status.as_str().ok_or_else(bad)?).map_err(|_| bad())?;
        if statuses.insert(status.clone(), None).is_some() {
            return Err(Failure::Definite(format!("`statuses` holds {status} twice")));
        }
    }
    if statuses.is_empty() {
        return Err(Failure::Definite("`statuses` holds no status".to_owned()));
    }
    let details = fields.object_or_none("details")?;
    for (status, detail) in details.iter().flat_map(Fields::entries) {
        let known = Status::new(status).ok().and_then(|status| statuses.get_mut(&status));
        let known = known.ok_or_else(|| {
            Failure::Definite(format!("`details` has one of {status:?}, which `statuses` does not hold"))
        })?;
        *known = Some(Detail::new(&detail.to_value())?);
    }
    Ok(statuses)
}

fn refused(refusal: &Refusal, revision: Revision) -> Reply {
    let value = refusal.stands().map_or(Value::Null, value_object);
    Reply::Refused { reason: refusal.word(), revision: Some(revision), value }
}
