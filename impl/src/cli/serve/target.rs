//! The workspace that a server was greeted with, and the operations by name.

use std::path::{Path, PathBuf};

use fencehold_model::OpId;
use serde_json::{Value, json};

use super::request::Request;
use super::{Failure, Outcome, PROTOCOL, Reply};
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::RealHost;
use crate::journal::{self, Asking, Durability, FileJournal, Modes, Options};
use crate::ledger::Ledger;
use crate::locate::{self, Place};
use crate::mark::{Folder, Rooted};

/// The ledger of the real disk.
pub(super) type RealLedger = Ledger<FileJournal<RealFs, RealHost>, RealHost>;

/// A server's side of a session.
#[derive(Debug, Default)]
pub(super) struct Target {
    greeted: Option<Greeted>,
}

/// What `hello` settled.
#[derive(Debug)]
pub(super) struct Greeted {
    pub(super) fs: RealFs,
    pub(super) host: RealHost,
    pub(super) place: Place,
    pub(super) rooted: Rooted,
    pub(super) settings: Settings,
    ledger: Option<RealLedger>,
}

impl Target {
    /// Performs one request.
    pub(super) fn perform(&mut self, request: &Request<'_>) -> Outcome {
        if request.op == "hello" {
            return self.hello(request);
        }
        let Some(greeted) = &mut self.greeted else {
            return Err(Failure::Definite("say `hello` first".to_owned()));
        };
        match request.op {
            "lock.acquire" => greeted.acquire(request),
            "lock.renew" => greeted.renew(request),
            "lock.release" => greeted.release(request),
            "lock.break" => greeted.end_by_hand(request),
            "lock.show" => greeted.show(request),
            "lease.grant" => greeted.grant(request),
            "lease.close" => greeted.close(request),
            "lease.crash" => greeted.crash(request),
            "lease.clear" => greeted.clear(request),
            "lease.show" => greeted.show_lease(request),
            "lease.list" => greeted.list_leases(request),
            "status.set" => greeted.set(request),
            "status.reopen" => greeted.reopen(request),
            "status.get" => greeted.get(request),
            "status.merge" => greeted.merge_status(request),
            "log.append" => greeted.append(request),
            "log.read" => greeted.read_log(request),
            "doc.increment" => greeted.increment(request),
            "doc.merge" => greeted.merge(request),
            "doc.read" => greeted.read_document(request),
            "proposal.add" => greeted.propose(request),
            "proposal.accept" => greeted.accept(request),
            "proposal.reject" => greeted.reject(request),
            "proposal.list" => greeted.list_proposals(request),
            unknown => Err(Failure::Definite(format!("the operation `{unknown}` is not offered"))),
        }
    }

    fn hello(&mut self, request: &Request<'_>) -> Outcome {
        if self.greeted.is_some() {
            return Err(Failure::Definite("`hello` was said already".to_owned()));
        }
        let protocol = request.fields.number("protocol")?;
        if protocol != PROTOCOL {
            let why = format!("protocol {protocol} is not spoken here; {PROTOCOL} is");
            return Err(Failure::Definite(why));
        }
        let root = PathBuf::from(request.fields.text("root")?);
        if !root.is_absolute() {
            return Err(Failure::Definite(format!("`root` {} is not absolute", root.display())));
        }
        let greeted = Greeted::begin(&root)?;
        let value = greeted.hello();
        self.greeted = Some(greeted);
        Ok(Reply::Ok { revision: None, value })
    }

    /// Tells on stderr what people should know of.
    pub(super) fn tell_notes(&self) {
        let ledger = self.greeted.as_ref().and_then(|greeted| greeted.ledger.as_ref());
        for note in ledger.map(|ledger| ledger.journal().notes()).unwrap_or_default() {
            crate::cli::out::say(&note.0);
        }
    }
}

impl Greeted {
    fn begin(root: &Path) -> Result<Self> {
        let fs = RealFs;
        let place = locate::locate_exact(&fs, root)?;
        locate::check(&fs, &place)?;
        locate::check_filesystem(fs, &place.dir)?;
        let settings = Settings::of(&fs, &place.dir)?;
        let rooted = Rooted::new(&fs, &place.root, &place.dir)?;
        Ok(Greeted { fs, host: RealHost::new()?, place, rooted, settings, ledger: None })
    }

    fn hello(&self) -> Value {
        let survives: &[&str] = if self.settings.relaxed { &["kill"] } else { &["kill", "power"] };
        json!({
            "target": concat!("fencehold ", env!("CARGO_PKG_VERSION")),
            "protocol": PROTOCOL,
            "offers": ["lock", "lease", "status", "log", "doc", "proposal"],
            "survives": survives,
            "locks_end": ["release", "ttl", "process"],
            "fencing": true,
            "tokens": "ordered",
            "revisions": true,
        })
    }

    /// The ledger, where the workspace exists.
    pub(super) fn ledger_if_any(&mut self) -> Result<Option<&RealLedger>> {
        if self.ledger.is_none() {
            let dir = &self.place.dir;
            let stands = journal::is_workspace(&self.fs, dir)
                .map_err(|error| Error::environment("looking at", dir, error))?;
            if !stands {
                return Ok(None);
            }
            locate::confirm(&self.fs, &self.place)?;
            let durability = if self.settings.relaxed { Durability::Relaxed } else { Durability::Durable };
            let options = Options { durability, patience: self.settings.patience };
            let journal = FileJournal::new(self.fs, self.host.clone(), dir, options);
            self.ledger = Some(Ledger::new(journal, self.host.clone()));
        }
        Ok(self.ledger.as_ref())
    }

    /// The ledger; the first write creates the workspace.
    pub(super) fn ledger(&mut self) -> Result<&RealLedger> {
        if self.ledger_if_any()?.is_none() {
            let modes = if self.place.shared { Modes::Group } else { Modes::Owner };
            if journal::create(&self.fs, &self.host, &self.place.dir, modes)? {
                crate::cli::out::say(&format!("created the workspace {}", self.place.dir.display()));
            }
        }
        let dir = self.place.dir.clone();
        self.ledger_if_any()?
            .ok_or_else(|| Error::indefinite(&dir, "the workspace was created and is gone again"))
    }

    /// The ledger that [`Greeted::ledger`] opened.
    pub(super) fn opened(&self) -> &RealLedger {
        self.ledger.as_ref().expect("it was opened just before")
    }

    pub(super) fn folder(&mut self) -> Result<Folder> {
        let id = self.ledger()?.workspace()?;
        Ok(Folder { dir: self.place.dir.clone(), id })
    }
}

/// Who asks, under a fresh operation id.
pub(super) fn asking(ledger: &RealLedger, actor: fencehold_model::Holder) -> Asking {
    let op: OpId = ledger.new_op();
    Asking { actor, op }
}
