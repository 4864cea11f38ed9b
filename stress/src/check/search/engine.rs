//! The search itself: place what fits, go back where nothing does.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use fencehold_model::history::NEVER;
use fencehold_model::spec::{Breach, Spec};

use super::super::limit::Limit;
use super::fingerprint::{AsItIs, of_op, of_state};
use super::list::{END, HEAD, List};
use super::{Found, Timed};

struct Frame<T> {
    node: u32,
    variant: u8,
    forced: bool,
    state: T,
    now_us: u64,
    over: u32,
}

enum Scan<T> {
    Take { node: u32, variant: u8, forced: bool, next: T },
    Blocked(Option<usize>),
    Stopped,
}

pub(super) struct Search<'a, S: Spec> {
    spec: &'a S,
    ops: &'a [Timed<S::Op>],
    limit: &'a mut Limit,
    transitions: &'a mut u64,
    list: List,
    /// How many answered operations have a lower revision than this one.
    lower: Vec<u32>,
    seen: HashSet<u128, BuildHasherDefault<AsItIs>>,
    frames: Vec<Frame<S::State>>,
    state: S::State,
    now_us: u64,
    /// The last of the lost operations at the front of the list whose time is over.
    over: u32,
    placed: u128,
    answered: u32,
    deepest: Option<(u32, usize, Breach)>,
}

impl<'a, S: Spec> Search<'a, S> {
    pub(super) fn new(
        spec: &'a S,
        ops: &'a [Timed<S::Op>],
        by_revision: bool,
        limit: &'a mut Limit,
        transitions: &'a mut u64,
    ) -> Self {
        Search {
            spec,
            ops,
            limit,
            transitions,
            list: List::new(ops),
            lower: if by_revision { lower_revisions(ops) } else { vec![0; ops.len()] },
            seen: HashSet::default(),
            frames: Vec::new(),
            state: spec.initial(),
            now_us: 0,
            over: HEAD,
            placed: 0,
            answered: 0,
            deepest: None,
        }
    }

    pub(super) fn run(mut self) -> Found {
        let all = self.ops.iter().filter(|timed| timed.answered).count();
        let mut resume: Option<(u32, u8)> = None;
        while (self.answered as usize) < all {
            let scan = match resume.take() {
                None => self.scan_fresh(),
                Some((node, variant)) => self.scan_on(node, variant),
            };
            match scan {
                Scan::Take { node, variant, forced, next } => self.place(node, variant, forced, next),
                Scan::Stopped => return Found::Stopped,
                Scan::Blocked(op) => {
                    self.note(op);
                    match self.back() {
                        Some(at) => resume = Some(at),
                        None => return self.nothing(),
                    }
                }
            }
        }
        Found::Order(self.frames.iter().map(|frame| self.list.op(frame.node)).collect())
    }

    /// Looks for an operation that only tells what is known; where there is none, for the first that fits.
    fn scan_fresh(&mut self) -> Scan<S::State> {
        let mut first = None;
        let mut lost_until = NEVER;
        let mut node = self.first();
        while node != END && !self.list.is_return(node) {
            if !self.limit.step() {
                return Scan::Stopped;
            }
            let op = self.list.op(node);
            let timed = &self.ops[op];
            if !timed.answered {
                if timed.end_us >= self.now_us {
                    lost_until = lost_until.min(timed.end_us);
                    first = first.or(Some(node));
                }
            } else if self.lower[op] <= self.answered {
                let shuts_out = timed.start_us > self.now_us && lost_until < timed.start_us;
                if shuts_out || !self.spec.only_tells(&timed.op) {
                    first = first.or(Some(node));
                } else {
                    *self.transitions += 1;
                    if let Ok(next) = self.spec.step(&self.state, &timed.op) {
                        if next == self.state {
                            return Scan::Take { node, variant: 0, forced: true, next };
                        }
                        first = first.or(Some(node));
                    }
                }
            }
            node = self.list.next(node);
        }
        match first {
            Some(first) => self.scan_on(first, 0),
            None => Scan::Blocked(self.blocker(node)),
        }
    }

