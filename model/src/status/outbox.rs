//! The outbox of steps by force: which logs are owed an entry.
//!
//! The step and what it owes are one event; that an entry was written is another, recorded after it was. Whoever is killed
//! between the two leaves it owed, and an entry has an id of its own, by which the log knows it again.
//!
//! Invariant: nothing is owed without an event of a step by force that says so, and nothing is owed any more once an event
//! says that it was written or given up.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Forced;
use crate::json::{Fields, Malformed, Writer, write_list, write_text};
use crate::{Event, Holder, Revision, State, Status, TaskId, TimeMs, WorkspaceId};

/// The most steps by force that may be owed an entry at a time.
pub const OWED_MAX: usize = 64;

/// A step by force whose entry is owed to at least one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The task.
    pub task: TaskId,
    /// What it came to.
    pub statuses: Vec<Status>,
    /// When.
    pub at_ms: TimeMs,
    /// By whom.
    pub actor: Holder,
    /// Why, what was not met, and the logs that are still owed.
    pub forced: Forced,
}

/// What became of an entry that was owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The revision of the step.
    pub step: Revision,
    /// The log.
    pub file: String,
    /// Why it will never be written; none: it stands there.
    pub given_up: Option<String>,
}

impl Owed {
    /// The id of its entry: the same whoever writes it.
    #[must_use]
    pub fn id(workspace: &WorkspaceId, step: Revision) -> String {
        format!("override-{workspace}-{step}")
    }

    /// Adds the fields of its entry to a JSON object.
    pub fn describe(&self, to: &mut Writer<'_>) {
        to.text("task", self.task.as_str());
        to.value("to", |out| write_list(out, &self.statuses, |out, status| write_text(out, status.as_str())));
        to.text("reason", &self.forced.reason).text("by", self.actor.as_str()).number("at_ms", self.at_ms);
        to.value("unmet", |out| write_list(out, &self.forced.unmet, |out, unmet| unmet.write(out)));
        if self.forced.more > 0 {
            to.number("more", self.forced.more);
        }
    }

    /// Writes its JSON object in the folded state.
    pub(crate) fn write(&self, step: Revision, out: &mut String) {
        let mut to = Writer::new(out);
        to.number("rev", step).text("task", self.task.as_str());
        to.value("to", |out| write_list(out, &self.statuses, |out, status| write_text(out, status.as_str())));
        to.number("at_ms", self.at_ms).text("actor", self.actor.as_str());
        to.value("forced", |out| self.forced.write(out)).end();
    }

    /// Reads what [`Owed::write`] wrote.
    pub(crate) fn read(fields: Fields<'_>) -> Result<(Revision, Self), Malformed> {
        let statuses = fields.array("to")?.iter().map(|status| match status.as_str().map(Status::new) {
            Some(Ok(status)) => Ok(status),
            _ => Err(Malformed("field `to` holds something that is no status".to_owned())),
        });
        let owed = Owed {
            task: fields.id("task")?,
            statuses: statuses.collect::<Result<_, _>>()?,
            at_ms: fields.number("at_ms")?,
            actor: fields.id("actor")?,
            forced: Forced::read(fields.object("forced")?)?,
        };
        Ok((fields.number("rev")?, owed))
    }
}

impl Noted {
    /// Adds its fields to a JSON object.
    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        to.number("step", self.step).text("file", &self.file);
        to.text_if("given_up", self.given_up.as_deref());
    }

    /// Reads what [`Noted::write`] wrote.
    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Noted {
            step: fields.number("step")?,
            file: fields.text("file")?.to_owned(),
            given_up: fields.text_or_none("given_up")?.map(str::to_owned),
        })
    }
}

/// Decides whether what became of an entry is to be recorded; none where it is not owed any more. Pure.
#[must_use]
pub fn note(state: &State, noted: &Noted) -> Option<Event> {
    is_owed(state, noted).then(|| Event::OverrideNoted(noted.clone()))
}

/// Whether the entry is owed still.
pub(crate) fn is_owed(state: &State, noted: &Noted) -> bool {
    state.owed.get(&noted.step).is_some_and(|owed| owed.forced.owes.contains(&noted.file))
}

impl State {
    /// Takes up what a step by force owes.
    pub(crate) fn owe(&mut self, step: Revision, owed: Owed) {
        if !owed.forced.owes.is_empty() {
            self.owed.insert(step, owed);
        }
    }

    /// Takes away what is owed no more.
    pub(crate) fn settle(&mut self, noted: &Noted) {
        if let Some(owed) = self.owed.get_mut(&noted.step) {
            owed.forced.owes.remove(&noted.file);
            if owed.forced.owes.is_empty() {
                self.owed.remove(&noted.step);
            }
        }
    }
}
