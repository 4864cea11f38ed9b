//! A workspace on a simulated disk, as processes of every world use it.

use std::path::Path;

use fencehold::fs::{Fs, read_file};
use fencehold::host::Host;
use fencehold::journal::{Asking, FileJournal, Journal as _, Modes, Options, create};
use fencehold::ledger::{Answer, Ledger, Verdict};
use fencehold_model::lock::{Command, Proof};
use fencehold_model::{Entry, Holder, LockName, OpId, Revision, Token};

use super::disk::Disk;
use super::world::{Ended, Plan, SimFs, SimHost, World};

/// The folder that the workspace is made in.
pub(crate) const PARENT: &str = "/w";
/// The workspace.
pub(crate) const DIR: &str = "/w/fencehold";

/// One process's handle.
pub(crate) struct Client<F: Fs, H: Host> {
    pub(super) ledger: Ledger<FileJournal<F, H>, H>,
    pub(super) me: Holder,
}

impl<F: Fs, H: Host + Clone> Client<F, H> {
    pub(crate) fn new(fs: F, host: H, me: &str) -> Self {
        let journal = FileJournal::new(fs, host.clone(), Path::new(DIR), Options::default());
        Client { ledger: Ledger::new(journal, host), me: Holder::new(me).expect("a plain holder") }
    }

    /// Asks for `command` under the operation id `op`.
    pub(crate) fn ask(&self, op: &str, command: &Command) -> fencehold::Result<Answer> {
        self.ledger.submit(&self.asking(op), command)
    }

    pub(super) fn asking(&self, op: &str) -> Asking {
        Asking { actor: self.me.clone(), op: OpId::new(op).expect("a plain operation id") }
    }

    pub(crate) fn acquire(&self, op: &str, name: &str, ttl_ms: u64) -> fencehold::Result<Answer> {
        let command = Command::Acquire {
            name: lock(name),
            holder: self.me.clone(),
            claim: None,
            ttl_ms,
            bound: None,
            asked_by: None,
        };
        self.ask(op, &command)
    }

    pub(crate) fn renew(&self, op: &str, name: &str, token: Token, ttl_ms: u64) -> fencehold::Result<Answer> {
        let (name, holder, proof) = (lock(name), self.me.clone(), Proof::Token(token));
        self.ask(op, &Command::Renew { name, holder, proof, ttl_ms: Some(ttl_ms) })
    }

    pub(crate) fn release(&self, op: &str, name: &str, token: Token) -> fencehold::Result<Answer> {
        self.ask(
            op,
            &Command::Release { name: lock(name), holder: self.me.clone(), proof: Proof::Token(token) },
        )
    }

    pub(crate) fn break_it(&self, op: &str, name: &str) -> fencehold::Result<Answer> {
        self.ask(op, &Command::Break { name: lock(name), reason: "it is in the way".to_owned() })
    }

    /// The newest revision that a reader sees.
    pub(crate) fn revision(&self) -> fencehold::Result<Revision> {
        Ok(self.ledger.journal().read(|_, _| ())?.revision)
    }

    /// Every event that is kept, and which files could not be read whole.
    pub(crate) fn history(&self) -> fencehold::Result<(Vec<Entry>, Vec<String>)> {
        let mut entries = Vec::new();
        let notes = self.ledger.journal().history(|entry| entries.push(entry.clone()))?;
        Ok((entries, notes))
    }
}

/// The token of a grant.
pub(crate) fn granted(answer: &fencehold::Result<Answer>) -> Option<Token> {
    match answer {
        Ok(Answer { verdict: Verdict::Granted { token, .. }, .. }) => Some(*token),
        _ => None,
    }
}

/// Whether the rules refused it.
pub(crate) fn is_refused(answer: &Answer) -> bool {
    matches!(answer.verdict, Verdict::Refused(_))
}

/// A lock name.
pub(crate) fn lock(name: &str) -> LockName {
    LockName::new(name).expect("a plain lock name")
}

/// A disk with a workspace, after `then`.
pub(crate) fn disk(then: impl FnOnce(&SimFs, &SimHost)) -> Disk {
    let world = World::calm(empty());
    let built = world.alone(Plan::NONE, |fs, host| {
        let made = create(&fs, &host, Path::new(DIR), Modes::Owner);
        assert!(made.is_ok_and(|made| made), "a workspace on a healthy disk");
        then(&fs, &host);
    });
    assert_eq!(built, Ended::Returned(()), "a disk to begin with");
    world.disk(|disk| disk.clone())
}

/// A disk without a workspace.
pub(crate) fn empty() -> Disk {
    let world = World::calm(Disk::new());
    let built = world.alone(Plan::NONE, |fs, _| fs.make_dir(Path::new(PARENT), 0o755));
    assert!(matches!(built, Ended::Returned(Ok(()))), "an empty disk takes a directory");
    world.disk(|disk| disk.clone())
}

/// Commits until the next commit rotates the journal.
pub(crate) fn fill(fs: &SimFs, host: &SimHost) {
    let client = Client::new(fs.clone(), host.clone(), "filler");
    let path = Path::new(DIR).join("journal.1.ndjson");
    let len = || fs.stat(&path).ok().flatten().map_or(0, |stat| stat.len);
    let bytes = read_file(fs, &path, usize::MAX).ok().flatten().expect("the journal of a workspace");
    let head = 1 + bytes.iter().position(|byte| *byte == b'\n').expect("line one is whole") as u64;
    // One name, so that line one of the next file is short.
    let long = "n".repeat(250);
    let mut token = None;
    for number in 0_u32.. {
        if len() > head + fencehold::journal::ROTATE_BYTES {
            return;
        }
        let op = number.to_string();
        token = match token {
            None => Some(granted(&client.acquire(&op, &long, 1)).expect("an acquire on a healthy disk")),
            Some(token) => {
                client.release(&op, &long, token).expect("a release on a healthy disk");
                None
            }
        };
    }
}
