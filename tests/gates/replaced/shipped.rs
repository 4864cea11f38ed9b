//! Ours, as processes.

use super::super::repo::Repo;
use super::scenarios::Phases;
use crate::program::{fencehold_in, said};

const GATES: &str = r#"
[[gates]]
to = "done"
require = [ { file = "phases/{task}/VERIFICATION.md", not_empty = true, newer_than = ["src/"], max_age = "7d" } ]
on_override = { append = "docs/overrides.ndjson" }
"#;

pub(super) struct Shipped(Repo);

impl Shipped {
    pub(super) fn new() -> Self {
        Shipped(Repo::with(GATES))
    }

    fn lines(&self, args: &[&str]) -> Vec<serde_json::Value> {
        let said = said(fencehold_in(&self.0.0.path()).arg("--json").args(args));
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Phases for Shipped {
    fn repo(&self) -> &Repo {
        &self.0
    }

    fn done(&mut self, phase: &str, args: &[&str]) -> bool {
        let said = said(fencehold_in(&self.0.0.path()).args(["task", "set", phase, "done"]).args(args));
        assert!(matches!(said.code, 0..=2), "{said:?}");
        said.code == 0
    }

    fn both_done(&mut self, phases: [&str; 2], args: &[&str]) -> usize {
        let start = |phase| {
            let mut command = fencehold_in(&self.0.0.path());
            command.args(["task", "set", phase, "done"]).args(args).spawn().unwrap()
        };
        let both = phases.map(start);
        both.into_iter().map(|mut child| usize::from(child.wait().unwrap().success())).sum()
    }

    fn are_done(&mut self) -> Vec<String> {
        let tasks = self.lines(&["task", "list"]);
        tasks.iter().map(|task| task["task"].as_str().unwrap().to_owned()).collect()
    }

    fn reasons(&mut self, phase: &str) -> Vec<String> {
        let events = self.lines(&["history", &format!("task/{phase}")]);
        let reason =
            |event: &serde_json::Value| Some(event["event"]["forced"]["reason"].as_str()?.to_owned());
        let history: Vec<String> = events.iter().filter_map(reason).collect();
        let entries = self.0.entries("docs/overrides.ndjson");
        let logged = entries.iter().filter(|entry| entry["task"] == phase).count();
        let is_logged = self.0.path("docs").exists();
        assert_eq!(logged, if is_logged { history.len() } else { 0 }, "the log says what the history does");
        history
    }
}
