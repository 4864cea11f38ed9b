//! A checkout with a workspace in it, and a process that takes locks there.

use std::path::{Path, PathBuf};

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{Asking, Durability, FileJournal, Modes, Options, create};
use fencehold::ledger::{Ledger, Verdict};
use fencehold_model::lock::{Command, Proof, TTL_MS_DEFAULT};
use fencehold_model::{Claim, Holder, LockName, Token};

use crate::Result;

/// Who takes the locks, and by which claim.
pub const HOLDER: &str = "bench";
/// See [`HOLDER`].
pub const CLAIM: &str = "0123456789abcdef0123456789abcdef";

/// A git checkout of its own with an empty workspace, gone when this is dropped.
#[derive(Debug)]
pub struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    /// Makes one in `parent`, which lies on the disk that is measured.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn under(parent: &Path) -> Result<Self> {
        std::fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(parent)?;
        make(folder.path())?;
        Ok(Checkout { folder })
    }

    /// The top of the working tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The workspace folder: where `fencehold` itself puts it.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        workspace_of(self.root())
    }

    /// What kind of filesystem it lies on.
    ///
    /// # Errors
    /// Where it is none that a workspace may lie on.
    pub fn filesystem(&self) -> Result<&'static str> {
        Ok(fencehold::locate::check_filesystem(RealFs, self.root())?.0)
    }

    /// The current journal file's bytes.
    ///
    /// # Errors
    /// Where there is none.
    pub fn journal(&self) -> Result<Vec<u8>> {
        let number = |path: &Path| -> Option<u64> {
            path.file_name()?.to_str()?.strip_prefix("journal.")?.strip_suffix(".ndjson")?.parse().ok()
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.workspace())? {
            let path = entry?.path();
            files.extend(number(&path).map(|n| (n, path)));
        }
        let (_, newest) = files.into_iter().max().ok_or("there is no journal")?;
        Ok(std::fs::read(newest)?)
    }

    /// A process that takes locks here.
    ///
    /// # Errors
    /// Where the machine cannot be looked at.
    pub fn locks(&self, durability: Durability) -> Result<Locks> {
        let host = RealHost::new()?;
        let options = Options { durability, ..Options::default() };
        let journal = FileJournal::new(RealFs, host.clone(), &self.workspace(), options);
        let (holder, claim) = (Holder::new(HOLDER)?, Claim::new(CLAIM)?);
        Ok(Locks { ledger: Ledger::new(journal, host), holder, claim, next: 0 })
    }
}

/// Makes a git checkout of `root`, which is there, with an empty workspace in it.
///
/// # Errors
/// Where that cannot be written.
pub fn make(root: &Path) -> Result<()> {
    // What git itself asks of a repository: enough to be found before the one that this package lies in.
    let git = root.join(".git");
    for dir in ["objects", "refs"] {
        std::fs::create_dir_all(git.join(dir))?;
    }
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n")?;
    std::fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = false\n")?;
    create(&RealFs, &RealHost::new()?, &workspace_of(root), Modes::Owner)?;
    Ok(())
}

/// The workspace folder of a checkout.
#[must_use]
pub fn workspace_of(root: &Path) -> PathBuf {
    root.join(".git").join("fencehold")
}

/// A handle on the locks of a workspace, as a program that uses the library has it.
#[derive(Debug)]
pub struct Locks {
    ledger: Ledger<FileJournal<RealFs, RealHost>, RealHost>,
    holder: Holder,
    claim: Claim,
    next: u64,
}

impl Locks {
    /// Takes the lock `name`.
    ///
    /// # Errors
    /// Where it cannot be recorded; a refusal is one too.
    pub fn acquire(&self, name: &LockName) -> Result<Token> {
        let command = Command::Acquire {
            name: name.clone(),
            holder: self.holder.clone(),
            claim: Some(self.claim.clone()),
            ttl_ms: TTL_MS_DEFAULT,
            bound: None,
            asked_by: None,
        };
        match self.submit(&command)? {
            Verdict::Granted { token, .. } => Ok(token),
            other => Err(format!("{name} was not granted: {other:?}").into()),
        }
    }

    /// Takes a lock that nobody ever took.
    ///
    /// # Errors
    /// As [`Locks::acquire`].
    pub fn acquire_next(&mut self) -> Result<Token> {
        self.next += 1;
        self.acquire(&LockName::new(&format!("lock-{:08}", self.next))?)
    }

    /// Lets a lock go that was taken by this handle, or by a process with the same holder and claim.
    ///
    /// # Errors
    /// As [`Locks::acquire`].
    pub fn release(&self, name: &LockName) -> Result<()> {
        let (name, holder, proof) = (name.clone(), self.holder.clone(), Proof::Claim(self.claim.clone()));
        match self.submit(&Command::Release { name, holder, proof })? {
            Verdict::Released { .. } => Ok(()),
            other => Err(format!("it was not released: {other:?}").into()),
        }
    }

    /// How many locks are held.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn held(&self) -> Result<usize> {
        Ok(self.ledger.list()?.value.len())
    }

    fn submit(&self, command: &Command) -> Result<Verdict> {
        let asking = Asking { actor: self.holder.clone(), op: self.ledger.new_op() };
        Ok(self.ledger.submit(&asking, command)?.verdict)
    }
}
