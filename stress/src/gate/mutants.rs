//! The stage `mutants`: what is deliberately broken must be caught, what is right must not be flagged.

use super::processes::Broken;
use super::stage::{Context, Finding};
use crate::report::{StageResult, Verdict};
use crate::sim::mutants;

/// Over how many seeds a mutant is looked for.
const SEEDS: u64 = 10;

/// The broken processes.
const PROCESSES: [Broken; 3] = [
    Broken { name: "M01", millis: 400, harm_every_ms: 60, seeds: (1, 3), is_told: true },
    Broken { name: "M03", millis: 1_000, harm_every_ms: 60, seeds: (1, 3), is_told: true },
    Broken { name: "M16", millis: 1_200, harm_every_ms: 20, seeds: (1, 3), is_told: true },
];
/// How each registry, and each applier of proposals, is soaked: what is wrong whoever asks is found at once, and the rest soon.
const REGISTRIES: Broken = Broken { name: "", millis: 200, harm_every_ms: 40, seeds: (1, 1), is_told: false };
/// That a dead process counts as alive shows only once the slack has passed.
const PID_REUSE: Broken =
    Broken { name: "M27", millis: 1_500, harm_every_ms: 20, seeds: (0, 1), is_told: false };

/// Runs the small programs of the simulated disk; a mutant that is not caught on every seed is a violation of the
/// gate itself, and so is a control that is flagged.
pub(super) fn stage(context: &mut Context) -> StageResult {
    context.progress.begin("mutants");
    let seeds: Vec<u64> = (0..SEEDS).map(|offset| context.seed.wrapping_add(offset)).collect();
    let control = context.profile.pick(1_000, 5_000, 50_000);
    let mut finding =
        Finding::ok(0, "executions", format!("{SEEDS} seeds, {} executions each", mutants::EXECUTIONS_MAX));
    for mutant in mutants::run_mutants(&seeds) {
        finding.cases += mutant.per_seed.iter().flatten().sum::<u64>();
        match (mutant.median, mutant.worst) {
            (Some(median), Some(worst)) => {
                let figure = format!("caught after {median} executions (median), {worst} (worst)");
                finding.figures.push((mutant.name.to_owned(), figure));
            }
            _ => {
                let missed = mutant.per_seed.iter().filter(|executions| executions.is_none()).count();
                let why = format!(
                    "{} was not caught on {missed} of {SEEDS} seeds: the gate is blind to it",
                    mutant.name
                );
                finding.verdict = Verdict::Violation(why);
                finding.command = Some(format!("cargo gate --only mutants --seed {}", context.seed));
            }
        }
        if let Some(example) = mutant.example {
            let path = context.run_dir.join(format!("{}.schedule.ndjson", mutant.name));
            if std::fs::write(&path, example.counterexample.schedule.to_ndjson()).is_ok() {
                finding.figures.push((format!("{}: replay", mutant.name), super::replay_command(&path)));
            }
        }
    }
    super::seam::seam(context, &mut finding);
    let registries = crate::targets::registries()
        .map(|name| if name == PID_REUSE.name { PID_REUSE } else { Broken { name, ..REGISTRIES } });
    let appliers = crate::targets::appliers().map(|name| Broken { name, ..REGISTRIES });
    for broken in PROCESSES.into_iter().chain(registries).chain(appliers) {
        processes(broken, context, &mut finding);
    }
    match super::processes::right(context) {
        Ok(controls) => {
            let figure = |(name, operations): (&str, u64)| {
                (name.to_owned(), format!("not flagged in {operations} operations"))
            };
            finding.figures.extend(controls.map(figure));
        }
        Err(why) => finding.verdict = Verdict::Violation(why),
    }
    let progress = &mut context.progress;
    let flagged =
        mutants::run_controls(context.seed, control, &mut |count| progress.tell(count, "executions", None));
    finding.figures.push(("controls".to_owned(), format!("not flagged in {control} executions each")));
    match flagged {
        None => context.finish("mutants", finding),
        Some(found) => context.finish_simulated("mutants", Err((finding, Box::new(found.counterexample)))),
    }
}

/// Soaks a broken process; it has to be caught on every seed.
fn processes(broken: Broken, context: &mut Context, finding: &mut Finding) {
    let name = broken.name;
    if context.profile.pick(broken.seeds.0, broken.seeds.1, broken.seeds.1) == 0 {
        finding.figures.push((name.to_owned(), "left out: it takes longer than this profile has".to_owned()));
        return;
    }
    let caught = super::processes::catch(broken, context);
    let seeds = caught.per_seed.len();
    let mut found: Vec<u64> = caught.per_seed.into_iter().flatten().collect();
    found.sort_unstable();
    finding.cases += found.iter().sum::<u64>();
    if let (Some(median), Some(worst)) = (found.get(found.len() / 2), found.last()) {
        let figure = format!(
            "caught after {median} operations (median), {worst} (worst), on {} of {seeds} seeds",
            found.len()
        );
        finding.figures.push((name.to_owned(), figure));
    }
    // One counterexample each lies in the run's folder; of the others their history does.
    if let Some(command) = caught.command {
        finding.figures.push((format!("{name}: judge"), command));
    }
    if let Some(why) = caught.failed {
        finding.verdict = Verdict::Unknown(format!("{name}: {why}"));
    } else if found.len() < seeds {
        let missed = seeds - found.len();
        finding.verdict = Verdict::Violation(format!("{name} was not caught on {missed} of {seeds} seeds"));
        finding.command = Some(format!("cargo gate --only mutants --seed {}", context.seed));
    }
}
