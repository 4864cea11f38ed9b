//! `fencehold task set|get|list|show|reopen|export|merge`.

pub(super) mod args;
mod exchange;
mod look;
mod render;

use fencehold_model::status::{self, Command, Decision, Shown};
use fencehold_model::{Holder, State};

use self::args::Task;
use super::args::Common;
use super::gate;
use super::identity::holder;
use super::locks::Locks;
use super::out::{Ended, Out, REFUSED};
use super::session::Session;
use crate::error::Error;
use crate::ledger::{Answer, TaskVerdict};

pub(super) use look::{one_line, standing_object};
pub(super) use render::{refused, unmet, value_object};

/// Enters a task command.
pub(super) fn task(command: &Task, common: &Common) -> Ended {
    match command {
        Task::Set(asked) => {
            let command = Command::Set {
                task: asked.task.clone(),
                to: asked.status.clone(),
                from: asked.from.clone(),
                epoch: asked.epoch,
                detail: asked.detail.clone(),
                resolve: asked.resolve,
            };
            submit(common, &holder(&asked.who)?.0, &command, asked.force.reason())
        }
        Task::Reopen { task, status, from, epoch, reason, force, who } => {
            let command = Command::Reopen {
                task: task.clone(),
                to: status.clone(),
                from: from.clone(),
                epoch: *epoch,
                reason: reason.clone(),
            };
            submit(common, &holder(who)?.0, &command, force.then_some(reason))
        }
        Task::Get { task } => look::get(common, task),
        Task::List => look::list(common),
        Task::Show { task } => look::show(common, task),
        Task::Export { file } => exchange::export(common, file.as_deref()),
        Task::Merge { file, force, who } => exchange::merge(common, file, force.reason(), who),
    }
}

/// Submits a command; where there is no workspace only one that would be recorded makes one.
fn submit(common: &Common, holder: &Holder, command: &Command, force: Option<&str>) -> Ended {
    let session = Session::begin(common)?;
    let locks = match Locks::open(&session)? {
        Some(locks) => locks,
        None => match status::decide_shown(&State::default(), command, &shown(force)) {
            Decision::Refuse(refusal) => {
                let verdict = TaskVerdict::Refused(refusal);
                let answer = Answer { revision: 0, at_ms: 0, now_ms: 0, durable: true, verdict };
                return tell(session.out, command, &answer);
            }
            Decision::Invalid(why) => return Err(Error::usage(format!("{why}; nothing was changed")).into()),
            Decision::Record(_) | Decision::Already(_) => Locks::open_or_create(&session)?,
        },
    };
    let look = |looking| gate::look(&session.place, looking);
    let answer = locks.ledger().task_through(&locks.asking(holder), command, force, look)?;
    locks.tell_notes(session.out);
    gate::settle_after(&session.place, locks.ledger(), holder);
    tell(session.out, command, &answer)
}

/// What is shown where nothing can be looked at.
fn shown(force: Option<&str>) -> Shown {
    Shown { looked: None, force: force.map(str::to_owned) }
}

/// Prints an answer: the epoch of a reopen alone on stdout. Two statuses that stand are recorded and a 1 all the same,
/// so that nobody takes a collision for done.
fn tell(out: Out, command: &Command, answer: &Answer<TaskVerdict>) -> Ended {
    let object = render::object(answer);
    if !answer.durable {
        out.tell_who_watches("relaxed: this outlives the kill of any process, not a power cut");
    }
    match &answer.verdict {
        TaskVerdict::Stands { value, forced, .. } => {
            let text = match command {
                Command::Reopen { .. } => format!("{}\n", value.epoch),
                Command::Set { .. } | Command::Merge { .. } => String::new(),
            };
            out.done(&object, &text, &format!("task {} is {}", command.task(), render::names(value)))?;
            if *forced {
                out.say(&format!(
                    "revision {} records that a gate was passed by force, and why",
                    answer.revision
                ));
            }
            if value.statuses.len() == 1 {
                return Ok(0);
            }
            out.say(&render::conflict(command.task(), value));
            Ok(REFUSED)
        }
        TaskVerdict::Refused(refusal) => {
            out.say(&render::refused(command, refusal));
            out.answer(&object, "")?;
            Ok(REFUSED)
        }
    }
}
