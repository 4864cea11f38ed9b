//! The explorer's two stages of the gate.

use std::time::{Duration, Instant};

use super::walk::{Found, Walker};
use super::{Config, Explored, LeaseConfig, LeaseWalker, Limit, Shipped, explore, explore_leases, status};
use crate::gate::stage::Context;
use crate::report::{StageResult, Verdict};

/// Searches every state of small configurations of the lock machine and of the lease machine, and every value of small
/// vocabularies of statuses.
pub fn stage(context: &mut Context) -> StageResult {
    let begun = Instant::now();
    context.progress.begin("model");
    let mut result = locks(context);
    if result.verdict == Verdict::Ok {
        leases(context, &mut result);
    }
    if result.verdict == Verdict::Ok {
        statuses(context, &mut result);
    }
    context.progress.end();
    result.elapsed = begun.elapsed();
    result
}

fn locks(context: &mut Context) -> StageResult {
    let begun = Instant::now();
    let seconds = context.profile.pick(4, 18, 600);
    let two_names = context.profile.pick(
        (Config::two_names(), QUICK_STEPS),
        (Config::two_names(), u32::MAX),
        (Config::two_names_wide(), u32::MAX),
    );
    let mut figures = Vec::new();
    let mut bounds = Vec::new();
    let (mut cases, mut verdict) = (0, Verdict::Ok);
    for (config, depth) in [(Config::one_name(), u32::MAX), two_names] {
        let time = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
        let limit = Limit { depth, time };
        let explored = explore(&Shipped, &config, limit, &mut |transitions| {
            let left = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
            context.progress.tell(cases + transitions, "transitions", Some(left));
        });
        cases += explored.transitions;
        let ttl = config.ttls.iter().max().copied().unwrap_or(0);
        let of = format!("{}, 3 holders, TTL up to {ttl} ticks", config.label);
        bounds.push(format!("{of}: {}", how_far(&explored)));
        figures.extend(figures_of(config.label, &explored));
        if let Some(found) = explored.violation {
            verdict = Verdict::Violation(format!("{} after: {}", found.why, found.path.join(", ")));
            break;
        }
    }
    StageResult {
        name: "model",
        cases,
        unit: "transitions",
        bound: bounds.join("; "),
        verdict,
        elapsed: begun.elapsed(),
        figures,
        command: None,
        history: None,
    }
}

/// How deep the quick profile looks where there are two names.
const QUICK_STEPS: u32 = 10;
/// How deep the quick profile looks into the leases.
const QUICK_LEASE_STEPS: u32 = 3;

fn leases(context: &mut Context, result: &mut StageResult) {
    let begun = Instant::now();
    let seconds = context.profile.pick(2, 15, 600);
    let depth = context.profile.pick(QUICK_LEASE_STEPS, u32::MAX, u32::MAX);
    let mut configs =
        vec![LeaseConfig::two_leases(false), LeaseConfig::three_leases(false), LeaseConfig::two_leases(true)];
    let widest = LeaseConfig::three_leases(true);
    // Most of its states differ in nothing but who advises whom; the default profile has no time for them.
    let left_out = context.profile.pick(false, true, false);
    if left_out {
        result.bound.push_str(&format!("; {}: left out", widest.label));
    } else {
        configs.push(widest);
    }
    for config in configs {
        let time = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
        let before = result.cases;
        let explored = explore_leases(&Shipped, &config, Limit { depth, time }, &mut |transitions| {
            let left = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
            context.progress.tell(before + transitions, "transitions", Some(left));
        });
        result.cases += explored.transitions;
        let (holders, sets) = (config.holders, config.sets.len());
        result.bound.push_str(&format!(
            "; {}, {holders} holders, {sets} write sets, TTL of {} tick: {}",
            config.label,
            config.ttl_ms,
            how_far(&explored)
        ));
        result.figures.extend(figures_of(config.label, &explored));
        if let Some(found) = explored.violation {
            result.verdict = Verdict::Violation(format!("{} after: {}", found.why, found.path.join(", ")));
            return;
        }
    }
}

fn statuses(context: &mut Context, result: &mut StageResult) {
    let before = result.cases;
    let part = status::part(context.profile, &mut |transitions| {
        context.progress.tell(before + transitions, "transitions", None);
    });
    result.cases += part.transitions;
    result.bound.push_str(&format!("; {}", part.bound));
    result.figures.extend(part.figures);
    if let Some(found) = part.found {
        result.verdict = Verdict::Violation(found);
    }
}

/// Up to where a search looked, in words.
fn how_far(explored: &Explored) -> String {
    match (&explored.violation, &explored.ended_by) {
        (Some(_), _) => "to the first violation".to_owned(),
        (None, Some(bound)) => format!("up to {bound}"),
        (None, None) => format!("the whole space, {} steps deep", explored.depth),
    }
}

fn figures_of(label: &str, explored: &Explored) -> Vec<(String, String)> {
    let micros = explored.elapsed.as_micros().max(1);
    let rate = u128::from(explored.transitions) * 1_000_000 / micros;
    let figure = |name: &str, value: String| (format!("{label}: {name}"), value);
    vec![
        figure("unique states", explored.states.to_string()),
        figure("transitions", explored.transitions.to_string()),
        figure("events recorded", explored.recorded.to_string()),
        figure("steps deep", explored.depth.to_string()),
        figure("transitions a second", rate.to_string()),
    ]
}

/// Walks at random through large configurations of locks and of leases in turn, the oracle beside.
pub fn oracle_stage(context: &mut Context) -> StageResult {
    let begun = Instant::now();
    let time = Duration::from_millis(context.profile.pick(2_000, 8_000, 120_000));
    let (mut walks, mut steps, mut recorded, mut verdict) = (0, 0, 0, Verdict::Ok);
    context.progress.begin("oracle");
    while begun.elapsed() < time {
        let seed = context.seed.wrapping_add(walks);
        let (lock_walk, lease_walk) = (Walker::new(seed), LeaseWalker::new(seed));
        let (of_lock, of_lease) = (lock_walk.run(&Shipped), lease_walk.run(&Shipped));
        walks += 1;
        steps += of_lock.steps + of_lease.steps;
        recorded += of_lock.recorded + of_lease.recorded;
        let found = of_lock.found.map(|found| lock_walk.shrink(&Shipped, found));
        let found = found.or_else(|| Some(lease_walk.shrink(&Shipped, of_lease.found?)));
        if let Some(Found { why, path }) = found {
            verdict = Verdict::Violation(format!("{why} after: {}", path.join(", ")));
            break;
        }
        context.progress.tell(steps, "steps", Some(time.saturating_sub(begun.elapsed())));
    }
    context.progress.end();
    let rate = u128::from(steps) * 1_000_000 / begun.elapsed().as_micros().max(1);
    StageResult {
        name: "oracle",
        cases: steps,
        unit: "steps",
        bound: format!("{walks} walks of each machine drawn from seed {} on", context.seed),
        verdict,
        elapsed: begun.elapsed(),
        figures: vec![
            ("walks".into(), walks.to_string()),
            ("events recorded".into(), recorded.to_string()),
            ("steps a second".into(), rate.to_string()),
        ],
        command: None,
        history: None,
    }
}
