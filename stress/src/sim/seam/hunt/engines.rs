//! The engines: each a way through executions, let loose on scenarios whose judges know what must hold.

use super::Hunt;
use crate::sim::choice::{Explorer, Random, Source};
use crate::sim::loom_fs::LoomExplored;
use crate::sim::scenario::Scenario;
use crate::sim::together::{Creators, Files, LockUsers, MachineUsers};
use crate::sim::{stage, torn};

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
    /// What it is let loose on.
    pub grounds: Vec<Ground>,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Ground {
    /// Runs until something is violated, or to the end.
    #[must_use]
    pub fn hunt(&self, seed: u64) -> Hunt {
        (self.run)(seed)
    }

    /// Executions drawn from the seed.
    fn drawn(scenario: impl Scenario + Send + Sync + 'static, executions_max: u64) -> Self {
        let name = scenario.name();
        let run = move |seed: u64| {
            let mut seeds = Random::new(seed);
            let mut hunt = Hunt::default();
            while hunt.violation.is_none() && hunt.executions < executions_max {
                hunt.executions += 1;
                hunt.violation = scenario.run(Source::random(seeds.bits())).violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    /// Every execution there is, or the first ones.
    fn exhausted(scenario: impl Scenario + Send + Sync + 'static, executions_max: u64) -> Self {
        let name = scenario.name();
        let run = move |_| {
            let mut explorer = Explorer::new();
            let mut hunt = Hunt::default();
            while hunt.violation.is_none() && hunt.executions < executions_max {
                let Some(source) = explorer.next_run() else { break };
                let ran = scenario.run(source);
                explorer.ran(&ran.source);
                hunt.executions += 1;
                hunt.violation = ran.violation;
            }
            hunt
        };
        Ground { name, run: Box::new(run) }
    }

    fn loom((name, model): (&'static str, fn(usize) -> LoomExplored)) -> Self {
        let run = move |_| {
            let explored = model(LOOM_PREEMPTIONS_MAX);
            Hunt { executions: explored.executions, violation: explored.violation }
        };
        Ground { name: name.to_owned(), run: Box::new(run) }
    }
}

/// Drawn executions of a scenario.
const DRAWN_MAX: u64 = 300;
/// How often a process that could go on may have to wait under loom.
const LOOM_PREEMPTIONS_MAX: usize = 2;

/// Every engine.
#[must_use]
pub fn engines() -> Vec<Engine> {
    let torn = torn::all().into_iter().map(|torn| Ground::exhausted(torn.with_few_cuts(), u64::MAX));
    let random = vec![
        Ground::drawn(LockUsers::new(), DRAWN_MAX),
        Ground::drawn(LockUsers::rotating(), DRAWN_MAX),
        Ground::drawn(MachineUsers::new(), DRAWN_MAX),
        Ground::drawn(Files::new(), DRAWN_MAX),
        Ground::drawn(Creators::new(), DRAWN_MAX),
    ];
    vec![
        Engine { name: "torn", draws: false, grounds: torn.collect() },
        Engine { name: "random", draws: true, grounds: random },
        Engine {
            name: "loom",
            draws: false,
            grounds: stage::LOOM_MODELS.into_iter().map(Ground::loom).collect(),
        },
    ]
}
