//! What was answered, typed.

use serde_json::Value;

use super::{Call, Id, Names, Token};

/// Why the rules refused an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Another grant is live.
    Held,
    /// The grant named is not the current one.
    NotHolder,
    /// The grant named has lapsed.
    Expired,
    /// Nobody holds it.
    NotFound,
    /// A reason must be given.
    NeedsReason,
    /// A newer grant was seen at the resource.
    StaleToken,
    /// The resource is guarded by another lock, or needs a fence.
    Guarded,
    /// The document is not at the version that was expected.
    Version,
    /// A reason of the target's own, `x-…`.
    Own,
    /// Anything else.
    Other(Id),
}

/// What an answer carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Who holds the lock.
    pub holder: Option<Id>,
    /// The token.
    pub token: Token,
    /// How long until it lapses.
    pub expires_in_us: Option<u64>,
    /// Whether the release had been done before.
    pub already: Option<bool>,
    /// The value of a counter.
    pub number: Option<i64>,
    /// All of a read.
    pub body: Value,
}

impl Reason {
    pub(super) fn read(word: &str, names: &mut Names) -> Self {
        match word {
            "held" => Reason::Held,
            "not_holder" => Reason::NotHolder,
            "expired" => Reason::Expired,
            "not_found" => Reason::NotFound,
            "needs_reason" => Reason::NeedsReason,
            "stale_token" => Reason::StaleToken,
            "guarded" => Reason::Guarded,
            "version" => Reason::Version,
            own if own.starts_with("x-") => Reason::Own,
            other => Reason::Other(names.intern(other)),
        }
    }
}

impl Answer {
    pub(super) fn read(call: &Call, value: Value, names: &mut Names) -> Self {
        Answer {
            holder: value["holder"].as_str().map(|holder| names.intern(holder)),
            token: Token::read(&value["token"], names),
            expires_in_us: value["expires_in_ms"].as_u64().map(|ms| ms.saturating_mul(1000)),
            already: value["already"].as_bool(),
            number: value["value"].as_i64(),
            body: if matches!(call, Call::LogRead { .. } | Call::DocRead { .. }) {
                value
            } else {
                Value::Null
            },
        }
    }
}
