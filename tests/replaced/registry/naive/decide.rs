//! What a call makes of a registry that it could read.

use fencehold_model::Pattern;
use serde_json::{Value, json};

use super::super::asked::Act;
use super::{Flaw, Naive};
use crate::program::Said;

pub(super) enum Decided {
    Said(Said),
    /// This is to be written, and then that told.
    Write(Value, String),
}

fn said(code: i32, stdout: String, stderr: &str) -> Decided {
    Decided::Said(Said { code, stdout, stderr: stderr.to_owned() })
}

fn refused(why: &str) -> Decided {
    said(1, String::new(), why)
}

/// Without the zeros that stand before a number.
fn one_form(id: &str) -> &str {
    match id.trim_start_matches('0') {
        "" => "0",
        rest if rest.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => id,
    }
}

/// The leases of a registry, in the order of their grants.
fn leases(registry: &mut Value) -> &mut Vec<Value> {
    registry["leases"].as_array_mut().expect("it was judged to be an array")
}

pub(super) fn decide(disk: &Naive, mut registry: Value, act: &Act) -> Decided {
    if leases(&mut registry).iter().any(Value::is_null) {
        return said(1, String::new(), "TypeError: cannot read properties of null");
    }
    let stored = |id: &str| if disk.has(Flaw::RawIds) { id.to_owned() } else { one_form(id).to_owned() };
    match act {
        Act::Repair => said(0, String::new(), ""),
        Act::List => said(0, list(leases(&mut registry)), ""),
        Act::History { id } => said(0, history(leases(&mut registry), &stored(id)), ""),
        Act::Closeout { id, .. } => closeout(leases(&mut registry), one_form(id), disk.has(Flaw::LabelOnly)),
        Act::Grant { id, writes, holder, pid } => {
            let lease =
                json!({ "id": stored(id), "holder": holder, "state": "open", "writes": writes, "pid": pid });
            grant(disk, registry, lease)
        }
        Act::Close { id, .. } => end(disk, registry, &stored(id), "closed"),
        Act::Crash { id } => end(disk, registry, &stored(id), "crashed"),
        Act::Clear { id, force, reason } => clear(disk, registry, &stored(id), *force, *reason),
    }
}

/// The last grant of each lease.
fn list(leases: &[Value]) -> String {
    let is_last = |n: usize| leases[n + 1..].iter().all(|later| later["id"] != leases[n]["id"]);
    let last = leases.iter().enumerate().filter(|(n, _)| is_last(*n));
    last.map(|(_, lease)| {
        format!("{}\n", json!({ "lease": lease["id"], "state": lease["state"], "holder": lease["holder"] }))
    })
    .collect()
}

fn history(leases: &[Value], id: &str) -> String {
    let of_it = leases.iter().filter(|lease| lease["id"] == id);
    of_it
        .map(|lease| format!("granted to {}\n{} {}\n", lease["holder"], lease["state"], lease["reason"]))
        .collect()
}

fn closeout(leases: &[Value], own: &str, label_only: bool) -> Decided {
    let label = |lease: &Value| match lease["state"].as_str() {
        Some("open") if lease["id"] != own => "[BLOCK]",
        Some("crashed") => "[WARN]",
        _ => "[INFO]",
    };
    let id = |lease: &Value| lease["id"].as_str().unwrap_or_default().to_owned();
    let text: String = leases.iter().map(|lease| format!("{} lease {}\n", label(lease), id(lease))).collect();
    let code = i32::from(!label_only && text.contains("[BLOCK]"));
    said(code, text, "")
}

fn grant(disk: &Naive, mut registry: Value, lease: Value) -> Decided {
    let is_dead = |other: &Value| {
        !disk.has(Flaw::NoLiveness) && other["pid"].as_u64().is_some_and(|pid| !disk.alive.contains(&pid))
    };
    let patterns = |lease: &Value| -> Vec<Pattern> {
        let writes = lease["writes"].as_array().map_or(&[][..], Vec::as_slice);
        writes.iter().filter_map(|entry| Pattern::new(entry.as_str()?).ok()).collect()
    };
    let meets = |other: &Value| {
        !disk.has(Flaw::WritesIgnored)
            && patterns(&lease).iter().any(|one| patterns(other).iter().any(|other| one.overlaps(other)))
    };
    for other in leases(&mut registry).iter_mut().filter(|other| other["state"] == "open") {
        if other["id"] != lease["id"] && !meets(other) {
            continue;
        }
        if !is_dead(other) {
            return refused(&format!("lease {} is open", other["id"].as_str().unwrap_or_default()));
        }
        other["state"] = json!("crashed");
        other["reason"] = json!("its process is dead");
    }
    leases(&mut registry).push(lease);
    Decided::Write(registry, "granted\n".to_owned())
}

/// Close and crash.
fn end(disk: &Naive, mut registry: Value, id: &str, state: &str) -> Decided {
    let Some(lease) = leases(&mut registry).iter_mut().rfind(|lease| lease["id"] == id) else {
        return refused("there is no such lease");
    };
    let any = state == "crashed" && disk.has(Flaw::AnyTransition);
    if lease["state"] != "open" && !any {
        return refused("it is not open");
    }
    lease["state"] = json!(state);
    Decided::Write(registry, String::new())
}

fn clear(disk: &Naive, mut registry: Value, id: &str, force: bool, reason: Option<&str>) -> Decided {
    let unrecorded = disk.has(Flaw::ForceUnrecorded);
    let blank = reason.is_none_or(|reason| reason.trim().is_empty());
    let Some(at) =
        leases(&mut registry).iter().rposition(|lease| lease["id"] == id && lease["state"] != "cleared")
    else {
        return refused("there is no such lease");
    };
    if leases(&mut registry)[at]["state"] == "open" && !force {
        return refused("it is open: use force");
    }
    if force && blank && !unrecorded {
        return refused("force needs a reason");
    }
    if disk.has(Flaw::AnyTransition) {
        leases(&mut registry).remove(at);
        return Decided::Write(registry, String::new());
    }
    let lease = &mut leases(&mut registry)[at];
    lease["state"] = json!("cleared");
    lease["reason"] = json!(if unrecorded { None } else { reason });
    Decided::Write(registry, String::new())
}
