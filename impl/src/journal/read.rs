//! Reading: no lock and no write, unless what was read is not known to be durable.
//!
//! Invariants: a state that is shown was current at or after the call began, and all of it is durable; the clock is read
//! before the state.

use fencehold_model::{State, TimeMs};

use super::Seen;
use super::file::{FileJournal, Inner, ROUNDS_MAX};
use super::layout;
use super::prove::Over;
use super::tail::{Rest, Tail};
use super::time::{self, Now};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, How, LockMode};
use crate::host::Host;

/// What came of one try to read.
enum Look<A> {
    Seen(Seen<A>),
    /// A later file was begun meanwhile, or what was read had to be proven first.
    Again,
    /// A sync of the file failed, so nothing in it may be vouched for.
    Condemned,
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    pub(super) fn read_proven<A>(&self, look: impl FnOnce(&State, TimeMs) -> A) -> Result<Seen<A>> {
        let mut inner = self.inner();
        let (mut look, mut failed) = (Some(look), false);
        for _ in 0..ROUNDS_MAX {
            match self.read_once(&mut inner, &mut look) {
                Ok(Look::Seen(seen)) => return Ok(seen),
                Ok(Look::Again) => {}
                Ok(Look::Condemned) => self.locked(&mut inner, Self::ready)?,
                // A failed sync has condemned the file: the state is read again, from the next one.
                Err(Unread::Unproven(error)) if failed => return Err(error),
                Err(Unread::Unproven(_)) => failed = true,
                Err(Unread::Failed(error)) => return Err(error),
            }
        }
        Err(Error::usage(format!(
            "{}: the journal moved on {ROUNDS_MAX} times while it was read",
            self.dir.display()
        )))
    }

    fn read_once<A>(
        &self,
        inner: &mut Inner<F>,
        look: &mut Option<impl FnOnce(&State, TimeMs) -> A>,
    ) -> std::result::Result<Look<A>, Unread> {
        // The clock first: with a time from after it, a tail from before a renewal would show a lock as free that
        // never was.
        let reading = self.host.reading();
        self.catch_up_unlocked(inner)?;
        let newest = inner.tail.as_ref().map_or(Ok(false), |tail| self.is_newest(tail))?;
        let Some(tail) = inner.tail.as_ref().filter(|_| newest) else { return Ok(Look::Again) };
        if self.is_condemned(tail.n)? {
            return Ok(Look::Condemned);
        }
        let unheard = !self.relaxed() && tail.proof.unheard().is_some();
        let over = if unheard { self.write_over_for_reader(inner)? } else { Over::Done };
        if over == Over::Moved {
            return Ok(Look::Again);
        }
        self.prove(inner).map_err(Unread::Unproven)?;
        self.pay_directory_debts(inner)?;
        let n = inner.tail.as_ref().map_or(0, |tail| tail.n);
        if unheard && self.is_condemned(n)? {
            return Ok(Look::Condemned);
        }
        if unheard && over == Over::Done {
            // It took the lock to know this; the next reader need not.
            self.tell(inner);
        }
        inner.remember(self.relaxed());
        let Some(tail) = &inner.tail else { return Ok(Look::Again) };
        let look = look.take().expect("a look that succeeded ends the loop");
        let (at_ms, value) = match time::seen(&self.host, &tail.state, reading)? {
            Now::At(now_ms) => (now_ms, look(&tail.state, now_ms)),
            Now::NewBoot(event) => {
                let (state, now_ms) = time::in_new_boot(&tail.state, &event);
                (now_ms, look(&state, now_ms))
            }
        };
        Ok(Look::Seen(Seen { revision: tail.state.revision, at_ms, value }))
    }

    /// Reads what was appended since, and what others know of it. What looks like damage is looked at again under a
    /// brief shared lock: a write in progress is none (readers do see half of it).
    fn catch_up_unlocked(&self, inner: &mut Inner<F>) -> Result<()> {
        let (tail, mut rest) = self.newest(inner, false)?;
        let known = tail.proof.is_whole() && tail.entries_durable && tail.durable_end <= tail.end;
        let durable_end = if known { None } else { self.learn(inner) };
        let is_behind = |tail: &Tail<F>| durable_end.is_some_and(|end| tail.end < end);
        if durable_end.is_some() {
            // What was appended and synced between the two looks.
            rest = self.newest(inner, false)?.1;
        }
        let behind = inner.tail.as_ref().is_some_and(is_behind);
        if !behind && !matches!(rest, Rest::Broken { .. }) {
            return Ok(());
        }
        let path = self.dir.join(layout::LOCK);
        let lock =
            self.fs.open(&path, How::Read).map_err(|error| Error::environment("opening", &path, error))?;
        self.take(&lock, &path, LockMode::Shared)?;
        let rest = self.newest(inner, false).map(|(_, rest)| rest);
        let judged = rest.and_then(|rest| self.refuse_damage(inner, &rest));
        let _ = lock.unlock();
        judged
    }
}

/// Why one try to read came to nothing.
enum Unread {
    /// What was read could not be made durable.
    Unproven(Error),
    Failed(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Unread::Failed(error)
    }
}
