//! Through all cuts of a case and all that can survive them, judging each image once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use fencehold_model::Entry;

use super::play::{Played, Scene, Turn, visible};
use super::{CUTS_MAX, Power};
use crate::sim::choice::{Answer, Explorer, Random, Schedule, Source};
use crate::sim::scenario::{Counterexample, Scenario as _};
use crate::sim::world::Step;

/// How much of a case is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many subsets of what was not synced are tried one after the other at each cut; where there are more, as many
    /// are drawn beside.
    pub subsets_max: u64,
    /// From how many different images the recovery is cut again, at each depth.
    pub again_max: usize,
    /// How many cuts follow each other.
    pub cuts_max: u64,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations, and pairs of operations, on a workspace.
    pub cases: u64,
    /// Runs up to a cut.
    pub runs: u64,
    /// Moments at which the power failed.
    pub cuts: u64,
    /// Of these, those of which every subset was tried.
    pub cuts_whole: u64,
    /// Disks that were left.
    pub images: u64,
    /// Of these, those that differ from all before, or were left after other answers: each was judged.
    pub judged: u64,
    /// Runs of a recovery that was cut again.
    pub recoveries: u64,
}

impl Counts {
    /// For a report.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, String)> {
        let figure = |name: &str, value: u64| (name.to_owned(), value.to_string());
        vec![
            figure("operations and pairs of operations", self.cases),
            figure("runs", self.runs),
            figure("power cuts", self.cuts),
            figure("of these, every subset tried", self.cuts_whole),
            figure("images left", self.images),
            figure("images that differ, each judged", self.judged),
            figure("recoveries cut again", self.recoveries),
        ]
    }

    /// Both.
    pub fn add(&mut self, other: &Counts) {
        self.cases += other.cases;
        self.runs += other.runs;
        self.cuts += other.cuts;
        self.cuts_whole += other.cuts_whole;
        self.images += other.images;
        self.judged += other.judged;
        self.recoveries += other.recoveries;
    }
}

/// A boot to play, and the way to it.
struct Node {
    scene: Scene,
    answers: Vec<Answer>,
    /// The calls of each boot before.
    trace: Vec<(Arc<Vec<Step>>, usize)>,
}

/// The images of which the recovery is cut again: as many as there is room for, each as likely as any other.
struct Pool {
    nodes: Vec<Node>,
    offered: u32,
    most: usize,
}

impl Pool {
    fn of(most: usize) -> Self {
        Pool { nodes: Vec::new(), offered: 0, most }
    }

    /// Where a node goes that is offered now, if it is taken (Vitter 1985, algorithm R).
    fn place(&mut self, random: &mut Random) -> Option<usize> {
        self.offered += 1;
        if self.nodes.len() < self.most {
            return Some(self.nodes.len());
        }
        Some(random.below(self.offered) as usize).filter(|place| *place < self.most)
    }

    fn put(&mut self, place: usize, node: Node) {
        if place == self.nodes.len() { self.nodes.push(node) } else { self.nodes[place] = node }
    }
}

/// The state of one exploration.
struct Search<'a> {
    power: &'a Power,
    bounds: Bounds,
    random: Random,
    seen: HashSet<u64>,
    counts: Counts,
}

type Found = Box<Counterexample>;

impl Power {
    /// Everything within `bounds`, or until an image is judged wrong; and what was looked at.
    #[must_use]
    pub fn explore(&self, bounds: Bounds, seed: u64) -> (Counts, Option<Found>) {
        let counts = Counts { cases: 1, ..Counts::default() };
        let random = Random::new(seed);
        let mut search = Search { power: self, bounds, random, seen: HashSet::new(), counts };
        let mut deeper = || {
            let mut nodes = search.first()?;
            for _ in 1..bounds.cuts_max.min(CUTS_MAX) {
                nodes = search.again(nodes)?;
            }
            Ok(())
        };
        let found = deeper().err();
        (search.counts, found)
    }
}

