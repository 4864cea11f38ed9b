//! What is asked of statuses and what is told of them, typed.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::call::{flag, id, id_or_none};
use super::lease::texts;
use super::{Id, Names};

/// What was asked of the status of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusAsk {
    /// `status.set`
    Set {
        /// Where to.
        to: Id,
        /// What it was seen to be.
        from: Option<Id>,
        /// The epoch that was seen; 0 is the one before any reopen.
        epoch: u64,
        /// What goes with it: a JSON object, as text with its keys in order.
        detail: Option<Id>,
        /// End a conflict by choosing `to`.
        resolve: bool,
    },
    /// `status.reopen`; a blank reason has to be refused.
    Reopen {
        /// Where to.
        to: Id,
        /// What it was seen to be.
        from: Option<Id>,
        /// The epoch that was seen.
        epoch: Option<u64>,
        /// Whether its reason is blank.
        blank: bool,
    },
    /// `status.get`
    Get,
    /// `status.merge`
    Merge(StatusSeen),
}

/// The value of a cell, as an answer or a merge names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSeen {
    /// The epoch.
    pub epoch: u64,
    /// The turn.
    pub turn: u64,
    /// The statuses that stand, in the order of their ids; never empty, none of them twice.
    pub statuses: Vec<Id>,
    /// The details that go with them: status, and JSON object as text with its keys in order.
    pub details: Vec<(Id, Id)>,
}

impl StatusAsk {
    /// Types the fields of the operation `status.` and `verb`; none where that is unknown.
    pub(super) fn read(verb: &str, args: &Value, names: &mut Names) -> Result<Option<Self>, String> {
        Ok(Some(match verb {
            "set" => StatusAsk::Set {
                to: id(args, "to", names)?,
                from: id_or_none(args, "from", names)?,
                epoch: epoch(args)?.unwrap_or(0),
                detail: match &args["detail"] {
                    Value::Null => None,
                    detail if detail.is_object() => Some(names.intern(&format!("{detail}"))),
                    _ => return Err("`detail` is not an object".to_owned()),
                },
                resolve: flag(args, "resolve")?,
            },
            "reopen" => StatusAsk::Reopen {
                to: id(args, "to", names)?,
                from: id_or_none(args, "from", names)?,
                epoch: epoch(args)?,
                blank: args["reason"].as_str().is_none_or(|reason| reason.trim().is_empty()),
            },
            "get" => StatusAsk::Get,
            "merge" => {
                let seen = StatusSeen::read(args, names);
                StatusAsk::Merge(seen.ok_or("`epoch`, `turn` and `statuses` are not the value of a cell")?)
            }
            _ => return Ok(None),
        }))
    }
}

/// The epoch that an operation names.
fn epoch(args: &Value) -> Result<Option<u64>, String> {
    match &args["epoch"] {
        Value::Null => Ok(None),
        epoch => epoch.as_u64().map(Some).ok_or_else(|| "`epoch` is not a whole number".to_owned()),
    }
}

impl StatusSeen {
    /// The value that `value` describes, none where it describes none.
    pub(super) fn read(value: &Value, names: &mut Names) -> Option<Self> {
        let mut statuses = texts(&value["statuses"], names)?;
        let count = statuses.len();
        statuses.sort_unstable();
        statuses.dedup();
        if count == 0 || statuses.len() != count {
            return None;
        }
        let mut details = Vec::new();
        match &value["details"] {
            Value::Null => {}
            all => {
                for (status, detail) in all.as_object()? {
                    let status = names.find(status).filter(|status| statuses.contains(status))?;
                    if !detail.is_object() {
                        return None;
                    }
                    details.push((status, names.intern(&format!("{detail}"))));
                }
            }
        }
        details.sort_unstable();
        Some(StatusSeen { epoch: value["epoch"].as_u64()?, turn: value["turn"].as_u64()?, statuses, details })
    }
}
