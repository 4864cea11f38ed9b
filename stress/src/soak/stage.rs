//! The soak as a stage of the gate: run, judge, and see that what must happen sometimes did.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::history::History;

use super::{Options, Run};
use crate::check::{self, Report};
use crate::gate::stage::{Context, Profile};
use crate::report::{StageResult, Verdict};
use crate::target::Spec;

/// How long the judge may take.
const JUDGE_DEADLINE: Duration = Duration::from_secs(60);
/// How long a counterexample is shrunk.
const SHRINK_DEADLINE: Duration = Duration::from_secs(15);
/// Processes at once.
const PROCESSES: usize = 6;

/// What must happen at least so often in a run for it to be green.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sometimes {
    /// SIGKILLs.
    pub kills: u64,
    /// SIGKILLs between the write of an event and its answer.
    pub in_commit: u64,
    /// Half lines that were set aside.
    pub torn_tails: u64,
    /// Grants after a lapse to another holder.
    pub takeovers: u64,
    /// Damaged lines that were set aside.
    pub quarantines: u64,
    /// Acquires that were refused as held.
    pub contended: u64,
    /// Grants of leases that were refused for an overlap.
    pub overlaps: u64,
    /// Grants that crashed a lapsed lease in their way.
    pub lapsed_over: u64,
    /// Steps down that were refused.
    pub regressions: u64,
    /// Steps of an epoch that was over, refused.
    pub stale_epochs: u64,
    /// Two statuses put beside each other.
    pub conflicts: u64,
    /// Of these, ended by a choice.
    pub resolved: u64,
    /// Proposals accepted.
    pub accepted: u64,
    /// Accepts of what another had accepted.
    pub accepted_again: u64,
    /// Accepts that a killed process began and another ended.
    pub settled: u64,
}

impl Sometimes {
    /// What a profile asks for of our own implementation.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let full = Sometimes {
            kills: 300,
            in_commit: 60,
            torn_tails: 40,
            takeovers: 40,
            quarantines: 5,
            contended: 1_000,
            overlaps: 500,
            lapsed_over: 100,
            regressions: 200,
            stale_epochs: 100,
            conflicts: 100,
            resolved: 20,
            accepted: 60,
            accepted_again: 60,
            settled: 5,
        };
        match profile {
            Profile::Default | Profile::Deep => full,
            Profile::Quick => Sometimes {
                kills: 40,
                in_commit: 8,
                torn_tails: 5,
                takeovers: 10,
                quarantines: 1,
                contended: 150,
                overlaps: 50,
                lapsed_over: 10,
                regressions: 20,
                stale_epochs: 10,
                conflicts: 10,
                resolved: 3,
                accepted: 8,
                accepted_again: 8,
                settled: 1,
            },
        }
    }
}

/// A soak and what it came to.
#[derive(Debug)]
pub struct Soak {
    /// The run.
    pub run: Run,
    /// The checker's report.
    pub report: Report,
    /// Where the shrunk counterexample was written.
    pub counterexample: Option<PathBuf>,
}

/// Runs a soak below `dir` and judges it.
///
/// # Errors
/// Where the harness itself could not do its part.
pub fn soak(dir: &Path, options: &Options, tell: &mut dyn FnMut(u64, Duration)) -> Result<Soak, String> {
    let run = super::run(dir, options, tell)?;
    let text = std::fs::read_to_string(&run.history)
        .map_err(|error| format!("{}: {error}", run.history.display()))?;
    let history = History::parse(&text).map_err(|bad| format!("{}: {bad}", run.history.display()))?;
    let report = check::check(&history, JUDGE_DEADLINE);
    let mut counterexample = None;
    if let check::Verdict::Violation(_) = report.verdict
        && !options.shrink_within.is_zero()
        && let Some(shrunk) = check::shrink(&history, options.shrink_within)
    {
        let path = dir.join("counterexample.ndjson");
        std::fs::write(&path, shrunk.history.text())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        counterexample = Some(path);
    }
    Ok(Soak { run, report, counterexample })
}

/// The stage `soak`.
pub fn stage(context: &mut Context) -> StageResult {
    context.progress.begin("soak");
    let spec = match &context.target {
        None => Ok(Spec::own()),
        Some(words) => Spec::command(words),
    };
    let seconds = context.seconds.unwrap_or(context.profile.pick(10, 75, 600));
    let soaked = spec.map_err(|bad| bad.to_string()).and_then(|spec| {
        let options = Options {
            spec,
            ours: context.target.is_none(),
            seed: context.seed,
            duration: Duration::from_secs(seconds),
            processes: PROCESSES,
            harm_every: Duration::from_millis(60),
            shrink_within: SHRINK_DEADLINE,
        };
        let progress = &mut context.progress;
        soak(&context.run_dir, &options, &mut |answered, left| {
            progress.tell(answered, "operations", Some(left));
        })
    });
    let elapsed = context.progress.elapsed();
    context.progress.end();
    let bound = format!("{seconds} s, {PROCESSES} processes, real time");
    match soaked {
        Ok(soak) => result(&soak, context, bound, elapsed),
        Err(why) => StageResult {
            name: "soak",
            cases: 0,
            unit: "operations",
            bound,
            verdict: Verdict::Unknown(why),
            elapsed,
            figures: Vec::new(),
            command: None,
            history: None,
        },
    }
}

