//! Accepting proposals: the one way in which a file of shared prose is changed.
//!
//! Invariants:
//! - the file's OS lock is held from before the look at the file until after the accept is recorded; it is the claim, and
//!   it ends with the process that has it;
//! - what the file held and what it is to hold is recorded, durably, before the file is touched; that it is accepted is
//!   recorded after the new bytes and their name are durable;
//! - just before the rename the file still is what it was when the intent was made; else nothing is written and the intent
//!   is taken back;
//! - an intent that somebody left behind is settled before anything else is done with its file: where the file tells how
//!   it ended, that is recorded, or done; where it does not, it is in doubt, and is left to a person;
//! - a failure that is answered as definite left no intent of its own behind, so nobody carries it out later;
//! - the fence rules of documents hold: what guards the file is asked first, and the mark is raised before it is touched.
//!
//! Lock order: one file's OS lock, then the journal's. Never two files at a time: what is begun with the same file of
//! another worktree is settled under that one's lock alone.

mod accept;
mod begun;
mod look;

pub use look::{Preview, View};

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use fencehold_model::proposal::{self, Command, Refusal, Target, Verdict};
use fencehold_model::{Holder, LockName, ProposalId, Revision};

use self::begun::{Begun, Found};
use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::host::Host;
use crate::journal::{Asking, Journal};
use crate::ledger::{self, Ledger, ProposalVerdict};
use crate::mark::{Folder, Last, PATIENCE, Rooted};

/// How often it is begun anew because another process was faster.
const ROUNDS_MAX: usize = 16;

/// The answer about a proposal.
pub type Answered = ledger::Answer<ProposalVerdict>;

/// What is known of the ground that files stand on.
pub trait Ground {
    /// The lock that the team's policy wants for a write of the file at `path`, which is absolute and without links.
    ///
    /// # Errors
    /// Where that cannot be found out.
    fn guard(&self, path: &Path) -> Result<Option<LockName>>;

    /// Whether the folder `dir`, which is there, belongs to this workspace.
    ///
    /// # Errors
    /// Where that cannot be found out.
    fn is_ours(&self, dir: &Path) -> Result<bool>;
}

/// Ground that nobody guards and that is all ours: a folder that is no checkout.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Ground for Plain {
    fn guard(&self, _: &Path) -> Result<Option<LockName>> {
        Ok(None)
    }

    fn is_ours(&self, _: &Path) -> Result<bool> {
        Ok(true)
    }
}

/// The shared prose of one worktree.
#[derive(Debug)]
pub struct Prose<'a, F, J, H, G> {
    fs: &'a F,
    ledger: &'a Ledger<J, H>,
    rooted: &'a Rooted,
    folder: Folder,
    ground: G,
    patience: Duration,
}

/// What becomes of a command that meets an accept that is begun.
enum Over {
    /// This is committed, while the file's lock is held.
    Commit(Command),
    /// The file tells that it was carried out: that is recorded first.
    Record,
    /// The file does not tell.
    InDoubt,
}

impl<'a, F: Fs, J: Journal, H: Host, G: Ground> Prose<'a, F, J, H, G> {
    /// The files below `rooted`, with the proposals of `ledger`, whose workspace folder is `folder`.
    pub fn new(fs: &'a F, ledger: &'a Ledger<J, H>, rooted: &'a Rooted, folder: Folder, ground: G) -> Self {
        Prose { fs, ledger, rooted, folder, ground, patience: PATIENCE }
    }

    /// Waits for the OS lock of a file for `patience` at the most.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Proposes a content. Touches no file.
    ///
    /// # Errors
    /// As [`Ledger::proposal`].
    pub fn add(&self, by: &Holder, target: &Target, id: &ProposalId, content: &str) -> Result<Answered> {
        let (target, id, content) = (target.clone(), id.clone(), content.to_owned());
        self.commit(by, &Command::Add { target, id, content })
    }

    /// Rejects a proposal; one whose accept was begun only where the file tells that nothing came of it.
    ///
    /// # Errors
    /// As [`Ledger::proposal`], and where the file of an accept that was begun cannot be looked at.
    pub fn reject(
        &self,
        by: &Holder,
        target: &Target,
        id: &ProposalId,
        reason: Option<&str>,
    ) -> Result<Answered> {
        let command = |untouched| {
            let (target, id, reason) = (target.clone(), id.clone(), reason.map(str::to_owned));
            Command::Reject { target, id, reason, untouched }
        };
        self.over(by, &command(None), |found, begun| match found {
            Found::Before(_) => Over::Commit(command(Some(begun))),
            Found::After => Over::Record,
            Found::Neither => Over::InDoubt,
        })
    }

