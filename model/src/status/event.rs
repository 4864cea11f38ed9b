//! What can have happened to a task, and its JSON form.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::{Forced, Value};
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
        /// That it passed a gate by force.
        forced: Option<Box<Forced>>,
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
        /// That it passed a gate by force.
        forced: Option<Box<Forced>>,
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

    /// What it left behind, where it passed a gate by force.
    #[must_use]
    pub fn by_force(&self) -> Option<&Forced> {
        match self {
            StatusEvent::Set { forced, .. } | StatusEvent::Reopened { forced, .. } => forced.as_deref(),
        }
    }

    /// The same, by force.
    pub(super) fn forced(mut self, by: Forced) -> Self {
        match &mut self {
            StatusEvent::Set { forced, .. } | StatusEvent::Reopened { forced, .. } => {
                *forced = Some(Box::new(by));
            }
        }
        self
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
        if let Some(forced) = self.by_force() {
            to.value("forced", |out| forced.write(out));
        }
    }

    /// Reads what [`StatusEvent::write`] wrote under `word`; none where that names no event of a task.
    pub fn read(word: &str, fields: Fields<'_>) -> Result<Option<Self>, Malformed> {
        let forced = || {
            let forced = fields.object_or_none("forced")?.map(Forced::read).transpose()?;
            Ok::<_, Malformed>(forced.map(Box::new))
        };
        let set = |how| {
            let (task, value) = (fields.id("task")?, Value::read(fields)?);
            Ok(Some(StatusEvent::Set { task, how, value, forced: forced()? }))
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
                let reason = fields.text("reason")?.to_owned();
                Ok(Some(StatusEvent::Reopened { task, to, over, reason, forced: forced()? }))
            }
            _ => Ok(None),
        }
    }
}
