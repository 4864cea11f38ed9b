//! The workspace's ledger, as the commands use it: opened where it is there, created by the first write.

use std::path::Path;

use fencehold_model::event::Process;
use fencehold_model::lock::{Command, Grant, Liveness, Refusal};
use fencehold_model::{Holder, LockName, Policy, Revision, Right, TimeMs, Token};

use super::out::Out;
use super::session::Session;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::{Host as _, RealHost};
use crate::journal::{self, Asking, Durability, FileJournal, Journal as _, Modes, Options, Seen};
use crate::ledger::{Answer, FenceStanding, Ledger, LockView, Verdict};
use crate::mark::{Fence, Folder};

/// What a lock command was told.
#[derive(Debug)]
pub(super) struct Told {
    /// The revision that it was decided at.
    pub(super) revision: Revision,
    /// Journal time of the answer.
    pub(super) now_ms: TimeMs,
    /// Whether all it rests on is durable.
    pub(super) durable: bool,
    pub(super) what: What,
}

/// What a command came to.
#[derive(Debug)]
pub(super) enum What {
    /// Granted, kept or renewed; no expiry while its process can be watched.
    Granted { token: Token, expires_in_ms: Option<u64> },
    /// Released or broken.
    Ended { token: Token, already: bool },
    /// Refused by the rules.
    Refused(Refusal),
}

/// Locks that are held. The expiry of a grant that has none now is [`TimeMs::MAX`].
#[derive(Debug)]
pub(super) struct Held<T> {
    pub(super) grants: T,
    pub(super) now_ms: TimeMs,
    pub(super) revision: Revision,
}

/// The ledger of a workspace that is there.
#[derive(Debug)]
pub(super) struct Locks {
    ledger: Ledger<FileJournal<RealFs, RealHost>, RealHost>,
}

impl Locks {
    /// For a look, or for what can only be refused where there is no workspace: none there, and none is made.
    pub(super) fn open(session: &Session) -> Result<Option<Self>> {
        let dir = &session.place.dir;
        let there = journal::is_workspace(&session.fs, dir);
        if !there.map_err(|error| Error::environment("looking at", dir, error))? {
            return Ok(None);
        }
        Locks::of(session, RealHost::new()?).map(Some)
    }

    /// For a write: the first one creates the workspace, and says so.
    pub(super) fn open_or_create(session: &Session) -> Result<Self> {
        if let Some(locks) = Locks::open(session)? {
            return Ok(locks);
        }
        if Locks::create(session)? {
            session.out.say(&format!(
                "created the workspace {}: {}",
                session.place.dir.display(),
                session.place.why
            ));
        }
        if session.place.exists {
            // It was taken away meanwhile; others may look elsewhere since.
            crate::locate::confirm_anew(&session.fs, &session.place)?;
        }
        Locks::of(session, RealHost::new()?)
    }

    /// Creates the workspace; false where another process was faster.
    pub(super) fn create(session: &Session) -> Result<bool> {
        let modes = if session.place.shared { Modes::Group } else { Modes::Owner };
        journal::create(&session.fs, &RealHost::new()?, &session.place.dir, modes)
    }

    fn of(session: &Session, host: RealHost) -> Result<Self> {
        crate::locate::confirm(&session.fs, &session.place)?;
        let options = Options {
            durability: if session.settings.relaxed { Durability::Relaxed } else { Durability::Durable },
            patience: session.settings.patience,
        };
        let journal = FileJournal::new(session.fs, host.clone(), &session.place.dir, options);
        Ok(Locks { ledger: Ledger::new(journal, host) })
    }

    /// The machine.
    pub(super) fn host(&self) -> &RealHost {
        self.ledger.host()
    }

    /// The journal below.
    pub(super) fn journal(&self) -> &FileJournal<RealFs, RealHost> {
        self.ledger.journal()
    }

    /// The workspace folder.
    pub(super) fn dir(&self) -> &Path {
        self.journal().dir()
    }