impl Search<'_> {
    fn first(&mut self) -> Result<Pool, Found> {
        let scene = self.power.scene();
        let turns = self.power.turns(&scene);
        let mut nodes = Pool::of(self.bounds.again_max);
        for (at, turn) in turns.iter().enumerate() {
            self.counts.runs += 1;
            let played = scene.play(self.power.first, self.power.second, *turn);
            let way = chosen("turn", turns.len(), at).into_iter().collect();
            let root = Node { scene: scene.clone(), answers: way, trace: Vec::new() };
            self.cuts(&root, played, 1, &mut nodes)?;
        }
        Ok(nodes)
    }

    /// Cuts the recovery from each of `nodes`.
    fn again(&mut self, nodes: Pool) -> Result<Pool, Found> {
        let mut next = Pool::of(self.bounds.again_max);
        for mut node in nodes.nodes {
            self.counts.recoveries += 1;
            let played = node.scene.play(self.power.recovery(), None, Turn::After);
            let depth = node.scene.boot - self.power.start.boot + 1;
            node.answers.extend(chosen("again", 2, 1));
            self.cuts(&node, played, depth, &mut next)?;
        }
        Ok(next)
    }

    fn cuts(&mut self, node: &Node, played: Played, depth: u64, next: &mut Pool) -> Result<(), Found> {
        let Played { moments, told, trace, wrong } = played;
        let trace = Arc::new(trace);
        let until = |calls: usize| [&node.trace[..], &[(Arc::clone(&trace), calls)]].concat();
        if let Some(why) = wrong {
            return Err(self.found(node.answers.clone(), &until(trace.len()), why));
        }
        for (at, moment) in moments.iter().enumerate() {
            self.counts.cuts += 1;
            let mut seen = node.scene.visible.clone();
            seen.push(visible(moment, node.scene.boot));
            let mut explorer = Explorer::new();
            let mut drawn = 0;
            while drawn <= self.bounds.subsets_max {
                let mut source = match explorer.next_run() {
                    None => break,
                    Some(source) if explorer.explored().runs < self.bounds.subsets_max => source,
                    Some(_) => {
                        drawn += 1;
                        Source::random(self.random.bits())
                    }
                };
                let disk = moment.disk.power_cut(&mut |label, of| source.choose(label, of));
                if drawn == 0 {
                    explorer.ran(&source);
                }
                self.counts.images += 1;
                let told = told[..moment.told].to_vec();
                let scene = Scene { disk, boot: node.scene.boot + 1, told, visible: seen.clone() };
                if !self.seen.insert(fingerprint(&scene)) {
                    continue;
                }
                self.counts.judged += 1;
                let answers = || {
                    let here = chosen("cut", moments.len(), at).into_iter();
                    let left = source.answers().iter().cloned();
                    node.answers.iter().cloned().chain(here).chain(left).collect::<Vec<_>>()
                };
                if let Err(why) = self.power.image(&scene).judge() {
                    return Err(self.found(answers(), &until(moment.calls), why));
                }
                if depth < self.bounds.cuts_max
                    && let Some(place) = next.place(&mut self.random)
                {
                    let (answers, trace) = (answers(), until(moment.calls));
                    next.put(place, Node { scene, answers, trace });
                }
            }
            self.counts.cuts_whole += u64::from(explorer.explored().complete);
        }
        Ok(())
    }

    fn found(&self, answers: Vec<Answer>, boots: &[(Arc<Vec<Step>>, usize)], what: String) -> Found {
        let trace = boots.iter().flat_map(|(calls, count)| calls.iter().take(*count).cloned()).collect();
        let schedule = Schedule { scenario: self.power.name(), answers };
        Box::new(Counterexample { what, schedule: schedule.trimmed(), trace })
    }
}

/// The answer that leads here; a question with one possible answer is not asked.
fn chosen(label: &'static str, of: usize, chosen: usize) -> Option<Answer> {
    let number = |number: usize| u32::try_from(number).expect("few possibilities");
    (of > 1).then(|| Answer { label: label.into(), of: number(of), chosen: number(chosen) })
}

/// What tells images apart: every file with its number and bytes, and all that was told.
fn fingerprint(scene: &Scene) -> u64 {
    let mut hasher = DefaultHasher::new();
    scene.boot.hash(&mut hasher);
    for (path, bytes) in scene.disk.files() {
        path.hash(&mut hasher);
        digest(bytes).hash(&mut hasher);
        scene.disk.stat(&path).ok().flatten().map(|stat| stat.id.ino).hash(&mut hasher);
    }
    let hash = |entries: &[Entry], hasher: &mut DefaultHasher| {
        entries.iter().for_each(|entry| (entry.revision, entry.op.as_str()).hash(hasher));
    };
    for told in &scene.told {
        (&told.op, told.heard, told.durable).hash(&mut hasher);
        hash(&told.witness, &mut hasher);
    }
    scene.visible.iter().for_each(|entries| hash(entries, &mut hasher));
    hasher.finish()
}

/// A digest of bytes, eight at a time: what is told apart by it is many times more than there ever is to tell apart.
fn digest(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    let mut chunks = bytes.chunks_exact(8);
    let whole = chunks.by_ref().fold(bytes.len() as u64, |sum, chunk| {
        mix(sum, u64::from_le_bytes(chunk.try_into().expect("a chunk of eight bytes")))
    });
    mix(chunks.remainder().iter().fold(whole, |sum, byte| mix(sum, u64::from(*byte))), 1)
}
