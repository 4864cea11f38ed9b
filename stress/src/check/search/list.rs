//! The calls and returns that are not placed yet, in the order of time; placing takes out, going back puts in.

use fencehold_model::history::NEVER;

use super::Timed;

/// The node before the first.
pub(super) const HEAD: u32 = 0;
/// What follows the last node.
pub(super) const END: u32 = u32::MAX;

pub(super) struct List {
    nodes: Vec<Node>,
}

struct Node {
    before: u32,
    next: u32,
    op: u32,
    /// Of a call: its return, or [`END`] if it has none. Of a return: itself.
    returns: u32,
}

impl List {
    /// Calls and returns in the order of time, calls first where times are equal: ties count as concurrent.
    pub(super) fn new<O>(ops: &[Timed<O>]) -> Self {
        let mut events: Vec<(u64, bool, u32)> = Vec::with_capacity(ops.len() * 2);
        for (timed, op) in ops.iter().zip(0u32..) {
            events.push((timed.start_us, false, op));
            if timed.answered && timed.end_us != NEVER {
                events.push((timed.end_us, true, op));
            }
        }
        events.sort_unstable();
        let mut nodes = vec![Node { before: END, next: END, op: 0, returns: END }];
        let mut calls = vec![END; ops.len()];
        for ((_, is_return, op), number) in events.into_iter().zip(1u32..) {
            let call = &mut calls[op as usize];
            if is_return {
                nodes[*call as usize].returns = number;
            } else {
                *call = number;
            }
            nodes[number as usize - 1].next = number;
            nodes.push(Node {
                before: number - 1,
                next: END,
                op,
                returns: if is_return { number } else { END },
            });
        }
        Self { nodes }
    }

    #[inline]
    pub(super) fn next(&self, node: u32) -> u32 {
        self.nodes[node as usize].next
    }

    #[inline]
    pub(super) fn op(&self, node: u32) -> usize {
        self.nodes[node as usize].op as usize
    }

    #[inline]
    pub(super) fn is_return(&self, node: u32) -> bool {
        self.nodes[node as usize].returns == node
    }

    /// Takes out a call and its return.
    pub(super) fn lift(&mut self, call: u32) {
        self.take_out(call);
        let returns = self.nodes[call as usize].returns;
        if returns != END {
            self.take_out(returns);
        }
    }

    /// Puts back what was lifted last.
    pub(super) fn put_back(&mut self, call: u32) {
        let returns = self.nodes[call as usize].returns;
        if returns != END {
            self.put_in(returns);
        }
        self.put_in(call);
    }

    fn take_out(&mut self, node: u32) {
        let Node { before, next, .. } = self.nodes[node as usize];
        self.nodes[before as usize].next = next;
        if next != END {
            self.nodes[next as usize].before = before;
        }
    }

    fn put_in(&mut self, node: u32) {
        let Node { before, next, .. } = self.nodes[node as usize];
        self.nodes[before as usize].next = node;
        if next != END {
            self.nodes[next as usize].before = node;
        }
    }
}
