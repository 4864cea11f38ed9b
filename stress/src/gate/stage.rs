//! What every stage is given, and how it tells how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::report::{StageResult, Verdict};
use crate::sim::scenario::Counterexample;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Within 45 s.
    Quick,
    /// Within 4 min.
    Default,
    /// As long as asked for.
    Deep,
}

impl Profile {
    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Default => "default",
            Profile::Deep => "deep",
        }
    }

    /// Picks a figure by profile.
    #[must_use]
    pub fn pick<T>(self, quick: T, default: T, deep: T) -> T {
        match self {
            Profile::Quick => quick,
            Profile::Default => default,
            Profile::Deep => deep,
        }
    }
}

/// What a stage is given.
#[derive(Debug)]
pub struct Context {
    /// How much to look at.
    pub profile: Profile,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// The folder of this run.
    pub run_dir: PathBuf,
    /// The words of `--target`; none for our own implementation.
    pub target: Option<Vec<String>>,
    /// Seconds for the kill soak, where `--seconds` says so.
    pub seconds: Option<u64>,
    /// The live line.
    pub progress: Progress,
}

impl Context {
    /// Ends the stage that `progress` began, with what it found.
    pub fn finish(&mut self, name: &'static str, found: Finding) -> StageResult {
        let elapsed = self.progress.elapsed();
        self.progress.end();
        let Finding { cases, unit, bound, verdict, figures, command, history } = found;
        StageResult { name, cases, unit, bound, verdict, elapsed, figures, command, history }
    }

    /// The same for a stage that ran something simulated: a counterexample is written to the run's folder as a
    /// schedule, with the command that replays it.
    pub fn finish_simulated(
        &mut self,
        name: &'static str,
        found: Result<Finding, (Finding, Box<Counterexample>)>,
    ) -> StageResult {
        let finding = match found {
            Ok(finding) => finding,
            Err((finding, counterexample)) => {
                let path = self.run_dir.join(format!("{name}.schedule.ndjson"));
                let (verdict, command) = match std::fs::write(&path, counterexample.schedule.to_ndjson()) {
                    Ok(()) => {
                        (Verdict::Violation(counterexample.to_string()), Some(super::replay_command(&path)))
                    }
                    Err(error) => {
                        let why = format!("{counterexample}\nwriting {}: {error}", path.display());
                        (Verdict::Violation(why), None)
                    }
                };
                Finding { verdict, command, ..finding }
            }
        };
        self.finish(name, finding)
    }
}

/// What a stage found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How many cases it looked at.
    pub cases: u64,
    /// What a case is.
    pub unit: &'static str,
    /// Up to where it looked.
    pub bound: String,
    /// Its outcome.
    pub verdict: Verdict,
    /// Further figures.
    pub figures: Vec<(String, String)>,
    /// The command that replays or judges what was found.
    pub command: Option<String>,
    /// The history of the counterexample.
    pub history: Option<PathBuf>,
}

impl Finding {
    /// Nothing found in so many cases.
    #[must_use]
    pub fn ok(cases: u64, unit: &'static str, bound: impl Into<String>) -> Self {
        let bound = bound.into();
        Finding {
            cases,
            unit,
            bound,
            verdict: Verdict::Ok,
            figures: Vec::new(),
            command: None,
            history: None,
        }
    }
}

/// The live line of a stage on a terminal: what, how many, rate, time left.
#[derive(Debug)]
pub struct Progress {
    stage: &'static str,
    begun: Instant,
    last: Option<Instant>,
    terminal: bool,
}

/// How often the line is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

impl Progress {
    /// A line for no stage yet.
    #[must_use]
    pub fn new() -> Self {
        Progress { stage: "", begun: Instant::now(), last: None, terminal: std::io::stderr().is_terminal() }
    }

    /// No line at all.
    #[must_use]
    pub fn none() -> Self {
        Progress { terminal: false, ..Progress::new() }
    }

    /// Begins a stage.
    pub fn begin(&mut self, stage: &'static str) {
        *self = Progress { stage, ..Progress::new() };
    }

    /// Says how far the stage is. `left` is how long it still takes at the most, where that is known.
    pub fn tell(&mut self, cases: u64, unit: &str, left: Option<Duration>) {
        if !self.terminal || self.last.is_some_and(|last| last.elapsed() < DRAW_EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        #[allow(clippy::cast_precision_loss)] // a rate for people
        let rate = cases as f64 / seconds;
        let left = left.map_or(String::new(), |left| format!(", {} s left", left.as_secs()));
        // A terminal that is gone loses nothing but the line.
        let _ = write!(std::io::stderr(), "\r\x1b[K{}: {cases} {unit}, {rate:.0}/s{left}", self.stage);
    }

    /// Clears the line.
    pub fn end(&mut self) {
        if self.terminal && self.last.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// How long the stage has run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}