fn result(soak: &Soak, context: &Context, bound: String, elapsed: Duration) -> StageResult {
    let verdict = verdict(soak, (context.target.is_none()).then(|| Sometimes::of(context.profile)));
    let judged = soak
        .counterexample
        .clone()
        .or_else(|| matches!(verdict, Verdict::Violation(_)).then(|| soak.run.history.clone()));
    StageResult {
        name: "soak",
        cases: soak.report.counts.ops as u64,
        unit: "operations",
        bound,
        verdict,
        elapsed,
        figures: figures(soak),
        command: judged.as_ref().map(|path| crate::gate::judge_command(path)),
        history: judged,
    }
}

fn verdict(soak: &Soak, sometimes: Option<Sometimes>) -> Verdict {
    let Soak { run, report, .. } = soak;
    if let check::Verdict::Violation(violation) = &report.verdict {
        return Verdict::Violation(violation.why.clone());
    }
    if let Some(wrong) = run.aftermath.as_ref().and_then(|aftermath| aftermath.wrong.first()) {
        return Verdict::Violation(wrong.clone());
    }
    if let Some(complaint) = run.complaints.first() {
        return Verdict::Violation(format!("the target broke the protocol: {complaint}"));
    }
    if let check::Verdict::Unknown(why) = &report.verdict {
        return Verdict::Unknown(why.clone());
    }
    let (Some(least), Some(aftermath)) = (sometimes, &run.aftermath) else { return Verdict::Ok };
    let reached = [
        ("kills", run.deeds.kills, least.kills),
        ("kills inside a commit", aftermath.killed_in_commit, least.in_commit),
        ("torn tails", aftermath.torn_tails, least.torn_tails),
        ("takeovers", report.counts.takeovers as u64, least.takeovers),
        ("quarantines", aftermath.quarantined, least.quarantines),
        ("contended acquires", report.counts.contended as u64, least.contended),
        ("overlaps refused", report.counts.overlaps as u64, least.overlaps),
        ("lapsed leases taken over", report.counts.lapsed_over as u64, least.lapsed_over),
        ("regressions refused", report.counts.regressions as u64, least.regressions),
        ("stale epochs refused", report.counts.stale_epochs as u64, least.stale_epochs),
        ("conflicts of statuses", report.counts.conflicts as u64, least.conflicts),
        ("conflicts resolved", report.counts.resolved as u64, least.resolved),
        ("proposals accepted", report.counts.accepted as u64, least.accepted),
        ("accepts of what was accepted", report.counts.accepted_again as u64, least.accepted_again),
        ("killed accepts that another process ended", aftermath.settled, least.settled),
    ];
    let missed: Vec<String> = reached
        .iter()
        .filter(|(_, seen, least)| seen < least)
        .map(|(what, seen, least)| format!("{seen} {what} of {least}"))
        .collect();
    if missed.is_empty() { Verdict::Ok } else { Verdict::NotReached(missed.join(", ")) }
}

fn figures(soak: &Soak) -> Vec<(String, String)> {
    let Soak { run, report, .. } = soak;
    let counts = &report.counts;
    let mut figures = vec![
        ("kills", run.deeds.kills),
        ("stops", run.deeds.stops),
        ("grants", counts.grants as u64),
        ("takeovers", counts.takeovers as u64),
        ("contended acquires", counts.contended as u64),
        ("leases granted", counts.leases as u64),
        ("overlaps refused", counts.overlaps as u64),
        ("lapsed leases taken over", counts.lapsed_over as u64),
        ("moves of tasks", counts.moves as u64),
        ("regressions refused", counts.regressions as u64),
        ("tasks reopened", counts.reopened as u64),
        ("stale epochs refused", counts.stale_epochs as u64),
        ("conflicts of statuses", counts.conflicts as u64),
        ("conflicts resolved", counts.resolved as u64),
        ("proposals made", counts.proposed as u64),
        ("proposals accepted", counts.accepted as u64),
        ("accepts of what was accepted", counts.accepted_again as u64),
        ("proposals rejected", counts.rejected as u64),
        ("ends of what had ended otherwise, refused", counts.ended_otherwise as u64),
        ("readings of prose", counts.readings as u64),
        ("acknowledged appends", counts.appends as u64),
        ("acknowledged increments", counts.increments as u64),
        ("operations without an answer", counts.infos as u64),
        ("half lines left in logs", run.deeds.log_tears),
        ("objects judged by revisions alone", counts.witnessed as u64),
        ("objects searched", counts.searched as u64),
    ];
    if let Some(aftermath) = &run.aftermath {
        figures.extend([
            ("kills inside a commit", aftermath.killed_in_commit),
            ("killed accepts that another process ended", aftermath.settled),
            ("torn tails (half lines left by the nemesis, set aside)", aftermath.torn_tails),
            ("quarantines (lines damaged by the nemesis, set aside)", aftermath.quarantined),
            ("repairs run, killed ones included", run.deeds.repairs),
            ("journal events", aftermath.events),
            ("journal files", aftermath.files),
        ]);
    }
    figures.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}
