//! The operations on statuses.

use std::collections::BTreeMap;

use fencehold_model::json::Fields;
use fencehold_model::status::{self, Command, Decision, Detail, Refusal, Shown, Value as Cell};
use fencehold_model::{Revision, State, Status};
use serde_json::{Value, json};

use super::request::Request;
use super::target::{Greeted, asking};
use super::{Failure, Outcome, Reply};
use crate::cli::gate;
use crate::cli::task::{unmet, value_object};
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
        self.task(&command, force(request)?.as_deref())
    }

    pub(super) fn reopen(&mut self, request: &Request<'_>) -> Outcome {
        let reason = request.fields.text_or_none("reason")?.unwrap_or_default().to_owned();
        let forced = request.flag("force")?.then(|| reason.clone());
        let fields = request.fields;
        let command = Command::Reopen {
            task: request.task()?,
            to: fields.id("to")?,
            from: fields.id_or_none("from")?,
            epoch: fields.number_or_none("epoch")?,
            reason,
        };
        self.task(&command, forced.as_deref())
    }

    pub(super) fn merge_status(&mut self, request: &Request<'_>) -> Outcome {
        let value = Cell {
            epoch: request.fields.number("epoch")?,
            turn: request.fields.number("turn")?,
            statuses: statuses(request.fields)?,
        };
        self.task(&Command::Merge { task: request.task()?, value }, force(request)?.as_deref())
    }

    fn task(&mut self, command: &Command, force: Option<&str>) -> Outcome {
        ledger::check_task(command)?;
        let actor = self.by_hand()?;
        if self.ledger_if_any()?.is_none() {
            // What is not recorded makes no workspace.
            let shown = Shown { looked: None, force: force.map(str::to_owned) };
            match status::decide_shown(&State::default(), command, &shown) {
                Decision::Record(_) => {}
                Decision::Refuse(refusal) => return Ok(refused(&refusal, 0)),
                Decision::Invalid(why) => return Err(Failure::Definite(why)),
                Decision::Already(value) => panic!("{value:?} stands where there is no task"),
            }
        }
        let place = self.place.clone();
        let (ledger, look) = (self.ledger()?, |looking| gate::look(&place, looking));
        let answer = ledger.task_through(&asking(ledger, actor.clone()), command, force, look)?;
        gate::settle_after(&place, ledger, &actor);
        let (value, already, forced) = match &answer.verdict {
            TaskVerdict::Stands { value, already, forced } => (value, *already, *forced),
            TaskVerdict::Refused(refusal) => return Ok(refused(refusal, answer.revision)),
        };
        let mut value = value_object(value);
        value["already"] = already.into();
        if forced {
            value["forced"] = true.into();
        }
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

/// Why a gate is to be passed by force, if it is.
fn force(request: &Request<'_>) -> Result<Option<String>, Failure> {
    let reason = request.fields.text_or_none("reason")?.unwrap_or_default();
    Ok(request.flag("force")?.then(|| reason.to_owned()))
}

fn refused(refusal: &Refusal, revision: Revision) -> Reply {
    let mut value = refusal.stands().map_or(Value::Null, value_object);
    if let Refusal::Gate(held) = refusal {
        // `value` holds what stands, if anything does, and what is not met beside it.
        if value.is_null() {
            value = json!({});
        }
        value["unmet"] = unmet(held);
    }
    Reply::Refused { reason: refusal.word(), revision: Some(revision), value }
}
