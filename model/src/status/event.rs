//! What can have happened to a task, and its JSON form.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::Value;
use crate::json::{Fields, Malformed, Writer};
use crate::{Revision, Status, TaskId};

/// How a task came to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By a step.
    Set,
    /// By choosing one side of a conflict.
    Resolved,
    /// By joining another board.
    Merged,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusEvent {
    /// It came to a value.
    Set {
        /// The task, in its canonical form.
        task: TaskId,
        /// How.
        how: How,
        /// What it holds from here.
        value: Value,
    },
    /// A new epoch began.
    Reopened {
        /// The task, in its canonical form.
        task: TaskId,
        /// What it holds from here.
        to: Status,
        /// The epoch that ended.
        over: Revision,
        /// Why.
        reason: String,
    },
}

impl StatusEvent {
    /// The words that name the kinds on disk.
    pub const WORDS: [&str; 4] = ["status.set", "status.resolved", "status.merged", "status.reopened"];

    /// The word that names its kind on disk.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            StatusEvent::Set { how: How::Set, .. } => "status.set",
            StatusEvent::Set { how: How::Resolved, .. } => "status.resolved",
            StatusEvent::Set { how: How::Merged, .. } => "status.merged",
            StatusEvent::Reopened { .. } => "status.reopened",
        }
    }

    /// The task that it concerns.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        match self {
            StatusEvent::Set { task, .. } | StatusEvent::Reopened { task, .. } => task,
        }
    }

    /// What the task holds once this event stands at `revision`. The epoch of a reopen is its revision, or one more
    /// than the epoch that it ends where a merged board brought that from further on.
    #[must_use]
    pub fn value(&self, revision: Revision) -> Value {
        match self {
            StatusEvent::Set { value, .. } => value.clone(),
            StatusEvent::Reopened { to, over, .. } => Value::of(revision.max(over + 1), 0, to.clone(), None),
        }
    }

    /// Adds its fields to a JSON object.
    pub fn write(&self, to: &mut Writer<'_>) {
        to.text("task", self.task().as_str());
        match self {
            StatusEvent::Set { value, .. } => value.write(to),
            StatusEvent::Reopened { to: status, over, reason, .. } => {
                to.text("to", status.as_str()).number("over", *over).text("reason", reason);
            }
        }
    }

    /// Reads what [`StatusEvent::write`] wrote under `word`; none where that names no event of a task.
    pub fn read(word: &str, fields: Fields<'_>) -> Result<Option<Self>, Malformed> {
        let set = |how| {
            let event = StatusEvent::Set { task: fields.id("task")?, how, value: Value::read(fields)? };
            Ok(Some(event))
        };
        match word {
            "status.set" => set(How::Set),
            "status.resolved" => set(How::Resolved),
            "status.merged" => set(How::Merged),
            "status.reopened" => {
                let over = fields.number("over")?;
                if over + 1 >= crate::NUMBER_BOUND {
                    return Err(Malformed(format!("field `over`: no epoch comes after {over}")));
                }
                let (task, to) = (fields.id("task")?, fields.id("to")?);
                Ok(Some(StatusEvent::Reopened { task, to, over, reason: fields.text("reason")?.to_owned() }))
            }
            _ => Ok(None),
        }
    }
}
