//! What was asked and what was answered, typed. A request that is not well formed is kept as such: the target has
//! to answer `fail`.

use alloc::format;
use alloc::string::String;

use serde_json::Value;

use super::lease::read_list;
use super::{Ask, Id, LeaseAsk, LeaseState, Names, ProposalAsk, StatusAsk};

/// What was asked of the target.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// An operation on a lock.
    Lock(Id, Ask),
    /// An operation on a lease.
    Lease(Id, LeaseAsk),
    /// `lease.list`, from the start or from where the page before ended.
    LeaseList {
        /// Of which state.
        state: Option<LeaseState>,
        /// The last lease of the page before.
        after: Option<Id>,
    },
    /// An operation on the status of a task.
    Status(Id, StatusAsk),
    /// `log.append`: the file, the record's id, the record.
    Append {
        /// The file, relative to the root.
        file: Id,
        /// The record's id.
        id: Id,
        /// The record.
        record: Value,
        /// The grant it works under.
        fence: Option<Fence>,
    },
    /// `log.read`, from the start or from where the page before ended.
    LogRead {
        /// The file, relative to the root.
        file: Id,
        /// Where the page before ended.
        after: Option<Id>,
    },
    /// `doc.increment`.
    Increment {
        /// The file, relative to the root.
        file: Id,
        /// The key.
        key: Id,
        /// By how much.
        by: i64,
        /// The grant it works under.
        fence: Option<Fence>,
    },
    /// `doc.read`.
    DocRead {
        /// The file, relative to the root.
        file: Id,
        /// The grant it works under.
        fence: Option<Fence>,
    },
    /// `doc.merge`.
    Merge {
        /// The file, relative to the root.
        file: Id,
        /// The merge patch.
        patch: Value,
        /// The grant it works under.
        fence: Option<Fence>,
    },
    /// An operation on a proposal: the file that it is for, its id, what was asked.
    Proposal(Id, Id, ProposalAsk),
    /// `proposal.list`, from the start or from where the page before ended.
    ProposalList {
        /// The file that they are for.
        target: Id,
        /// The last proposal of the page before.
        after: Option<Id>,
    },
    /// `harness.read`: the harness read a file of the root itself.
    HarnessRead {
        /// The file, relative to the root.
        file: Id,
    },
    /// A request that is not valid, and why: it has to be answered `fail`.
    Invalid(String),
    /// An operation that is not judged here.
    Other(Id),
}

/// What a lock or a lease is asked to be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// To nothing.
    No,
    /// To the process that answers.
    Process,
    /// To a process that the history does not know.
    Other,
}

/// A token as it stands in a request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// There is none.
    Absent,
    /// A number.
    Number(u64),
    /// A string.
    Text(Id),
}

/// The grant that a guarded operation says it works under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// What was granted.
    pub right: Right,
    /// The token that was shown.
    pub token: Token,
}

/// What can be granted. A lock and a lease of one name have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// A lock.
    Lock(Id),
    /// A lease.
    Lease(Id),
}

impl Call {
    /// Types a request's fields.
    pub(super) fn read(op: &str, args: &Value, names: &mut Names) -> Self {
        Self::try_read(op, args, names).unwrap_or_else(Call::Invalid)
    }

    fn try_read(op: &str, args: &Value, names: &mut Names) -> Result<Self, String> {
        if let Some(verb) = op.strip_prefix("lock.") {
            let Some(ask) = Ask::read(verb, args, names)? else { return Ok(Call::Other(names.intern(op))) };
            return Ok(Call::Lock(id(args, "name", names)?, ask));
        }
        if op == "lease.list" {
            let (state, after) = read_list(args, names)?;
            return Ok(Call::LeaseList { state, after });
        }
        if let Some(verb) = op.strip_prefix("lease.") {
            let Some(ask) = LeaseAsk::read(verb, args, names)? else {
                return Ok(Call::Other(names.intern(op)));
            };
            return Ok(Call::Lease(id(args, "lease", names)?, ask));
        }
        if let Some(verb) = op.strip_prefix("status.") {
            let Some(ask) = StatusAsk::read(verb, args, names)? else {
                return Ok(Call::Other(names.intern(op)));
            };
            return Ok(Call::Status(id(args, "task", names)?, ask));
        }
        if op == "proposal.list" {
            let (target, after) = (id(args, "target", names)?, id_or_none(args, "after", names)?);
            return Ok(Call::ProposalList { target, after });
        }
        if let Some(verb) = op.strip_prefix("proposal.") {
            let Some(ask) = ProposalAsk::read(verb, args, names)? else {
                return Ok(Call::Other(names.intern(op)));
            };
            return Ok(Call::Proposal(id(args, "target", names)?, id(args, "proposal", names)?, ask));
        }
        Self::read_file(op, args, names)
    }

