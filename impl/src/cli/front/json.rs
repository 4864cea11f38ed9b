//! What stands, for machines.

use serde_json::{Value, json};

use super::super::inspect::object as place_object;
use super::super::out::fail;
use super::super::render::grant_object;
use super::super::waiting::Waiter;
use super::super::{gate, lease, proposal, task};
use super::Front;

/// All of it as one object. What the ledger would say is null where it cannot be read.
pub(super) fn object(front: &Front) -> Value {
    let mut value = place_object(&front.place);
    if let Some(first) = front.wrong.first() {
        value.as_object_mut().into_iter().for_each(|object| {
            object.extend(fail(&first.to_string()).as_object().cloned().unwrap_or_default());
        });
    }
    value["damaged"] = front.wrong.iter().map(ToString::to_string).collect();
    let nothing = if front.exists { Value::Null } else { json!([]) };
    for key in ["locks", "leases", "tasks_in_conflict", "overrides_owed", "proposals"] {
        value[key] = nothing.clone();
    }
    if let Some(stands) = &front.stands {
        let now_ms = stands.now_ms;
        let locks = stands.locks.iter().map(|(name, grant)| {
            let mut object = grant_object(grant, now_ms);
            object["name"] = name.as_str().into();
            object
        });
        value["locks"] = locks.collect();
        value["leases"] = stands.leases.iter().map(|view| lease::standing_object(view, now_ms)).collect();
        let conflicts = stands.conflicts.iter().map(|view| task::standing_object(view, now_ms));
        value["tasks_in_conflict"] = conflicts.collect();
        value["overrides_owed"] = gate::owed_objects(&stands.owes);
        let proposals = front.proposals.iter().map(|view| proposal::object(view, stands.revision));
        value["proposals"] = proposals.collect();
        value["revision"] = stands.revision.into();
    }
    value["waiters"] = front.waiters.iter().map(|waiter| waiter_object(waiter, front.boot_ms)).collect();
    value["os_lock_kept_by"] = front.os_lock.clone().into();
    value["quarantine"] = front.aside.clone().into();
    value["failed_open"] = front.failed_open.clone().into();
    value["hooks"] = front.asking.iter().map(|asking| asking.path().to_string_lossy()).collect();
    value["durability"] = if front.relaxed { "relaxed" } else { "durable" }.into();
    value
}

fn waiter_object(waiter: &Waiter, now_ms: u64) -> Value {
    let (for_ms, at_most_ms) = waiter.spans_ms(now_ms);
    json!({
        "lock": waiter.lock.as_str(),
        "holder": waiter.holder.as_str(),
        "pid": waiter.process.pid,
        "host": waiter.process.host,
        "waits_for_ms": for_ms,
        "gives_up_in_ms": at_most_ms,
    })
}