    /// The ledger itself, for leases, tasks and the policy.
    pub(super) fn ledger(&self) -> &Ledger<FileJournal<RealFs, RealHost>, RealHost> {
        &self.ledger
    }

    /// A command of `actor` under a fresh operation id.
    pub(super) fn asking(&self, actor: &Holder) -> Asking {
        Asking { actor: actor.clone(), op: self.ledger.new_op() }
    }

    /// The workspace folder, as logs and documents need it.
    pub(super) fn folder(&self) -> Result<Folder> {
        Ok(Folder { dir: self.dir().to_owned(), id: self.ledger.workspace()? })
    }

    /// Whether `process` can be waited for from here.
    pub(super) fn sees(&self, process: &Process) -> bool {
        self.host().liveness(process) == Liveness::Alive
    }

    /// Says where the journal is damaged, if it is.
    pub(super) fn check(&self) -> Result<()> {
        self.journal().read(|_, _| ()).map(|_| ())
    }

    /// Where a token that is to be shown at a file stands, and the one name of what it was granted for.
    pub(super) fn fence_standing(&self, fence: &Fence) -> Result<(Right, FenceStanding)> {
        self.ledger.right_standing(&fence.right, fence.token)
    }

    /// Submits a command under a fresh operation id.
    pub(super) fn submit(&self, actor: &Holder, command: &Command) -> Result<Told> {
        let answer = self.ledger.submit(&self.asking(actor), command)?;
        let Answer { revision, now_ms, durable, .. } = answer;
        let expires_in = |expires_ms: Option<TimeMs>| expires_ms.map(|at_ms| answer.expires_in_ms(at_ms));
        let what = match &answer.verdict {
            Verdict::Granted { token, expires_ms } => {
                What::Granted { token: *token, expires_in_ms: expires_in(*expires_ms) }
            }
            Verdict::Released { token, already } => What::Ended { token: *token, already: *already },
            Verdict::Broken { token } => What::Ended { token: *token, already: false },
            Verdict::Refused(refusal) => What::Refused(refusal.clone()),
        };
        Ok(Told { revision, now_ms, durable, what })
    }

    /// The policy that the workspace obeys.
    pub(super) fn policy(&self) -> Result<Seen<Policy>> {
        self.ledger.policy()
    }

    /// Who holds `name`.
    pub(super) fn show(&self, name: &LockName) -> Result<Held<Option<Grant>>> {
        let seen = self.ledger.show(name)?;
        let grants = standing(seen.value).map(|(_, grant)| grant);
        Ok(Held { grants, now_ms: seen.at_ms, revision: seen.revision })
    }

    /// Every lock that somebody holds.
    pub(super) fn list(&self) -> Result<Held<Vec<(LockName, Grant)>>> {
        let seen = self.ledger.list()?;
        let grants = seen.value.into_iter().filter_map(standing).collect();
        Ok(Held { grants, now_ms: seen.at_ms, revision: seen.revision })
    }

    /// What a person should know of, each once.
    pub(super) fn notes(&self) -> Vec<String> {
        self.journal().notes().into_iter().map(|note| note.0).collect()
    }

    /// Tells what a person should know of, each once.
    pub(super) fn tell_notes(&self, out: Out) {
        for note in self.notes() {
            out.say(&note);
        }
    }
}

/// What can only be refused, where there is no workspace.
pub(super) fn without_workspace(command: &Command) -> Refusal {
    match command {
        Command::Break { reason, .. } if reason.trim().is_empty() => Refusal::NeedsReason,
        Command::Break { .. } => Refusal::NotFound,
        _ => Refusal::NotHolder,
    }
}

fn standing(view: LockView) -> Option<(LockName, Grant)> {
    let (grant, expires_ms) = view.grant?;
    Some((view.name, Grant { expires_ms: expires_ms.unwrap_or(TimeMs::MAX), ..grant }))
}
