//! Writing what steps by force owe: an entry in a log, once, whoever is killed when.
//!
//! Invariants:
//! - the step, with all that the entry says, is recorded before the entry is written, and that it was written is recorded
//!   after it is durable: a kill between two of these leaves the entry owed, never lost and never said to be written;
//! - an entry has an id of its own, and is appended only where the log has none of it, under the log's OS lock: of any
//!   number of processes that settle one debt one writes;
//! - what cannot be written stays owed, and is given up only by who asks for that, with an event;
//! - nothing is appended to what git runs or obeys, wherever a policy or a link of a tree leads;
//! - one log that is held costs one wait, however many entries are owed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::json::Writer;
use fencehold_model::status::{Noted, Owed};
use fencehold_model::{Holder, Revision, WorkspaceId};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::host::Host;
use crate::journal::{Asking, Journal};
use crate::ledger::Ledger;
use crate::log::{GitCheckout, Log, Note};
use crate::mark::{Folder, PATIENCE, Rooted, Shown};

/// Where the entries of one workspace are written from.
#[derive(Debug)]
pub struct Outbox<'a, F: Fs, J, H> {
    /// The files.
    pub fs: &'a F,
    /// Whose debts.
    pub ledger: &'a Ledger<J, H>,
    /// The workspace folder.
    pub folder: Folder,
    /// The common directory of its git repository, if it is in one.
    pub common_dir: Option<PathBuf>,
}

/// What the folder is that a step looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// A worktree of this workspace.
    Ours,
    /// Nothing is there.
    Gone,
    /// Something that belongs to no or another workspace.
    Foreign,
}

/// An entry that was owed, and what became of it.
#[derive(Debug)]
pub struct Settled {
    /// The revision of the step.
    pub step: Revision,
    /// The log, below the top of the worktree.
    pub file: String,
    /// The top of the worktree.
    pub root: String,
    /// What became of it.
    pub became: Became,
}

/// What became of an entry that was owed.
#[derive(Debug)]
pub enum Became {
    /// It stands, and that is recorded.
    Written(Option<Note>),
    /// It will not be written, and that is recorded.
    GivenUp,
    /// It is owed still.
    Owed(Error),
}

impl<F: Fs, J: Journal, H: Host> Outbox<'_, F, J, H> {
    /// Writes every entry that is owed and can be written. `root` says what a folder is; an entry of one that is gone is
    /// given up where that is asked for. What cannot be written is among the answers.
    pub fn settle(
        &self,
        owes: &BTreeMap<Revision, Owed>,
        actor: &Holder,
        give_up: bool,
        root: impl Fn(&Path) -> Result<Root>,
    ) -> Vec<Settled> {
        let (mut settled, mut patience) = (Vec::new(), PATIENCE);
        for (&step, owed) in owes {
            for file in &owed.forced.owes {
                let became = match root(Path::new(&owed.forced.root)) {
                    Ok(Root::Ours) => self.write(actor, step, owed, file, patience),
                    Ok(Root::Gone | Root::Foreign) if give_up => self.give_up(actor, step, file),
                    Ok(Root::Gone) => Err(gone(owed, "is gone")),
                    Ok(Root::Foreign) => Err(gone(owed, "belongs to this workspace no more")),
                    Err(error) => Err(error),
                };
                if matches!(became, Err(Error::Busy { .. })) {
                    patience = Duration::ZERO;
                }
                let (file, root) = (file.clone(), owed.forced.root.clone());
                settled.push(Settled { step, file, root, became: became.unwrap_or_else(Became::Owed) });
            }
        }
        settled
    }

    fn write(
        &self,
        actor: &Holder,
        step: Revision,
        owed: &Owed,
        file: &str,
        patience: Duration,
    ) -> Result<Became> {
        let rooted = Rooted::new(self.fs, Path::new(&owed.forced.root), &self.folder.dir)?;
        let git = self.common_dir.clone();
        let git = git.map(|common_dir| GitCheckout { common_dir, top: rooted.root().to_owned() });
        let log = Log::open(self.fs.clone(), self.folder.clone(), &rooted, Path::new(file), git)?;
        let log = log.with_patience(patience);
        if self.is_of_git(rooted.root(), &log.place().path()) {
            return Err(Error::usage(format!("{file} lies in what is git's own, where nothing is appended")));
        }
        // Whoever forced the step forces its entry as well: a log that a lock guards would else never get it.
        let shown = Shown { fence: None, force: Some(owed.forced.reason.clone()) };
        let appended = log.append_absent(&entry(&self.folder.id, step, owed), &shown)?;
        let appended = appended.map_err(|refusal| Error::usage(refusal.to_string()))?;
        self.note(actor, step, file, None)?;
        Ok(Became::Written(appended.and_then(|appended| appended.note)))
    }

    /// Whether a path, without symbolic links, is in what git runs and obeys: a link of the tree may have led there.
    fn is_of_git(&self, root: &Path, path: &Path) -> bool {
        let below = path.strip_prefix(root).unwrap_or(path);
        below.components().any(|name| name.as_os_str().eq_ignore_ascii_case(".git"))
            || self.common_dir.as_ref().is_some_and(|git| path.starts_with(git) && !root.starts_with(git))
    }

    fn give_up(&self, actor: &Holder, step: Revision, file: &str) -> Result<Became> {
        self.note(actor, step, file, Some("its worktree is gone".to_owned()))?;
        Ok(Became::GivenUp)
    }

    /// Records what became of it. That another was faster is as good.
    fn note(&self, actor: &Holder, step: Revision, file: &str, given_up: Option<String>) -> Result<()> {
        let asking = Asking { actor: actor.clone(), op: self.ledger.new_op() };
        self.ledger.note(&asking, &Noted { step, file: file.to_owned(), given_up }).map(|_| ())
    }
}

/// The entry of a step by force: the same, whoever writes it.
#[must_use]
pub fn entry(workspace: &WorkspaceId, step: Revision, owed: &Owed) -> Map<String, Value> {
    let mut text = String::new();
    let mut to = Writer::new(&mut text);
    to.text("id", &Owed::id(workspace, step)).text("override", "gate").number("revision", step);
    owed.describe(&mut to);
    to.end();
    serde_json::from_str(&text).expect("what the model writes as JSON is JSON")
}

fn gone(owed: &Owed, what: &str) -> Error {
    Error::usage(format!(
        "the worktree {} {what}; `fencehold repair` gives the entry up, and the history keeps what it says",
        owed.forced.root
    ))
}
