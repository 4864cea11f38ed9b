//! What a run of the gate comes to: figures, verdicts, files.
//!
//! [`table`] is for the terminal; [`write_all`] leaves `results.json`, `junit.xml` and `report.html` in the run's folder.

mod files;
mod html;
mod junit;
mod table;
mod text;

pub use files::write_all;
pub use table::table;
pub use text::grouped;

use std::time::Duration;

use serde_json::{Value, json};

/// What [`Results::target`] says where no `--target` was given.
pub const OWN_TARGET: &str = "our own implementation";

/// The outcome of a stage. Only [`Verdict::Ok`] is a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Checked up to the bound, nothing found.
    Ok,
    /// Something that must not be: a sentence.
    Violation(String),
    /// It could not be told, and why.
    Unknown(String),
    /// Nothing was found, but something that must happen *sometimes* did not.
    NotReached(String),
    /// Not run, and why.
    Skipped(String),
}

impl Verdict {
    /// Its word in tables and reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Violation(_) => "violation",
            Verdict::Unknown(_) => "unknown",
            Verdict::NotReached(_) => "not reached",
            Verdict::Skipped(_) => "skipped",
        }
    }

    /// What it says beside its word.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Verdict::Ok => "",
            Verdict::Violation(why)
            | Verdict::Unknown(why)
            | Verdict::NotReached(why)
            | Verdict::Skipped(why) => why,
        }
    }
}

/// What one stage came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageResult {
    /// Its name, as `--only` takes it.
    pub name: &'static str,
    /// How many cases it looked at.
    pub cases: u64,
    /// What a case is: "operations", "executions", "states".
    pub unit: &'static str,
    /// Up to where it looked, in words. Bounded is not exhaustive.
    pub bound: String,
    /// Its outcome.
    pub verdict: Verdict,
    /// How long it took.
    pub elapsed: Duration,
    /// Further figures, in the order to show them: name and value.
    pub figures: Vec<(String, String)>,
    /// The command that replays or judges what was found.
    pub command: Option<String>,
    /// The history of the counterexample in the run's folder, for the drawing.
    pub history: Option<std::path::PathBuf>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// When it began, UTC, as `20261121T013200Z`.
    pub utc: String,
    /// Its seed: what was drawn follows from it, what real time made does not.
    pub seed: u64,
    /// The profile.
    pub profile: &'static str,
    /// What was driven: [`OWN_TARGET`], or the command of `--target` as it was given.
    pub target: String,
    /// Machine, kernel and filesystem, in words.
    pub machine: String,
    /// The stages in the order they ran.
    pub stages: Vec<StageResult>,
    /// Stages that had to run (`--require`).
    pub required: Vec<String>,
}

impl Results {
    /// Whether no stage ran: nothing was looked at, and that is no pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.iter().all(|stage| matches!(stage.verdict, Verdict::Skipped(_)))
    }

    /// The exit code by the contract: 1 for a violation, 3 for what could not be told, was not reached, or was
    /// required and skipped, and where nothing ran, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |wanted: fn(&Verdict) -> bool| self.stages.iter().any(|stage| wanted(&stage.verdict));
        if any(|verdict| matches!(verdict, Verdict::Violation(_))) {
            1
        } else if any(|verdict| matches!(verdict, Verdict::Unknown(_) | Verdict::NotReached(_)))
            || self.missing().next().is_some()
            || self.is_empty()
        {
            3
        } else {
            0
        }
    }

    /// Stages that had to run and did not: skipped, or not there at all.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let ran = |name: &str, stage: &StageResult| {
            stage.name == name && !matches!(stage.verdict, Verdict::Skipped(_))
        };
        let names = self.required.iter().map(String::as_str);
        names.filter(move |name| !self.stages.iter().any(|stage| ran(name, stage)))
    }

    /// Stages that had to run and are not there at all, not even as skipped.
    pub(crate) fn absent(&self) -> impl Iterator<Item = &str> {
        self.missing().filter(|name| !self.stages.iter().any(|stage| stage.name == *name))
    }

    /// The command that runs the gate again as it was run; `only` one stage of it, where that is given.
    #[must_use]
    pub fn rerun(&self, only: Option<&str>) -> String {
        let mut out = format!("cargo gate --profile {} --seed {}", self.profile, self.seed);
        if let Some(stage) = only {
            out.push_str(&format!(" --only {}", text::quoted(stage)));
        }
        for stage in self.required.iter().filter(|stage| only.is_none_or(|only| only == *stage)) {
            out.push_str(&format!(" --require {}", text::quoted(stage)));
        }
        if self.target != OWN_TARGET {
            out.push_str(&format!(" --target {}", text::quoted(&self.target)));
        }
        out
    }

    /// How many stages came to each verdict, worst first.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 5] {
        ["violation", "unknown", "not reached", "skipped", "ok"]
            .map(|word| (word, self.stages.iter().filter(|stage| stage.verdict.word() == word).count()))
    }

    /// The stage whose command is the last line of the run: the first violation that has one, else the first other
    /// stage that is no pass and has one.
    #[must_use]
    pub fn counterexample(&self) -> Option<&StageResult> {
        let mut found = self.stages.iter().filter(|stage| stage.command.is_some());
        let violates = |stage: &&StageResult| matches!(stage.verdict, Verdict::Violation(_));
        let other = |stage: &&StageResult| !matches!(stage.verdict, Verdict::Ok | Verdict::Skipped(_));
        found.clone().find(violates).or_else(|| found.find(other))
    }

    /// The form of `results.json`.
    #[must_use]
    pub fn json(&self) -> Value {
        let stage = |stage: &StageResult| {
            json!({
                "stage": stage.name,
                "cases": stage.cases,
                "unit": stage.unit,
                "bound": stage.bound,
                "verdict": stage.verdict.word(),
                "why": stage.verdict.why(),
                "seconds": stage.elapsed.as_secs_f64(),
                "figures": stage.figures.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
                "command": stage.command,
                "history": stage.history,
            })
        };
        json!({
            "fencehold_gate": 1,
            "utc": self.utc,
            "seed": self.seed,
            "profile": self.profile,
            "target": self.target,
            "machine": self.machine,
            "required": self.required,
            "stages": self.stages.iter().map(stage).collect::<Vec<_>>(),
            "exit": self.exit_code(),
        })
    }
}
