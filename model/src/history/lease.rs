//! What is asked of leases and what is told of them, typed.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::call::{Bind, Token, duration_us, flag, id, id_or_none};
use super::{Id, Names};

/// What was asked of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAsk {
    /// `lease.grant`
    Grant {
        /// Who asks.
        holder: Id,
        /// The TTL asked for, if any.
        ttl_us: Option<u64>,
        /// What it writes, as it was written.
        write_set: Vec<Id>,
        /// What it is bound to.
        bind: Bind,
    },
    /// `lease.close`
    Close {
        /// The token shown.
        token: Token,
    },
    /// `lease.crash`; a blank reason has to be refused.
    Crash {
        /// The token shown, if any.
        token: Token,
        /// Whether its reason is blank.
        blank: bool,
    },
    /// `lease.clear`
    Clear {
        /// Whether an open one is meant as well.
        force: bool,
        /// Whether its reason is blank or missing.
        blank: bool,
    },
    /// `lease.show`
    Show,
}

/// The state of a lease, by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseState {
    /// `open`
    Open,
    /// `closed`
    Closed,
    /// `crashed`
    Crashed,
    /// `cleared`
    Cleared,
}

/// What an answer says of one lease; what it leaves out is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSeen {
    /// The lease, as the target writes its id.
    pub lease: Option<Id>,
    /// Its state.
    pub state: Option<LeaseState>,
    /// Who holds it, or held it last.
    pub holder: Option<Id>,
    /// The token of its last grant.
    pub token: Token,
    /// What it writes, as the target writes it.
    pub write_set: Option<Vec<Id>>,
}

impl LeaseAsk {
    /// Types the fields of the operation `lease.` and `verb`; none where that is not about one lease.
    pub(super) fn read(verb: &str, args: &Value, names: &mut Names) -> Result<Option<Self>, String> {
        let blank = || args["reason"].as_str().is_none_or(|reason| reason.trim().is_empty());
        let token = Token::read(&args["token"], names);
        Ok(Some(match verb {
            "grant" => LeaseAsk::Grant {
                holder: id(args, "holder", names)?,
                ttl_us: duration_us(args, "ttl_ms")?,
                write_set: match &args["write_set"] {
                    Value::Null => Vec::new(),
                    set => texts(set, names).ok_or("`write_set` is not an array of paths")?,
                },
                bind: Bind::read(&args["bind"]),
            },
            "close" if token == Token::Absent => return Err("`token` is missing".to_owned()),
            "close" => LeaseAsk::Close { token },
            "crash" => LeaseAsk::Crash { token, blank: blank() },
            "clear" => LeaseAsk::Clear { force: flag(args, "force")?, blank: blank() },
            "show" => LeaseAsk::Show,
            _ => return Ok(None),
        }))
    }
}

impl LeaseState {
    /// The state that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [LeaseState::Open, LeaseState::Closed, LeaseState::Crashed, LeaseState::Cleared]
            .into_iter()
            .find(|state| state.word() == word)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            LeaseState::Open => "open",
            LeaseState::Closed => "closed",
            LeaseState::Crashed => "crashed",
            LeaseState::Cleared => "cleared",
        }
    }
}

impl LeaseSeen {
    pub(super) fn read(value: &Value, names: &mut Names) -> Self {
        LeaseSeen {
            lease: value["lease"].as_str().map(|lease| names.intern(lease)),
            state: value["state"].as_str().and_then(LeaseState::parse),
            holder: value["holder"].as_str().map(|holder| names.intern(holder)),
            token: Token::read(&value["token"], names),
            write_set: texts(&value["write_set"], names),
        }
    }
}

/// The state and the place from which a list is asked for.
pub(super) fn read_list(args: &Value, names: &mut Names) -> Result<(Option<LeaseState>, Option<Id>), String> {
    let state = match &args["state"] {
        Value::Null => None,
        word => {
            let state = word.as_str().and_then(LeaseState::parse);
            Some(state.ok_or("`state` is not open, closed, crashed or cleared")?)
        }
    };
    Ok((state, id_or_none(args, "after", names)?))
}

/// An array of strings, none of them blank.
pub(super) fn texts(value: &Value, names: &mut Names) -> Option<Vec<Id>> {
    let texts = value.as_array()?.iter().map(|text| {
        let text = text.as_str().filter(|text| !text.trim().is_empty())?;
        Some(names.intern(text))
    });
    texts.collect()
}
