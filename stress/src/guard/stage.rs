//! The stage `guard`: sessions let loose on the shipped hook.

use std::path::Path;
use std::time::Duration;

use super::checkout::no_git;
use super::harness::SHIPPED;
use super::judge::LEAST;
use super::users::Users;
use super::users_apart::apart;
use super::{Options, run};
use crate::gate::stage::{Context, Finding, Profile};
use crate::report::{StageResult, Verdict};

/// The program that runs, whatever it is called.
pub(super) const THIS_PROGRAM: &str = "/proc/self/exe";
/// How long a fleet may take at the most.
const FLEET_MOST: Duration = Duration::from_secs(600);
/// Longer than any run: only calls are counted, or only time.
const UNBOUNDED: u64 = u64::MAX;

impl Options {
    /// The shipped hook under as much as a profile asks for; `fleet`: 50 sessions of 200 calls each.
    fn of(profile: Profile, seed: u64, fleet: bool) -> Self {
        let least =
            if fleet { FLEET_MOST } else { profile.pick(1_200, 8_000, 8_000) * Duration::from_millis(1) };
        Options {
            program: THIS_PROGRAM.into(),
            hook: SHIPPED,
            seed,
            sessions: if fleet { 50 } else { profile.pick(6, 8, 8) },
            calls_max: if fleet { 200 } else { UNBOUNDED },
            least,
            most: if fleet { FLEET_MOST } else { least * 8 },
            harm_every: Duration::from_millis(if fleet { 120 } else { 60 }),
            jams: fleet || profile != Profile::Quick,
        }
    }

    fn bound(&self) -> String {
        if self.calls_max == UNBOUNDED {
            format!("{} s, {} sessions, real time", self.least.as_secs_f64(), self.sessions)
        } else {
            format!("{} sessions of {} calls, real time", self.sessions, self.calls_max)
        }
    }
}

/// The stage `guard`.
pub fn stage(context: &mut Context) -> StageResult {
    context.progress.begin("guard");
    let fleet = context.profile == Profile::Deep || context.seconds.is_some();
    let options = Options::of(context.profile, context.seed, fleet);
    let finding = Finding::ok(0, "tool calls", options.bound());
    if let Some(why) = no_git() {
        return context
            .finish("guard", Finding { verdict: Verdict::Skipped(format!("because {why}")), ..finding });
    }
    let dir = context.run_dir.join("guard");
    let finding = looked(&dir, &options, context, finding.clone())
        .unwrap_or_else(|why| Finding { verdict: Verdict::Unknown(why), ..finding });
    context.finish("guard", finding)
}

/// The section with two users: its figure, or what must not be.
fn two_users_of_one_checkout() -> Result<(String, Option<String>), String> {
    Ok(match apart(Path::new(THIS_PROGRAM))? {
        Users::Right(done) => (format!("{done} hooks and commands"), None),
        Users::Skipped(why) => (format!("skipped, because {why}"), None),
        Users::Wrong(why) => ("a violation".to_owned(), Some(format!("two users: {why}"))),
    })
}

fn looked(dir: &Path, options: &Options, context: &mut Context, finding: Finding) -> Result<Finding, String> {
    let progress = &mut context.progress;
    let run = run(dir, options, &mut |calls| progress.tell(calls, "tool calls", None))?;
    let counts = &run.found.counts;
    let mut figures = counts.figures();
    let (users, of_users) = two_users_of_one_checkout()?;
    figures.push(("two users in one checkout".to_owned(), users));
    let verdict = match run.found.violations.first().or(of_users.as_ref()) {
        Some(why) => {
            figures.push(("violations".to_owned(), run.found.violations.len().to_string()));
            figures.push(("record".to_owned(), run.record.display().to_string()));
            Verdict::Violation(why.clone())
        }
        None => match counts.missed(LEAST) {
            missed if missed.is_empty() => Verdict::Ok,
            missed => Verdict::NotReached(missed.join(", ")),
        },
    };
    let command = (!run.found.violations.is_empty()).then(|| crate::gate::judge_command(&run.record));
    Ok(Finding { cases: counts.calls, verdict, figures, command, ..finding })
}
