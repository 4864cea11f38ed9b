//! The crash explorer: the power fails at every call of every operation, and of every two, and every subset of what was
//! not synced survives that a filesystem may leave; then the shipped code recovers, and is judged.
//!
//! A case is an operation of one process on a workspace (`starts`), or of two: the second begins before any call of
//! the first, after its kill there, or after one of its calls failed (`play`). Each moment before a call that changes
//! something, and the one after the last answer, is a *cut*. What survives a cut is asked of the source by
//! [`power_cut`](super::disk::Disk::power_cut); the next boot finds an *image*. Images that are equal, with equal
//! answers before, are judged once (`judge`). The recovery is cut as well, from every image that is new, and so is the
//! recovery from that.
//!
//! Bounds: two processes, of which one is preempted once; one failed call before the first cut; per cut as many subsets
//! as [`Bounds`] says, all of them where there are no more, else the first ones and as many drawn.

mod canary;
mod door;
mod explore;
mod files;
mod judge;
mod operations;
mod play;
pub mod stage;
mod starts;
mod told;
mod user;

pub use canary::{Recovery, canaries, harmed};
pub use explore::{Bounds, Counts};
pub use files::Files;
pub use stage::Effort;

use fencehold::journal::Durability;

use self::judge::Image;
use self::operations::{ALL, CREATE, FEW, MEND, NEXT, Operation, REPAIR};
use self::play::{Part, Scene, Turn, visible};
use self::starts::Start;
use super::choice::{Schedule, Source};
use super::disk::Persistence;
use super::scenario::{Ran, Scenario};

/// How many times in a row the power may fail.
const CUTS_MAX: u64 = 3;

/// One operation, or two, on a workspace on a filesystem.
#[derive(Debug, Clone)]
pub struct Power {
    start: &'static Start,
    model: Persistence,
    first: Part,
    second: Option<Part>,
    recovery: Recovery,
}

impl Power {
    fn new(start: &'static Start, model: Persistence, first: Operation, second: Option<Operation>) -> Self {
        let part = |operation, op| Part { operation, op, durability: Durability::Durable };
        let (first, second) = (part(first, "a"), second.map(|second| part(second, "b")));
        Power { start, model, first, second, recovery: Recovery::Shipped }
    }

    /// The same, where whoever comes after a cut recovers so.
    #[must_use]
    pub fn recovering(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// Whether the workspace was used in this boot, or rotates, and nothing else is wrong with it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.start.name, "used" | "full")
    }

    /// What a counterexample needs: operations, preemptions, and faults, each cut of the power being one.
    pub(in crate::sim) fn cost(&self, schedule: &Schedule) -> (u32, u32, u32) {
        let answer =
            |label: &'static str| schedule.answers.iter().filter(move |answer| answer.label == label);
        let turns = self.turns(&self.scene());
        let turn = answer("turn").next().and_then(|answer| turns.get(answer.chosen as usize));
        let (preemptions, faults) = match turn {
            None | Some(Turn::After) => (0, 0),
            Some(Turn::At(_)) => (1, 0),
            Some(Turn::Killed(_) | Turn::Failed(..)) => (0, 1),
        };
        let again = answer("again").filter(|answer| answer.chosen == 1).count();
        let again = u32::try_from(again).unwrap_or(u32::MAX);
        // The one that looks afterwards counts as well.
        (1 + u32::from(self.second.is_some()) + again + 1, preemptions, 1 + again + faults)
    }

    fn scene(&self) -> Scene {
        // What stood there before is durable, and small pages let a line span some.
        let disk = self.start.disk.clone().persistent(self.model, PAGE_BYTES);
        Scene { disk, boot: self.start.boot, told: Vec::new(), visible: Vec::new() }
    }

    fn turns(&self, scene: &Scene) -> Vec<Turn> {
        Scene::turns(&scene.calls(self.first), self.second.is_none())
    }

    /// What the next process does, in the boot after a cut.
    fn recovery(&self) -> Part {
        let operation = if self.start.damaged { MEND } else { self.recovery.next() };
        Part { operation, op: "next", durability: Durability::Durable }
    }
}

/// Small enough for a line to lie in several.
const PAGE_BYTES: usize = 128;