    /// Ends a doubt: what the file does not tell, a person says. Touches no file.
    ///
    /// # Errors
    /// As [`Prose::reject`].
    pub fn resolve(
        &self,
        by: &Holder,
        target: &Target,
        id: &ProposalId,
        how: Verdict,
        reason: &str,
    ) -> Result<Answered> {
        let command = |intent| {
            let (target, id, reason) = (target.clone(), id.clone(), reason.to_owned());
            Command::Resolve { target, id, how, reason, intent }
        };
        // No intent stands at 0: what is not in doubt is refused.
        self.over(by, &command(0), |found, begun| match found {
            Found::Neither => Over::Commit(command(begun)),
            Found::Before(_) => Over::Commit(command(0)),
            Found::After => Over::Record,
        })
    }

    /// Commits `plain` where no accept of this proposal is begun, else what `over` says to what its file holds.
    fn over(
        &self,
        by: &Holder,
        plain: &Command,
        over: impl Fn(&Found, Revision) -> Over,
    ) -> Result<Answered> {
        let target = plain.target();
        for _ in 0..ROUNDS_MAX {
            let seen = self.ledger.prose_of(target)?;
            let Some(begun) = Begun::of(target, &seen.value).filter(|begun| begun.id == plain.id()) else {
                match self.commit(by, plain)? {
                    Answered { verdict: ProposalVerdict::Refused(Refusal::Begun(_)), .. } => continue,
                    answer => return Ok(answer),
                }
            };
            let place = self.place_of(&begun.intent.file)?;
            let lock = place.as_ref().map(|place| self.lock_of(place));
            let _held = lock.as_ref().map(|lock| lock.take(self.patience)).transpose()?;
            let again = self.ledger.prose_of(target)?;
            if Begun::of(target, &again.value).is_none_or(|again| again.intent != begun.intent) {
                continue;
            }
            match over(&self.find(&begun, place.as_ref())?, begun.intent.revision) {
                Over::Commit(command) => return self.commit(by, &command),
                Over::InDoubt => return self.ledger.told(&again, begun.in_doubt()),
                Over::Record => self.record(by, &begun, place.as_ref())?,
            }
        }
        Err(self.contended(target))
    }

    fn commit(&self, by: &Holder, command: &Command) -> Result<Answered> {
        let asking = Asking { actor: by.clone(), op: self.ledger.new_op() };
        self.ledger.proposal(&asking, command)
    }

    fn contended(&self, target: &Target) -> Error {
        let source = std::io::Error::other("others were faster each time; try again");
        Error::environment("changing", &self.rooted.root().join(target.as_str()), source)
    }
}

/// The file below the root that `file` is, a path relative to the root or an absolute one inside it: links are followed,
/// so all spellings of one file come to one target.
///
/// # Errors
/// As [`Rooted::locate`]; where it lies in what is git's own, or its path cannot be that of a target.
pub fn target<F: Fs>(fs: &F, rooted: &Rooted, file: &Path) -> Result<Target> {
    spelt(rooted, file, &rooted.locate(fs, file, Last::Follow)?.path())
}

/// The target that `file` was when its folders stood as it is written: what was proposed for a file has that name, though
/// a folder went since, or a link took the place of one.
///
/// # Errors
/// As [`target`], without a look at the disk.
pub fn target_as_written(rooted: &Rooted, file: &Path) -> Result<Target> {
    let mut path = PathBuf::new();
    for part in rooted.root().join(file).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    spelt(rooted, file, &path)
}

fn spelt(rooted: &Rooted, file: &Path, path: &Path) -> Result<Target> {
    let below = path.strip_prefix(rooted.root()).unwrap_or(path);
    let is_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
    if below.components().any(is_git) {
        return Err(Error::usage(format!("{} lies in what is git's own", file.display())));
    }
    let text = below.to_str().ok_or_else(|| Error::usage(format!("{} is not UTF-8", file.display())))?;
    proposal::Target::new(text).map_err(|bad| Error::usage(bad.to_string()))
}
