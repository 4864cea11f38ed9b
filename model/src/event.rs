//! What can have happened, and its versioned JSON form.
//!
//! An event says what was decided, with every number that the decision fixed (the expiry, not only the TTL): applying
//! it needs no clock. Its JSON carries `"v":1`; fields are only ever added, an unknown type or a higher `v` is a newer
//! format.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::id::BootId;
use crate::json::{Fields, Malformed, Writer};
use crate::lease::LeaseEvent;
use crate::policy::Policy;
use crate::proposal::{ProposalEvent, Target};
use crate::status::{Noted, StatusEvent};
use crate::{Claim, Holder, LeaseId, LockName, OpId, ProposalId, Revision, TaskId, TimeMs, Token};

/// The version of the event form that this crate writes.
pub const EVENT_VERSION: u64 = 1;

/// One event, with where, when and by whom: the content of a journal line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in the journal.
    pub revision: Revision,
    /// Journal time at which it was decided.
    pub at_ms: TimeMs,
    /// Who asked for it.
    pub actor: Holder,
    /// The operation's id.
    pub op: OpId,
    /// What happened.
    pub event: Event,
}

/// A process, named so that its death can be proven and a reused pid is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its pid in its own pid namespace.
    pub pid: u64,
    /// Its start time in clock ticks since boot, time-namespace offset removed (proc_pid_stat(5), field 22).
    pub start_ticks: u64,
    /// The boot that it runs in.
    pub boot: BootId,
    /// Inode of its pid namespace.
    pub pid_namespace: u64,
    /// Host name, for people.
    pub host: String,
}

/// How the death of a process was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// No process has the pid (`ESRCH`).
    NoSuchProcess,
    /// Its pidfd became readable (pidfd_open(2)).
    Exited,
    /// The pid belongs to a process that started at another time.
    OtherStartTime,
    /// The boot that it ran in is over.
    EarlierBoot,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first event of each boot: from here journal time runs by this boot's monotonic clock.
    Boot {
        /// The boot.
        boot: BootId,
        /// Journal time at this event.
        anchor_ms: TimeMs,
        /// CLOCK_MONOTONIC at this event, time-namespace offset removed.
        monotonic_ms: u64,
    },
    /// A lock was granted; the token is this entry's revision.
    LockGranted {
        /// The lock.
        name: LockName,
        /// To whom.
        holder: Holder,
        /// The claim that makes asking again idempotent.
        claim: Option<Claim>,
        /// The duration asked for.
        ttl_ms: u64,
        /// When it lapses.
        expires_ms: TimeMs,
        /// The process that it is bound to, if any.
        bound: Option<Process>,
        /// Pid and host of who asked, for people.
        asked_by: Option<(u64, String)>,
        /// The proof, where it was taken over from a dead process.
        over: Option<Evidence>,
    },
    /// A lock's expiry moved, never to an earlier time.
    LockRenewed {
        /// The lock.
        name: LockName,
        /// The token it keeps.
        token: Token,
        /// The duration asked for.
        ttl_ms: u64,
        /// When it lapses now.
        expires_ms: TimeMs,
    },
    /// A holder gave its lock up.
    LockReleased {
        /// The lock.
        name: LockName,
        /// The token that ended.
        token: Token,
    },
    /// Somebody ended another's lock by hand.
    LockBroken {
        /// The lock.
        name: LockName,
        /// The token that ended.
        token: Token,
        /// Why.
        reason: String,
    },
    /// Something happened to a lease.
    Lease(LeaseEvent),
    /// Something happened to a task.
    Status(StatusEvent),
    /// Something happened to a proposal.
    Proposal(ProposalEvent),
    /// An entry that a step by force owed to a log was written, or was given up.
    OverrideNoted(Noted),
    /// From here the workspace obeys this policy.
    PolicyApplied {
        /// The policy.
        policy: Policy,
    },
    /// Bytes were lost or set aside; revisions go on at the floor.
    Repaired {
        /// What was found and what was done, in one sentence.
        reason: String,
    },
}

