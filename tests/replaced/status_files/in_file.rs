//! Our own: a `status.json` for each run, read and updated by the shipped program, and a lease that knows its process.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::FileJournal;
use fencehold::ledger::{LeaseVerdict, Ledger};
use fencehold_model::event::Process;
use fencehold_model::lease::{self, About};
use fencehold_model::{Holder, LeaseId};
use serde_json::{Value, json};

use super::asked::{Act, Files, Look, Runs, Seen, Start, Told, decide};
use crate::program::{Kept, Yard};
use crate::spec_kit::{DURABLE, asking};

pub(super) struct InFile {
    yard: Yard,
    run: usize,
    agent: Option<Kept>,
}

impl InFile {
    pub(super) fn new() -> Self {
        InFile { yard: Yard::with_git(), run: 0, agent: None }
    }

    fn file(&self) -> String {
        format!("runs/{}/status.json", self.run)
    }

    fn update(&self, patch: &Value, version: &str) -> bool {
        let patch = patch.to_string();
        let said = self.yard.run(["doc", "update", &self.file(), "--merge", &patch, "--expect", version]);
        assert!(said.code <= 1, "{said:?}");
        said.code == 0
    }
}

/// What the status of a run is at the start.
pub(super) fn standing(how: Start) -> (&'static str, &'static str) {
    match how {
        Start::Queued => ("queued", ""),
        Start::Running | Start::Dead => ("running", ""),
        Start::Blocked => ("blocked", "which of the two?"),
        Start::Completed => ("completed", "pull/6"),
        Start::Failed => ("failed", "the service ended"),
    }
}

/// An agent with a lease on its run, dead already where that is how it stands.
pub(super) fn agent(yard: &Yard, run: usize, how: Start) -> Option<Kept> {
    if !matches!(how, Start::Running | Start::Dead) {
        return None;
    }
    let agent = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let granted = yard.run(["lease", "grant", &format!("run-{run}"), "--pid", &agent.0.id().to_string()]);
    assert_eq!(granted.code, 0, "{granted:?}");
    // What is dropped is killed and reaped.
    (how == Start::Running).then_some(agent)
}

/// A process with the number of one that had the lease on a run, began at another time, and is dead.
pub(super) fn stranger(yard: &Yard, run: usize) -> Kept {
    let stranger = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let host = RealHost::new().unwrap();
    let is = host.process(stranger.0.id().into()).unwrap();
    let was = Process { start_ticks: is.start_ticks - 1, ..is };
    let journal = FileJournal::new(RealFs, host.clone(), &yard.join(".git/fencehold"), DURABLE);
    let grant = lease::Command::Grant {
        lease: LeaseId::new(&format!("run-{run}")).unwrap(),
        holder: Holder::new("tester").unwrap(),
        ttl_ms: None,
        writes: Vec::new(),
        about: About::default(),
        bound: Some(was),
        asked_by: None,
    };
    let answer = Ledger::new(journal, host).lease(&asking("tester"), &grant).unwrap();
    assert!(matches!(answer.verdict, LeaseVerdict::Granted { .. }), "{answer:?}");
    stranger
}

/// Whether the process of a run is proven dead.
pub(super) fn is_dead(yard: &Yard, run: usize) -> bool {
    let said = yard.run(["--json", "lease", "show", &format!("run-{run}")]);
    let shown: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    shown["state"] == "crashed" || !shown["lapsed"].is_null()
}

/// Every file below a folder.
pub(super) fn files(dir: &Path) -> Files {
    let mut found = Files::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            found.extend(files(&path));
        }
        let bytes = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let changed = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        found.insert(path, (meta.ino(), changed, bytes));
    }
    found
}

impl Runs for InFile {
    fn begin(&mut self, how: Start) {
        self.run += 1;
        std::fs::create_dir_all(self.yard.join(format!("runs/{}", self.run))).unwrap();
        let (status, note) = standing(how);
        assert!(self.update(&json!({ "status": status, "note": note }), "absent"));
        self.agent = agent(&self.yard, self.run, how);
    }

    fn begin_with_a_number_used_again(&mut self) {
        self.begin(Start::Queued);
        assert_eq!(self.does(Act::Drain), Told::Done);
        self.agent = Some(stranger(&self.yard, self.run));
    }

    fn looks(&mut self) -> Look {
        let read = self.yard.json(0, ["doc", "read", &self.file()]);
        let (value, text) = (&read["value"], |value: &Value| value.as_str().unwrap_or_default().to_owned());
        let document = &value["document"];
        let status = text(&document["status"]);
        let is_dead = status == "running" && is_dead(&self.yard, self.run);
        Look {
            seen: Seen { status, note: text(&document["note"]), is_dead },
            version: text(&value["version"]),
        }
    }

    fn writes(&mut self, act: Act, look: &Look) -> Told {
        let mut look = look.clone();
        loop {
            let Some((status, note)) = decide(act, &look.seen) else { return Told::Refused };
            if self.update(&json!({ "status": status, "note": note }), &look.version) {
                return Told::Done;
            }
            // It is another document by now: what was decided holds for none that there is.
            look = self.looks();
        }
    }

    fn lists(&mut self) -> Seen {
        self.looks().seen
    }

    fn files(&self) -> Files {
        files(&self.yard.path())
    }
}
