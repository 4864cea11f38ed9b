//! The stages of the simulated world.

use super::stage::{Context, Finding, Profile};
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

/// What even a few swarm plans reach.
const COMMON: [&str; 4] = ["contended", "processes killed", "power cuts", "events"];

/// The stage `swarm`: drawn plans of thousands of operations, whose histories are judged by the checker.
pub(super) fn swarm(context: &mut Context) -> StageResult {
    context.progress.begin("swarm");
    let (runs, ops_max) = context.profile.pick((30, 200), (200, 1_000), (5_000, 4_000));
    let (seed, progress) = (context.seed, &mut context.progress);
    let begun = std::time::Instant::now();
    let found = sim::swarm::stage::all(seed, runs, ops_max, &mut |runs| progress.tell(runs, "runs", None));
    let bound = format!("{runs} drawn plans, {ops_max} operations each at the most");
    let found = match found {
        Ok(reached) => {
            let mut finding = Finding::ok(reached.ops, "operations", bound);
            let rate = u128::from(reached.calls) * 1_000 / begun.elapsed().as_millis().max(1);
            finding.figures.push(("simulated calls a second".to_owned(), rate.to_string()));
            for (name, times) in reached.sometimes() {
                finding.figures.push((name.to_owned(), times.to_string()));
                // Few plans reach little of what is rare: the quick profile prints it and asks for no more.
                if times == 0 && (context.profile != Profile::Quick || COMMON.contains(&name)) {
                    finding.verdict = Verdict::Unknown(format!("{name}: never reached"));
                }
            }
            if let Some(why) = reached.unknown {
                finding.verdict = Verdict::Unknown(why);
            }
            Ok(finding)
        }
        Err(counterexample) => Err((Finding::ok(0, "operations", bound), counterexample)),
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
