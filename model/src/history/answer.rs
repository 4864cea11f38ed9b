//! What was answered, typed.

use alloc::vec::Vec;

use serde_json::Value;

use super::lease::texts;
use super::{Call, Id, LeaseAsk, LeaseSeen, Names, ProposalState, StatusSeen, Token};

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
    /// A grant of the lease is open.
    AlreadyOpen,
    /// The last grant of the lease is not open.
    NotOpen,
    /// Open leases write what this one would write.
    Overlap,
    /// A step down, or out of a terminal status.
    Regression,
    /// The task is not what it was said to be.
    Conflict,
    /// The epoch that was named is over.
    StaleEpoch,
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
    /// Whether it had been so before: a release, a close, a status.
    pub already: Option<bool>,
    /// The value of a counter.
    pub number: Option<i64>,
    /// What it says of leases, statuses and proposals.
    pub told: Told,
    /// All of a read.
    pub body: Value,
}

/// What an answer to an operation on leases, statuses or proposals says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Told {
    /// Nothing, or what cannot be understood.
    #[default]
    Nothing,
    /// A lease was granted; its token is the answer's.
    Granted {
        /// The lease, as the target writes its id.
        lease: Option<Id>,
        /// The open leases that write what it writes.
        beside: Vec<Id>,
        /// The lapsed leases that it crashed.
        crashed: Vec<Id>,
    },
    /// One lease: as it stands now, or the one that a refusal names.
    Lease(LeaseSeen),
    /// A page of leases, or those that a refusal for overlap names.
    Leases {
        /// The leases.
        leases: Vec<LeaseSeen>,
        /// Where the next page begins after.
        next: Option<Id>,
    },
    /// A cell: as it stands now.
    Status(StatusSeen),
    /// A proposal: as it stands now.
    Proposal(ProposalState),
    /// A page of proposals.
    Proposals {
        /// Each with its state.
        proposals: Vec<(Id, ProposalState)>,
        /// Where the next page begins after.
        next: Option<Id>,
    },
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
            "already_open" => Reason::AlreadyOpen,
            "not_open" => Reason::NotOpen,
            "overlap" => Reason::Overlap,
            "regression" => Reason::Regression,
            "conflict" => Reason::Conflict,
            "stale_epoch" => Reason::StaleEpoch,
            own if own.starts_with("x-") => Reason::Own,
            other => Reason::Other(names.intern(other)),
        }
    }
}

impl Answer {
    pub(super) fn read(call: &Call, ok: bool, value: Value, names: &mut Names) -> Self {
        Answer {
            holder: value["holder"].as_str().map(|holder| names.intern(holder)),
            token: Token::read(&value["token"], names),
            expires_in_us: value["expires_in_ms"].as_u64().map(|ms| ms.saturating_mul(1000)),
            already: value["already"].as_bool(),
            number: value["value"].as_i64(),
            told: Told::read(call, ok, &value, names),
            body: if matches!(call, Call::LogRead { .. } | Call::DocRead { .. } | Call::HarnessRead { .. }) {
                value
            } else {
                Value::Null
            },
        }
    }
}

impl Told {
    fn read(call: &Call, ok: bool, value: &Value, names: &mut Names) -> Self {
        match call {
            Call::Proposal(..) => ProposalState::read(value).map_or(Told::Nothing, Told::Proposal),
            Call::ProposalList { .. } => match ProposalState::read_list(value, names) {
                Some(proposals) => {
                    Told::Proposals { proposals, next: value["next"].as_str().map(|next| names.intern(next)) }
                }
                None => Told::Nothing,
            },
            Call::Status(..) => StatusSeen::read(value, names).map_or(Told::Nothing, Told::Status),
            Call::Lease(..) | Call::LeaseList { .. } if value["leases"].is_array() => {
                let leases = value["leases"].as_array().map_or(&[][..], Vec::as_slice);
                Told::Leases {
                    leases: leases.iter().map(|lease| LeaseSeen::read(lease, names)).collect(),
                    next: value["next"].as_str().map(|next| names.intern(next)),
                }
            }
            Call::Lease(_, LeaseAsk::Grant { .. }) if ok => Told::Granted {
                lease: value["lease"].as_str().map(|lease| names.intern(lease)),
                beside: texts(&value["beside"], names).unwrap_or_default(),
                crashed: texts(&value["crashed"], names).unwrap_or_default(),
            },
            Call::Lease(..) if value.is_object() => Told::Lease(LeaseSeen::read(value, names)),
            _ => Told::Nothing,
        }
    }
}
