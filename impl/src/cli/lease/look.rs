//! `fencehold lease show|list`: looks, which change nothing.

use fencehold_model::lease::{How, Lease, Standing};
use fencehold_model::{LeaseId, Pattern, TimeMs};
use serde_json::{Value, json};

use super::super::args::Common;
use super::super::describe;
use super::super::locks::Locks;
use super::super::out::{DAMAGED, Ended, REFUSED, Stop};
use super::super::session::Session;
use super::super::span;
use super::args::State;
use super::render;
use crate::ledger::LeaseView;

/// All that is known of one lease.
pub(super) fn show(common: &Common, id: &LeaseId) -> Ended {
    let session = Session::begin(common)?;
    let mut found = None;
    let (mut now_ms, mut revision, mut notes) = (0, 0, Vec::new());
    if let Some(locks) = Locks::open(&session)? {
        let seen = locks.ledger().show_lease(id)?;
        (now_ms, revision) = (seen.at_ms, seen.revision);
        found = seen.value;
        if found.is_none() {
            let canonical = locks.policy()?.value.lease(id);
            let (mut ended, unread) = locks.journal().ended_leases()?;
            found = ended.remove(&canonical).map(|lease| LeaseView { id: canonical, lease, standing: None });
            notes = unread;
        }
        locks.tell_notes(session.out);
    }
    for note in &notes {
        session.out.say(note);
    }
    let Some(view) = found else {
        session.out.say(&format!("there is no lease {id}: it was never granted"));
        session.out.answer(&json!({ "outcome": "refused", "reason": "not_found" }), "")?;
        return Ok(if notes.is_empty() { REFUSED } else { DAMAGED });
    };
    let mut object = dated_object(&view, now_ms);
    object["revision"] = revision.into();
    session.out.answer(&object, &in_full(&view, now_ms))?;
    Ok(if notes.is_empty() { 0 } else { DAMAGED })
}

/// One line for each lease: those that are open or crashed, or as asked for.
pub(super) fn list(common: &Common, state: Option<State>, all: bool) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let seen = locks.ledger().leases()?;
    let mut views = seen.value;
    let mut notes = Vec::new();
    if all || matches!(state, Some(State::Closed | State::Cleared)) {
        let (ended, unread) = locks.journal().ended_leases()?;
        views.extend(ended.into_iter().map(|(id, lease)| LeaseView { id, lease, standing: None }));
        // One that left the state between the two looks is in both: its last grant is told, once.
        views.sort_by(|a, b| (&a.id, b.lease.token).cmp(&(&b.id, a.lease.token)));
        views.dedup_by(|later, first| later.id == first.id);
        notes = unread;
    }
    views.retain(|view| match state {
        Some(state) => view.lease.word() == state.word(),
        None => all || matches!(view.lease.word(), "open" | "crashed"),
    });
    let mut text = String::new();
    for view in &views {
        if session.out.json {
            let mut object = dated_object(view, seen.at_ms);
            object["revision"] = seen.revision.into();
            text.push_str(&format!("{object}\n"));
        } else {
            text.push_str(&one_line(view, seen.at_ms));
        }
    }
    session.out.data(&text)?;
    for note in &notes {
        session.out.say(note);
    }
    locks.tell_notes(session.out);
    Ok::<_, Stop>(if notes.is_empty() { 0 } else { DAMAGED })
}

/// A lease in one line, newline included.
pub(in super::super) fn one_line(view: &LeaseView, now_ms: TimeMs) -> String {
    let LeaseView { id, lease, .. } = view;
    let writes: Vec<&str> = lease.writes.iter().map(Pattern::as_str).collect();
    let since = span::show(now_ms.saturating_sub(lease.since_ms));
    let branch = lease.about.branch.as_ref().map_or_else(String::new, |branch| format!(" on {branch}"));
    let how = how(view, now_ms);
    format!(
        "lease {id}: {how}, held by {}{branch}, since {since}; writes {}; token {}\n",
        lease.holder,
        render::some(&writes),
        lease.token
    )
}

