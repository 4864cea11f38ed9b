//! An accept that somebody began: what its file tells of it, and how it is ended.

use std::path::Path;

use fencehold_model::ProposalId;
use fencehold_model::proposal::{
    self, Command, Intent, Proposal, Prose as Known, Refusal, Sum, Target, applied, holds, marker,
};

use super::{Answered, Ground, Prose};
use crate::document::{DOCUMENT_BYTES_MAX, Raw, Was, read_raw, replace, settle};
use crate::error::{Error, Happened, Result};
use crate::fs::Fs;
use crate::host::Host;
use crate::journal::Journal;
use crate::ledger::ProposalVerdict;
use crate::mark::{self, Held, Last, Pass, Place, ResourceLock, Rooted, temp_name};
use fencehold_model::Holder;

/// An accept that is begun.
#[derive(Clone, Copy)]
pub(super) struct Begun<'a> {
    pub(super) target: &'a Target,
    pub(super) id: &'a ProposalId,
    pub(super) proposal: &'a Proposal,
    pub(super) intent: &'a Intent,
}

/// What a file tells of an accept that is begun.
pub(super) enum Found {
    /// It is as it was.
    Before(Option<(Was, Vec<u8>)>),
    /// It holds the content.
    After,
    /// Neither; or it cannot be found.
    Neither,
}

/// A file that is held, and what passed there.
pub(super) struct Hold<'h, 'l, F: Fs> {
    pub(super) place: &'h Place,
    pub(super) held: &'h mut Held<'l, F>,
    pub(super) pass: &'h Pass,
}

impl<'a> Begun<'a> {
    /// The one of a file.
    pub(super) fn of(target: &'a Target, known: &'a Known) -> Option<Self> {
        let (id, intent) = known.begun.as_ref()?;
        let proposal = known.proposals.get(id)?;
        Some(Begun { target, id, proposal, intent })
    }

    /// The answer where its file does not tell.
    pub(super) fn in_doubt(&self) -> ProposalVerdict {
        let begun = (self.id.clone(), self.intent.clone());
        ProposalVerdict::Refused(Refusal::InDoubt(Box::new(begun)))
    }
}

