//! The statuses of a registry: the default vocabulary, a value of epoch, rank, turn and statuses.

use serde_json::{Map, Value, json};

use super::super::wire::{self, Answer, Outcome};
use super::Defect;

/// The statuses, their ranks, and which are terminal.
const STATUSES: [(&str, u64, bool); 5] = [
    ("todo", 0, false),
    ("in_progress", 1, false),
    ("blocked", 1, false),
    ("done", 2, true),
    ("cancelled", 2, true),
];

#[derive(Clone, PartialEq)]
struct Cell {
    epoch: u64,
    turn: u64,
    /// Each with its detail, or null.
    statuses: Map<String, Value>,
}

impl Cell {
    fn of(epoch: u64, turn: u64, status: &str, detail: &Value) -> Self {
        Cell { epoch, turn, statuses: Map::from_iter([(status.to_owned(), detail.clone())]) }
    }

    fn load(value: &Value) -> Self {
        Cell {
            epoch: value["epoch"].as_u64().unwrap_or(0),
            turn: value["turn"].as_u64().unwrap_or(0),
            statuses: value["statuses"].as_object().cloned().unwrap_or_default(),
        }
    }

    fn save(&self) -> Value {
        json!({ "epoch": self.epoch, "turn": self.turn, "statuses": self.statuses })
    }

