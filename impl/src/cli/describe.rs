//! Events for people.

pub(super) use fencehold_model::date::utc;
use fencehold_model::event::{Entry, Event};
use fencehold_model::lease::{Cause, Crash, Granted, LeaseEvent};
use fencehold_model::proposal::{ProposalEvent, What};
use fencehold_model::status::{How, Noted, StatusEvent};
use fencehold_model::{Revision, Status};

use super::front::plain;
use super::span;

/// One event as a line for people.
pub(super) fn line(entry: &Entry) -> String {
    let what = match &entry.event {
        Event::Boot { boot, .. } => format!("a boot began: {boot}"),
        Event::LockGranted { name, holder, ttl_ms, bound, over, .. } => {
            let until = match bound {
                Some(process) => format!("until process {} on {} ends", process.pid, process.host),
                None => format!("for {}", span::show(*ttl_ms)),
            };
            let over =
                over.map_or_else(String::new, |proof| format!(", over a dead process ({})", proof.word()));
            format!("{name}: granted to {holder} {until}{over}")
        }
        Event::LockRenewed { name, token, ttl_ms, .. } => {
            format!("{name}: token {token} renewed for {}", span::show(*ttl_ms))
        }
        Event::LockReleased { name, token, .. } => format!("{name}: token {token} released"),
        Event::LockBroken { name, token, reason, .. } => {
            format!("{name}: token {token} broken by {}: {reason}", entry.actor)
        }
        Event::Lease(event) => lease(event),
        Event::Status(event) => status(event, entry.revision),
        Event::OverrideNoted(Noted { step, file, given_up }) => match given_up {
            None => format!("override {step}: its entry stands in {file}"),
            Some(why) => format!("override {step}: its entry in {file} was given up: {why}"),
        },
        Event::Proposal(event) => proposal(event),
        Event::PolicyApplied { .. } => format!("policy applied by {}", entry.actor),
        Event::Repaired { reason, .. } => format!("repaired: {reason}"),
    };
    // What anybody wrote into a reason moves no cursor, and makes no second line.
    format!("{:>8}  {}  {}", entry.revision, utc(entry.at_ms), plain(&what))
}

fn lease(event: &LeaseEvent) -> String {
    match event {
        LeaseEvent::Granted(granted) => {
            let Granted { lease, holder, over, .. } = &**granted;
            let over = over.iter().map(|crash| format!("; {}", crashed(crash))).collect::<String>();
            format!("lease {lease}: granted to {holder}{over}")
        }
        LeaseEvent::Closed { lease, token } => format!("lease {lease}: token {token} closed"),
        LeaseEvent::Crashed(crash) => crashed(crash),
        LeaseEvent::Cleared { lease, token, reason } => match reason {
            Some(reason) => format!("lease {lease}: token {token} cleared: {reason}"),
            None => format!("lease {lease}: token {token} cleared"),
        },
    }
}

/// A crash of a lease, with its evidence.
pub(super) fn crashed(crash: &Crash) -> String {
    format!("lease {}: token {} crashed ({})", crash.lease, crash.token, cause(&crash.cause))
}

/// Why a lease counts as crashed, for people.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Reason(reason) => reason.clone(),
        Cause::Dead(evidence) => format!("its process is dead: {}", evidence.word()),
        Cause::TtlPassed => "its TTL has passed".to_owned(),
    }
}

fn proposal(event: &ProposalEvent) -> String {
    let ProposalEvent { target, id, what } = event;
    let what = match what {
        What::Proposed { content } => format!("proposed, {} bytes", content.len()),
        What::Intended { before, after, .. } => format!("an accept is begun, from {before} to {after}"),
        What::Accepted => "accepted".to_owned(),
        What::Withdrawn => "the accept that was begun is taken back, nothing was written".to_owned(),
        What::Rejected { reason: Some(reason) } => format!("rejected: {reason}"),
        What::Rejected { reason: None } => "rejected".to_owned(),
        What::Resolved { how, reason } => format!("in doubt, resolved as {}: {reason}", how.word()),
    };
    format!("{target}: proposal {id}: {what}")
}

fn status(event: &StatusEvent, revision: Revision) -> String {
    let (task, value) = (event.task(), event.value(revision));
    let statuses = value.statuses.keys().map(Status::as_str).collect::<Vec<_>>().join(", ");
    let what = match event {
        StatusEvent::Set { how: How::Set, .. } => format!("task {task}: {statuses}"),
        StatusEvent::Set { how: How::Resolved, .. } => format!("task {task}: resolved to {statuses}"),
        StatusEvent::Set { how: How::Merged, .. } => format!("task {task}: {statuses}, from another board"),
        StatusEvent::Reopened { reason, .. } => format!("task {task}: reopened to {statuses}: {reason}"),
    };
    match event.by_force() {
        None => what,
        Some(forced) => {
            let unmet = forced.unmet.len() as u64 + forced.more;
            format!("{what}, by force past {unmet} unmet conditions: {}", forced.reason)
        }
    }
}
