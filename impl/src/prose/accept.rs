//! The steps of an accept: lock, settle, look, intend, look again, replace, record.

use fencehold_model::proposal::{
    Command, Intent, Prose as Known, Refusal, Sum, Target, Told, applied, holds, marker,
};
use fencehold_model::{Holder, ProposalId};

use super::begun::{Begun, Found, Hold, too_long, unfit};
use super::{Answered, Ground, Prose, ROUNDS_MAX};
use crate::document::{Raw, read_raw};
use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::host::Host;
use crate::journal::{Journal, Seen};
use crate::ledger::ProposalVerdict;
use crate::mark::{self, Access, Held, Last, Pass, Place, ResourceLock, Shown, obey, sweep};

/// What a round of an accept came to.
enum Round {
    /// An answer.
    Done(mark::Answer<Answered>),
    /// Something else was settled; begin anew.
    Again,
}

impl<F: Fs, J: Journal, H: Host, G: Ground> Prose<'_, F, J, H, G> {
    /// Accepts a proposal: its content stands in the file when this is answered, durably, and that is recorded. What an
    /// earlier accept of the same file left behind is settled first.
    ///
    /// # Errors
    /// [`Error::Usage`] where the file cannot take a section at its end; [`Error::Environment`], [`Error::Busy`], where
    /// nothing was done; [`Error::Indefinite`] where the file may have been replaced, or an intent stands.
    pub fn accept(
        &self,
        by: &Holder,
        target: &Target,
        id: &ProposalId,
        shown: &Shown,
    ) -> Result<mark::Answer<Answered>> {
        for _ in 0..ROUNDS_MAX {
            let seen = self.ledger.prose_of(target)?;
            if let Some(verdict) = ended(&seen.value, id) {
                return self.ledger.told(&seen, verdict).map(Ok);
            }
            // What is begun in another worktree is settled there.
            let elsewhere = match Begun::of(target, &seen.value) {
                Some(begun) => {
                    let place = self.place_of(&begun.intent.file)?;
                    if place.is_none() {
                        return self.ledger.told(&seen, begun.in_doubt()).map(Ok);
                    }
                    place
                }
                None => None,
            };
            let place = match elsewhere {
                Some(place) => place,
                None => self.rooted.locate(self.fs, target.as_str().as_ref(), Last::Follow)?,
            };
            let lock = self.lock_of(&place);
            let (mut held, pass) = match self.enter(&lock, &place, shown)? {
                Ok(entered) => entered,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let hold = Hold { place: &place, held: &mut held, pass: &pass };
            if let Round::Done(answer) = self.round(by, target, id, hold)? {
                return Ok(answer);
            }
        }
        Err(self.contended(target))
    }

    /// What is done while the lock of one file is held.
    fn round(&self, by: &Holder, target: &Target, id: &ProposalId, hold: Hold<'_, '_, F>) -> Result<Round> {
        let seen = self.ledger.prose_of(target)?;
        let known = &seen.value;
        if let Some(verdict) = ended(known, id) {
            return self.ledger.told(&seen, verdict).map(|answer| Round::Done(Ok(answer)));
        }
        if let Some(begun) = Begun::of(target, known) {
            return self.settle(by, &seen, &begun, hold);
        }
        let here = self.rooted.locate(self.fs, target.as_str().as_ref(), Last::Follow)?;
        if here != *hold.place {
            return Ok(Round::Again);
        }
        let (was, bytes) = match read_raw(self.fs, &hold.place.path())? {
            Raw::Absent => (None, Vec::new()),
            Raw::TooLong { .. } => return Err(too_long(hold.place)),
            Raw::Bytes { was, bytes, .. } => (Some(was), bytes),
        };
        let proposal = &known.proposals[id];
        let content = proposal.content().expect("one that has not ended has a content");
        let new = if holds(&bytes, id, &proposal.sum) {
            // It stands there: restored, or merged from where it was accepted.
            None
        } else {
            let new = applied(&bytes, &marker(id, proposal), content);
            Some(new.map_err(|why| unfit(hold.place, &why))?)
        };
        let before = was.as_ref().map_or_else(Sum::absent, |_| Sum::of(&bytes));
        let after = new.as_deref().map_or_else(|| before.clone(), Sum::of);
        let path = hold.place.path();
        let file = path.to_str().ok_or_else(|| Error::usage(format!("{} is not UTF-8", path.display())))?;
        let command = Command::Intend {
            target: target.clone(),
            id: id.clone(),
            file: file.to_owned(),
            before: before.clone(),
            after: after.clone(),
        };
        let intended = self.commit(by, &command)?;
        match &intended.verdict {
            ProposalVerdict::Stands { already: false, .. } => {}
            ProposalVerdict::Refused(Refusal::Begun(_)) => return Ok(Round::Again),
            _ => return Ok(Round::Done(Ok(intended))),
        }
        let intent = Intent {
            revision: intended.revision,
            by: by.clone(),
            at_ms: intended.at_ms,
            file: file.to_owned(),
            before,
            after,
        };
        let begun = Begun { target, id, proposal, intent: &intent };
        match new {
            Some(new) => self.carry_out(by, &begun, was.as_ref(), &new, hold).map(Round::Done),
            None => self.record(by, &begun, Some(hold.place)).map(|()| Round::Again),
        }
    }

    /// Settles what was begun, where it is this file's.
    fn settle(
        &self,
        by: &Holder,
        seen: &Seen<Known>,
        begun: &Begun<'_>,
        hold: Hold<'_, '_, F>,
    ) -> Result<Round> {
        let Some(place) = self.place_of(&begun.intent.file)? else {
            return self.ledger.told(seen, begun.in_doubt()).map(|answer| Round::Done(Ok(answer)));
        };
        if place != *hold.place {
            return Ok(Round::Again);
        }
        match self.find(begun, Some(&place))? {
            Found::After => self.record(by, begun, Some(&place)).map(|()| Round::Again),
            Found::Before(was) => Ok(match self.redo(by, begun, was.as_ref(), hold)? {
                Ok(()) => Round::Again,
                Err(refusal) => Round::Done(Err(refusal)),
            }),
            Found::Neither => self.ledger.told(seen, begun.in_doubt()).map(|answer| Round::Done(Ok(answer))),
        }
    }

    /// Takes the lock, asks the policy and the mark, raises it, and removes what a killed holder of the lock left.
    fn enter<'l>(
        &self,
        lock: &'l ResourceLock<F>,
        place: &Place,
        shown: &Shown,
    ) -> Result<mark::Answer<(Held<'l, F>, Pass)>> {
        if let Err(refusal) = obey(self.ground.guard(&place.path())?.as_ref(), shown, Access::Write) {
            return Ok(Err(refusal));
        }
        let mut held = lock.take(self.patience)?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        sweep(self.fs, &place.dir, &place.name)
            .map_err(|error| Error::environment("listing", &place.dir, error))?;
        Ok(Ok((held, pass)))
    }
}

/// What an accept is answered without a look at the file.
fn ended(known: &Known, id: &ProposalId) -> Option<ProposalVerdict> {
    match known.proposals.get(id).map(fencehold_model::proposal::Proposal::told) {
        None => Some(ProposalVerdict::Refused(Refusal::NotFound)),
        Some(Told::Accepted) => Some(ProposalVerdict::Stands { told: Told::Accepted, already: true }),
        Some(Told::Rejected) => Some(ProposalVerdict::Refused(Refusal::NotOpen(Told::Rejected))),
        Some(Told::Proposed | Told::InDoubt) => None,
    }
}
