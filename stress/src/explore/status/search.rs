//! Breadth-first search: every value of a vocabulary that can be reached, every command there, judged.

use std::collections::HashSet;
use std::time::Instant;

use fencehold_model::spec::Spec as _;
use fencehold_model::spec::status::Task;
use fencehold_model::status::{Cell, Decision, Value};
use fencehold_model::{Entry, Holder, OpId, Policy, Revision, State, TaskId};

use super::judge::{self, Step};
use super::lexicon::Lexicon;
use super::node::{Key, Texts};
use super::shape::Shape;
use super::space::{Action, Bounds, actions, task};
use super::subject::Subject;

/// What a search came to.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Different states reached.
    pub states: u64,
    /// Transitions taken and judged.
    pub transitions: u64,
    /// Of these, commands that recorded an event.
    pub recorded: u64,
    /// Of these, into states beyond the bounds, from where the search does not go on.
    pub beyond: u64,
    /// Steps from the beginning to the farthest state.
    pub depth: u32,
    /// Whether time ended the search before every state was gone through.
    pub cut: bool,
    /// The first thing found.
    pub found: Option<Found>,
}

/// A shortest way to something that must not be.
#[derive(Debug, Clone)]
pub struct Found {
    /// What must not be.
    pub why: String,
    /// The commands from the beginning, the last one the wrong one.
    pub path: Vec<String>,
}

struct Seen {
    key: Key,
    parent: usize,
    action: usize,
    depth: u32,
}

struct Search<'a, S> {
    subject: &'a S,
    bounds: &'a Bounds,
    texts: Texts,
    lexicon: Lexicon,
    state: State,
    /// Whether the state is not the one that is gone through any more.
    touched: bool,
    task: TaskId,
    out: Explored,
}

/// A state that is being gone through.
struct From {
    value: Option<Value>,
    oracle: Task,
}

/// Searches the vocabulary of `shape`, until `deadline` at the latest.
pub fn explore(subject: &impl Subject, shape: &Shape, bounds: &Bounds, deadline: Instant) -> Explored {
    let texts = Texts::new(shape, bounds);
    let vocabulary = shape.vocabulary();
    let lexicon = Lexicon::new(&vocabulary, texts.details.clone());
    let state = State { policy: Policy { vocabulary, ..Policy::default() }, ..State::default() };
    let actions = actions(shape, &texts, &lexicon, bounds);
    let mut search = Search {
        subject,
        bounds,
        texts,
        lexicon,
        state,
        touched: true,
        task: task(),
        out: Explored::default(),
    };
    let mut known: HashSet<Key> = HashSet::from([0]);
    let mut seen = vec![Seen { key: 0, parent: 0, action: 0, depth: 0 }];
    let mut at = 0;
    'search: while at < seen.len() {
        let (key, depth) = (seen[at].key, seen[at].depth);
        search.out.depth = depth;
        if Instant::now() >= deadline {
            search.out.cut = true;
            break;
        }
        let from = match search.from(key) {
            Ok(from) => from,
            Err(why) => {
                search.out.found = Some(Found { why, path: path(&seen, at, &actions) });
                break;
            }
        };
        for (index, action) in actions.iter().enumerate() {
            match search.step(&from, action) {
                Ok(next) => {
                    if let Some(next) = next.filter(|next| known.insert(*next)) {
                        seen.push(Seen { key: next, parent: at, action: index, depth: depth + 1 });
                    }
                }
                Err(why) => {
                    let mut path = path(&seen, at, &actions);
                    path.push(format!("{:?}", action.command));
                    search.out.found = Some(Found { why, path });
                    break 'search;
                }
            }
        }
        at += 1;
    }
    search.out.states = seen.len() as u64;
    search.out
}

impl<S: Subject> Search<'_, S> {
    fn from(&mut self, key: Key) -> Result<From, String> {
        self.touched = true;
        let value = self.texts.decode(key);
        let oracle = self.lexicon.task(value.as_ref())?;
        Ok(From { value, oracle })
    }

    /// Takes one action; gives the state that it leads to, none where that lies beyond the bounds.
    fn step(&mut self, from: &From, action: &Action) -> Result<Option<Key>, String> {
        self.out.transitions += 1;
        self.enter(from.value.as_ref(), action.revision - 1);
        let command = &action.command;
        let decision = self.subject.decide(&self.state, command);
        if let Decision::Record(event) = &decision {
            self.out.recorded += 1;
            self.touched = true;
            self.subject.apply(&mut self.state, &entry(action.revision, event.clone()));
        }
        let before = from.value.as_ref();
        let after = self.state.tasks.get(&self.task).map(|cell| &cell.value);
        let vocabulary = &self.state.policy.vocabulary;
        judge::invariants(&Step { vocabulary, before, after, command, decision: &decision })?;
        let op = self.lexicon.answered(action.ask, &decision, action.revision);
        let stepped = self.lexicon.spec.step(&from.oracle, &op);
        let stepped = stepped.map_err(|breach| format!("{}: {}", breach.word(), breach.why()))?;
        let machine = if self.touched { self.lexicon.task(after)? } else { from.oracle };
        if stepped != machine {
            return Err(format!("the oracle knows {stepped:?}, the machine {after:?}"));
        }
        if self.state.tasks.len() > 1 {
            return Err("a command changed another task".into());
        }
        let key = self.texts.encode(before, after, self.bounds);
        self.out.beyond += u64::from(key.is_none());
        if self.touched {
            judge::again(command, &self.subject.decide(&self.state, command))?;
        }
        Ok(key)
    }

    /// Makes the state hold `value`, at a revision.
    fn enter(&mut self, value: Option<&Value>, revision: Revision) {
        self.state.revision = revision;
        if core::mem::take(&mut self.touched) {
            self.state.recent.clear();
            self.state.tasks.clear();
            if let Some(value) = value {
                let cell = Cell { value: value.clone(), revision: 0, at_ms: 0, actor: actor() };
                self.state.tasks.insert(self.task.clone(), cell);
            }
        }
    }
}

fn actor() -> Holder {
    Holder::new("a").expect("one letter is an id")
}

pub(super) fn entry(revision: Revision, event: fencehold_model::Event) -> Entry {
    Entry { revision, at_ms: 0, actor: actor(), op: OpId::new("o").expect("one letter is an id"), event }
}

fn path(seen: &[Seen], mut at: usize, actions: &[Action]) -> Vec<String> {
    let mut path = Vec::new();
    while at != 0 {
        path.push(format!("{:?}", actions[seen[at].action].command));
        at = seen[at].parent;
    }
    path.reverse();
    path
}

impl Explored {
    /// Adds another vocabulary's.
    pub fn add(&mut self, other: Explored) {
        self.states += other.states;
        self.transitions += other.transitions;
        self.recorded += other.recorded;
        self.beyond += other.beyond;
        self.depth = self.depth.max(other.depth);
        self.cut |= other.cut;
        self.found = self.found.take().or(other.found);
    }
}
