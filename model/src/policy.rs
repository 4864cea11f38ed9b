//! What a team has agreed on: its vocabulary of statuses, how ids are written, what an overlap of write sets means, what
//! stands under guard.
//!
//! Recorded in the journal, so that every worktree and branch obeys one, whatever its own files say.
//!
//! Invariants: every status that a cell stands in is in the vocabulary, all those of one cell at one rank; no two ids
//! that stand in the state have the same canonical form; every gate stands before a status of the vocabulary.

pub mod gates;

mod guarded;

pub use guarded::{GUARDED_BYTES_MAX, GUARDED_PATHS_MAX, Guard, Guarded};

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Fields, Malformed, Writer};
use crate::status::Vocabulary;
use crate::{LeaseId, State, TaskId};

pub use gates::Gate;

/// The policy of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The statuses, their ranks, and which are terminal.
    pub vocabulary: Vocabulary,
    /// How task ids are written.
    pub task_ids: IdForm,
    /// How lease ids are written.
    pub lease_ids: IdForm,
    /// What an overlap of write sets means.
    pub overlap: Overlap,
    /// What must be so before a task enters a status.
    pub gates: Vec<Gate>,
    /// What a write needs a lock for.
    pub guarded: Guarded,
}

/// How ids are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdForm {
    /// As they stand.
    #[default]
    Text,
    /// Numbers, with dots between them or not: leading zeros mean nothing. What is no number stands as it is.
    Numbers,
}

/// What an overlap of write sets means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The second grant is refused.
    #[default]
    Refuse,
    /// The second grant says whom it overlaps.
    Advise,
}

/// What applying a policy comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happens.
    Record(crate::Event),
    /// It is the policy already.
    Already,
    /// It cannot be: what stands would have no meaning under it.
    Invalid(String),
}

impl IdForm {
    const ALL: [(IdForm, &'static str); 2] = [(IdForm::Text, "text"), (IdForm::Numbers, "numbers")];

    /// Its word in `fencehold.toml` and on disk.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(form, _)| *form == self).expect("every form has a word").1
    }

    /// The form that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == word).map(|(form, _)| *form)
    }

    /// The one form of `id`, none where it is that already.
    fn canonical(self, id: &str) -> Option<String> {
        let numbered = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if self == IdForm::Text || !id.split('.').all(numbered) {
            return None;
        }
        let parts = id.split('.').map(|part| match part.trim_start_matches('0') {
            "" => "0",
            number => number,
        });
        let canonical = parts.collect::<Vec<_>>().join(".");
        (canonical != id).then_some(canonical)
    }
}

impl Overlap {
    const ALL: [(Overlap, &'static str); 2] = [(Overlap::Refuse, "refuse"), (Overlap::Advise, "advise")];

    /// Its word in `fencehold.toml` and on disk.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(overlap, _)| *overlap == self).expect("every overlap has a word").1
    }

    /// The meaning that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == word).map(|(overlap, _)| *overlap)
    }
}

impl Policy {
    /// The one form of a task id.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> TaskId {
        self.task_ids
            .canonical(id.as_str())
            .map_or_else(|| id.clone(), |id| TaskId::new(&id).expect("digits"))
    }

    /// The one form of a lease id.
    #[must_use]
    pub fn lease(&self, id: &LeaseId) -> LeaseId {
        self.lease_ids
            .canonical(id.as_str())
            .map_or_else(|| id.clone(), |id| LeaseId::new(&id).expect("digits"))
    }

    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.value("statuses", |out| self.vocabulary.write(out))
            .text("task_ids", self.task_ids.word())
            .text("lease_ids", self.lease_ids.word())
            .text("overlap", self.overlap.word());
        gates::write(&mut to, &self.gates);
        if !self.guarded.is_empty() {
            to.value("guarded", |out| self.guarded.write(out));
        }
        to.end();
    }

    /// Reads what [`Policy::write`] wrote.
    pub fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let form = |key: &str| {
            let word = fields.text(key)?;
            IdForm::parse(word).ok_or_else(|| Malformed(format!("field `{key}`: `{word}` is no form of ids")))
        };
        let (word, vocabulary) = (fields.text("overlap")?, Vocabulary::read(fields.array("statuses")?)?);
        let gates = gates::read(fields)?;
        gates::check(&gates, &vocabulary).map_err(Malformed)?;
        Ok(Policy {
            vocabulary,
            task_ids: form("task_ids")?,
            lease_ids: form("lease_ids")?,
            overlap: Overlap::parse(word)
                .ok_or_else(|| Malformed(format!("field `overlap`: `{word}` is not refuse or advise")))?,
            gates,
            guarded: Guarded::read(fields.array_or_empty("guarded")?)?,
        })
    }
}

/// Decides whether `policy` can be the policy of a workspace in `state`. Pure.
#[must_use]
pub fn decide(state: &State, policy: &Policy) -> Decision {
    if state.policy == *policy {
        return Decision::Already;
    }
    let meant = gates::check(&policy.gates, &policy.vocabulary)
        .and_then(|()| cells(state, policy))
        .and_then(|()| one_form("tasks", state.tasks.keys().map(|id| (id.as_str(), policy.task(id)))))
        .and_then(|()| one_form("leases", state.leases.keys().map(|id| (id.as_str(), policy.lease(id)))));
    match meant {
        Ok(()) => Decision::Record(crate::Event::PolicyApplied { policy: policy.clone() }),
        Err(why) => Decision::Invalid(why),
    }
}

/// How many names an error lists.
const NAMED_MAX: usize = 5;

fn cells(state: &State, policy: &Policy) -> Result<(), String> {
    let lost = state.tasks.iter().filter_map(|(task, cell)| {
        let why = policy.vocabulary.check(cell.value.statuses.keys()).err()?;
        Some((task.as_str(), why))
    });
    let lost: Vec<(&str, String)> = lost.collect();
    let Some((first, why)) = lost.first() else { return Ok(()) };
    let named: Vec<&str> = lost.iter().take(NAMED_MAX).map(|(task, _)| *task).collect();
    Err(format!(
        "{} would have no meaning ({first}: {why}): {}{}. Apply one that has the old statuses and the new, move them, then apply this",
        if lost.len() == 1 { "1 task".to_owned() } else { format!("{} tasks", lost.len()) },
        named.join(", "),
        if lost.len() > NAMED_MAX { ", …" } else { "" },
    ))
}

fn one_form<'a, T: Ord>(what: &str, ids: impl Iterator<Item = (&'a str, T)>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (id, canonical) in ids {
        if !seen.insert(canonical) {
            return Err(format!("two {what} would become one: {id} and another spelling of it"));
        }
    }
    Ok(())
}
