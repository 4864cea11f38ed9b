//! What a swarm run is made of, drawn from its seed: which operations there are, which faults, how many of each.
//!
//! A run with everything switched on hides what shows where something is off (Groce, Zhang, Eide, Chen, Regehr: Swarm
//! Testing, ISSTA 2012). A plan is its own schedule: everything in the run follows from it.

use serde_json::{Value, json};

use crate::sim::choice::Random;
use crate::sim::disk::Persistence;

/// What can be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Feature {
    /// Commands about locks.
    Locks,
    /// Commands about leases.
    Leases,
    /// Commands about tasks.
    Tasks,
    /// Long reasons, so that the journal is rotated.
    Long,
    /// Processes that keep their handle for many operations.
    Served,
    /// Kills at any call.
    Kills,
    /// Stops past the shorter TTLs.
    Stops,
    /// Readers that see the beginning of a write.
    Splits,
    /// Rare switches, so that one process gets far while another stands still.
    Rare,
    /// The power fails in the midst of a boot.
    Power,
    /// The machine is booted anew, and nothing is lost.
    Reboots,
    /// Syncs that fail.
    Io,
    /// A full disk, now and then.
    NoSpace,
    /// Too many open files, now and then.
    Files,
    /// Interrupted reads.
    Interrupts,
    /// Writes that come short.
    Short,
    /// Answers that do not wait for the disk; the power does not fail then.
    Relaxed,
}

/// Each with its word.
pub(super) const FEATURES: [(Feature, &str); 17] = [
    (Feature::Locks, "locks"),
    (Feature::Leases, "leases"),
    (Feature::Tasks, "tasks"),
    (Feature::Long, "long"),
    (Feature::Served, "served"),
    (Feature::Kills, "kills"),
    (Feature::Stops, "stops"),
    (Feature::Splits, "splits"),
    (Feature::Rare, "rare"),
    (Feature::Power, "power"),
    (Feature::Reboots, "reboots"),
    (Feature::Io, "io"),
    (Feature::NoSpace, "no space"),
    (Feature::Files, "files"),
    (Feature::Interrupts, "interrupts"),
    (Feature::Short, "short"),
    (Feature::Relaxed, "relaxed"),
];

/// A swarm run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) seed: u64,
    /// How many processes run at a time.
    pub(super) processes: u32,
    /// How many boots, or groups of processes, follow each other.
    pub(super) rounds: u32,
    /// How many operations each process asks for in a round.
    pub(super) ops: u32,
    pub(super) features: Vec<Feature>,
    pub(super) model: Persistence,
    /// Operations that are left out, by their numbers.
    pub(super) skipped: Vec<u32>,
}

impl Plan {
    /// The plan of a seed; `ops_max` is how many operations it has at the most.
    #[must_use]
    pub fn drawn(seed: u64, ops_max: u32) -> Self {
        let mut random = Random::new(seed);
        let processes = 2 + random.below(5);
        let rounds = 1 + random.below(6);
        let mut features: Vec<Feature> =
            FEATURES.iter().map(|(feature, _)| *feature).filter(|_| random.below(2) == 0).collect();
        if !features.iter().any(|feature| *feature <= Feature::Tasks) {
            features.insert(0, Feature::Locks);
        }
        if features.contains(&Feature::Relaxed) {
            features.retain(|feature| *feature != Feature::Power);
        }
        let model = Persistence::LOSING[random.below(5) as usize];
        let ops = (ops_max / (processes * rounds)).max(1);
        Plan { seed, processes, rounds, ops, features, model, skipped: Vec::new() }
    }

    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// How many operations are asked for.
    #[must_use]
    pub fn operations(&self) -> u32 {
        self.processes * self.rounds * self.ops - u32::try_from(self.skipped.len()).unwrap_or(u32::MAX)
    }

    /// As one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let word = |feature: &Feature| FEATURES[*feature as usize].1;
        json!({
            "seed": self.seed,
            "processes": self.processes,
            "rounds": self.rounds,
            "ops": self.ops,
            "features": self.features.iter().map(word).collect::<Vec<_>>(),
            "model": format!("{:?}", self.model),
            "skipped": self.skipped,
        })
        .to_string()
    }

    /// Reads what [`Plan::to_json`] wrote.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("no swarm plan: {error}"))?;
        let bad = |key: &str| format!("a swarm plan without a valid `{key}`");
        let number = |key: &str, most: u64| {
            let number = value[key].as_u64().filter(|number| (1..=most).contains(number));
            number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| bad(key))
        };
        let list = |key: &str| value[key].as_array().ok_or_else(|| bad(key));
        let feature = |word: &Value| {
            let known = FEATURES.iter().find(|(_, known)| word.as_str() == Some(known));
            known.map(|(feature, _)| *feature).ok_or_else(|| bad("features"))
        };
        let model = Persistence::LOSING.into_iter().find(|model| value["model"] == format!("{model:?}"));
        let skipped = list("skipped")?.iter().map(|op| op.as_u64().and_then(|op| u32::try_from(op).ok()));
        Ok(Plan {
            seed: value["seed"].as_u64().ok_or_else(|| bad("seed"))?,
            processes: number("processes", 6)?,
            rounds: number("rounds", 1_000)?,
            ops: number("ops", 1_000_000)?,
            features: list("features")?.iter().map(feature).collect::<Result<_, _>>()?,
            model: model.ok_or_else(|| bad("model"))?,
            skipped: skipped.collect::<Option<_>>().ok_or_else(|| bad("skipped"))?,
        })
    }
}