/// Its state, and what there is to know of it.
pub(in super::super) fn how(view: &LeaseView, now_ms: TimeMs) -> String {
    match (&view.lease.end, &view.standing) {
        (Some(end), _) => {
            let ago = span::show(now_ms.saturating_sub(end.at_ms));
            let why = match &end.how {
                How::Closed | How::Cleared(None) => String::new(),
                How::Crashed(cause) => format!(" ({})", describe::cause(cause)),
                How::Cleared(Some(reason)) => format!(" ({reason})"),
            };
            format!("{} {ago} ago{why}", end.how.word())
        }
        (None, Some(Standing::Lapsed(cause))) => {
            format!("open but lapsed ({}); a reap makes it crashed", describe::cause(cause))
        }
        (None, _) => "open".to_owned(),
    }
}

/// All that is known, one thing a line.
fn in_full(view: &LeaseView, now_ms: TimeMs) -> String {
    let LeaseView { id, lease, .. } = view;
    let mut text = format!("lease {id}: {}\n", how(view, now_ms));
    let mut line = |what: &str, value: &str| text.push_str(&format!("{what:<9} {value}\n"));
    line("holder", lease.holder.as_str());
    line("token", &lease.token.to_string());
    let ago = span::show(now_ms.saturating_sub(lease.since_ms));
    line("since", &format!("{} ({ago} ago)", describe::utc(lease.since_ms)));
    if let Some(end) = &lease.end {
        line("ended", &describe::utc(end.at_ms));
    }
    if let Some(ttl_ms) = lease.ttl_ms {
        line("ttl", &span::show(ttl_ms));
    }
    if let Some(process) = &lease.bound {
        line("process", &format!("{} on {}", process.pid, process.host));
    }
    if let Some((pid, host)) = &lease.asked_by {
        line("asked by", &format!("pid {pid} on {host}"));
    }
    let about = &lease.about;
    for (what, value) in [("worktree", &about.worktree), ("branch", &about.branch), ("agent", &about.agent)] {
        if let Some(value) = value {
            line(what, value);
        }
    }
    for pattern in &lease.writes {
        line("writes", pattern.as_str());
    }
    text
}

/// A lease for machines that keep it: with the instants of its grant and its end, in UTC.
pub(super) fn dated_object(view: &LeaseView, now_ms: TimeMs) -> Value {
    let mut object = standing_object(view, now_ms);
    object["granted_at"] = describe::utc(view.lease.since_ms).into();
    if let Some(end) = &view.lease.end {
        object["ended_at"] = describe::utc(end.at_ms).into();
    }
    object
}

/// A lease for machines.
pub(in super::super) fn standing_object(view: &LeaseView, now_ms: TimeMs) -> Value {
    let LeaseView { id, lease, standing } = view;
    let mut object = json!({
        "lease": id.as_str(),
        "state": lease.word(),
        "holder": lease.holder.as_str(),
        "token": lease.token,
        "write_set": lease.writes.iter().map(Pattern::as_str).collect::<Vec<_>>(),
        "held_for_ms": now_ms.saturating_sub(lease.since_ms),
    });
    about(&mut object, lease);
    // While its process can be watched its TTL does not count.
    let watched = lease.bound.is_some() && *standing == Some(Standing::Live);
    if lease.is_open()
        && !watched
        && let Some(expires_ms) = lease.expires_ms()
    {
        object["expires_in_ms"] = expires_ms.saturating_sub(now_ms).into();
    }
    if let Some(Standing::Lapsed(cause)) = standing {
        let mut lapsed = json!({});
        render::cause(&mut lapsed, cause);
        object["lapsed"] = lapsed;
    }
    if let Some(end) = &lease.end {
        object["ended_for_ms"] = now_ms.saturating_sub(end.at_ms).into();
        match &end.how {
            How::Crashed(cause) => render::cause(&mut object, cause),
            How::Cleared(Some(reason)) => object["reason"] = reason.as_str().into(),
            How::Closed | How::Cleared(None) => {}
        }
    }
    object
}

fn about(object: &mut Value, lease: &Lease) {
    let about = &lease.about;
    for (key, value) in [("worktree", &about.worktree), ("branch", &about.branch), ("agent", &about.agent)] {
        if let Some(value) = value {
            object[key] = value.as_str().into();
        }
    }
    if let Some(ttl_ms) = lease.ttl_ms {
        object["ttl_ms"] = ttl_ms.into();
    }
    if let Some(process) = &lease.bound {
        object["bound"] = json!({ "pid": process.pid, "host": process.host });
    }
    if let Some((pid, host)) = &lease.asked_by {
        object["asked_by"] = json!({ "pid": pid, "host": host });
    }
}
