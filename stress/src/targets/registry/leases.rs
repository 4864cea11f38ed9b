//! The leases of a registry.

use fencehold_model::Pattern;
use serde_json::{Value, json};

use super::super::wire::{self, Answer, Outcome};
use super::Defect;
use super::store::{Store, now_us};

/// What a grant asks for.
pub(super) struct Wanted {
    holder: String,
    ttl_us: Option<u64>,
    writes: Vec<Pattern>,
    bound: bool,
}

impl Wanted {
    pub(super) fn read(request: &Value) -> Result<Self, String> {
        let ttl_us = match &request["ttl_ms"] {
            Value::Null => None,
            ttl => Some(
                ttl.as_u64().filter(|ttl| *ttl > 0).ok_or("`ttl_ms` is not a positive whole number")? * 1000,
            ),
        };
        let bound = match &request["bind"] {
            Value::Null => false,
            Value::String(word) if word == "process" => true,
            _ => return Err("only `process` can be bound to".to_owned()),
        };
        let writes = match &request["write_set"] {
            Value::Null => Vec::new(),
            set => set
                .as_array()
                .ok_or("`write_set` is not an array")?
                .iter()
                .map(pattern)
                .collect::<Result<_, _>>()?,
        };
        Ok(Wanted { holder: wire::text(request, "holder")?.to_owned(), ttl_us, writes, bound })
    }
}

fn pattern(text: &Value) -> Result<Pattern, String> {
    let text = text.as_str().ok_or("`write_set` holds what is no string")?;
    Pattern::new(text).map_err(|bad| bad.to_string())
}

fn refused(reason: &'static str, id: &str, lease: &Value) -> Answer {
    let (token, holder, state) = (&lease["token"], &lease["holder"], &lease["state"]);
    Answer::Refused(reason, json!({ "lease": id, "token": token, "holder": holder, "state": state }))
}

fn is_open(lease: &Value) -> bool {
    lease["state"] == "open"
}

/// Whether an open lease has lapsed: with its process, or by its TTL where it has none.
fn has_lapsed(lease: &Value, store: &Store) -> bool {
    match (lease["life"].as_str(), lease["until_us"].as_u64()) {
        (Some(life), _) => !store.lives(life),
        (None, Some(until_us)) => now_us() >= until_us,
        (None, None) => false,
    }
}

fn meets(lease: &Value, wanted: &Wanted, defect: Defect) -> bool {
    let theirs = lease["writes"].as_array().map_or(&[][..], Vec::as_slice);
    let theirs: Vec<Pattern> =
        theirs.iter().filter_map(Value::as_str).filter_map(|text| Pattern::new(text).ok()).collect();
    let meet = |ours: &Pattern| {
        theirs.iter().any(|theirs| match defect {
            Defect::WritesetIgnored => ours == theirs,
            _ => ours.overlaps(theirs),
        })
    };
    wanted.writes.iter().any(meet)
}

pub(super) fn grant(registry: &mut Value, store: &Store, id: &str, wanted: &Wanted) -> Answer {
    let (mut lapsed, mut live) = (Vec::new(), Vec::new());
    for (other, lease) in
        registry["leases"].as_object().into_iter().flatten().filter(|(_, lease)| is_open(lease))
    {
        let own = other == id;
        if !own && !meets(lease, wanted, store.defect) {
            continue;
        }
        match has_lapsed(lease, store) {
            true => lapsed.push(other.clone()),
            false if own => return refused("already_open", id, lease),
            false => live.push(json!({ "lease": other, "token": lease["token"], "holder": lease["holder"] })),
        }
    }
    if !live.is_empty() {
        return Answer::Refused("overlap", json!({ "leases": live }));
    }
    for other in &lapsed {
        registry["leases"][other]["state"] = json!("crashed");
    }
    let token = registry["token"].as_u64().unwrap_or(0) + 1;
    registry["token"] = json!(token);
    let writes: Vec<&str> = wanted.writes.iter().map(Pattern::as_str).collect();
    registry["leases"][id] = json!({ "token": token, "holder": wanted.holder, "state": "open", "writes": writes,
        "until_us": wanted.ttl_us.map(|ttl_us| now_us() + ttl_us), "life": wanted.bound.then_some(&store.life) });
    let mut value = json!({ "lease": id, "token": token });
    if !lapsed.is_empty() {
        value["crashed"] = json!(lapsed);
    }
    Answer::Ok(value)
}

