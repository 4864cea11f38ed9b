//! The gate before a status: what was looked at, what was not met, and what a step by force leaves behind.
//!
//! A decision cannot look at files. So it says what is to be looked at ([`Looking`]), whoever asked looks, and asks again
//! with what was found ([`Looked`]).
//!
//! Invariants:
//! - nothing enters a status behind the back of its gates, whatever leads there: what was looked at must be what is to be
//!   looked at *now*, gate by gate and path by path, or it counts for nothing;
//! - a step by force is recorded with its reason and with what was not met, in one event; where all is met, force is none;
//! - what is recorded is bounded, however much was not met.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Decision, Refusal, StatusEvent, Value};
use crate::json::{Fields, Malformed, Writer, write_list, write_text};
use crate::policy::gates::{Gate, Work, check_log};
use crate::{Event, Pattern, State, Status, TaskId, Token};

/// The most conditions that a step by force records; it counts the others.
pub const UNMET_RECORDED_MAX: usize = 32;
/// The most bytes of a path and of a why in a record.
const TEXT_BYTES_MAX: usize = 256;

/// What is to be looked at before a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// The task, in its canonical form.
    pub task: TaskId,
    /// The gates before what it enters, in the order of the policy.
    pub gates: Vec<Gate>,
    /// The lease with the task's id and what it writes, where a gate asks for its work; none where there is no such
    /// lease or no gate asks.
    pub work: Option<(Token, Vec<Pattern>)>,
}

/// A condition that is not met, or that nobody could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The file that it is about, relative to the top of the worktree.
    pub file: String,
    /// Its key in `fencehold.toml`; `file` for its mere existence, `when` where that could not be told.
    pub condition: String,
    /// Why.
    pub why: String,
}

/// What was found by who looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What was looked at.
    pub at: Looking,
    /// The top of the worktree that was looked into.
    pub root: String,
    /// What is not met, each with the place of its gate in [`Looking::gates`].
    pub unmet: Vec<(usize, Unmet)>,
}

/// What is shown with a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What was found.
    pub looked: Option<Looked>,
    /// Why the step shall be done although something is not met.
    pub force: Option<String>,
}

/// What a gate that stands in the way says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What is to be looked at now.
    pub looking: Looking,
    /// What is not met; none where that was not looked at, or something else was.
    pub unmet: Option<Vec<Unmet>>,
    /// What stands instead.
    pub stands: Option<Value>,
}

/// That a step was done although something was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced {
    /// Why.
    pub reason: String,
    /// What was not met, the first of it.
    pub unmet: Vec<Unmet>,
    /// How much more was not met.
    pub more: u64,
    /// The top of the worktree that was looked into.
    pub root: String,
    /// The logs that are owed an entry, relative to that top.
    pub owes: BTreeSet<String>,
}

/// Whether a reason says nothing: it has no letter and no digit.
#[must_use]
pub fn is_blank(reason: &str) -> bool {
    !reason.chars().any(char::is_alphanumeric)
}

/// Lets an event pass, or says what stands in its way.
pub(super) fn pass(state: &State, event: StatusEvent, shown: &Shown) -> Decision {
    let stands = state.tasks.get(event.task()).map(|cell| &cell.value);
    let looking = Looking::of(state, &event, stands);
    if looking.gates.is_empty() {
        return Decision::Record(Event::Status(event));
    }
    let held = |unmet| {
        Decision::Refuse(Refusal::Gate(Box::new(Held {
            looking: looking.clone(),
            unmet,
            stands: stands.cloned(),
        })))
    };
    let Some(looked) = shown.looked.as_ref().filter(|looked| looked.at == looking) else { return held(None) };
    if looked.unmet.is_empty() {
        return Decision::Record(Event::Status(event));
    }
    let Some(reason) = &shown.force else {
        return held(Some(looked.unmet.iter().map(|(_, unmet)| unmet.clone()).collect()));
    };
    match Forced::of(reason, looked) {
        Ok(forced) if !forced.owes.is_empty() && state.owed.len() >= super::OWED_MAX => {
            Decision::Invalid(format!(
                "{} entries of steps by force are owed already; `fencehold status` says where and why",
                state.owed.len()
            ))
        }
        Ok(forced) => Decision::Record(Event::Status(event.forced(forced))),
        Err(why) => Decision::Invalid(why),
    }
}