    /// The first node that is not a lost operation whose time is over: nothing can put such a one in again.
    fn first(&mut self) -> u32 {
        loop {
            let node = self.list.next(self.over);
            if node == END || self.list.is_return(node) {
                return node;
            }
            let timed = &self.ops[self.list.op(node)];
            if timed.answered || timed.end_us >= self.now_us {
                return node;
            }
            self.over = node;
        }
    }

    /// Looks for the first that fits and leads to what was not seen yet, from this node and variant on.
    fn scan_on(&mut self, from: u32, mut variant: u8) -> Scan<S::State> {
        let mut node = from;
        while node != END && !self.list.is_return(node) {
            if !self.limit.step() {
                return Scan::Stopped;
            }
            let op = self.list.op(node);
            let timed = &self.ops[op];
            if timed.answered {
                if variant == 0 && self.lower[op] <= self.answered {
                    *self.transitions += 1;
                    if let Ok(next) = self.spec.step(&self.state, &timed.op)
                        && self.is_new(op, &next)
                    {
                        return Scan::Take { node, variant: 0, forced: false, next };
                    }
                }
            } else if timed.end_us >= self.now_us {
                *self.transitions += 1;
                let effects = self.spec.effects(&self.state, &timed.op);
                for (next, number) in effects.into_iter().zip(0u8..).skip(variant.into()) {
                    if let Some(next) = next
                        && self.is_new(op, &next)
                    {
                        return Scan::Take { node, variant: number, forced: false, next };
                    }
                }
            }
            variant = 0;
            node = self.list.next(node);
        }
        if self.limit.over().is_some() { Scan::Stopped } else { Scan::Blocked(self.blocker(node)) }
    }

    fn blocker(&self, node: u32) -> Option<usize> {
        (node != END).then(|| self.list.op(node))
    }

    fn is_new(&mut self, op: usize, next: &S::State) -> bool {
        if !self.limit.remember(self.seen.len()) {
            return false;
        }
        self.seen.insert(self.placed ^ of_op(op) ^ of_state(next))
    }

    fn place(&mut self, node: u32, variant: u8, forced: bool, next: S::State) {
        let op = self.list.op(node);
        let timed = &self.ops[op];
        self.list.lift(node);
        self.frames.push(Frame {
            node,
            variant,
            forced,
            state: std::mem::replace(&mut self.state, next),
            now_us: self.now_us,
            over: self.over,
        });
        self.placed ^= of_op(op);
        self.answered += u32::from(timed.answered);
        self.now_us = self.now_us.max(timed.start_us);
    }

    /// Takes back the last operations up to one that was a choice; gives where to go on.
    fn back(&mut self) -> Option<(u32, u8)> {
        loop {
            let frame = self.frames.pop()?;
            let op = self.list.op(frame.node);
            self.list.put_back(frame.node);
            self.placed ^= of_op(op);
            self.answered -= u32::from(self.ops[op].answered);
            (self.state, self.now_us, self.over) = (frame.state, frame.now_us, frame.over);
            if !frame.forced {
                return Some((frame.node, frame.variant + 1));
            }
        }
    }

    /// Remembers the operation that stood in the way, if more was explained than ever before.
    fn note(&mut self, op: Option<usize>) {
        let Some(op) = op else { return };
        if self.deepest.is_none_or(|(answered, ..)| self.answered > answered) {
            let breach = match self.spec.step(&self.state, &self.ops[op].op) {
                Err(breach) => breach,
                Ok(_) if self.lower[op] > self.answered => Breach::RevisionOrder,
                // It fits here, and was tried: what stands in the way comes later, and was noted there.
                Ok(_) => return,
            };
            self.deepest = Some((self.answered, op, breach));
        }
    }

    fn nothing(&self) -> Found {
        let (op, breach) = self.deepest.map_or((0, Breach::RevisionOrder), |(_, op, breach)| (op, breach));
        Found::Nothing { op, breach }
    }
}

fn lower_revisions<O>(ops: &[Timed<O>]) -> Vec<u32> {
    let mut sorted: Vec<u64> =
        ops.iter().filter(|timed| timed.answered).filter_map(|timed| timed.revision).collect();
    sorted.sort_unstable();
    let below = |revision: u64| u32::try_from(sorted.partition_point(|other| *other < revision));
    ops.iter().map(|timed| timed.revision.map_or(0, |revision| below(revision).unwrap_or(u32::MAX))).collect()
}