impl Evidence {
    const ALL: [(Evidence, &'static str); 4] = [
        (Evidence::NoSuchProcess, "no-such-process"),
        (Evidence::Exited, "exited"),
        (Evidence::OtherStartTime, "other-start-time"),
        (Evidence::EarlierBoot, "earlier-boot"),
    ];

    /// Its word on disk and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(evidence, _)| *evidence == self).expect("every evidence has a word").1
    }

    pub(crate) fn parse(word: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.iter().find(|(_, text)| *text == word);
        found.map(|(evidence, _)| *evidence).ok_or_else(|| Malformed(format!("evidence `{word}` is unknown")))
    }
}

impl Process {
    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        Writer::new(out)
            .number("pid", self.pid)
            .number("start", self.start_ticks)
            .text("boot", self.boot.as_str())
            .number("pid_ns", self.pid_namespace)
            .text("host", &self.host)
            .end();
    }

    /// Reads what [`Process::write`] wrote.
    pub fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Process {
            pid: fields.number("pid")?,
            start_ticks: fields.number("start")?,
            boot: fields.id("boot")?,
            pid_namespace: fields.number("pid_ns")?,
            host: fields.text("host")?.to_owned(),
        })
    }
}

impl Event {
    /// The word that names its kind on disk.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Event::Boot { .. } => "boot",
            Event::LockGranted { .. } => "lock.granted",
            Event::LockRenewed { .. } => "lock.renewed",
            Event::LockReleased { .. } => "lock.released",
            Event::LockBroken { .. } => "lock.broken",
            Event::Lease(event) => event.word(),
            Event::Status(event) => event.word(),
            Event::Proposal(event) => event.word(),
            Event::OverrideNoted(_) => "override.noted",
            Event::PolicyApplied { .. } => "policy.applied",
            Event::Repaired { .. } => "repaired",
        }
    }

    /// Whether a word names a kind of event that this crate reads.
    #[must_use]
    pub fn is_known(word: &str) -> bool {
        const OWN: [&str; 8] = [
            "boot",
            "lock.granted",
            "lock.renewed",
            "lock.released",
            "lock.broken",
            "override.noted",
            "policy.applied",
            "repaired",
        ];
        [&OWN[..], &LeaseEvent::WORDS, &StatusEvent::WORDS, &ProposalEvent::WORDS]
            .iter()
            .any(|words| words.contains(&word))
    }

    /// The lock that it concerns, if any.
    #[must_use]
    pub fn lock(&self) -> Option<&LockName> {
        match self {
            Event::LockGranted { name, .. }
            | Event::LockRenewed { name, .. }
            | Event::LockReleased { name, .. }
            | Event::LockBroken { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The leases that it concerns: more than one where a grant made lapsed ones crashed.
    pub fn leases(&self) -> impl Iterator<Item = &LeaseId> {
        let (first, over) = match self {
            Event::Lease(LeaseEvent::Granted(granted)) => (Some(&granted.lease), &granted.over[..]),
            Event::Lease(event) => (Some(event.lease()), &[][..]),
            _ => (None, &[][..]),
        };
        first.into_iter().chain(over.iter().map(|crash| &crash.lease))
    }

    /// The task that it concerns, if any.
    #[must_use]
    pub fn task(&self) -> Option<&TaskId> {
        match self {
            Event::Status(event) => Some(event.task()),
            _ => None,
        }
    }

    /// The file and the proposal to change it that it concerns, if any.
    #[must_use]
    pub fn proposal(&self) -> Option<(&Target, &ProposalId)> {
        match self {
            Event::Proposal(event) => Some((&event.target, &event.id)),
            _ => None,
        }
    }

    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        to.number("v", EVENT_VERSION).text("type", self.word());
        if let Some(name) = self.lock() {
            to.text("name", name.as_str());
        }
        match self {
            Event::Boot { boot, anchor_ms, monotonic_ms } => {
                to.text("boot", boot.as_str())
                    .number("anchor_ms", *anchor_ms)
                    .number("mono_ms", *monotonic_ms);
            }
            Event::LockGranted { holder, claim, ttl_ms, expires_ms, bound, asked_by, over, .. } => {
                to.text("holder", holder.as_str()).text_if("claim", claim.as_ref().map(Claim::as_str));
                to.number("ttl_ms", *ttl_ms).number("expires_ms", *expires_ms);
                if let Some(process) = bound {
                    to.value("bound", |out| process.write(out));
                }
                if let Some((pid, host)) = asked_by {
                    to.number("pid", *pid).text("host", host);
                }
                to.text_if("over", over.map(Evidence::word));
            }
            Event::LockRenewed { token, ttl_ms, expires_ms, .. } => {
                to.number("token", *token).number("ttl_ms", *ttl_ms).number("expires_ms", *expires_ms);
            }
            Event::LockReleased { token, .. } => {
                to.number("token", *token);
            }
            Event::LockBroken { token, reason, .. } => {
                to.number("token", *token).text("reason", reason);
            }
            Event::Lease(event) => event.write(&mut to),
            Event::Status(event) => event.write(&mut to),
            Event::Proposal(event) => event.write(&mut to),
            Event::OverrideNoted(noted) => noted.write(&mut to),
            Event::PolicyApplied { policy } => {
                to.value("policy", |out| policy.write(out));
            }
            Event::Repaired { reason } => {
                to.text("reason", reason);
            }
        }
        to.end();
    }

    /// Reads what [`Event::write`] wrote; an unknown type or a higher version is refused as a newer format.
    pub fn read(fields: Fields<'_>) -> Result<Self, Malformed> {
        let version = fields.number("v")?;
        if version > EVENT_VERSION {
            return Err(Malformed(format!(
                "an event of version {version}; this program reads up to {EVENT_VERSION}"
            )));
        }
        let word = fields.text("type")?;
        if let Some(event) = LeaseEvent::read(word, fields)? {
            return Ok(Event::Lease(event));
        }
        if let Some(event) = StatusEvent::read(word, fields)? {
            return Ok(Event::Status(event));
        }
        if let Some(event) = ProposalEvent::read(word, fields)? {
            return Ok(Event::Proposal(event));
        }
        Ok(match word {
            "boot" => Event::Boot {
                boot: fields.id("boot")?,
                anchor_ms: fields.number("anchor_ms")?,
                monotonic_ms: fields.number("mono_ms")?,
            },
            "lock.granted" => Event::LockGranted {
                name: fields.id("name")?,
                holder: fields.id("holder")?,
                claim: fields.id_or_none("claim")?,
                ttl_ms: fields.number("ttl_ms")?,
                expires_ms: fields.number("expires_ms")?,
                bound: fields.object_or_none("bound")?.map(Process::read).transpose()?,
                asked_by: read_party(fields)?,
                over: fields.text_or_none("over")?.map(Evidence::parse).transpose()?,
            },
            "lock.renewed" => Event::LockRenewed {
                name: fields.id("name")?,
                token: fields.number("token")?,
                ttl_ms: fields.number("ttl_ms")?,
                expires_ms: fields.number("expires_ms")?,
            },
            "lock.released" => {
                Event::LockReleased { name: fields.id("name")?, token: fields.number("token")? }
            }
            "lock.broken" => Event::LockBroken {
                name: fields.id("name")?,
                token: fields.number("token")?,
                reason: fields.text("reason")?.to_owned(),
            },
            "override.noted" => Event::OverrideNoted(Noted::read(fields)?),
            "policy.applied" => Event::PolicyApplied { policy: Policy::read(fields.object("policy")?)? },
            "repaired" => Event::Repaired { reason: fields.text("reason")?.to_owned() },
            other => return Err(Malformed(format!("an event of the unknown type `{other}`"))),
        })
    }
}

/// Reads the optional pair `pid`, `host`.
pub(crate) fn read_party(fields: Fields<'_>) -> Result<Option<(u64, String)>, Malformed> {
    let Some(pid) = fields.number_or_none("pid")? else { return Ok(None) };
    Ok(Some((pid, fields.text("host")?.to_owned())))
}
