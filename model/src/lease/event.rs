//! What can have happened to a lease, and its JSON form.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::form::{read_about, read_cause, read_writes, write_about, write_cause, write_writes};
use super::{About, Cause};
use crate::event::{Process, read_party};
use crate::json::{Fields, Malformed, Writer, write_list, write_text};
use crate::{Holder, LeaseId, Pattern, Token};

/// What happened to a lease. Every id is in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseEvent {
    /// It was granted; the token is the entry's revision.
    Granted(Box<Granted>),
    /// Its work is done.
    Closed {
        /// The lease.
        lease: LeaseId,
        /// The token that ended.
        token: Token,
    },
    /// Its work stopped.
    Crashed(Crash),
    /// It was put aside by hand.
    Cleared {
        /// The lease.
        lease: LeaseId,
        /// The token that ended.
        token: Token,
        /// Why, where it was open.
        reason: Option<String>,
    },
}

/// A grant of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The lease.
    pub lease: LeaseId,
    /// To whom.
    pub holder: Holder,
    /// The duration asked for.
    pub ttl_ms: Option<u64>,
    /// What it writes.
    pub writes: Vec<Pattern>,
    /// What it says of itself.
    pub about: About,
    /// The process that does the work.
    pub bound: Option<Process>,
    /// Pid and host of who asked, for people.
    pub asked_by: Option<(u64, String)>,
    /// The lapsed leases in its way, crashed by this grant.
    pub over: Vec<Crash>,
    /// The open leases that write what it writes, where the policy only advises.
    pub beside: Vec<LeaseId>,
}

/// A lease that crashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The lease.
    pub lease: LeaseId,
    /// The token that ended.
    pub token: Token,
    /// Why.
    pub cause: Cause,
}

impl LeaseEvent {
    /// The words that name the kinds on disk.
    pub const WORDS: [&str; 4] = ["lease.granted", "lease.closed", "lease.crashed", "lease.cleared"];

    /// The word that names its kind on disk.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            LeaseEvent::Granted(_) => "lease.granted",
            LeaseEvent::Closed { .. } => "lease.closed",
            LeaseEvent::Crashed(_) => "lease.crashed",
            LeaseEvent::Cleared { .. } => "lease.cleared",
        }
    }

    /// The lease that it concerns first.
    #[must_use]
    pub fn lease(&self) -> &LeaseId {
        match self {
            LeaseEvent::Granted(granted) => &granted.lease,
            LeaseEvent::Closed { lease, .. }
            | LeaseEvent::Crashed(Crash { lease, .. })
            | LeaseEvent::Cleared { lease, .. } => lease,
        }
    }

    /// Adds its fields to a JSON object.
    pub fn write(&self, to: &mut Writer<'_>) {
        match self {
            LeaseEvent::Granted(granted) => granted.write(to),
            LeaseEvent::Closed { lease, token } => {
                to.text("lease", lease.as_str()).number("token", *token);
            }
            LeaseEvent::Crashed(crash) => crash.write(to),
            LeaseEvent::Cleared { lease, token, reason } => {
                to.text("lease", lease.as_str()).number("token", *token).text_if("reason", reason.as_deref());
            }
        }
    }

    /// Reads what [`LeaseEvent::write`] wrote under `word`; none where that names no event of a lease.
    pub fn read(word: &str, fields: Fields<'_>) -> Result<Option<Self>, Malformed> {
        Ok(Some(match word {
            "lease.granted" => LeaseEvent::Granted(Box::new(Granted::read(fields)?)),
            "lease.closed" => {
                LeaseEvent::Closed { lease: fields.id("lease")?, token: fields.number("token")? }
            }
            "lease.crashed" => LeaseEvent::Crashed(Crash::read(fields)?),
            "lease.cleared" => LeaseEvent::Cleared {
                lease: fields.id("lease")?,
                token: fields.number("token")?,
                reason: fields.text_or_none("reason")?.map(ToOwned::to_owned),
            },
            _ => return Ok(None),
        }))
    }
}

impl Granted {
    fn write(&self, to: &mut Writer<'_>) {
        let Granted { lease, holder, ttl_ms, writes, about, bound, asked_by, over, beside } = self;
        to.text("lease", lease.as_str()).text("holder", holder.as_str()).number_if("ttl_ms", *ttl_ms);
        write_writes(to, writes);
        write_about(to, about);
        if let Some(process) = bound {
            to.value("bound", |out| process.write(out));
        }
        if let Some((pid, host)) = asked_by {
            to.number("pid", *pid).text("host", host);
        }
        if !over.is_empty() {
            to.value("over", |out| {
                write_list(out, over, |out, crash| {
                    let mut to = Writer::new(out);
                    crash.write(&mut to);
                    to.end();
                });
            });
        }
        if !beside.is_empty() {
            to.value("beside", |out| write_list(out, beside, |out, lease| write_text(out, lease.as_str())));
        }
    }

    fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Granted {
            lease: fields.id("lease")?,
            holder: fields.id("holder")?,
            ttl_ms: fields.number_or_none("ttl_ms")?,
            writes: read_writes(fields)?,
            about: read_about(fields)?,
            bound: fields.object_or_none("bound")?.map(Process::read).transpose()?,
            asked_by: read_party(fields)?,
            over: read_over(fields)?,
            beside: read_beside(fields)?,
        })
    }
}

impl Crash {
    fn write(&self, to: &mut Writer<'_>) {
        to.text("lease", self.lease.as_str()).number("token", self.token);
        write_cause(to, &self.cause);
    }

    fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Crash { lease: fields.id("lease")?, token: fields.number("token")?, cause: read_cause(fields)? })
    }
}

fn read_over(fields: Fields<'_>) -> Result<Vec<Crash>, Malformed> {
    fields.array_or_empty("over")?.iter().map(|crash| Crash::read(Fields::of(crash)?)).collect()
}

fn read_beside(fields: Fields<'_>) -> Result<Vec<LeaseId>, Malformed> {
    let leases =
        fields.array_or_empty("beside")?.iter().map(|lease| match lease.as_str().map(LeaseId::new) {
            Some(Ok(lease)) => Ok(lease),
            _ => Err(Malformed(format!("field `beside` holds {lease}, which is no lease"))),
        });
    leases.collect()
}
