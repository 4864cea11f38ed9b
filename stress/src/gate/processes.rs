//! Foreign processes under the soak: the broken ones that must be caught, and the correct one that must not.

use std::path::Path;
use std::time::Duration;

use super::stage::{Context, Finding, Profile};
use crate::check::Verdict as Judged;
use crate::report::{StageResult, Verdict};
use crate::rng::Rng;
use crate::soak::{self, Options, Soak};
use crate::target::Spec;
use crate::targets::CONTROLS;

/// The correct adapter and the modules that it is made of, by their names: Python, standard library only.
const CONTROL: [(&str, &str); 4] = [
    ("control.py", include_str!("../../adapters/control.py")),
    ("control_fields.py", include_str!("../../adapters/control_fields.py")),
    ("control_proposals.py", include_str!("../../adapters/control_proposals.py")),
    ("control_registry.py", include_str!("../../adapters/control_registry.py")),
];
/// Processes at once.
const PROCESSES: usize = 4;

/// How long a counterexample is shrunk.
const SHRINK_WITHIN: Duration = Duration::from_secs(5);

/// How often a broken process gets twice the time before it counts as missed.
const DOUBLINGS: u32 = 3;

fn options(spec: Spec, seed: u64, duration: Duration, shrink_within: Duration) -> Options {
    let harm_every = Duration::from_millis(60);
    Options { spec, ours: false, seed, duration, processes: PROCESSES, harm_every, shrink_within }
}

/// A short soak of a foreign target.
fn short_soak(dir: &Path, options: &Options, context: &mut Context) -> Result<Soak, String> {
    let progress = &mut context.progress;
    soak::soak(dir, options, &mut |answered, left| progress.tell(answered, "operations", Some(left)))
}

/// What a broken process came to over several seeds.
pub(super) struct Caught {
    /// Operations to the first violation by seed; none where it was not found.
    pub(super) per_seed: Vec<Option<u64>>,
    /// The command that judges the first counterexample.
    pub(super) command: Option<String>,
    /// What went wrong with the harness itself.
    pub(super) failed: Option<String>,
}

/// A broken process, and how it is soaked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken {
    /// Its M-number.
    pub(super) name: &'static str,
    /// For how long on a seed, at first: several times what it took so far.
    pub(super) millis: u64,
    /// The longest pause between two deeds of the nemesis, in milliseconds.
    pub(super) harm_every_ms: u64,
    /// On how many seeds it is soaked, by profile.
    pub(super) seeds: (usize, usize),
    /// Whether its first counterexample is shrunk and named in the report.
    pub(super) is_told: bool,
}

/// Soaks a broken target on each seed until it is caught; the first counterexample is shrunk.
pub(super) fn catch(broken: Broken, context: &mut Context) -> Caught {
    let seeds = context.profile.pick(broken.seeds.0, broken.seeds.1, broken.seeds.1);
    // That it is caught is the point here; the quick profile spends little on how short the story can be told.
    let shrink_first = match broken.is_told {
        true => context.profile.pick(SHRINK_WITHIN / 10, SHRINK_WITHIN / 5, SHRINK_WITHIN),
        false => Duration::ZERO,
    };
    let mut rng = Rng::new(context.seed);
    let mut caught = Caught { per_seed: Vec::new(), command: None, failed: None };
    for round in 0..seeds {
        let mut before = 0;
        let mut found = None;
        for doubled in 0..=DOUBLINGS {
            let dir = context.run_dir.join(format!("{}-{round}.{doubled}", broken.name));
            let shrink_within = if caught.command.is_none() { shrink_first } else { Duration::ZERO };
            let duration = Duration::from_millis(broken.millis << doubled);
            let mut options = options(Spec::built_in(broken.name), rng.bits(), duration, shrink_within);
            options.harm_every = Duration::from_millis(broken.harm_every_ms);
            match short_soak(&dir, &options, context) {
                Ok(soak) => {
                    let first = soak
                        .report
                        .violations
                        .iter()
                        .filter_map(|violation| violation.ops.iter().max())
                        .min();
                    found = first.map(|op| before + *op as u64 + 1);
                    before += soak.report.counts.ops as u64;
                    if let (None, Some(path)) = (&caught.command, &soak.counterexample) {
                        caught.command = Some(super::judge_command(path));
                    }
                }
                Err(why) => {
                    caught.failed.get_or_insert(why);
                }
            }
            // What stays is one counterexample to judge again.
            let _ = std::fs::remove_dir_all(dir.join("disk"));
            if found.is_some() || caught.failed.is_some() {
                break;
            }
        }
        caught.per_seed.push(found);
    }
    caught
}

