//! What the tests of the specification share: a workspace on the real disk, a machine whose clock, boot and processes
//! a test sets, and a disk whose every call a test can watch, fail or die at.

mod disk;
mod machine;
pub(crate) mod vandal;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fencehold::error::{Error, Result};
use fencehold::fs::{Fs, RealFs};
use fencehold::journal::{Asking, Durability, FileJournal, Modes, Options, create};
use fencehold::ledger::{Answer, Ledger, LockView, Verdict};
use fencehold_model::event::Process;
use fencehold_model::lock::{Command, Grant, Proof};
use fencehold_model::{Claim, Entry, Holder, LockName, OpId, Token};

pub(crate) use disk::{Act, Disk, changes};
pub(crate) use machine::Machine;

/// A ledger over a folder, as one process has it.
pub(crate) type Party<F> = Ledger<FileJournal<F, Machine>, Machine>;

/// A case of a test, with its name.
pub(crate) type Named<T> = (&'static str, T);

/// A fresh workspace folder and the machine that it is on.
pub(crate) struct Lab {
    dir: tempfile::TempDir,
    pub(crate) machine: Machine,
}

/// Patient: a process that another test forks has our OS lock until it executes its program.
pub(crate) const DURABLE: Options =
    Options { durability: Durability::Durable, patience: std::time::Duration::from_secs(60) };
pub(crate) const RELAXED: Options = Options { durability: Durability::Relaxed, ..DURABLE };
pub(crate) const HOUR: u64 = 3_600_000;

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Lab::empty();
        assert!(create(&RealFs, &lab.machine, &lab.ws(), Modes::Owner).unwrap());
        lab
    }

    /// A folder in which the workspace was not made yet.
    pub(crate) fn empty() -> Self {
        // In memory where there is such a folder: no test here loses power, and thousands of syncs are waited for.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Lab { dir: dir.unwrap(), machine: Machine::new() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn ws(&self) -> PathBuf {
        self.root().join("ws")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.ws().join(name)
    }

    /// A process that has nothing open yet.
    pub(crate) fn party(&self) -> Party<RealFs> {
        self.party_on(RealFs, DURABLE)
    }

    pub(crate) fn party_on<F: Fs>(&self, fs: F, options: Options) -> Party<F> {
        let journal = FileJournal::new(fs, self.machine.clone(), &self.ws(), options);
        Ledger::new(journal, self.machine.clone())
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The number of the newest journal file.
    pub(crate) fn n(&self) -> u64 {
        let names = names(&self.ws());
        let number = |name: &String| name.strip_prefix("journal.")?.strip_suffix(".ndjson")?.parse().ok();
        names.iter().filter_map(number).max().expect("a journal")
    }

    /// The newest journal file.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path(&format!("journal.{}.ndjson", self.n()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(self.journal()).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) fn append(&self, bytes: impl AsRef<[u8]>) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(self.journal()).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn floor(&self) -> u64 {
        let floor: serde_json::Value = serde_json::from_slice(&self.bytes("floor.json")).unwrap();
        floor["floor"].as_u64().unwrap()
    }

    /// Every event that is kept, and what could not be read.
    pub(crate) fn history(&self) -> (Vec<Entry>, Vec<String>) {
        let mut entries = Vec::new();
        let notes = self.party().journal().history(|entry| entries.push(entry.clone())).unwrap();
        (entries, notes)
    }

    /// Every event that is kept, where all can be read.
    pub(crate) fn events(&self) -> Vec<Entry> {
        let (entries, notes) = self.history();
        assert!(notes.is_empty(), "{notes:?}");
        entries
    }

    /// Why the history of a damaged journal is refused.
    pub(crate) fn history_error(&self) -> Error {
        self.party().journal().history(|_| ()).unwrap_err()
    }

    /// Every file below the workspace folder with its bytes.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut left = vec![self.ws()];
        let mut found = Vec::new();
        while let Some(dir) = left.pop() {
            for name in names(&dir) {
                let path = dir.join(name);
                if path.is_dir() {
                    left.push(path);
                } else {
                    found.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}

/// Calls `run` with disks that die at the first, the second, … call, and in the midst of every write, until the
/// process lives to its end. Says how often it was killed.
pub(crate) fn kill_everywhere(mut run: impl FnMut(Disk, &dyn Fn() -> bool)) -> usize {
    let mut kills = 0;
    for nth in 1.. {
        let mut in_a_write = false;
        for written in [0, 1, 40] {
            if written > 0 && !in_a_write {
                break;
            }
            let (disk, calls) = Disk::killed_at(nth, written);
            let killed = || calls.lock().unwrap().len() >= nth;
            run(disk, &killed);
            if !killed() {
                return kills;
            }
            in_a_write = calls.lock().unwrap()[nth - 1] == "append";
            kills += 1;
        }
    }
    unreachable!("no operation makes calls without end")
}

/// The names in a folder, sorted; none where there is none.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What is asked for, by whom, under an operation id of its own.
pub(crate) fn asking(actor: &str) -> Asking {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let op = OpId::new(&format!("op-{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap();
    Asking { actor: Holder::new(actor).unwrap(), op }
}

pub(crate) fn lock(name: &str) -> LockName {
    LockName::new(name).unwrap()
}

/// A lock that is asked for; the claim is what stands after a `#` in `who`.
pub(crate) fn acquire(name: &str, who: &str, ttl_ms: u64) -> Command {
    let (holder, claim) = who.split_once('#').map_or((who, None), |(holder, claim)| (holder, Some(claim)));
    Command::Acquire {
        name: lock(name),
        holder: Holder::new(holder).unwrap(),
        claim: claim.map(|claim| Claim::new(claim).unwrap()),
        ttl_ms,
        bound: None,
        asked_by: None,
    }
}

pub(crate) fn acquire_bound(name: &str, who: &str, ttl_ms: u64, process: &Process) -> Command {
    let mut command = acquire(name, who, ttl_ms);
    if let Command::Acquire { bound, .. } = &mut command {
        *bound = Some(process.clone());
    }
    command
}

pub(crate) fn renew(name: &str, holder: &str, proof: Proof, ttl_ms: Option<u64>) -> Command {
    Command::Renew { name: lock(name), holder: Holder::new(holder).unwrap(), proof, ttl_ms }
}

pub(crate) fn release(name: &str, holder: &str, proof: Proof) -> Command {
    Command::Release { name: lock(name), holder: Holder::new(holder).unwrap(), proof }
}

pub(crate) fn end_by_hand(name: &str, reason: &str) -> Command {
    Command::Break { name: lock(name), reason: reason.to_owned() }
}

pub(crate) fn by_claim(claim: &str) -> Proof {
    Proof::Claim(Claim::new(claim).unwrap())
}

/// What a test does with a party, short.
pub(crate) trait Does {
    fn ask(&self, command: &Command) -> Result<Answer>;
    fn look(&self, name: &str) -> Result<LockView>;

    /// The verdict, which there must be.
    #[track_caller]
    fn verdict(&self, command: &Command) -> Verdict {
        self.ask(command).unwrap().verdict
    }

    /// The token of a grant, which there must be.
    #[track_caller]
    fn token(&self, command: &Command) -> Token {
        match self.verdict(command) {
            Verdict::Granted { token, .. } => token,
            other => panic!("{command:?} gave {other:?}"),
        }
    }

    /// The word of a refusal, which there must be.
    #[track_caller]
    fn refusal(&self, command: &Command) -> &'static str {
        match self.verdict(command) {
            Verdict::Refused(refusal) => refusal.word(),
            other => panic!("{command:?} gave {other:?}"),
        }
    }

    /// Who holds a lock, and with which token.
    #[track_caller]
    fn held(&self, name: &str) -> Option<(String, Token)> {
        self.grant(name).map(|grant| (grant.holder.to_string(), grant.token))
    }

    #[track_caller]
    fn grant(&self, name: &str) -> Option<Grant> {
        self.look(name).unwrap().grant.map(|(grant, _)| grant)
    }
}

impl<F: Fs> Does for Party<F> {
    fn ask(&self, command: &Command) -> Result<Answer> {
        self.submit(&asking("tester"), command)
    }

    fn look(&self, name: &str) -> Result<LockView> {
        self.show(&lock(name)).map(|seen| seen.value)
    }
}

/// Whether the error says that bytes are damaged.
pub(crate) fn is_damage<T: std::fmt::Debug>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Damaged { .. }))
}