/// Close, crash and clear.
pub(super) fn end(registry: &mut Value, defect: Defect, op: &str, id: &str, request: &Value) -> Outcome {
    let blank = request["reason"].as_str().is_none_or(|reason| reason.trim().is_empty());
    let force = request["force"] == true;
    let lenient = defect == Defect::IllegalTransition;
    if blank && (op == "lease.crash" || (op == "lease.clear" && force && defect != Defect::ForceNoAudit)) {
        return Ok(Answer::Refused("needs_reason", Value::Null));
    }
    let Some(lease) = registry["leases"].get_mut(id) else {
        return Ok(Answer::Refused("not_found", Value::Null));
    };
    let open = is_open(lease);
    let same = request["token"].is_null() || request["token"] == lease["token"];
    let state = match op {
        "lease.close" if request["token"].is_null() => return Err("`token` is missing".to_owned()),
        "lease.close" if lease["state"] == "closed" && same => {
            return Ok(Answer::Ok(json!({ "state": "closed", "token": lease["token"], "already": true })));
        }
        "lease.clear" if lease["state"] == "cleared" => return Ok(Answer::Refused("not_found", Value::Null)),
        "lease.clear" if open && !force && !lenient => {
            return Ok(Answer::Refused("needs_reason", Value::Null));
        }
        "lease.clear" => "cleared",
        _ if !open && !lenient => return Ok(refused("not_open", id, lease)),
        _ if !same => return Ok(refused("not_holder", id, lease)),
        "lease.close" => "closed",
        _ => "crashed",
    };
    lease["state"] = json!(state);
    let mut value = json!({ "state": state, "token": lease["token"] });
    if op == "lease.close" {
        value["already"] = json!(false);
    }
    Ok(Answer::Ok(value))
}

fn described(id: &str, lease: &Value) -> Value {
    json!({ "lease": id, "state": lease["state"], "holder": lease["holder"], "token": lease["token"],
        "write_set": lease["writes"] })
}

pub(super) fn show(registry: &Value, id: &str) -> Answer {
    match registry["leases"].get(id) {
        Some(lease) => Answer::Ok(described(id, lease)),
        None => Answer::Refused("not_found", Value::Null),
    }
}

/// The states that can be asked for.
const STATES: [&str; 4] = ["open", "closed", "crashed", "cleared"];

pub(super) fn list(registry: &Value, request: &Value) -> Outcome {
    let (state, after) = (request["state"].as_str(), request["after"].as_str());
    if let Some(unknown) = state.filter(|state| !STATES.contains(state)) {
        return Err(format!("state {unknown:?} is unknown"));
    }
    let leases = registry["leases"].as_object().into_iter().flatten().filter(|(id, lease)| {
        state.is_none_or(|state| lease["state"] == state) && after.is_none_or(|after| id.as_str() > after)
    });
    let leases: Vec<Value> = leases.map(|(id, lease)| described(id, lease)).collect();
    Ok(Answer::Ok(json!({ "leases": leases })))
}

/// M26: a list that makes what has lapsed crashed, as it comes by.
pub(super) fn list_and_tidy(store: &Store, request: &Value) -> Outcome {
    let mut registry = store.read()?;
    let leases = registry["leases"].as_object_mut().into_iter().flatten();
    let mut tidied = false;
    for (_, lease) in leases.filter(|(_, lease)| is_open(lease) && has_lapsed(lease, store)) {
        lease["state"] = json!("crashed");
        tidied = true;
    }
    if tidied {
        store.write(&registry)?;
    }
    list(&registry, request)
}
