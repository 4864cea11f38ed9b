//! Taking a lock, waiting for it where that was asked for.

use std::time::Duration;

use fencehold_model::event::Process;
use fencehold_model::lock::{Command, Refusal, TTL_MS_DEFAULT};
use fencehold_model::{Claim, Holder, LockName};

use super::identity;
use super::locks::{Locks, Told, What};
use super::out::Out;
use super::render::who;
use super::waiting::Waiting;
use crate::error::{Error, Result};
use crate::fs::Watch;
use crate::host::Deadline;

/// After this long a person who watches is told who is in the way.
const PATIENCE_WITHOUT_WORD: Duration = Duration::from_secs(1);

/// A lock that is asked for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) name: LockName,
    pub(super) holder: Holder,
    pub(super) claim: Claim,
    pub(super) ttl: Option<Duration>,
    pub(super) bound: Option<Process>,
    pub(super) wait: Option<Duration>,
}

impl Ask {
    /// The TTL asked for, or the default, in milliseconds.
    pub(super) fn ttl_ms(&self) -> u64 {
        // Its parser has held it to the model's bound.
        self.ttl.map_or(TTL_MS_DEFAULT, |ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
    }

    fn command(&self) -> Command {
        Command::Acquire {
            name: self.name.clone(),
            holder: self.holder.clone(),
            claim: Some(self.claim.clone()),
            ttl_ms: self.ttl_ms(),
            bound: self.bound.clone(),
            asked_by: Some((u64::from(std::process::id()), identity::host_name())),
        }
    }
}

/// Takes the lock, or says who holds it when the wait is over.
pub(super) fn acquire(locks: &Locks, ask: &Ask, out: Out) -> Result<Told> {
    let command = ask.command();
    let first = locks.submit(&ask.holder, &command)?;
    let (What::Refused(Refusal::Held(_)), Some(wait)) = (&first.what, ask.wait) else {
        return Ok(first);
    };
    let deadline = Deadline::after(wait);
    let mut silence = Some(Deadline::after(PATIENCE_WITHOUT_WORD));
    let mut shown = None;
    let (watch, note) = Watch::begin(locks.dir())?;
    if let Some(note) = note {
        out.say(&note);
    }
    loop {
        // Asked again after the watch stands: what changed before it is not told.
        let told = locks.submit(&ask.holder, &command)?;
        let What::Refused(Refusal::Held(grant)) = &told.what else { return Ok(told) };
        let now_ms = told.now_ms;
        let left = deadline.left();
        if left.is_zero() {
            return Ok(told);
        }
        if silence.is_some_and(|silence| silence.left().is_zero()) {
            silence = None;
            out.tell_who_watches(&format!("waiting for {}: {}", ask.name, who(grant, now_ms)));
        }
        shown.get_or_insert_with(|| Waiting::begin(locks.dir(), &ask.name, &ask.holder, left));
        let until_expiry = Duration::from_millis(grant.expires_ms.saturating_sub(now_ms).max(1));
        let patience = left.min(until_expiry).min(silence.map_or(Duration::MAX, Deadline::left));
        let process = grant.bound.as_ref().filter(|process| locks.sees(process)).map(|process| process.pid);
        watch.wait(patience, process).map_err(|error| Error::environment("watching", locks.dir(), error))?;
    }
}
