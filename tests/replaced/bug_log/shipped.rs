//! Ours: processes, and, where one dies at a step of its own, the library on a disk on which nothing works any more.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use fencehold::log::{Legacy, Log};
use fencehold::mark::{Folder, Rooted, Shown};
use fencehold_model::WorkspaceId;
use serde_json::{Value, json};

use super::in_memory::ids_of_old;
use super::scenarios::{BugLog, Outcome, Outcome2};
use crate::hooked::{Act, Hooked};
use crate::program::Yard;

const LOG: &str = "bugs.ndjson";
const OLD: &str = "buglog.json";

pub(super) struct Shipped {
    yard: Yard,
}

impl Shipped {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        assert_eq!(yard.run(["init"]).code, 0);
        Shipped { yard }
    }

    /// Imports on a disk on which every call from one on fails, as for a process that was killed there.
    fn dies(&self, step: usize, was_killed: &Arc<AtomicBool>) -> fencehold::Result<()> {
        let killed = was_killed.clone();
        let mut done = 0;
        let fs = Hooked::with_looks(move |_, _| {
            done += 1;
            if done > step {
                killed.store(true, SeqCst);
                return Act::Fail(std::io::ErrorKind::Other);
            }
            Act::Go
        });
        let root = self.yard.path();
        let dir = root.join(".git/fencehold");
        let rooted = Rooted::new(&fs, &root, &dir)?;
        let folder = Folder { dir, id: WorkspaceId::new("w1").unwrap() };
        let log = Log::open(fs, folder, &rooted, LOG.as_ref(), None)?;
        let legacy = Legacy::read(OLD.as_ref(), &fs::read(self.yard.join(OLD)).unwrap())?;
        log.import(&legacy, &Shown::nothing()).map(drop)
    }
}

impl BugLog for Shipped {
    fn begin(&mut self, log: Option<&str>, old: Option<&str>) {
        for (name, text) in [(LOG, log), (OLD, old)] {
            let _ = fs::remove_file(self.yard.join(name));
            if let Some(text) = text {
                fs::write(self.yard.join(name), text).unwrap();
            }
        }
    }

    fn append(&mut self, id: &str) {
        assert_eq!(self.yard.run(["log", "append", LOG, &json!({ "id": id }).to_string()]).code, 0);
    }

    fn append_two_at_once(&mut self) -> bool {
        false
    }

    fn ids(&mut self) -> Outcome2<Vec<String>> {
        let said = self.yard.run(["log", "read", LOG]);
        if said.code != 0 && said.code != 4 {
            return Err(format!("{said:?}"));
        }
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        Ok(said.stdout.lines().map(id).collect())
    }

    fn is_told(&mut self) -> bool {
        let check = self.yard.run(["log", "check", LOG]);
        check.code == 1 && check.stdout.contains("occurs more than once")
    }

    fn migrate(&mut self) -> Outcome {
        let said = self.yard.run(["log", "import", OLD, LOG]);
        if said.code == 0 { Ok(()) } else { Err(said.stderr) }
    }

    fn migrate_killed(&mut self, step: usize) -> bool {
        let was_killed = Arc::new(AtomicBool::new(false));
        let _ = self.dies(step, &was_killed);
        was_killed.load(SeqCst)
    }

    fn migrate_twice_and_append(&mut self, id: &str) {
        let start = |args: &[&str]| {
            self.yard.fencehold().args(args).stderr(std::process::Stdio::null()).spawn().unwrap()
        };
        let record = json!({ "id": id }).to_string();
        let children = [
            start(&["log", "import", OLD, LOG]),
            start(&["log", "append", LOG, &record]),
            start(&["log", "import", OLD, LOG]),
        ];
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }

    fn old_hook_adds(&mut self, id: &str) {
        let mut old: Value = serde_json::from_slice(&fs::read(self.yard.join(OLD)).unwrap()).unwrap();
        old["bugs"].as_array_mut().unwrap().push(json!({ "id": id }));
        fs::write(self.yard.join(OLD), old.to_string()).unwrap();
        // Before the next import anybody who looks is told.
        if self.yard.join(".git/fencehold/imported.ndjson").exists() {
            let check = self.yard.run(["log", "check", LOG]);
            assert!(check.code == 1 && check.stderr.contains("some program still writes there"), "{check:?}");
        }
    }

    fn old_reader(&mut self) -> Vec<String> {
        ids_of_old(&fs::read_to_string(self.yard.join(OLD)).unwrap_or_default())
    }

    fn on_a_strange_filesystem(&mut self) -> Outcome {
        let said = self.yard.run(["--root", "/proc/self", "log", "append", "l", "{\"id\":\"a\"}"]);
        if said.code == 0 { Ok(()) } else { Err(said.stderr) }
    }
}
