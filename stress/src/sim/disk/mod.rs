//! A disk as pure data: each method is one system call of one process.
//!
//! # Fault model
//!
//! What the disk itself does:
//! - power loss ([`Disk::power_cut`]): every change that no sync made durable survives or does not, as a
//!   [`Persistence`] model allows; each model says what was seen of the filesystem it is named for. Pages survive each on
//!   its own, so a file may come back with a hole and whole lines behind it, with a tail of NULs, or torn; names survive
//!   as a prefix of what was done to them, or each on its own;
//! - a writeback error ([`Disk::fail_sync`], [`Disk::fail_writeback`]) as Linux has it: told once to each open
//!   description, the pages are clean and not on the platter, a second sync is fine; [`Disk::evict`] then takes the
//!   pages out of memory, and what was read there a moment ago is gone;
//! - the end of a process: its open descriptions are closed, its OS locks end with them, unless a forked child
//!   inherited them ([`Disk::fork_inherits`]);
//! - reuse: an inode number that became free is the next one handed out, as ext4 does, so that a protocol which takes
//!   the same number for the same file is found out.
//!
//! What the [`world`](super::world), which stands in front of it, adds: kills before any call, writes cut at any byte,
//! errors in place of any call, readers that see the beginning of a write, clocks.
//!
//! What it deliberately leaves out:
//! - permissions and owners: recorded at once and for good, never enforced; quotas; times;
//! - symlinks beyond what `resolve` needs;
//! - the order between the data of one file and the names of another, which no filesystem promises: what a journal
//!   would forbid by accident is allowed here (see [`Persistence`]).

mod durable;
mod errors;
mod files;
mod history;
mod locks;
mod models;
mod names;
mod nodes;
mod paths;
mod power;
mod trees;

use std::io;

use fencehold::fs::How;
use rustix::io::Errno;

pub use models::Persistence;

use durable::Platter;
use nodes::{Node, NodeId, Nodes};

/// A simulated process, counted from 0 over the life of the disk.
pub type ProcessId = usize;

/// The device number of every simulated file: none that a real machine has.
pub const DEVICE: u64 = 0x5113;

/// An open description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenId(u64);

/// Files, names, open descriptions, locks, and what of all that is on the platter.
///
/// A clone shares everything until one of the two changes it.
#[derive(Debug, Clone)]
pub struct Disk {
    nodes: Nodes,
    /// In the order of their ids.
    opens: Vec<Open>,
    next_open: u64,
    platter: Platter,
}

#[derive(Debug, Clone)]
struct Open {
    id: OpenId,
    /// Who opened it, until that process closes it or ends.
    process: Option<ProcessId>,
    /// The forked children that have it as well.
    heirs: Vec<ProcessId>,
    node: NodeId,
    how: How,
    /// Where its next write(2) begins, unless it appends.
    cursor: usize,
    /// How many writeback errors of the file it was told, or had no need to be told.
    heard: u32,
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// An empty disk: the directory `/`. What is written to it stays, whatever happens.
    #[must_use]
    pub fn new() -> Self {
        Disk { nodes: Nodes::new(), opens: Vec::new(), next_open: 0, platter: Platter::kept() }
    }

    /// How many changes are not durable yet: of names, of pages and of sizes.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.platter.pending.len() + self.nodes.files().map(history::FileBody::pending).sum::<usize>()
    }

    fn opened(&self, open: OpenId) -> io::Result<&Open> {
        let place = self.opens.binary_search_by_key(&open, |open| open.id).map_err(|_| Errno::BADF)?;
        Ok(&self.opens[place])
    }

    fn opened_mut(&mut self, open: OpenId) -> io::Result<&mut Open> {
        let place = self.opens.binary_search_by_key(&open, |open| open.id).map_err(|_| Errno::BADF)?;
        Ok(&mut self.opens[place])
    }

    fn node(&self, node: NodeId) -> &Node {
        self.nodes.get(node)
    }

    fn node_mut(&mut self, node: NodeId) -> &mut Node {
        self.nodes.get_mut(node)
    }

    /// Lets a node go that has neither name nor description; what the platter still knows of it is kept.
    fn forget_unused(&mut self, node: NodeId) {
        let unused = self.node(node);
        if unused.names > 0 || unused.opens > 0 {
            return;
        }
        if self.platter.model == Persistence::Kept {
            return self.nodes.remove(node);
        }
        // The journal says in which order a number was given up and taken again. Without one, only the sweep of the
        // platter gives it back, or two files could come back under one number.
        if self.platter.model.is_journaled() {
            self.nodes.give_number_back(node);
        }
        self.platter.ghosts = true;
        if self.platter.pending.is_empty() {
            self.sweep();
        }
    }
}
