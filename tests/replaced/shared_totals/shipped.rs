//! Our own: `doc update` as processes. A filter that waits at a FIFO holds one up between its read and its write.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::scenarios::{Left, Totals, Who};
use crate::program::{Kept, Said, Yard, clean, said};

const FILE: &str = "totals.json";
/// Adds one to `sessions`, and leaves whatever else there is.
const ADD: &str = "old=$(cat); n=$(printf %s \"$old\" | sed 's/.*\"sessions\": *\\([0-9]*\\).*/\\1/'); \
                   new=$(printf %s \"$old\" | sed \"s/\\\"sessions\\\": *[0-9]*/\\\"sessions\\\":$((n+1))/\"); ";
const PRINT: &str = "printf '%s\\n' \"$new\"";

pub(super) struct Shipped {
    yard: Yard,
    writers: Who,
    inside: BTreeMap<Who, Kept>,
    /// Held for as long as a filter may come to read from one: what nobody has open is forgotten (fifo(7)).
    open: Vec<File>,
}

impl Shipped {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        fs::write(yard.join(FILE), "{\"hits\":0,\"sessions\":0}\n").unwrap();
        // The workspace, and a lock that was held once.
        let made = yard.run(["doc", "update", FILE, "--exec", "cat"]);
        assert_eq!(made.code, 0, "{made:?}");
        // Nobody here waits for who is held up.
        fs::write(yard.join(".git/fencehold/config.toml"), "patience = \"200ms\"\n").unwrap();
        Shipped { yard, writers: 0, inside: BTreeMap::new(), open: Vec::new() }
    }

    fn fifo(&self, who: Who) -> PathBuf {
        self.yard.join(format!("go.{who}"))
    }

    fn update(&self, filter: &str) -> Command {
        let mut update = self.yard.fencehold();
        update.args(["doc", "update", FILE, "--within", "10m", "--exec", filter]);
        update
    }

    /// Lets who waits at its FIFO go on.
    fn lets_go(&mut self, who: Who) {
        // Held for reading too, so that nobody waits who opens it.
        let mut fifo = OpenOptions::new().read(true).write(true).open(self.fifo(who)).unwrap();
        fifo.write_all(b"go\n").unwrap();
        self.open.push(fifo);
    }

    /// The files of the workspace by which a document is locked.
    fn locks(&self) -> Vec<PathBuf> {
        let dir = self.yard.join(".git/fencehold/doc");
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn touch(&self, when: &str) {
        for lock in self.locks() {
            let touched = Command::new("touch").args(["-d", when]).arg(lock).status().unwrap();
            assert!(touched.success());
        }
    }

    fn session(&self, session: &str) -> String {
        format!("session.{session}.json")
    }
}

/// Told that it is done, or refused definitely.
fn told(said: &Said) -> bool {
    assert!(matches!(said.code, 0 | 1 | 2 | 4), "{said:?}");
    said.code == 0
}

impl Totals for Shipped {
    fn begins(&mut self) -> Option<Who> {
        self.writers += 1;
        let fifo = self.fifo(self.writers);
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let filter = format!("{ADD} echo inside >&2; read go < '{}'; {PRINT}", fifo.display());
        let mut child =
            Kept(self.update(&filter).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
        let mut lines = BufReader::new(child.0.stderr.take().unwrap()).lines();
        // What it says first is that it is inside, or why it is not.
        let first = lines.next().expect("it says something").unwrap();
        if first != "inside" {
            assert!(!child.0.wait().unwrap().success(), "{first}");
            return None;
        }
        self.inside.insert(self.writers, child);
        Some(self.writers)
    }

    fn goes_on(&mut self, who: Who) -> bool {
        let mut child = self.inside.remove(&who).expect("it is inside");
        self.lets_go(who);
        child.0.wait().unwrap().success()
    }

    fn dies(&mut self, who: Who) {
        drop(self.inside.remove(&who));
        self.lets_go(who);
    }

    /// It has ended: a process does nothing after that, and the kernel's lock is let go once.
    fn ends_again(&mut self, _: Who) {}

    fn adds(&mut self) -> (bool, String) {
        let said = said(&mut self.update(&format!("{ADD} {PRINT}")));
        let told = told(&said);
        let version = said.stderr.lines().filter(|line| !line.contains("the version is"));
        (told, version.collect())
    }

    fn two_add(&mut self) -> usize {
        let mut begun =
            [0, 1].map(|_| self.update(&format!("{ADD} {PRINT}")).stdout(Stdio::null()).spawn().unwrap());
        let ended = begun.iter_mut().map(|child| child.wait().unwrap().success());
        let told = ended.filter(|told| *told).count();
        if told == 2 { told } else { told + usize::from(self.adds().0) }
    }

    /// Nothing here goes by time; what there is to go by says so.
    fn eleven_seconds_pass(&mut self) {
        self.touch("11 seconds ago");
    }

    fn left(&mut self, how: Left) {
        match how {
            Left::Empty => self.locks().iter().for_each(|lock| fs::write(lock, "").unwrap()),
            Left::FromTheFuture => self.touch("next year"),
        }
    }

    fn damage(&mut self) {
        let bytes = self.bytes();
        fs::write(self.yard.join(FILE), &bytes[..bytes.len() / 2]).unwrap();
    }

    fn adds_on_a_full_disk(&mut self) -> bool {
        // No byte of any file is taken (EFBIG), as on a full disk; nor is one left behind.
        let mut sh = Command::new("sh");
        clean(&mut sh).current_dir(self.yard.path()).env("FENCEHOLD_HOLDER", "tester");
        sh.args([
            "-c",
            "trap '' XFSZ; ulimit -f 0; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_fencehold-under-test"),
        ]);
        let said = said(sh.args(["doc", "update", FILE, "--merge", "{\"sessions\":2}"]).stdin(Stdio::null()));
        let left = fs::read_dir(self.yard.path()).unwrap().count();
        assert_eq!(left, 2, "only .git and the totals: {said:?}");
        told(&said)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.yard.join(FILE)).unwrap()
    }

    fn total(&self) -> Option<usize> {
        let said = self.yard.run(["--json", "doc", "read", FILE]);
        let value: Value = serde_json::from_str(&said.stdout).ok()?;
        usize::try_from(value["value"]["document"]["sessions"].as_u64()?).ok()
    }

    fn edits(&mut self, session: &str, file: &str) {
        let count = self.edited(session, file) + 1;
        let patch = json!({ file: count }).to_string();
        assert_eq!(self.yard.run(["doc", "update", &self.session(session), "--merge", &patch]).code, 0);
    }

    fn edited(&mut self, session: &str, file: &str) -> usize {
        let said = self.yard.run(["--json", "doc", "read", &self.session(session)]);
        let value: Value = serde_json::from_str(&said.stdout).unwrap();
        usize::try_from(value["value"]["document"][file].as_u64().unwrap_or(0)).unwrap()
    }

    fn deletes(&mut self, key: &str) {
        let patch = json!({ key: null }).to_string();
        assert_eq!(self.yard.run(["doc", "update", FILE, "--merge", &patch]).code, 0);
    }
}
