//! The statuses of a ledger.

use fencehold_model::status::{self, Command, Decision};
use fencehold_model::{Event, TaskId};

use super::{Answer, Ledger, TaskVerdict, TaskView, check_reason};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Journal, Seen};

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Decides a command about a task and records what comes of it.
    ///
    /// # Errors
    /// A command that makes no sense in this workspace, and all that [`Journal::commit`] gives.
    pub fn task(&self, asking: &Asking, command: &Command) -> Result<Answer<TaskVerdict>> {
        check(command)?;
        #[allow(clippy::result_large_err)]
        let committed = self.journal.commit(asking, |state, _| match status::decide(state, command) {
            Decision::Record(event) => Ok(event),
            other => Err(other),
        })?;
        let verdict = match &committed.outcome {
            Ok(Event::Status(event)) => {
                TaskVerdict::Stands { value: event.value(committed.revision), already: false }
            }
            Ok(event) => panic!("deciding {command:?} recorded {event:?}"),
            Err(Decision::Already(value)) => TaskVerdict::Stands { value: value.clone(), already: true },
            Err(Decision::Refuse(refusal)) => TaskVerdict::Refused(refusal.clone()),
            Err(Decision::Invalid(why)) => return Err(Error::usage(format!("{why}; nothing was changed"))),
            Err(Decision::Record(_)) => panic!("{command:?} was not answered"),
        };
        self.answered(&committed, verdict)
    }

    /// One task, under any spelling of its id.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn show_task(&self, task: &TaskId) -> Result<Seen<Option<TaskView>>> {
        self.journal.read(|state, _| {
            let id = state.policy.task(task);
            state.tasks.get(&id).map(|cell| TaskView { id, cell: cell.clone() })
        })
    }

    /// Every task that has a status.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn tasks(&self) -> Result<Seen<Vec<TaskView>>> {
        self.journal.read(|state, _| {
            let views = state.tasks.iter();
            views.map(|(id, cell)| TaskView { id: id.clone(), cell: cell.clone() }).collect()
        })
    }
}

/// Refuses a command that makes no sense whatever the state.
pub(crate) fn check(command: &Command) -> Result<()> {
    match command {
        Command::Reopen { reason, .. } => check_reason(reason),
        Command::Set { .. } | Command::Merge { .. } => Ok(()),
    }
}