    /// An operation on a file.
    fn read_file(op: &str, args: &Value, names: &mut Names) -> Result<Self, String> {
        let fence = read_fence(&args["fence"], names);
        Ok(match op {
            "log.append" => {
                let (file, record) = (id(args, "file", names)?, args["record"].clone());
                Call::Append { file, id: id(&record, "id", names)?, record, fence }
            }
            "log.read" => {
                let after = Some(&args["after"]).filter(|after| !after.is_null());
                let after = after.map(|after| names.intern(&format!("{after}")));
                Call::LogRead { file: id(args, "file", names)?, after }
            }
            "doc.increment" => {
                let by = args["by"].as_i64().ok_or("`by` is not a whole number")?;
                Call::Increment { file: id(args, "file", names)?, key: id(args, "key", names)?, by, fence }
            }
            "doc.read" => Call::DocRead { file: id(args, "file", names)?, fence },
            "doc.merge" => {
                Call::Merge { file: id(args, "file", names)?, patch: args["patch"].clone(), fence }
            }
            "harness.read" => Call::HarnessRead { file: id(args, "file", names)? },
            _ => Call::Other(names.intern(op)),
        })
    }
}

pub(super) fn id(args: &Value, key: &str, names: &mut Names) -> Result<Id, String> {
    match args[key].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(names.intern(text)),
        Some(_) => Err(format!("`{key}` is blank")),
        None => Err(format!("`{key}` is not a string")),
    }
}

pub(super) fn id_or_none(args: &Value, key: &str, names: &mut Names) -> Result<Option<Id>, String> {
    if args[key].is_null() { Ok(None) } else { id(args, key, names).map(Some) }
}

/// A positive number of milliseconds, in microseconds.
pub(super) fn duration_us(args: &Value, key: &str) -> Result<Option<u64>, String> {
    match &args[key] {
        Value::Null => Ok(None),
        ttl => match ttl.as_u64().filter(|ttl| *ttl > 0) {
            Some(ttl_ms) => Ok(Some(ttl_ms.saturating_mul(1000))),
            None => Err(format!("`{key}` is not a positive whole number")),
        },
    }
}

pub(super) fn flag(args: &Value, key: &str) -> Result<bool, String> {
    match &args[key] {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        _ => Err(format!("`{key}` is not true or false")),
    }
}

fn read_fence(value: &Value, names: &mut Names) -> Option<Fence> {
    let right = match (value["lock"].as_str(), value["lease"].as_str()) {
        (Some(lock), None) => Right::Lock(names.intern(lock)),
        (None, Some(lease)) => Right::Lease(names.intern(lease)),
        _ => return None,
    };
    Some(Fence { right, token: Token::read(&value["token"], names) })
}

impl Right {
    /// Its name, the lock's or the lease's.
    #[must_use]
    pub fn id(self) -> Id {
        match self {
            Right::Lock(id) | Right::Lease(id) => id,
        }
    }
}

impl Bind {
    pub(super) fn read(value: &Value) -> Self {
        match value {
            Value::Null => Bind::No,
            Value::String(word) if word == "process" => Bind::Process,
            _ => Bind::Other,
        }
    }
}

impl Token {
    pub(super) fn read(value: &Value, names: &mut Names) -> Self {
        match value {
            Value::Null => Token::Absent,
            Value::String(text) => Token::Text(names.intern(text)),
            other => {
                other.as_u64().map_or_else(|| Token::Text(names.intern(&format!("{other}"))), Token::Number)
            }
        }
    }
}
