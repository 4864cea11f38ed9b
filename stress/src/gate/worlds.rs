//! The stages of the simulated world.

use super::stage::{Context, Finding};
use crate::report::{StageResult, Verdict};
use crate::sim;
use crate::sim::power::Effort;

/// The stage `torn`: every operation killed before each call, cut at every byte, failed at every call.
pub(super) fn torn(context: &mut Context) -> StageResult {
    context.progress.begin("torn");
    let progress = &mut context.progress;
    let found = sim::stage::torn(&mut |cases| progress.tell(cases, "cases", None));
    let bound = "one operation; one kill before each call, one cut at each byte, or one failure of each call";
    let found = match found {
        Ok(cases) => Ok(Finding::ok(cases, "cases", bound)),
        Err(counterexample) => Err((Finding::ok(0, "cases", bound), counterexample)),
    };
    context.finish_simulated("torn", found)
}

/// The stage `simulation`: drawn schedules of processes that use the shipped code together, with kills, and of clients of
/// the simulated journal.
pub(super) fn simulation(context: &mut Context) -> StageResult {
    context.progress.begin("simulation");
    let executions_max = context.profile.pick(3_000, 20_000, 500_000);
    let (seed, progress) = (context.seed, &mut context.progress);
    let found =
        sim::stage::schedules(seed, executions_max, &mut |count| progress.tell(count, "executions", None));
    let bound = "drawn schedules, kills at any call; the simulated journal's small settings to their end";
    let found = match found {
        Ok(executions) => Ok(Finding::ok(executions, "executions", bound)),
        Err(counterexample) => Err((Finding::ok(0, "executions", bound), counterexample)),
    };
    context.finish_simulated("simulation", found)
}

/// The stage `power`: the power fails at every call of every operation, and of two; every subset of what was not synced
/// that a filesystem may leave is recovered and judged.
pub(super) fn power(context: &mut Context) -> StageResult {
    context.progress.begin("power");
    let effort = context.profile.pick(Effort::QUICK, Effort::DEFAULT, Effort::DEEP);
    let (seed, progress) = (context.seed, &mut context.progress);
    let found = sim::power::stage::all(effort, seed, &mut |images| progress.tell(images, "images", None));
    let bound = effort.to_string();
    let found = match found {
        Ok(seen) => {
            let mut finding = Finding::ok(seen.images, "images", bound);
            finding.figures = seen.figures();
            Ok(finding)
        }
        Err(counterexample) => Err((Finding::ok(0, "images", bound), counterexample)),
    };
    context.finish_simulated("power", found)
}

/// The stage `swarm`: long drawn runs with everything that may go wrong switched on and off, judged as the soak is.
pub(super) fn swarm(context: &mut Context) -> StageResult {
    context.progress.begin("swarm");
    let runs_max = context.profile.pick(80, 400, 10_000);
    let (seed, progress) = (context.seed, &mut context.progress);
    let swarm = sim::swarm::Swarm::new();
    let (reached, found) = sim::swarm::stage::run(&swarm, seed, runs_max, &mut |operations| {
        progress.tell(operations, "operations", None);
    });
    let bound = format!("{} drawn runs", reached.runs);
    let mut finding = Finding::ok(reached.operations, "operations", bound);
    let elapsed = context.progress.elapsed();
    #[allow(clippy::cast_precision_loss)] // a rate for people
    let rate = reached.calls as f64 / elapsed.as_secs_f64().max(0.001);
    finding.figures =
        reached.all().into_iter().map(|(name, count)| (name.to_owned(), count.to_string())).collect();
    finding.figures.push(("calls a second".to_owned(), format!("{rate:.0}")));
    let missed = reached.missed();
    if !missed.is_empty() {
        finding.verdict = Verdict::NotReached(missed.join(", "));
    }
    let found = match found {
        None => Ok(finding),
        Some(found) => Err((finding, found.counterexample)),
    };
    context.finish_simulated("swarm", found)
}

/// The stage `loom`: every order of the calls of two processes, up to a preemption bound.
pub(super) fn loom(context: &mut Context) -> StageResult {
    context.progress.begin("loom");
    let preemptions = context.profile.pick(2, 3, 4);
    let progress = &mut context.progress;
    let results = sim::stage::loom(preemptions, &mut |count| progress.tell(count, "executions", None));
    let executions = results.iter().map(|result| result.explored.executions).sum();
    let mut finding = Finding::ok(executions, "executions", format!("{preemptions} preemptions"));
    for result in results {
        finding.figures.push((result.name.to_owned(), format!("{} executions", result.explored.executions)));
        if let (Some(what), Verdict::Ok) = (result.explored.violation, &finding.verdict) {
            finding.verdict = Verdict::Violation(format!("{}: {what}", result.name));
            finding.command = Some("cargo gate --only loom".to_owned());
        }
    }
    context.finish("loom", finding)
}
