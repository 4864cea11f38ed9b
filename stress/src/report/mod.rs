//! What a run of the gate comes to: figures, verdicts, files.

use std::time::Duration;

use serde_json::{Value, json};

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
    /// What was driven: our own implementation, or the command of `--target`.
    pub target: String,
    /// Machine, kernel and filesystem, in words.
    pub machine: String,
    /// The stages in the order they ran.
    pub stages: Vec<StageResult>,
    /// Stages that had to run (`--require`).
    pub required: Vec<String>,
}

impl Results {
    /// The exit code by the contract: 1 for a violation, 3 for what could not be told, was not reached, or was
    /// required and skipped, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |wanted: fn(&Verdict) -> bool| self.stages.iter().any(|stage| wanted(&stage.verdict));
        let skipped = |name: &String| {
            let ran =
                |stage: &StageResult| stage.name == *name && !matches!(stage.verdict, Verdict::Skipped(_));
            !self.stages.iter().any(ran)
        };
        if any(|verdict| matches!(verdict, Verdict::Violation(_))) {
            1
        } else if any(|verdict| matches!(verdict, Verdict::Unknown(_) | Verdict::NotReached(_)))
            || self.required.iter().any(skipped)
            || self.stages.is_empty()
        {
            3
        } else {
            0
        }
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