/// Whether a step from `stands` to these statuses of an epoch enters `status`: it stands newly, or newly alone.
fn enters(stands: Option<&Value>, next: &Value, status: &Status) -> bool {
    let before = stands.filter(|stands| stands.epoch == next.epoch);
    before.is_none_or(|before| {
        !before.statuses.contains_key(status) || (before.statuses.len() > 1 && next.statuses.len() == 1)
    })
}

impl Looking {
    fn of(state: &State, event: &StatusEvent, stands: Option<&Value>) -> Self {
        let (task, next) = (event.task(), event.value(state.revision + 1));
        let entered: Vec<&Status> =
            next.statuses.keys().filter(|status| enters(stands, &next, status)).collect();
        let covers = |gate: &&Gate| entered.iter().any(|status| gate.covers(task, status));
        let gates: Vec<Gate> = state.policy.gates.iter().filter(covers).cloned().collect();
        let asks =
            gates.iter().flat_map(|gate| &gate.require).any(|require| require.newer_than == Work::Lease);
        let lease = crate::LeaseId::new(task.as_str()).expect("ids of tasks and leases are alike");
        let lease = state.leases.get(&state.policy.lease(&lease)).filter(|_| asks);
        let work = lease.map(|lease| (lease.token, lease.writes.clone()));
        Looking { task: task.clone(), gates, work }
    }
}

impl Forced {
    fn of(reason: &str, looked: &Looked) -> Result<Self, String> {
        let gates: BTreeSet<usize> = looked.unmet.iter().map(|(gate, _)| *gate).collect();
        let logs = gates.iter().filter_map(|gate| looked.at.gates.get(*gate)?.on_override.as_ref());
        let owes = logs.map(|log| log.log_of(&looked.at.task));
        let unmet = looked.unmet.iter().take(UNMET_RECORDED_MAX).map(|(_, unmet)| Unmet {
            file: cut(&unmet.file),
            condition: cut(&unmet.condition),
            why: cut(&unmet.why),
        });
        Ok(Forced {
            reason: reason.trim().to_owned(),
            unmet: unmet.collect(),
            more: looked.unmet.len().saturating_sub(UNMET_RECORDED_MAX) as u64,
            root: looked.root.clone(),
            owes: owes.collect::<Result<_, _>>().map_err(|why| format!("`on_override`: {why}"))?,
        })
    }

    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.text("reason", &self.reason);
        to.value("unmet", |out| write_list(out, &self.unmet, |out, unmet| unmet.write(out)));
        if self.more > 0 {
            to.number("more", self.more);
        }
        to.text("root", &self.root);
        to.value("owes", |out| write_list(out, &self.owes, |out, file| write_text(out, file))).end();
    }

    /// Reads what [`Forced::write`] wrote.
    pub fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let unmet = fields.array("unmet")?.iter().map(|unmet| Unmet::read(Fields::of(unmet)?));
        let owes = fields.array("owes")?.iter().map(|file| match file.as_str() {
            Some(file) => Ok(file.to_owned()),
            None => Err(Malformed("field `owes` holds something that is no text".to_owned())),
        });
        let forced = Forced {
            reason: fields.text("reason")?.to_owned(),
            unmet: unmet.collect::<Result<_, _>>()?,
            more: fields.number_or_none("more")?.unwrap_or(0),
            root: fields.text("root")?.to_owned(),
            owes: owes.collect::<Result<_, _>>()?,
        };
        forced.check().map_err(Malformed)?;
        Ok(forced)
    }

    /// Refuses what no step by force leaves behind.
    fn check(&self) -> Result<(), String> {
        if is_blank(&self.reason) {
            return Err(format!("a step by force for the reason {:?}, which says nothing", self.reason));
        }
        if !(1..=UNMET_RECORDED_MAX).contains(&self.unmet.len()) {
            return Err(format!("a step by force past {} recorded conditions", self.unmet.len()));
        }
        if !self.root.starts_with('/') {
            return Err(format!("a step by force in {:?}, which is no absolute path", self.root));
        }
        self.owes.iter().try_for_each(|file| check_log(file))
    }
}

impl Unmet {
    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.text("file", &self.file).text("condition", &self.condition).text("why", &self.why).end();
    }

    fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let text = |key| fields.text(key).map(str::to_owned);
        Ok(Unmet { file: text("file")?, condition: text("condition")?, why: text("why")? })
    }
}

/// The beginning of a text, within what a record holds.
fn cut(text: &str) -> String {
    match text.char_indices().find(|(at, letter)| at + letter.len_utf8() > TEXT_BYTES_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