impl<F: Fs, J: Journal, H: Host, G: Ground> Prose<'_, F, J, H, G> {
    pub(super) fn lock_of(&self, place: &Place) -> ResourceLock<F> {
        ResourceLock::new(self.fs.clone(), self.folder.clone(), place)
    }

    /// Where the file of an intent is; none where its folder is gone, or is another's now, or a link took its place.
    pub(super) fn place_of(&self, file: &str) -> Result<Option<Place>> {
        let path = Path::new(file);
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
        let rooted = match Rooted::new(self.fs, dir, &self.folder.dir) {
            Err(error) if is_gone(&error) => return Ok(None),
            rooted => rooted?,
        };
        // Its path had no links in it: what is led to by one is not where it was.
        if rooted.root() != dir || !self.ground.is_ours(dir)? {
            return Ok(None);
        }
        match rooted.locate(self.fs, Path::new(name), Last::Refuse) {
            Err(error) if is_gone(&error) => Ok(None),
            place => place.map(Some),
        }
    }

    /// What the file tells.
    pub(super) fn find(&self, begun: &Begun<'_>, place: Option<&Place>) -> Result<Found> {
        let Some(place) = place else { return Ok(Found::Neither) };
        let Intent { before, after, .. } = begun.intent;
        let raw = match read_raw(self.fs, &place.path()) {
            Err(error) if is_gone(&error) => return Ok(Found::Neither),
            raw => raw?,
        };
        Ok(match raw {
            Raw::Absent if *before == Sum::absent() => Found::Before(None),
            Raw::Absent | Raw::TooLong { .. } => Found::Neither,
            Raw::Bytes { was, bytes, .. } => {
                let sum = Sum::of(&bytes);
                if sum == *after || holds(&bytes, begun.id, &begun.proposal.sum) {
                    Found::After
                } else if sum == *before {
                    Found::Before(Some((was, bytes)))
                } else {
                    Found::Neither
                }
            }
        })
    }

    /// Records that the file holds the content, once it does durably: whoever was killed may have left it unsynced.
    pub(super) fn record(&self, by: &Holder, begun: &Begun<'_>, place: Option<&Place>) -> Result<()> {
        let path = Path::new(&begun.intent.file);
        if let Some(place) = place
            && let Raw::Bytes { file, .. } = read_raw(self.fs, path)?
        {
            settle(self.fs, &place.dir, &file).map_err(|error| Error::environment("syncing", path, error))?;
        }
        let command = Command::Accept {
            target: begun.target.clone(),
            id: begun.id.clone(),
            intent: begun.intent.revision,
        };
        self.commit(by, &command).map(|_| ())
    }

    /// Does what an intent says that somebody left behind, where its file is as it was. An intent that would come to other
    /// bytes than it says is taken back.
    pub(super) fn redo(
        &self,
        by: &Holder,
        begun: &Begun<'_>,
        was: Option<&(Was, Vec<u8>)>,
        hold: Hold<'_, '_, F>,
    ) -> Result<mark::Answer<()>> {
        let Begun { id, proposal, intent, .. } = begun;
        let bytes = was.map_or(&[][..], |(_, bytes)| bytes);
        let content = proposal.content().unwrap_or_default();
        let new = applied(bytes, &marker(id, proposal), content).ok();
        match new.filter(|new| Sum::of(new) == intent.after) {
            Some(new) => {
                let was = was.map(|(was, _)| was);
                Ok(self.carry_out(by, begun, was, &new, hold)?.map(|_| ()))
            }
            None => self.withdraw(by, begun).map(Ok),
        }
    }

    /// Replaces the file and records that it is accepted. Where nothing was written the intent is taken back.
    pub(super) fn carry_out(
        &self,
        by: &Holder,
        begun: &Begun<'_>,
        was: Option<&Was>,
        new: &[u8],
        mut hold: Hold<'_, '_, F>,
    ) -> Result<mark::Answer<Answered>> {
        let path = hold.place.path();
        let lost = || Error::indefinite(&path, "its lock was removed while it was held");
        match self.put(was, new, &mut hold) {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => {
                self.withdraw(by, begun)?;
                return Ok(Err(refusal));
            }
            Err(error) if error.happened() == Happened::No => {
                self.withdraw(by, begun)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        if !hold.held.stands().map_err(|_| lost())? {
            return Err(lost());
        }
        let (target, id) = (begun.target.clone(), begun.id.clone());
        let answer = self.commit(by, &Command::Accept { target, id, intent: begun.intent.revision });
        match answer {
            Ok(answer) if matches!(answer.verdict, ProposalVerdict::Stands { .. }) => Ok(Ok(answer)),
            Ok(_) => Err(Error::indefinite(&path, "it was resolved while it was written")),
            Err(error) => Err(Error::indefinite(&path, format!("it holds the content, but {error}"))),
        }
    }

    fn put(&self, was: Option<&Was>, new: &[u8], hold: &mut Hold<'_, '_, F>) -> Result<mark::Answer<()>> {
        let Hold { place, held, pass } = hold;
        held.raise(pass)?;
        if !held.stands()? {
            let gone =
                std::io::Error::other("its lock was removed while it was held; is the workspace gone?");
            return Err(Error::environment("replacing", &place.path(), gone));
        }
        let temp = temp_name(&place.name, self.ledger.host().random());
        Ok(replace(self.fs, place, was, new, &temp)?.map(|_| ()))
    }

    /// Takes an intent back: nothing was written, and the lock is held, so nobody will.
    fn withdraw(&self, by: &Holder, begun: &Begun<'_>) -> Result<()> {
        let (target, id) = (begun.target.clone(), begun.id.clone());
        let taken_back = self.commit(by, &Command::Withdraw { target, id, intent: begun.intent.revision });
        taken_back.map(|_| ()).map_err(|error| {
            let what = format!(
                "nothing was written, but that could not be recorded ({error}), so whoever accepts next may write it"
            );
            Error::indefinite(Path::new(&begun.intent.file), what)
        })
    }
}

/// Whether no file can be there any more: its folder went, or something that is no file took the place of either.
pub(super) fn is_gone(error: &Error) -> bool {
    use rustix::io::Errno;
    use std::io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound};
    let Error::Environment { source, .. } = error else { return false };
    matches!(source.kind(), NotFound | NotADirectory | IsADirectory | InvalidInput)
        // A link that leads to itself; a socket.
        || [Errno::LOOP, Errno::NXIO].iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
}

/// What is too long to be held in memory is no prose.
pub(super) fn too_long(place: &Place) -> Error {
    Error::usage(format!(
        "{} is longer than {DOCUMENT_BYTES_MAX} bytes; nothing was changed",
        place.path().display()
    ))
}

/// Why a file takes no section at its end, with its name.
pub(super) fn unfit(place: &Place, why: &proposal::Unfit) -> Error {
    Error::usage(format!("{}: {why}; nothing was changed", place.path().display()))
}
