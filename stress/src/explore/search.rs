//! Breadth-first search: every state of a configuration, every transition out of it, judged.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

use super::node::Key;
use super::space::{Action, Config};
use super::step::{From, Search};
use super::subject::Subject;

/// Hashes a key: one multiplication and a fold (keys are exact, so a poor hash costs time and nothing else).
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte) ^ self.0);
        }
    }
    fn write_u64(&mut self, key: u64) {
        let wide = u128::from(key ^ 0x2d35_8dcc_aa6c_78a5) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

/// What a search came to.
#[derive(Debug, Clone)]
pub struct Explored {
    /// Different states reached.
    pub states: u64,
    /// Transitions taken and judged.
    pub transitions: u64,
    /// Of these, commands that recorded an event.
    pub recorded: u64,
    /// Steps from the beginning to the farthest state.
    pub depth: u32,
    /// Whether every state was gone through; else the bound that ended the search.
    pub ended_by: Option<String>,
    /// The first thing found: the rule, and the way there.
    pub violation: Option<Violation>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A shortest way to something that must not be.
#[derive(Debug, Clone)]
pub struct Violation {
    /// What must not be.
    pub why: String,
    /// The actions from the beginning, the last one the wrong one.
    pub path: Vec<String>,
}

/// Where a search ends at the latest.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// So many steps from the beginning.
    pub depth: u32,
    /// So much time.
    pub time: Duration,
}

struct Seen {
    key: Key,
    parent: u32,
    action: u16,
    depth: u16,
}

/// What is searched: states in one word, and what leads from one to the next, judged.
pub(super) trait Space {
    /// One thing that can happen.
    type Action: Copy + std::fmt::Debug;
    /// A state that is being gone through.
    type From;
    /// Everything that can happen.
    fn actions(&self) -> Vec<Self::Action>;
    /// The state of a key.
    fn enter(&mut self, key: Key) -> Result<Self::From, String>;
    /// Takes one action and judges it; none if it cannot happen here.
    fn step(&mut self, from: &Self::From, action: Self::Action) -> Result<Option<Key>, String>;
    /// Events recorded so far.
    fn recorded(&self) -> u64;
}

struct Locks<'a, S> {
    search: Search<'a, S>,
    config: &'a Config,
}

impl<S: Subject> Space for Locks<'_, S> {
    type Action = Action;
    type From = From;

    fn actions(&self) -> Vec<Action> {
        self.config.actions()
    }
    fn enter(&mut self, key: Key) -> Result<From, String> {
        self.search.enter(key)
    }
    fn step(&mut self, from: &From, action: Action) -> Result<Option<Key>, String> {
        self.search.step(self.config, from, action)
    }
    fn recorded(&self) -> u64 {
        self.search.recorded
    }
}

/// Searches `config`. `tell` hears of the transitions so far, now and then.
///
/// # Panics
/// If there are more than 2^32 states.
pub fn explore(subject: &impl Subject, config: &Config, limit: Limit, tell: &mut dyn FnMut(u64)) -> Explored {
    search(Locks { search: Search::new(subject, config.names), config }, limit, tell)
}

/// Searches a space from the state 0 on, breadth first.
pub(super) fn search(mut space: impl Space, limit: Limit, tell: &mut dyn FnMut(u64)) -> Explored {
    let begun = Instant::now();
    let actions = space.actions();
    let mut known: HashSet<Key, BuildHasherDefault<KeyHasher>> = HashSet::default();
    let mut seen = vec![Seen { key: 0, parent: 0, action: 0, depth: 0 }];
    known.insert(0);
    let mut out = Explored {
        states: 1,
        transitions: 0,
        recorded: 0,
        depth: 0,
        ended_by: None,
        violation: None,
        elapsed: Duration::ZERO,
    };
    let mut at = 0;
    'search: while at < seen.len() {
        let (key, depth) = (seen[at].key, seen[at].depth);
        out.depth = u32::from(depth);
        if u32::from(depth) >= limit.depth {
            out.ended_by = Some(format!("{} steps", limit.depth));
            break;
        }
        if at % 256 == 0 {
            tell(out.transitions);
            if begun.elapsed() >= limit.time {
                out.ended_by = Some(format!("{:.0} s, in step {}", limit.time.as_secs_f64(), depth + 1));
                break;
            }
        }
        let from = match space.enter(key) {
            Ok(from) => from,
            Err(why) => {
                out.violation = Some(Violation { why, path: path(&seen, at, &actions) });
                break;
            }
        };
        for (index, action) in actions.iter().enumerate() {
            match space.step(&from, *action) {
                Ok(None) => {}
                Ok(Some(next)) => {
                    out.transitions += 1;
                    if known.insert(next) {
                        let parent = u32::try_from(at).expect("fewer than 2^32 states");
                        seen.push(Seen { key: next, parent, action: index as u16, depth: depth + 1 });
                    }
                }
                Err(why) => {
                    let mut path = path(&seen, at, &actions);
                    path.push(format!("{action:?}"));
                    out.violation = Some(Violation { why, path });
                    break 'search;
                }
            }
        }
        at += 1;
    }
    (out.states, out.recorded, out.elapsed) = (seen.len() as u64, space.recorded(), begun.elapsed());
    out
}

fn path<A: std::fmt::Debug>(seen: &[Seen], mut at: usize, actions: &[A]) -> Vec<String> {
    let mut path = Vec::new();
    while at != 0 {
        path.push(format!("{:?}", actions[seen[at].action as usize]));
        at = seen[at].parent as usize;
    }
    path.reverse();
    path
}