/// A registry, and an applier of proposals, that are right, soaked as the broken ones are: the operations of each, or what
/// is wrong if it is flagged.
pub(super) fn right(context: &mut Context) -> Result<[(&'static str, u64); 2], String> {
    let [registry, applier] = CONTROLS;
    Ok([(registry, unflagged(registry, context)?), (applier, unflagged(applier, context)?)])
}

fn unflagged(name: &'static str, context: &mut Context) -> Result<u64, String> {
    // Long against what the broken ones beside it take to be caught.
    let millis = context.profile.pick(700, 3_000, 60_000);
    let dir = context.run_dir.join(name);
    let options = options(Spec::built_in(name), context.seed, Duration::from_millis(millis), SHRINK_WITHIN);
    let soak = short_soak(&dir, &options, context)?;
    let _ = std::fs::remove_dir_all(dir.join("disk"));
    let finding = flagged(&soak, Finding::ok(0, "operations", ""));
    match finding.verdict {
        Verdict::Ok => Ok(finding.cases),
        other => Err(format!("{name}, which has no defect: {other:?}")),
    }
}

/// The stage `control`: a correct target in another language is never flagged.
pub(super) fn control(context: &mut Context) -> StageResult {
    context.progress.begin("control");
    let seconds = match context.profile {
        Profile::Quick => 3,
        Profile::Default => 12,
        Profile::Deep => 120,
    };
    let finding = Finding::ok(0, "operations", format!("{seconds} s, {PROCESSES} processes, real time"));
    let dir = context.run_dir.join("control");
    let ready = std::fs::create_dir_all(&dir)
        .and_then(|()| CONTROL.iter().try_for_each(|(name, text)| std::fs::write(dir.join(name), text)));
    if let Err(error) = ready {
        let verdict = Verdict::Unknown(format!("writing into {}: {error}", dir.display()));
        return context.finish("control", Finding { verdict, ..finding });
    }
    if let Err(why) = python() {
        let verdict = Verdict::Skipped(format!("because {why}"));
        return context.finish("control", Finding { verdict, ..finding });
    }
    let words = ["python3".to_owned(), dir.join("control.py").to_string_lossy().into_owned()];
    let seed = context.seed;
    let soaked = Spec::command(&words).map_err(|bad| bad.to_string()).and_then(|spec| {
        short_soak(&dir, &options(spec, seed, Duration::from_secs(seconds), SHRINK_WITHIN), context)
    });
    let finding = match soaked {
        Err(why) => Finding { verdict: Verdict::Unknown(why), ..finding },
        Ok(soak) => flagged(&soak, finding),
    };
    context.finish("control", finding)
}

fn flagged(soak: &Soak, finding: Finding) -> Finding {
    let counts = &soak.report.counts;
    let figures = vec![
        ("kills".to_owned(), soak.run.deeds.kills.to_string()),
        ("grants".to_owned(), counts.grants.to_string()),
        ("objects searched".to_owned(), counts.searched.to_string()),
    ];
    let verdict = match &soak.report.verdict {
        Judged::Violation(violation) => Verdict::Violation(format!(
            "the correct control is flagged: {}: {}",
            violation.subject, violation.why
        )),
        Judged::Unknown(why) => Verdict::Unknown(why.clone()),
        Judged::Ok => soak.run.complaints.first().map_or(Verdict::Ok, |complaint| {
            Verdict::Violation(format!("the correct control broke the protocol: {complaint}"))
        }),
    };
    let command = soak.counterexample.as_ref().map(|path| super::judge_command(path));
    let history = soak.counterexample.clone();
    Finding { cases: counts.ops as u64, figures, verdict, command, history, ..finding }
}

/// Whether there is a Python that can run the control.
fn python() -> Result<(), String> {
    let checked = std::process::Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"])
        .stdin(std::process::Stdio::null())
        .status();
    match checked {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("python3 is older than 3.9".to_owned()),
        Err(_) => Err("python3 is not installed".to_owned()),
    }
}
