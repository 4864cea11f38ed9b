//! Ours: `fencehold proposal` as real processes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::asked::{Merging, Who};
use crate::guard::play::Session;
use crate::program::{Yard, said};

const FILE: &str = "cerebrum.md";
const BEFORE: &str = "# What we know\n";

/// A checkout.
pub(super) struct Shipped {
    yard: Yard,
    /// What each saw: ids by content.
    seen: BTreeMap<Who, BTreeMap<String, String>>,
    picked: BTreeMap<Who, String>,
}

impl Shipped {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        std::fs::write(yard.join(FILE), BEFORE).expect("a file");
        Shipped { yard, seen: BTreeMap::new(), picked: BTreeMap::new() }
    }

    /// What `proposal check` exits with.
    pub(super) fn check(&self) -> i32 {
        self.yard.run(["proposal", "check", FILE]).code
    }

    /// Ids and contents of what waits.
    fn waiting(&self) -> Vec<(String, String)> {
        let listed = self.yard.run(["--json", "proposal", "list", FILE]);
        assert_eq!(listed.code, 0, "{listed:?}");
        let ids = listed.stdout.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["id"].as_str().expect("an id").to_owned()
        });
        ids.map(|id| {
            let shown = self.yard.json(0, ["proposal", "show", FILE, &id]);
            (id, shown["content"].as_str().expect("a content").to_owned())
        })
        .collect()
    }
}

impl Merging for Shipped {
    fn propose(&mut self, content: &str) {
        let mut add = self.yard.fencehold();
        add.args(["proposal", "add", FILE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = add.spawn().expect("it starts");
        child.stdin.take().expect("piped").write_all(content.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let expected = if content.trim().is_empty() { 2 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{content:?}: {output:?}");
    }

    fn look(&mut self, who: Who) {
        let seen = self.waiting().into_iter().map(|(id, content)| (content, id)).collect();
        self.seen.insert(who, seen);
    }

    fn pick(&mut self, who: Who, content: &str) {
        let id = self.seen[&who].get(content).unwrap_or_else(|| panic!("{content:?} does not wait")).clone();
        self.picked.insert(who, id);
    }

    fn apply(&mut self, who: Who) {
        if let Some(id) = self.picked.remove(&who) {
            let accepted = self.yard.run(["proposal", "accept", FILE, &id]);
            assert_eq!(accepted.code, 0, "{accepted:?}");
        }
    }

    fn reread(&mut self, _: Who) {}

    fn rewrite(&mut self, _: Who) {}

    fn dies(&mut self, who: Who) {
        let Some(id) = self.picked.remove(&who) else { return };
        let mut accept = self.yard.fencehold();
        accept.args(["proposal", "accept", FILE, &id]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = accept.spawn().expect("it starts");
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
    }

    fn merge_all(&mut self) {
        let accepted = said(self.yard.fencehold().args(["proposal", "accept", FILE, "--all", "--yes"]));
        assert_eq!(accepted.code, 0, "{accepted:?}");
    }

    fn waits(&mut self) -> Vec<String> {
        self.waiting().into_iter().map(|(_, content)| content).collect()
    }

    fn prose(&mut self) -> String {
        std::fs::read_to_string(self.yard.join(FILE)).expect("the file is there")
    }

    fn edit(&mut self, text: &str) {
        let policy = format!("[[guarded]]\npaths = [\"{FILE}\"]\nlock = \"prose\"\n");
        std::fs::write(self.yard.join("fencehold.toml"), policy).expect("a file");
        for args in
            [&["config", "apply"][..], &["lock", "acquire", "prose", "--holder", "curator", "--ttl", "1h"]]
        {
            let done = self.yard.run(args);
            assert_eq!(done.code, 0, "{done:?}");
        }
        let edit = json!({ "file_path": self.yard.join(FILE).to_string_lossy() });
        let decided = Session::new(&self.yard, "agent").call("pre-tool-use", "Edit", &edit);
        // What a harness does where it is not told otherwise.
        if decided["hookSpecificOutput"]["permissionDecision"] != "deny" {
            let prose = self.prose();
            std::fs::write(self.yard.join(FILE), format!("{prose}\n{text}")).expect("a file");
        }
    }
}
