//! The statuses of a ledger.

use std::collections::BTreeMap;

use fencehold_model::status::outbox;
use fencehold_model::status::{
    self, Command, Decision, Held, Looked, Looking, Noted, Owed, Refusal, Shown, Value,
};
use fencehold_model::{Event, Revision, TaskId};

use super::{Answer, Ledger, TaskVerdict, TaskView, check_reason};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Journal, Seen};

/// How often what stands before a status is looked at anew because the policy, or the lease, is another meanwhile.
const LOOKS_MAX: usize = 8;

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Decides a command about a task and records what comes of it. A gate is refused: nobody looks at what it asks for.
    ///
    /// # Errors
    /// A command that makes no sense in this workspace, and all that [`Journal::commit`] gives.
    pub fn task(&self, asking: &Asking, command: &Command) -> Result<Answer<TaskVerdict>> {
        self.task_shown(asking, command, &Shown::default())
    }

    /// As [`Ledger::task`], through gates: `look` finds out what is not met, and is asked anew where something else is to
    /// be looked at by then. `force` is why the step shall be done all the same.
    ///
    /// # Errors
    /// As [`Ledger::task`], and what `look` gives.
    pub fn task_through(
        &self,
        asking: &Asking,
        command: &Command,
        force: Option<&str>,
        mut look: impl FnMut(Looking) -> Result<Looked>,
    ) -> Result<Answer<TaskVerdict>> {
        let mut shown = Shown { looked: None, force: force.map(str::to_owned) };
        for _ in 0..LOOKS_MAX {
            let answer = self.task_shown(asking, command, &shown)?;
            match answer.verdict {
                TaskVerdict::Refused(Refusal::Gate(held)) if held.unmet.is_none() => {
                    let Held { looking, .. } = *held;
                    shown.looked = Some(look(looking)?);
                }
                _ => return Ok(answer),
            }
        }
        self.task_shown(asking, command, &shown)
    }

    /// As [`Ledger::task`], with what is shown at gates.
    ///
    /// # Errors
    /// As [`Ledger::task`].
    pub fn task_shown(
        &self,
        asking: &Asking,
        command: &Command,
        shown: &Shown,
    ) -> Result<Answer<TaskVerdict>> {
        let answer = self.task_decided(asking, command, shown, |_| true)?;
        Ok(answer.expect("whatever stands is as it was seen"))
    }

    /// As [`Ledger::task_through`], but only where the task holds exactly `seen` (none: no status yet) in the very commit
    /// that would change it; none where it does not, and nothing was changed.
    ///
    /// # Errors
    /// As [`Ledger::task_through`].
    pub fn task_as_seen(
        &self,
        asking: &Asking,
        command: &Command,
        seen: Option<&Value>,
        mut look: impl FnMut(Looking) -> Result<Looked>,
    ) -> Result<Option<Answer<TaskVerdict>>> {
        let mut shown = Shown::default();
        let mut answer = None;
        for _ in 0..=LOOKS_MAX {
            answer = self.task_decided(asking, command, &shown, |stands| stands == seen)?;
            match answer.as_ref().map(|answer| &answer.verdict) {
                Some(TaskVerdict::Refused(Refusal::Gate(held))) if held.unmet.is_none() => {
                    shown.looked = Some(look(held.looking.clone())?);
                }
                _ => break,
            }
        }
        Ok(answer)
    }

    /// Decides a command where what stands `is_as_seen`; none where it is not.
    fn task_decided(
        &self,
        asking: &Asking,
        command: &Command,
        shown: &Shown,
        is_as_seen: impl Fn(Option<&Value>) -> bool,
    ) -> Result<Option<Answer<TaskVerdict>>> {
        check(command)?;
        if let Some(reason) = &shown.force {
            check_reason(reason)?;
        }
        #[allow(clippy::result_large_err)]
        let committed = self.journal.commit(asking, |state, _| {
            let stands = state.tasks.get(&state.policy.task(command.task())).map(|cell| &cell.value);
            if !is_as_seen(stands) {
                return Err(None);
            }
            match status::decide_shown(state, command, shown) {
                Decision::Record(event) => Ok(event),
                other => Err(Some(other)),
            }
        })?;
        let verdict = match &committed.outcome {
            Ok(Event::Status(event)) => {
                let forced = event.by_force().is_some();
                TaskVerdict::Stands { value: event.value(committed.revision), already: false, forced }
            }
            Ok(event) => panic!("deciding {command:?} recorded {event:?}"),
            Err(None) => return Ok(None),
            Err(Some(Decision::Already(value))) => {
                TaskVerdict::Stands { value: value.clone(), already: true, forced: false }
            }
            Err(Some(Decision::Refuse(refusal))) => TaskVerdict::Refused(refusal.clone()),
            Err(Some(Decision::Invalid(why))) => {
                return Err(Error::usage(format!("{why}; nothing was changed")));
            }
            Err(Some(Decision::Record(_))) => panic!("{command:?} was not answered"),
        };
        self.answered(&committed, verdict).map(Some)
    }

    /// The steps by force whose entries are still owed to a log, by their revisions.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn owed(&self) -> Result<Seen<BTreeMap<Revision, Owed>>> {
        self.journal.read(|state, _| state.owed.clone())
    }

    /// Records what became of an entry that was owed; false where it is not owed any more.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub fn note(&self, asking: &Asking, noted: &Noted) -> Result<bool> {
        let committed = self.journal.commit(asking, |state, _| outbox::note(state, noted).ok_or(()))?;
        Ok(committed.outcome.is_ok())
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
