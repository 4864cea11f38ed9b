//! The proposals, as a reader sees them. Writes nothing.

use fencehold_model::ProposalId;
use fencehold_model::proposal::{Intent, Proposal, Prose as Known, Target, Told, applied, holds, marker};

use super::begun::{Begun, Found, is_gone, too_long, unfit};
use super::{Ground, Prose, ROUNDS_MAX};
use crate::document::{Raw, read_raw};
use crate::error::Result;
use crate::fs::Fs;
use crate::host::Host;
use crate::journal::{Journal, Seen};
use crate::mark::Last;

/// The bytes before and after; or why there are none.
pub type Preview = std::result::Result<(Vec<u8>, Vec<u8>), String>;

/// One proposal as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The file.
    pub target: Target,
    /// Its id.
    pub id: ProposalId,
    /// What is known of it.
    pub proposal: Proposal,
    /// Where it stands, by what the file tells.
    pub told: Told,
    /// The accept of it that is begun.
    pub begun: Option<Intent>,
}

impl<F: Fs, J: Journal, H: Host, G: Ground> Prose<'_, F, J, H, G> {
    /// The proposals of a file, or all of them, in the order of their numbers.
    ///
    /// # Errors
    /// As [`Journal::read`], and where the file of an accept that is begun cannot be looked at.
    pub fn list(&self, target: Option<&Target>) -> Result<Seen<Vec<View>>> {
        let mut seen = self.ledger.prose()?;
        for _ in 0..ROUNDS_MAX {
            let mut views = Vec::new();
            let wanted = seen.value.iter().filter(|(of, _)| target.is_none_or(|target| target == *of));
            for (target, known) in wanted.clone() {
                self.add_views(target, known, &mut views)?;
            }
            if wanted.clone().all(|(_, known)| known.begun.is_none()) {
                return Ok(Seen { revision: seen.revision, at_ms: seen.at_ms, value: views });
            }
            // What a file tells counts only where nothing was settled while it was looked at.
            let again = self.ledger.prose()?;
            let settled = wanted.clone().any(|(target, known)| {
                again.value.get(target).is_none_or(|again| again.begun != known.begun)
            });
            if !settled {
                return Ok(Seen { revision: seen.revision, at_ms: seen.at_ms, value: views });
            }
            seen = again;
        }
        let source = std::io::Error::other("it changed each time it was looked at; try again");
        Err(crate::Error::environment("looking at", &self.folder.dir, source))
    }

    /// What the file holds, and what it would hold were this accepted now; in words, where it could not be. None where the
    /// proposal has ended.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn preview(&self, view: &View) -> Result<Option<Preview>> {
        let Some(content) = view.proposal.content() else { return Ok(None) };
        let place = match self.rooted.locate(self.fs, view.target.as_str().as_ref(), Last::Follow) {
            Err(error) if is_gone(&error) => return Ok(Some(Err(error.to_string()))),
            place => place?,
        };
        let raw = match read_raw(self.fs, &place.path()) {
            Err(error) if is_gone(&error) => return Ok(Some(Err(error.to_string()))),
            raw => raw?,
        };
        let before = match raw {
            Raw::Absent => Vec::new(),
            Raw::TooLong { .. } => return Ok(Some(Err(too_long(&place).to_string()))),
            Raw::Bytes { bytes, .. } => bytes,
        };
        if holds(&before, &view.id, &view.proposal.sum) {
            return Ok(Some(Err(format!("{} holds it already", place.path().display()))));
        }
        Ok(Some(match applied(&before, &marker(&view.id, &view.proposal), content) {
            Ok(after) => Ok((before, after)),
            Err(why) => Err(unfit(&place, &why).to_string()),
        }))
    }

    fn add_views(&self, target: &Target, known: &Known, views: &mut Vec<View>) -> Result<()> {
        let begun = Begun::of(target, known);
        let first = views.len();
        for (id, proposal) in &known.proposals {
            let of_it = begun.filter(|begun| begun.id == id);
            let mut told = proposal.told();
            if let Some(begun) = of_it {
                let place = self.place_of(&begun.intent.file)?;
                if let Found::Neither = self.find(&begun, place.as_ref())? {
                    told = Told::InDoubt;
                }
            }
            views.push(View {
                target: target.clone(),
                id: id.clone(),
                proposal: proposal.clone(),
                told,
                begun: of_it.map(|begun| begun.intent.clone()),
            });
        }
        views[first..].sort_by_key(|view| view.proposal.number);
        Ok(())
    }
}
