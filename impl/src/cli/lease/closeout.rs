//! `fencehold lease closeout`: whether the work can be called finished, by the leases.
//!
//! Invariants: it exits 0 exactly where no line says `[BLOCK]`; a lease that cannot be read is no reason to pass.

use fencehold_model::LeaseId;
use serde_json::{Value, json};

use super::super::args::{Common, Who};
use super::super::identity::holder;
use super::super::locks::Locks;
use super::super::out::{DAMAGED, Ended, REFUSED};
use super::super::session::Session;
use super::look::{dated_object, one_line};
use crate::ledger::LeaseView;

/// What a lease means for whoever wants to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// Another's work goes on.
    Block,
    /// Work stopped, and somebody has to look at it.
    Warn,
    /// One's own, or finished.
    Info,
}

impl Label {
    /// In the order in which they are told.
    const ALL: [Label; 3] = [Label::Block, Label::Warn, Label::Info];

    fn word(self) -> &'static str {
        match self {
            Label::Block => "block",
            Label::Warn => "warn",
            Label::Info => "info",
        }
    }

    fn of(view: &LeaseView, is_own: bool) -> Self {
        match view.lease.word() {
            "open" if !is_own => Label::Block,
            "crashed" => Label::Warn,
            _ => Label::Info,
        }
    }
}

/// Tells what stands in the way of finishing `id`, or, without one, what this holder does.
pub(super) fn closeout(common: &Common, id: Option<&LeaseId>, who: &Who) -> Ended {
    let (me, _) = holder(who)?;
    let session = Session::begin(common)?;
    let (mut labelled, mut notes) = (Vec::new(), Vec::new());
    if let Some(locks) = Locks::open(&session)? {
        let canonical = match id {
            Some(id) => Some(locks.policy()?.value.lease(id)),
            None => None,
        };
        let seen = locks.ledger().leases()?;
        let mut views = seen.value;
        let (ended, unread) = locks.journal().ended_leases()?;
        views.extend(ended.into_iter().map(|(id, lease)| LeaseView { id, lease, standing: None }));
        notes = unread;
        for view in views {
            let is_own = canonical.as_ref().map_or(view.lease.holder == me, |id| *id == view.id);
            labelled.push((
                Label::of(&view, is_own),
                one_line(&view, seen.at_ms),
                dated_object(&view, seen.at_ms),
            ));
        }
        locks.tell_notes(session.out);
    }
    let blocked = labelled.iter().any(|(label, ..)| *label == Label::Block);
    let mut text = String::new();
    let mut object = json!({ "outcome": if blocked { "refused" } else { "ok" } });
    if blocked {
        object["reason"] = "open_leases".into();
    }
    for label in Label::ALL {
        let of_it = || labelled.iter().filter(|(of, ..)| *of == label);
        of_it().for_each(|(_, line, _)| text.push_str(&format!("[{}] {line}", label.word().to_uppercase())));
        object[label.word()] = of_it().map(|(.., object)| object.clone()).collect::<Vec<Value>>().into();
    }
    session.out.answer(&object, &text)?;
    notes.iter().for_each(|note| session.out.say(note));
    // Where both are so, what is damaged has to be looked at first.
    Ok(if !notes.is_empty() {
        DAMAGED
    } else if blocked {
        REFUSED
    } else {
        0
    })
}
