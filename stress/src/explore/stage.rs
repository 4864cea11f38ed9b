//! The explorer's two stages of the gate.

use std::time::{Duration, Instant};

use super::walk::{Found, Walker};
use super::{Config, Explored, Limit, Shipped, explore, status};
use crate::gate::stage::Context;
use crate::report::{StageResult, Verdict};

/// Searches every state of small configurations of the lock machine, and every value of small vocabularies of statuses.
pub fn stage(context: &mut Context) -> StageResult {
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
    context.progress.begin("model");
    for (config, depth) in [(Config::one_name(), u32::MAX), two_names] {
        let time = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
        let limit = Limit { depth, time };
        let explored = explore(&Shipped, &config, limit, &mut |transitions| {
            let left = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
            context.progress.tell(cases + transitions, "transitions", Some(left));
        });
        cases += explored.transitions;
        bounds.push(bound(&config, &explored));
        figures.extend(figures_of(&config, &explored));
        if let Some(found) = explored.violation {
            verdict = Verdict::Violation(format!("{} after: {}", found.why, found.path.join(", ")));
            break;
        }
    }
    if verdict == Verdict::Ok {
        let part = status::part(context.profile, &mut |transitions| {
            context.progress.tell(cases + transitions, "transitions", None);
        });
        cases += part.transitions;
        bounds.push(part.bound);
        figures.extend(part.figures);
        if let Some(found) = part.found {
            verdict = Verdict::Violation(found);
        }
    }
    context.progress.end();
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

/// Up to where a search looked, in words.
fn bound(config: &Config, explored: &Explored) -> String {
    let how_far = match (&explored.violation, &explored.ended_by) {
        (Some(_), _) => "to the first violation".to_owned(),
        (None, Some(bound)) => format!("up to {bound}"),
        (None, None) => format!("the whole space, {} steps deep", explored.depth),
    };
    let ttl = config.ttls.iter().max().copied().unwrap_or(0);
    format!("{}, 3 holders, TTL up to {ttl} ticks: {how_far}", config.label)
}

fn figures_of(config: &Config, explored: &Explored) -> Vec<(String, String)> {
    let micros = explored.elapsed.as_micros().max(1);
    let rate = u128::from(explored.transitions) * 1_000_000 / micros;
    let figure = |name: &str, value: String| (format!("{}: {name}", config.label), value);
    vec![
        figure("unique states", explored.states.to_string()),
        figure("transitions", explored.transitions.to_string()),
        figure("events recorded", explored.recorded.to_string()),
        figure("steps deep", explored.depth.to_string()),
        figure("transitions a second", rate.to_string()),
    ]
}

/// Walks at random through large configurations, the oracle beside.
pub fn oracle_stage(context: &mut Context) -> StageResult {
    let begun = Instant::now();
    let time = Duration::from_millis(context.profile.pick(2_000, 8_000, 120_000));
    let (mut walks, mut steps, mut recorded, mut verdict) = (0, 0, 0, Verdict::Ok);
    context.progress.begin("oracle");
    while begun.elapsed() < time {
        let walker = Walker::new(context.seed.wrapping_add(walks));
        let walked = walker.run(&Shipped);
        walks += 1;
        steps += walked.steps;
        recorded += walked.recorded;
        if let Some(found) = walked.found {
            let Found { why, path } = walker.shrink(&Shipped, found);
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
        bound: format!("{walks} walks drawn from seed {} on", context.seed),
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
