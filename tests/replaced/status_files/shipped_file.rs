//! Our own: the shipped program as processes, and the library in threads of this one.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use fencehold::document::Document;
use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::FileJournal;
use fencehold::ledger::Ledger;
use fencehold::mark::{Folder, Rooted, Shown};
use serde_json::{Value, json};

use super::file::{Meeting, StatusFile};
use crate::program::{Kept, Said, Yard, clean, said};
use crate::spec_kit::DURABLE;

const FILE: &str = "runs/status.json";
/// How often what happens at once is tried.
const ROUNDS: usize = 6;

pub(super) struct ShippedFile {
    yard: Yard,
}

/// What makes the document anew from the body that stands in a file of its own.
const FILTER: &str = "cat > /dev/null; printf '{\"body\":\"'; cat \"$BODY\"; printf '\"}\\n'";

impl ShippedFile {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        fs::create_dir(yard.join("runs")).unwrap();
        ShippedFile { yard }
    }

    /// `doc update` behind a line of sh(1), with the body in a file beside the folder.
    fn update(&self, line: &str, body: &str, number: usize) -> Command {
        let held = self.yard.join(format!("body.{number}"));
        fs::write(&held, body).unwrap();
        let mut sh = Command::new("sh");
        clean(&mut sh).current_dir(self.yard.path()).env("FENCEHOLD_HOLDER", "tester").env("BODY", held);
        sh.args(["-c", &format!("{line} exec \"$@\""), "sh", env!("CARGO_BIN_EXE_fencehold-under-test")]);
        sh.args(["doc", "update", FILE, "--exec", FILTER]).stdin(Stdio::null());
        sh
    }

    /// In a child of this process, which is told when all of them are there.
    fn at_once(&self, bodies: [&str; 2]) -> (Vec<Kept>, impl Drop + use<>) {
        let (reader, barrier) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let mut begun = Vec::new();
        for (number, body) in bodies.into_iter().enumerate() {
            let mut update = self.update("echo ready; read go;", body, number);
            update.stdin(reader.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::null());
            begun.push(Kept(update.spawn().unwrap()));
        }
        for writer in &mut begun {
            let mut ready = [0; 6];
            writer.0.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        }
        (begun, barrier)
    }
}

fn told(said: &Said) -> bool {
    assert!(matches!(said.code, 0..=3), "{said:?}");
    said.code == 0
}

impl StatusFile for ShippedFile {
    fn rounds(&self) -> usize {
        ROUNDS
    }

    fn path(&self) -> PathBuf {
        self.yard.join(FILE)
    }

    fn write(&mut self, body: &str) -> bool {
        told(&said(&mut self.update("", body, 0)))
    }

    fn read(&mut self) -> Result<String, String> {
        let said = self.yard.run(["--json", "doc", "read", FILE]);
        if said.code != 0 {
            return Err(said.stderr);
        }
        let value: Value = serde_json::from_str(&said.stdout).map_err(|error| error.to_string())?;
        Ok(value["value"]["document"]["body"].as_str().unwrap_or_default().to_owned())
    }

    fn two_at_once(&mut self, bodies: [&str; 2]) -> Meeting {
        let mut meeting = Meeting::default();
        let (mut writers, barrier) = self.at_once(bodies);
        drop(barrier);
        loop {
            let ended = writers.iter_mut().all(|writer| writer.0.try_wait().unwrap().is_some());
            meeting.seen.push(self.read());
            if ended {
                break;
            }
        }
        meeting.told = writers.iter_mut().map(|writer| writer.0.wait().unwrap().success()).collect();
        meeting
    }

    fn on_a_full_disk(&mut self, body: &str) -> bool {
        // A file of more than 100 KiB is refused (EFBIG), as one on a full disk is; a kibibyte is two of its blocks.
        told(&said(&mut self.update("trap '' XFSZ; ulimit -f 200;", body, 0)))
    }

    fn killed_writing(&mut self, body: &str) {
        let said = said(&mut self.update("ulimit -f 200;", body, 0));
        assert_eq!(said.code, 128 + rustix::process::Signal::XFSZ.as_raw(), "{said:?}");
    }

    fn add_keys(&mut self, each: usize) -> usize {
        // Patient: what another test forks has our OS lock until it executes its program.
        fs::write(self.yard.join(".git/fencehold/config.toml"), "patience = \"60s\"\n").unwrap();
        let program = env!("CARGO_BIN_EXE_fencehold-under-test");
        let script = "n=0; told=0; while [ $n -lt $EACH ]; do \
                      \"$0\" doc update \"$FILE\" --merge \"{\\\"1-$THREAD-$n\\\":true}\" > /dev/null && told=$((told+1)); \
                      n=$((n+1)); done; echo $told";
        let other = |thread: usize| {
            let mut sh = Command::new("sh");
            clean(&mut sh).current_dir(self.yard.path()).env("FENCEHOLD_HOLDER", "tester");
            sh.env("EACH", each.to_string()).env("FILE", FILE).env("THREAD", thread.to_string());
            Kept(sh.args(["-c", script, program]).stdout(Stdio::piped()).spawn().unwrap())
        };
        let others = [other(0), other(1)];
        let ours = [0, 1].map(|thread| {
            let (root, dir) = (self.yard.path(), self.yard.join(".git/fencehold"));
            thread::spawn(move || {
                let host = RealHost::new().unwrap();
                let journal = FileJournal::new(RealFs, host.clone(), &dir, DURABLE);
                let id = Ledger::new(journal, host.clone()).workspace().unwrap();
                let rooted = Rooted::new(&RealFs, &root, &dir).unwrap();
                let document = Document::open(RealFs, host, Folder { dir, id }, &rooted, FILE.as_ref())
                    .unwrap()
                    .with_patience(DURABLE.patience);
                let add = |n: usize| {
                    let patch = json!({ format!("0-{thread}-{n}"): true });
                    document.merge(&patch, None, &Shown::nothing()).unwrap().is_ok()
                };
                (0..each).filter(|n| add(*n)).count()
            })
        });
        let ours: usize = ours.into_iter().map(|thread| thread.join().unwrap()).sum();
        let others = others.into_iter().map(|mut other| {
            let mut told = String::new();
            other.0.stdout.as_mut().unwrap().read_to_string(&mut told).unwrap();
            told.trim().parse::<usize>().unwrap()
        });
        ours + others.sum::<usize>()
    }

    fn keys(&mut self) -> usize {
        let value: Value = serde_json::from_slice(&fs::read(self.path()).unwrap()).unwrap();
        value.as_object().unwrap().len() - 1
    }
}
