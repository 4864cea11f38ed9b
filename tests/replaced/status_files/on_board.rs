//! Our own: each run is a task of the board, under a vocabulary of its statuses, and a lease knows its process.

use serde_json::{Value, json};

use super::asked::{Act, Files, Look, Runs, Seen, Start, Told, decide};
use super::in_file::{agent, files, is_dead, standing, stranger};
use crate::program::{Kept, Yard};

/// A run that has ended is left by a reopen alone.
pub(super) const POLICY: &str = "\
[tasks]
statuses = [
  { name = \"queued\", rank = 0 },
  { name = \"running\", rank = 1 },
  { name = \"blocked\", rank = 2, terminal = true },
  { name = \"completed\", rank = 2, terminal = true },
  { name = \"failed\", rank = 2, terminal = true },
]
";

pub(super) struct OnBoard {
    yard: Yard,
    run: usize,
    agent: Option<Kept>,
}

impl OnBoard {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        std::fs::write(yard.join("fencehold.toml"), POLICY).unwrap();
        let applied = yard.run(["config", "apply"]);
        assert_eq!(applied.code, 0, "{applied:?}");
        OnBoard { yard, run: 0, agent: None }
    }

    fn task(&self) -> String {
        format!("run-{}", self.run)
    }

    /// Runs `task`, which is done, already so, or refused by the rules.
    fn asks(&self, args: &[&str]) -> Told {
        let said = self.yard.run(["--json", "task"].iter().chain(args));
        assert!(said.code <= 1, "{args:?}: {said:?}");
        let told: Value = serde_json::from_str(&said.stdout).unwrap();
        match (said.code, told["value"]["already"].as_bool()) {
            (0, None) => Told::Done,
            _ => Told::Refused,
        }
    }
}

fn seen(stands: &Value, is_dead: bool) -> Seen {
    let statuses: Vec<&str> =
        stands["statuses"].as_array().unwrap().iter().map(|status| status.as_str().unwrap()).collect();
    let status = statuses.join(" and ");
    let note = stands["details"][&status]["note"].as_str().unwrap_or_default().to_owned();
    Seen { is_dead: is_dead && status == "running", status, note }
}

impl Runs for OnBoard {
    fn begin(&mut self, how: Start) {
        self.run += 1;
        let ((status, note), task) = (standing(how), self.task());
        let detail = json!({ "note": note }).to_string();
        assert_eq!(self.asks(&["set", &task, status, "--detail", &detail]), Told::Done);
        self.agent = agent(&self.yard, self.run, how);
    }

    fn begin_with_a_number_used_again(&mut self) {
        self.begin(Start::Queued);
        assert_eq!(self.does(Act::Drain), Told::Done);
        self.agent = Some(stranger(&self.yard, self.run));
    }

    fn looks(&mut self) -> Look {
        let stands = self.yard.json(0, ["task", "show", &self.task()]);
        let is_running = stands["statuses"] == json!(["running"]);
        let is_dead = is_running && is_dead(&self.yard, self.run);
        Look { seen: seen(&stands, is_dead), version: stands["epoch"].to_string() }
    }

    fn writes(&mut self, act: Act, look: &Look) -> Told {
        let Some((status, note)) = decide(act, &look.seen) else { return Told::Refused };
        let task = self.task();
        let (from, epoch) = (look.seen.status.as_str(), look.version.as_str());
        if act == Act::Resume {
            let why = "it was answered";
            return self.asks(&["reopen", &task, status, "--reason", why, "--from", from, "--epoch", epoch]);
        }
        let detail = json!({ "note": note }).to_string();
        let mut args = vec!["set", &task, status, "--from", from, "--epoch", epoch];
        if !note.is_empty() {
            args.extend(["--detail", &detail]);
        }
        self.asks(&args)
    }

    fn lists(&mut self) -> Seen {
        let said = self.yard.run(["--json", "task", "list"]);
        let mut all = said.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let task = self.task();

        let own = all.find(|stands| stands["task"] == task.as_str()).expect("it is listed");
        seen(&own, is_dead_where_known(&self.yard, self.run))
    }

    fn files(&self) -> Files {
        files(&self.yard.path())
    }
}

/// The same where a run may have no lease.
fn is_dead_where_known(yard: &Yard, run: usize) -> bool {
    yard.run(["--json", "lease", "show", &format!("run-{run}")]).code == 0 && is_dead(yard, run)
}
