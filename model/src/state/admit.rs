//! What can stand in a state, asked of what is read from a disk.
//!
//! Decisions record nothing else. So what is found otherwise was written by nobody we know, and to fold it would only
//! move the failure to the next decision that meets it.

use alloc::format;
use alloc::string::String;

use super::State;
use crate::json::Malformed;
use crate::policy::{self, Decision};
use crate::status::{StatusEvent, Value, outbox};
use crate::{Event, TaskId, proposal};

impl State {
    /// Whether an event can stand after this state.
    ///
    /// # Errors
    /// What cannot be: a status outside of the vocabulary, a task id that is not in its one form, a reopen of an epoch
    /// that does not stand, a policy under which what stands would have no meaning, a step of a proposal that nothing led to.
    pub fn admits(&self, event: &Event) -> Result<(), Malformed> {
        match event {
            Event::Status(StatusEvent::Set { task, value, .. }) => self.can_hold(task, value),
            Event::Status(StatusEvent::Reopened { task, to, over, .. }) => {
                self.can_hold(task, &Value::of(0, 0, to.clone(), None))?;
                match self.tasks.get(task) {
                    Some(cell) if cell.value.epoch == *over => Ok(()),
                    _ => Err(Malformed(format!(
                        "task {task} is reopened over epoch {over}, which does not stand"
                    ))),
                }
            }
            Event::OverrideNoted(noted) if !outbox::is_owed(self, noted) => Err(Malformed(format!(
                "an entry of the step {} in {:?}, which is not owed",
                noted.step, noted.file
            ))),
            Event::Proposal(event) => proposal::admits(self, event),
            Event::PolicyApplied { policy } => match policy::decide(self, policy) {
                Decision::Invalid(why) => Err(Malformed(format!("a policy that cannot be applied: {why}"))),
                Decision::Record(_) | Decision::Already => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Whether a task of this state's policy can hold `value`.
    pub(super) fn can_hold(&self, task: &TaskId, value: &Value) -> Result<(), Malformed> {
        let bad = |why: String| Err(Malformed(format!("task {task}: {why}")));
        let one = self.policy.task(task);
        if one != *task {
            return bad(format!("its id is written {one} in this workspace"));
        }
        self.policy.vocabulary.check(value.statuses.keys()).map(|_| ()).or_else(bad)
    }
}
