//! What is asked of locks, typed.

use alloc::string::String;

use serde_json::Value;

use super::call::{Bind, Token, duration_us, id, id_or_none};
use super::{Id, Names};

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

impl Ask {
    /// Types the fields of the operation `lock.` and `verb`; none where that is unknown.
    pub(super) fn read(verb: &str, args: &Value, names: &mut Names) -> Result<Option<Self>, String> {
        let token = Token::read(&args["token"], names);
        let claim = id_or_none(args, "claim", names)?;
        let ttl_us = duration_us(args, "ttl_ms")?;
        Ok(Some(match verb {
            "acquire" => Ask::Acquire {
                holder: id(args, "holder", names)?,
                claim,
                ttl_us: ttl_us.ok_or("`ttl_ms` is missing")?,
                bind: Bind::read(&args["bind"]),
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
}
