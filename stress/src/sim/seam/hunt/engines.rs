//! The engines: each a way through executions, let loose on scenarios whose judges know what must hold.

use super::after::{Forked, Kept, Replaced};
use super::answered::{Answered, Wrong};
use super::copies::Copied;
use super::lived::Lived;
use super::pairs::Pair;
use super::seen::{Maker, Seen};
use super::stranger::Stranger;
use super::undone::Undone;
use super::{Cost, Hunt};
use crate::sim::choice::{Explorer, Random, Source};
use crate::sim::disk::Persistence;
use crate::sim::loom_fs::LoomExplored;
use crate::sim::power::{Bounds, Files, Power};
use crate::sim::scenario::Scenario;
use crate::sim::swarm::Swarm;
use crate::sim::together::{self, Creators, LockUsers, MachineUsers};
use crate::sim::{power, stage, torn};

type Run = Box<dyn Fn(u64) -> Hunt + Send + Sync>;

/// Something that an engine is let loose on.
pub struct Ground {
    /// Its name.
    pub name: String,
    run: Run,
}

/// A way through executions.
#[derive(Debug)]
pub struct Engine {
    /// Its name.
    pub name: &'static str,
    /// Whether it draws: another seed is then another hunt.
    pub draws: bool,
    /// Whether it takes so long that it is asked only of what nobody else caught and what is not known to be harmless.
    pub slow: bool,
    /// What it is let loose on.
    pub grounds: Vec<Ground>,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Ground {
    /// A ground of that name.
    #[must_use]
    pub fn new(name: String, run: impl Fn(u64) -> Hunt + Send + Sync + 'static) -> Self {
        Ground { name, run: Box::new(run) }
    }

    /// Runs until something is violated, or to the end.
    #[must_use]
    pub fn hunt(&self, seed: u64) -> Hunt {
        (self.run)(seed)
    }

    /// Executions drawn from the seed.
    pub(crate) fn drawn(scenario: impl Scenario + Send + Sync + 'static, executions_max: u64) -> Self {
        let name = scenario.name();
        let run = move |seed: u64| {
            let mut seeds = Random::new(seed);
            let mut hunt = Hunt::default();
            while hunt.violation.is_none() && hunt.executions < executions_max {
                hunt.executions += 1;
                hunt.violation = scenario.run(Source::random(seeds.bits()).quiet()).violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    /// The same by priorities that change twice in a run.
    pub(crate) fn pct(scenario: impl Scenario + Send + Sync + 'static, executions_max: u64) -> Self {
        let name = scenario.name();
        let run = move |seed: u64| {
            let mut seeds = Random::new(seed);
            let mut hunt = Hunt::default();
            let mut steps = 1;
            while hunt.violation.is_none() && hunt.executions < executions_max {
                let seed = seeds.bits();
                let source =
                    if steps > 1 { Source::pct(seed, PCT_DEPTH, steps) } else { Source::random(seed) };
                let ran = scenario.run(source.quiet());
                steps = steps.max(ran.source.steps());
                hunt.executions += 1;
                hunt.violation = ran.violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    /// Every execution there is, or the first ones.
    fn exhausted(scenario: impl Scenario + Send + Sync + 'static, cost: Cost) -> Self {
        let name = scenario.name();
        let run = move |_| {
            let mut explorer = Explorer::new();
            let mut hunt = Hunt { cost: Some(cost), ..Hunt::default() };
            while hunt.violation.is_none() && hunt.executions < EXPLORED_MAX {
                let Some(source) = explorer.next_run() else { break };
                let ran = scenario.run(source.quiet());
                explorer.ran(&ran.source);
                hunt.executions += 1;
                hunt.violation = ran.violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    /// The first executions, and as many drawn from the seed.
    fn both_ways(scenario: impl Scenario + Send + Sync + 'static, executions_max: u64, cost: Cost) -> Self {
        let name = scenario.name();
        let run = move |seed: u64| {
            let mut explorer = Explorer::new();
            let mut seeds = Random::new(seed);
            let mut hunt = Hunt { cost: Some(cost), ..Hunt::default() };
            while hunt.violation.is_none() && hunt.executions < 2 * executions_max {
                hunt.executions += 1;
                // One by one only the last answers would ever differ; drawn, the rare ones are late.
                let drawn = hunt.executions.is_multiple_of(2);
                let next = if drawn { Some(Source::random(seeds.bits())) } else { explorer.next_run() };
                let Some(source) = next else { break };
                let ran = scenario.run(source.quiet());
                if !drawn {
                    explorer.ran(&ran.source);
                }
                hunt.violation = ran.violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    fn power(power: Power, bounds: Bounds) -> Self {
        let name = power.name();
        let run = move |seed: u64| {
            let (counts, found) = power.explore(bounds, seed);
            let cost = found.as_ref().map(|found| {
                let (operations, preemptions, faults) = power.cost(&found.schedule);
                Cost::of(operations, preemptions, faults)
            });
            Hunt { executions: counts.judged, violation: found.map(|found| found.what), cost }
        };
        Ground { name, run: Box::new(run) }
    }

    fn loom((name, model): (&'static str, fn(usize) -> LoomExplored)) -> Self {
        let run = move |_| {
            let explored = model(LOOM_PREEMPTIONS_MAX);
            let cost = Some(Cost::of(2, 2, 0));
            Hunt { executions: explored.executions, violation: explored.violation, cost }
        };
        Ground { name: name.to_owned(), run: Box::new(run) }
    }
}

/// How many orderings a bug may need that PCT is to find with a known probability.
const PCT_DEPTH: u32 = 3;
/// Executions of a scenario that is explored one by one; most end before.
const EXPLORED_MAX: u64 = 7_000;
/// Drawn executions of a scenario.
const DRAWN_MAX: u64 = 300;
/// How often a process that could go on may have to wait under loom.
const LOOM_PREEMPTIONS_MAX: usize = 2;

/// How much the crash explorer looks at of one operation.
const ALONE_BOUNDS: Bounds = Bounds { subsets_max: 4, again_max: 2, cuts_max: 2 };
/// And of two.
const TWO_BOUNDS: Bounds = Bounds { subsets_max: 4, again_max: 0, cuts_max: 1 };
/// Drawn swarm runs.
const SWARM_MAX: u64 = 60;
/// Executions of a document's or a log's operation whose power fails.
const FILES_MAX: u64 = 150;
/// Executions in which a write comes to nothing.
const UNDONE_MAX: u64 = 400;

/// What fails, and what that needs at the most.
const WRONG: [(Wrong, Cost); 4] = [
    (Wrong::Power, Cost::of(2, 0, 1)),
    (Wrong::Sync, Cost::of(2, 0, 2)),
    (Wrong::Killed, Cost::of(3, 0, 2)),
    (Wrong::Stands, Cost::of(3, 1, 1)),
];

/// Every engine; the one that is mostly soonest comes first.
#[must_use]
pub fn engines() -> Vec<Engine> {
    let torn = torn::all().into_iter().map(|torn| Ground::exhausted(torn.with_few_cuts(), Cost::of(2, 0, 1)));
    let pairs = power::few_pairs(Persistence::Pages).into_iter().filter(Power::is_plain);
    let pairs = pairs.map(|power| Ground::power(power, TWO_BOUNDS)).collect();
    let drawn = users().into_iter().map(|users| Ground::drawn(users, DRAWN_MAX)).collect();
    let pct = users().into_iter().map(|users| Ground::pct(users, DRAWN_MAX)).collect();
    let loom = stage::LOOM_MODELS.into_iter().map(Ground::loom).collect();
    let swarm = Ground::drawn(Swarm::small(), SWARM_MAX);
    let engine = |name, draws, grounds| Engine { name, draws, slow: false, grounds };
    vec![
        engine("random", true, drawn),
        engine("explorer", false, explored()),
        engine("torn", false, torn.collect()),
        engine("power", true, crashes(Persistence::Posix)),
        engine("loom", false, loom),
        engine("pct", true, pct),
        engine("swarm", true, vec![swarm]),
        Engine { slow: true, ..engine("power, two", true, pairs) },
    ]
}

/// Processes that use the shipped code together.
fn users() -> Vec<Box<dyn Scenario + Send + Sync>> {
    vec![
        Box::new(LockUsers::new()),
        Box::new(LockUsers::rotating()),
        Box::new(MachineUsers::new()),
        Box::new(together::Files::new()),
        Box::new(Creators::new()),
    ]
}

/// What is small enough for every order of calls.
fn explored() -> Vec<Ground> {
    let mut all: Vec<Ground> = Vec::new();
    all.extend(Kept::all().into_iter().map(|kept| Ground::exhausted(kept, Cost::of(2, 0, 0))));
    all.extend(Replaced::all().into_iter().map(|it| Ground::exhausted(it, Cost::of(3, 0, 1))));
    all.extend(Lived::all().into_iter().map(|lived| Ground::exhausted(lived, Cost::of(3, 0, 2))));
    all.extend(Forked::all().into_iter().map(|forked| Ground::exhausted(forked, Cost::of(2, 1, 1))));
    all.extend(Copied::all().into_iter().map(|copied| Ground::exhausted(copied, Cost::of(4, 0, 0))));
    for (wrong, cost) in WRONG {
        all.extend(Answered::all(wrong).into_iter().map(|answered| Ground::exhausted(answered, cost)));
    }
    all.extend(Pair::all().into_iter().map(|pair| Ground::exhausted(pair, Cost::of(4, 2, 0))));
    all
}

/// What is looked at after the power failed.
fn crashes(model: Persistence) -> Vec<Ground> {
    let files = Files::all(model).into_iter();
    let mut crashes: Vec<Ground> =
        files.map(|files| Ground::both_ways(files, FILES_MAX, Cost::of(2, 0, 1))).collect();
    crashes.extend(power::alone(model).into_iter().map(|power| Ground::power(power, ALONE_BOUNDS)));
    let makers = [
        (Maker::Done, Cost::of(3, 0, 1)),
        (Maker::Stands, Cost::of(3, 1, 1)),
        (Maker::Killed, Cost::of(3, 0, 2)),
        (Maker::Failing, Cost::of(3, 0, 2)),
    ];
    for (maker, cost) in makers {
        crashes.extend(Seen::all(maker).into_iter().map(|seen| {
            let executions_max = seen.executions_max();
            let cost = Cost { faults: cost.faults + seen.faults(), ..cost };
            Ground::both_ways(seen, executions_max, cost)
        }));
    }
    crashes
        .extend(Stranger::all().into_iter().map(|it| Ground::both_ways(it, UNDONE_MAX, Cost::of(3, 0, 4))));
    crashes.push(Ground::both_ways(Undone::new(), UNDONE_MAX, Cost::of(3, 0, 2)));
    crashes
}
