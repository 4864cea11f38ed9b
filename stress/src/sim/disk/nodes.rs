//! The inodes: a slab, and the numbers that programs see.
//!
//! Invariants: a slot is used by one inode for as long as memory or the platter knows it; the number is the inode's only
//! until memory forgets it, so two slots may share one while an old inode waits for its unlink to become durable.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use fencehold::fs::{FileId, Kind, Stat};

use super::DEVICE;
use super::history::FileBody;
use super::locks::Lock;

/// A slot of the slab.
pub(super) type NodeId = usize;
/// A component of a path.
pub(super) type Name = Arc<OsStr>;
/// The entries of a directory.
pub(super) type Entries = BTreeMap<Name, NodeId>;

/// The directory `/`.
pub(super) const ROOT: NodeId = 0;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) body: Body,
    /// What stat(2) calls the inode number.
    pub(super) number: u64,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// How many names it has.
    pub(super) names: u32,
    /// How many open descriptions it has.
    pub(super) opens: u32,
    pub(super) lock: Lock,
    /// Whether something was written (of a directory: an entry changed) that no sync covers yet.
    pub(super) unsynced: bool,
    /// The name change that made it.
    pub(super) born: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    File(FileBody),
    Dir(Dir),
    Symlink(PathBuf),
}

#[derive(Debug, Clone)]
pub(super) struct Dir {
    pub(super) parent: NodeId,
    pub(super) entries: Arc<Entries>,
    /// What is on the platter.
    pub(super) durable: Arc<Entries>,
}

impl Dir {
    pub(super) fn below(parent: NodeId) -> Self {
        Dir { parent, entries: Arc::default(), durable: Arc::default() }
    }
}

impl Node {
    pub(super) fn new(body: Body, mode: u32) -> Self {
        Node {
            body,
            number: 0,
            mode,
            owner: (0, 0),
            names: 0,
            opens: 0,
            lock: Lock::default(),
            unsynced: true,
            born: 0,
        }
    }

    pub(super) fn is_dir(&self) -> bool {
        matches!(self.body, Body::Dir(_))
    }

    pub(super) fn stat(&self) -> Stat {
        let (kind, len) = match &self.body {
            Body::File(file) => (Kind::File, file.bytes().len() as u64),
            Body::Dir(_) => (Kind::Dir, 4096),
            Body::Symlink(target) => (Kind::Symlink, target.as_os_str().len() as u64),
        };
        let (uid, gid) = self.owner;
        Stat { id: FileId { dev: DEVICE, ino: self.number }, kind, len, mode: self.mode, uid, gid }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Nodes {
    slots: Vec<Option<Arc<Node>>>,
    free_slots: Vec<NodeId>,
    numbers: Numbers,
}

impl Nodes {
    /// The root alone.
    pub(super) fn new() -> Self {
        let mut nodes = Nodes { slots: Vec::new(), free_slots: Vec::new(), numbers: Numbers::default() };
        let root = nodes.add(Node { names: 1, ..Node::new(Body::Dir(Dir::below(ROOT)), 0o755) });
        assert_eq!(root, ROOT);
        nodes
    }

    /// Takes a node in, under the lowest free number.
    pub(super) fn add(&mut self, mut node: Node) -> NodeId {
        node.number = self.numbers.take();
        let node = Some(Arc::new(node));
        match self.free_slots.pop() {
            Some(slot) => {
                self.slots[slot] = node;
                slot
            }
            None => {
                self.slots.push(node);
                self.slots.len() - 1
            }
        }
    }

    pub(super) fn get(&self, node: NodeId) -> &Node {
        self.slots[node].as_deref().expect("a name and an open description keep their inode")
    }

    pub(super) fn get_mut(&mut self, node: NodeId) -> &mut Node {
        let slot = self.slots[node].as_mut().expect("a name and an open description keep their inode");
        Arc::make_mut(slot)
    }

    pub(super) fn remove(&mut self, node: NodeId) {
        self.give_number_back(node);
        self.empty(node);
    }

    /// Lets the slot go and leaves the number alone.
    pub(super) fn empty(&mut self, node: NodeId) {
        self.slots[node] = None;
        self.free_slots.push(node);
    }

    pub(super) fn give_number_back(&mut self, node: NodeId) {
        let number = self.get(node).number;
        self.numbers.give_back(number);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let used: Vec<NodeId> =
            self.slots.iter().enumerate().filter_map(|(id, slot)| slot.as_ref().map(|_| id)).collect();
        used.into_iter()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &FileBody> {
        self.slots.iter().flatten().filter_map(|node| match &node.body {
            Body::File(file) => Some(file),
            _ => None,
        })
    }

    /// Gives numbers anew where two slots have the same one; the first keeps it.
    pub(super) fn renumber(&mut self) {
        let mut used = BTreeSet::new();
        let doubles: Vec<NodeId> = self.ids().filter(|id| !used.insert(self.get(*id).number)).collect();
        self.numbers = Numbers::without(&used);
        for id in doubles {
            self.get_mut(id).number = self.numbers.take();
        }
    }
}

/// The numbers that are free: those below `next` that were given back, and all from there on.
#[derive(Debug, Clone)]
struct Numbers {
    back: BTreeSet<u64>,
    next: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { back: BTreeSet::new(), next: 1 }
    }
}

impl Numbers {
    fn without(used: &BTreeSet<u64>) -> Self {
        let next = used.last().map_or(1, |last| last + 1);
        Numbers { back: (1..next).filter(|number| !used.contains(number)).collect(), next }
    }

    /// The lowest free one: a number is used again at once.
    fn take(&mut self) -> u64 {
        self.back.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    fn give_back(&mut self, number: u64) {
        self.back.insert(number);
    }
}