    fn told(&self) -> Value {
        let names: Vec<&String> = self.statuses.keys().collect();
        let mut told = json!({ "epoch": self.epoch, "turn": self.turn, "statuses": names });
        let details: Map<String, Value> = self
            .statuses
            .iter()
            .filter(|(_, detail)| !detail.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if !details.is_empty() {
            told["details"] = Value::Object(details);
        }
        told
    }

    fn rank(&self) -> u64 {
        self.statuses.keys().filter_map(|status| rung(status)).map(|(rank, _)| rank).max().unwrap_or(0)
    }

    fn is(&self, status: &str) -> bool {
        self.statuses.len() == 1 && self.statuses.contains_key(status)
    }
}

fn rung(status: &str) -> Option<(u64, bool)> {
    STATUSES.iter().find(|(name, ..)| *name == status).map(|(_, rank, terminal)| (*rank, *terminal))
}

fn known(status: &str) -> Result<&str, String> {
    if rung(status).is_some() { Ok(status) } else { Err(format!("status {status:?} is unknown")) }
}

/// What comes of a change.
enum Came {
    To(Cell),
    Already,
    Refused(&'static str),
}

pub(super) fn get(registry: &Value, task: &str) -> Answer {
    match registry["tasks"].get(task) {
        Some(cell) => Answer::Ok(Cell::load(cell).told()),
        None => Answer::Refused("not_found", Value::Null),
    }
}

/// Set, reopen and merge.
pub(super) fn change(registry: &mut Value, defect: Defect, op: &str, task: &str, request: &Value) -> Outcome {
    let stands = registry["tasks"].get(task).map(Cell::load);
    let came = match op {
        "status.set" => set(stands.as_ref(), defect, request)?,
        "status.reopen" => reopen(stands.as_ref(), request)?,
        _ => merge(stands.as_ref(), defect, request)?,
    };
    Ok(match (came, stands) {
        (Came::To(cell), _) => {
            registry["tasks"][task] = cell.save();
            let mut told = cell.told();
            told["already"] = json!(false);
            Answer::Ok(told)
        }
        (Came::Already, stands) => {
            let mut told = stands.map_or(Value::Null, |cell| cell.told());
            told["already"] = json!(true);
            Answer::Ok(told)
        }
        (Came::Refused("needs_reason"), _) | (Came::Refused("not_found"), _) => Answer::Refused(
            if op == "status.reopen" && blank(request) { "needs_reason" } else { "not_found" },
            Value::Null,
        ),
        (Came::Refused(reason), stands) => {
            Answer::Refused(reason, stands.map_or(Value::Null, |cell| cell.told()))
        }
    })
}

fn blank(request: &Value) -> bool {
    request["reason"].as_str().is_none_or(|reason| reason.trim().is_empty())
}

fn set(stands: Option<&Cell>, defect: Defect, request: &Value) -> Result<Came, String> {
    let to = known(wire::text(request, "to")?)?;
    let from = if request["from"].is_null() { None } else { Some(known(wire::text(request, "from")?)?) };
    let (epoch, detail) = (request["epoch"].as_u64().unwrap_or(0), &request["detail"]);
    if !detail.is_null() && !detail.is_object() {
        return Err("`detail` is not an object".to_owned());
    }
    let Some(cell) = stands else {
        return match (epoch, from) {
            (1.., _) => Err(format!("epoch {epoch} is unknown")),
            (_, Some(_)) => Ok(Came::Refused("conflict")),
            _ => Ok(Came::To(Cell::of(0, 0, to, detail))),
        };
    };
    if epoch != cell.epoch && defect != Defect::EpochBlind {
        let over = epoch < cell.epoch;
        return if over {
            Ok(Came::Refused("stale_epoch"))
        } else {
            Err(format!("epoch {epoch} is unknown"))
        };
    }
    if defect == Defect::StaleOverwrite && !cell.statuses.contains_key(to) {
        return Ok(Came::To(Cell::of(cell.epoch, 0, to, detail)));
    }
    if let Some(held) = cell.statuses.get(to) {
        return Ok(stay(cell, to, held, from, request));
    }
    let (rank, _) = rung(to).unwrap_or_default();
    let terminal = cell.statuses.keys().any(|status| rung(status).is_some_and(|(_, terminal)| terminal));
    if terminal || rank < cell.rank() {
        return Ok(Came::Refused("regression"));
    }
    if rank > cell.rank() {
        return Ok(Came::To(Cell::of(cell.epoch, 0, to, detail)));
    }
    Ok(match from {
        Some(from) if cell.is(from) => Came::To(Cell::of(cell.epoch, cell.turn + 1, to, detail)),
        Some(_) => Came::Refused("conflict"),
        // Who resolves takes it for a side of a conflict.
        None if request["resolve"] == true => Came::Refused("conflict"),
        None if defect == Defect::TieIsAhead => Came::To(Cell::of(cell.epoch, cell.turn + 1, to, detail)),
        None => {
            let mut both = cell.clone();
            both.statuses.insert(to.to_owned(), detail.clone());
            Came::To(both)
        }
    })
}

/// The status asked for stands, alone or as one side of a conflict.
fn stay(cell: &Cell, to: &str, held: &Value, from: Option<&str>, request: &Value) -> Came {
    let wanted = if request["detail"].is_null() { held } else { &request["detail"] };
    let alone = cell.is(to);
    if !alone && request["resolve"] == true {
        return Came::To(Cell::of(cell.epoch, cell.turn + 1, to, wanted));
    }
    if wanted == held {
        return Came::Already;
    }
    if alone && (held.is_null() || from == Some(to)) {
        return Came::To(Cell::of(cell.epoch, cell.turn + 1, to, wanted));
    }
    Came::Refused("conflict")
}

fn reopen(stands: Option<&Cell>, request: &Value) -> Result<Came, String> {
    let to = known(wire::text(request, "to")?)?;
    if blank(request) {
        return Ok(Came::Refused("needs_reason"));
    }
    let Some(cell) = stands else { return Ok(Came::Refused("not_found")) };
    Ok(Came::To(Cell::of(cell.epoch + 1, 0, to, &Value::Null)))
}

fn merge(stands: Option<&Cell>, defect: Defect, request: &Value) -> Result<Came, String> {
    let names = request["statuses"].as_array().ok_or("`statuses` is not an array")?;
    let mut statuses = Map::new();
    for name in names {
        let name = known(name.as_str().ok_or("`statuses` holds what is no string")?)?;
        statuses.insert(name.to_owned(), request["details"][name].clone());
    }
    let number = |key: &str| request[key].as_u64().ok_or(format!("`{key}` is not a whole number"));
    let theirs = Cell { epoch: number("epoch")?, turn: number("turn")?, statuses };
    if theirs.statuses.is_empty()
        || theirs.statuses.keys().any(|status| rung(status).map(|r| r.0) != Some(theirs.rank()))
    {
        return Err("`statuses` are of different ranks, or none".to_owned());
    }
    let Some(ours) = stands else { return Ok(Came::To(theirs)) };
    let key = |cell: &Cell| {
        let epoch = if defect == Defect::MonotoneForever { 0 } else { cell.epoch };
        (epoch, cell.rank(), cell.turn)
    };
    let joined = match key(ours).cmp(&key(&theirs)) {
        std::cmp::Ordering::Greater => ours.clone(),
        std::cmp::Ordering::Less => theirs,
        std::cmp::Ordering::Equal => {
            let mut both = ours.clone();
            for (status, detail) in theirs.statuses {
                let mine = both.statuses.entry(status).or_insert(Value::Null);
                let (theirs, ours) = (detail.to_string(), mine.to_string());
                if mine.is_null() || !detail.is_null() && theirs > ours {
                    *mine = detail;
                }
            }
            both
        }
    };
    Ok(if joined == *ours { Came::Already } else { Came::To(joined) })
}
