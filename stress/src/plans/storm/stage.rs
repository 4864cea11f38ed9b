//! The stage `plans`: machines let loose on the shipped `plan fix`.

use std::time::Duration;

use super::{Options, run};
use crate::gate::stage::{Context, Finding, Profile};
use crate::guard::no_git;
use crate::plans::machine::Helper;
use crate::report::{StageResult, Verdict};

/// The program that runs, whatever it is called.
const THIS_PROGRAM: &str = "/proc/self/exe";

impl Options {
    /// The shipped helper under as much as a profile asks for.
    fn of(profile: Profile, seed: u64, seconds: Option<u64>) -> Self {
        let least = Duration::from_millis(profile.pick(100, 6_000, 60_000));
        let least = seconds.map_or(least, Duration::from_secs);
        Options {
            program: THIS_PROGRAM.into(),
            helper: Helper::Shipped,
            seed,
            machines: profile.pick(2, 3, 3),
            tasks: profile.pick(4, 40, 200),
            least,
            most: least * 10 + Duration::from_secs(5),
            kills: true,
            short: profile == Profile::Quick && seconds.is_none(),
        }
    }
}

/// The stage `plans`.
pub fn stage(context: &mut Context) -> StageResult {
    context.progress.begin("plans");
    let options = Options::of(context.profile, context.seed, context.seconds);
    let bound = format!("{} s, {} clones, real time", options.least.as_secs_f64(), options.machines);
    let finding = Finding::ok(0, "runs of the helper", bound);
    if let Some(why) = no_git() {
        let verdict = Verdict::Skipped(format!("because {why}"));
        return context.finish("plans", Finding { verdict, ..finding });
    }
    let dir = context.run_dir.join("plans");
    let progress = &mut context.progress;
    let found = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run(&dir, &options, &mut |fixes| progress.tell(fixes, "runs of the helper", None)));
    let finding = match found {
        Err(why) => Finding { verdict: Verdict::Unknown(why), ..finding },
        Ok(found) => {
            let mut figures = found.counts.figures();
            let verdict = match found.violations.first() {
                Some(why) => {
                    figures.push(("violations".to_owned(), found.violations.len().to_string()));
                    figures.push(("repositories".to_owned(), dir.display().to_string()));
                    Verdict::Violation(why.clone())
                }
                None => match found.counts.missed(options.kills, options.short) {
                    missed if missed.is_empty() => Verdict::Ok,
                    missed => Verdict::NotReached(missed.join(", ")),
                },
            };
            Finding { cases: found.counts.fixes, verdict, figures, ..finding }
        }
    };
    context.finish("plans", finding)
}
