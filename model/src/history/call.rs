//! What was asked and what was answered, typed. A request that is not well formed is kept as such: the target has
//! to answer `fail`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde_json::Value;

use super::{Id, Names};

/// What was asked of the target.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// An operation on a lock.
    Lock(Id, Ask),
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
    /// A request that is not valid, and why: it has to be answered `fail`.
    Invalid(String),
    /// An operation that is not judged here.
    Other(Id),
}

/// What was asked of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `lock.acquire`
    Acquire {
        /// Who asks.
        holder: Id,
        /// Its claim.
        claim: Option<Id>,
        /// The TTL asked for.
        ttl_us: u64,
        /// What it is bound to.
        bind: Bind,
    },
    /// `lock.renew`
    Renew {
        /// Who asks.
        holder: Id,
        /// The token shown.
        token: Token,
        /// Its claim.
        claim: Option<Id>,
        /// The TTL asked for.
        ttl_us: Option<u64>,
    },
    /// `lock.release`
    Release {
        /// Who asks.
        holder: Id,
        /// The token shown.
        token: Token,
        /// Its claim.
        claim: Option<Id>,
    },
    /// `lock.break`; a blank reason has to be refused.
    Break {
        /// Whether its reason is blank.
        blank: bool,
    },
    /// `lock.show`
    Show,
}

/// What a lock is asked to be bound to.
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
    /// The lock.
    pub lock: Id,
    /// The token that was shown.
    pub token: Token,
}

impl Call {
    /// Types a request's fields.
    pub(super) fn read(op: &str, args: &Value, names: &mut Names) -> Self {
        Self::try_read(op, args, names).unwrap_or_else(Call::Invalid)
    }

    fn try_read(op: &str, args: &Value, names: &mut Names) -> Result<Self, String> {
        if let Some(verb) = op.strip_prefix("lock.") {
            let Some(ask) = read_ask(verb, args, names)? else { return Ok(Call::Other(names.intern(op))) };
            return Ok(Call::Lock(id(args, "name", names)?, ask));
        }
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
            _ => Call::Other(names.intern(op)),
        })
    }
}

fn read_ask(verb: &str, args: &Value, names: &mut Names) -> Result<Option<Ask>, String> {
    let token = Token::read(&args["token"], names);
    let claim = match &args["claim"] {
        Value::Null => None,
        _ => Some(id(args, "claim", names)?),
    };
    let ttl_us = match &args["ttl_ms"] {
        Value::Null => None,
        ttl => match ttl.as_u64().filter(|ttl| *ttl > 0) {
            Some(ttl_ms) => Some(ttl_ms.saturating_mul(1000)),
            None => return Err("`ttl_ms` is not a positive whole number".to_owned()),
        },
    };
    Ok(Some(match verb {
        "acquire" => Ask::Acquire {
            holder: id(args, "holder", names)?,
            claim,
            ttl_us: ttl_us.ok_or("`ttl_ms` is missing")?,
            bind: match &args["bind"] {
                Value::Null => Bind::No,
                Value::String(word) if word == "process" => Bind::Process,
                _ => Bind::Other,
            },
        },
        "renew" => Ask::Renew { holder: id(args, "holder", names)?, token, claim, ttl_us },
        "release" => Ask::Release { holder: id(args, "holder", names)?, token, claim },
        "break" => {
            Ask::Break { blank: args["reason"].as_str().is_none_or(|reason| reason.trim().is_empty()) }
        }
        "show" => Ask::Show,
        _ => return Ok(None),
    }))
}

fn id(args: &Value, key: &str, names: &mut Names) -> Result<Id, String> {
    match args[key].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(names.intern(text)),
        Some(_) => Err(format!("`{key}` is blank")),
        None => Err(format!("`{key}` is not a string")),
    }
}

fn read_fence(value: &Value, names: &mut Names) -> Option<Fence> {
    let lock = names.intern(value["lock"].as_str()?);
    Some(Fence { lock, token: Token::read(&value["token"], names) })
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