impl Scenario for Power {
    fn name(&self) -> String {
        let model = format!("{:?}", self.model).to_lowercase();
        let second = self.second.map(|second| format!(" | {}", second.operation.name)).unwrap_or_default();
        let recovery = self.recovery.name();
        format!("power/{model}/{}: {}{second}{recovery}", self.start.name, self.first.operation.name)
    }

    fn run(&self, mut source: Source) -> Ran {
        let mut scene = self.scene();
        let turns = self.turns(&scene);
        let turn = turns[source.choose("turn", turns.len())];
        let mut played = scene.play(self.first, self.second, turn);
        let mut trace = Vec::new();
        for cut in 1..=CUTS_MAX {
            if let Some(why) = played.wrong.take() {
                trace.append(&mut played.trace);
                return Ran { source, trace, violation: Some(why) };
            }
            let moment = &played.moments[source.choose("cut", played.moments.len())];
            let mut seen = scene.visible;
            seen.push(visible(moment, scene.boot));
            let disk = moment.disk.power_cut(&mut |label, of| source.choose(label, of));
            trace.extend(played.trace[..moment.calls.min(played.trace.len())].iter().cloned());
            let told = played.told[..moment.told].to_vec();
            scene = Scene { disk, boot: scene.boot + 1, told, visible: seen };
            if cut == CUTS_MAX || source.choose("again", 2) == 0 {
                break;
            }
            played = scene.play(self.recovery(), None, Turn::After);
        }
        let violation = self.image(&scene).judge().err();
        Ran { source, trace, violation }
    }
}

impl Power {
    fn image<'a>(&self, scene: &'a Scene) -> Image<'a> {
        Image { scene, start: self.start, recovery: self.recovery }
    }
}

/// The workspace that everything is tried on.
const USED: &str = "used";

/// The names of the workspaces that operations begin with, the used one first.
fn starts() -> impl Iterator<Item = &'static str> {
    starts::all().iter().map(|start| start.name)
}

impl Power {
    /// The name of the workspace that it begins with.
    #[must_use]
    pub fn start(&self) -> &'static str {
        self.start.name
    }
}

/// Every operation by itself, on every workspace that it can meet, in a fixed order.
#[must_use]
pub fn alone(model: Persistence) -> Vec<Power> {
    let mut all = Vec::new();
    for start in starts::all() {
        if start.damaged {
            all.push(Power::new(start, model, REPAIR, None));
        } else if start.name == "nothing" {
            all.push(Power::new(start, model, CREATE, None));
        } else if start.name == "used" {
            all.extend(ALL.map(|operation| Power::new(start, model, operation, None)));
        } else {
            all.extend(FEW.map(|name| Power::new(start, model, operations::named(name), None)));
        }
    }
    all
}

/// Every two operations: all on a used workspace, those that stand for the others on the rest.
#[must_use]
pub fn pairs(model: Persistence) -> Vec<Power> {
    meetings(model, &ALL)
}

/// The same, of those that stand for the others.
#[must_use]
pub fn few_pairs(model: Persistence) -> Vec<Power> {
    meetings(model, &FEW.map(operations::named))
}

fn meetings(model: Persistence, on_used: &[Operation]) -> Vec<Power> {
    let mut all = Vec::new();
    for start in starts::all().iter().filter(|start| !start.damaged) {
        let operations = match start.name {
            "nothing" => vec![CREATE, NEXT],
            "used" => on_used.to_vec(),
            _ => FEW.map(operations::named).to_vec(),
        };
        for first in &operations {
            all.extend(operations.iter().map(|second| Power::new(start, model, *first, Some(*second))));
        }
    }
    all
}

/// Everything that a schedule can name.
pub(super) fn scenarios() -> Vec<Box<dyn Scenario>> {
    let mut all: Vec<Box<dyn Scenario>> = Vec::new();
    for model in Persistence::LOSING {
        all.extend(
            alone(model).into_iter().chain(pairs(model)).map(|case| Box::new(case) as Box<dyn Scenario>),
        );
        all.extend(Files::all(model).into_iter().map(|case| Box::new(case) as Box<dyn Scenario>));
        all.extend(canaries(model).into_iter().map(|case| Box::new(case) as Box<dyn Scenario>));
    }
    all
}
