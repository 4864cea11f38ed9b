//! What of the names is on the platter, and the syncs that bring it there.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::nodes::{Body, Name, NodeId, ROOT};
use super::{Disk, OpenId, Persistence};

#[derive(Debug, Clone)]
pub(super) struct Platter {
    pub(super) model: Persistence,
    pub(super) page_bytes: usize,
    /// The name changes that are not on it, the oldest first.
    pub(super) pending: Vec<NameChange>,
    /// How many name changes there were, the kept ones included: no two have one number.
    pub(super) changes: u64,
    /// Whether a node without a name may still be known to it.
    pub(super) ghosts: bool,
}

/// A link, unlink, rename, mkdir or rmdir: whole or not there.
#[derive(Debug, Clone)]
pub(super) struct NameChange {
    pub(super) number: u64,
    pub(super) edits: Arc<[Edit]>,
}

/// What becomes of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) dir: NodeId,
    pub(super) name: Name,
    pub(super) was: Option<NodeId>,
    pub(super) to: Option<NodeId>,
}

impl Platter {
    pub(super) fn kept() -> Self {
        Platter { model: Persistence::Kept, page_bytes: 4096, pending: Vec::new(), changes: 0, ghosts: false }
    }

    /// The size of a page, where changes are tracked.
    pub(super) fn tracked(&self) -> Option<usize> {
        (self.model != Persistence::Kept).then_some(self.page_bytes)
    }
}

impl NameChange {
    fn is_of_dir(&self, dir: NodeId) -> bool {
        self.edits.iter().any(|edit| edit.dir == dir)
    }

    /// Whether it gives `node` a name or takes one from it.
    fn concerns(&self, node: NodeId) -> bool {
        self.edits.iter().any(|edit| edit.to == Some(node) || edit.was == Some(node))
    }
}

impl Disk {
    /// The same disk under another model. What is there counts as durable from now on.
    ///
    /// # Panics
    /// If a page has no bytes.
    #[must_use]
    pub fn persistent(mut self, model: Persistence, page_bytes: usize) -> Disk {
        assert!(page_bytes > 0, "a page has bytes");
        self.platter = Platter { model, page_bytes, changes: self.platter.changes, ..Platter::kept() };
        for id in self.nodes.ids() {
            match &mut self.node_mut(id).body {
                Body::File(file) => file.history = None,
                Body::Dir(dir) if model == Persistence::Kept => dir.durable = Arc::default(),
                Body::Dir(dir) => dir.durable = Arc::clone(&dir.entries),
                Body::Symlink(_) => {}
            }
        }
        self
    }

    /// The model of its power cuts.
    #[must_use]
    pub fn model(&self) -> Persistence {
        self.platter.model
    }

    /// fdatasync(2).
    ///
    /// # Errors
    /// `EIO` once, where a writeback of the file failed since it was opened: nothing is made durable then.
    pub fn sync(&mut self, open: OpenId) -> io::Result<()> {
        self.tell_of_error(open)?;
        self.sync_file(self.opened(open)?.node);
        Ok(())
    }

    /// The machine shuts down in order: all that is in memory is written. Pages whose writeback failed are not in memory
    /// as far as that knows, and are gone.
    pub fn write_back(&mut self) {
        if self.platter.model == Persistence::Kept {
            return;
        }
        self.evict();
        let page_bytes = self.platter.page_bytes;
        for id in self.nodes.ids() {
            let node = self.node(id);
            let pending = matches!(&node.body, Body::File(file) if file.pending() > 0);
            if !pending && !node.unsynced {
                continue;
            }
            let node = self.node_mut(id);
            node.unsynced = false;
            if let Body::File(file) = &mut node.body {
                file.settle(page_bytes);
            }
        }
        self.settle(|_, _| true);
    }

    fn sync_file(&mut self, node: NodeId) {
        let page_bytes = self.platter.page_bytes;
        let inode = self.node_mut(node);
        inode.unsynced = false;
        let (born, names) = (inode.born, inode.names);
        let Body::File(file) = &mut inode.body else { return };
        let changed_size = file.changed_size();
        file.settle(page_bytes);
        let is_new = self.platter.pending.iter().any(|change| change.number == born);
        match self.platter.model {
            Persistence::Ext4 | Persistence::Xfs if changed_size => self.settle(|_, _| true),
            Persistence::Ext4 if is_new => self.settle(|_, _| true),
            Persistence::Xfs if is_new => self.settle(|change, _| change.number <= born),
            Persistence::Btrfs if names > 0 => self.settle_names_of(node),
            _ => {}
        }
    }

    /// open(2) and fsync(2) of a directory; nothing keeps a caller from naming a file.
    pub fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let dir = self.end_of(dir)?.node;
        if !self.node(dir).is_dir() {
            self.sync_file(dir);
            return Ok(());
        }
        self.node_mut(dir).unsynced = false;
        let newest =
            self.platter.pending.iter().filter(|change| change.is_of_dir(dir) || change.concerns(dir));
        let Some(newest) = newest.map(|change| change.number).max() else { return Ok(()) };
        match self.platter.model {
            Persistence::Kept => {}
            Persistence::Ext4 => self.settle(|_, _| true),
            Persistence::Xfs => self.settle(|change, _| change.number <= newest),
            Persistence::Btrfs => {
                self.settle_entries_of(dir);
                self.settle_names_of(dir);
            }
            Persistence::Posix | Persistence::Pages => self.settle_entries_of(dir),
        }
        Ok(())
    }

    /// The entries of a directory. What was moved out of it has its new name as well, or it would be lost; a file that was
    /// moved into it may still have its old one.
    fn settle_entries_of(&mut self, dir: NodeId) {
        let files: BTreeSet<NodeId> = self.nodes.ids().filter(|id| !self.node(*id).is_dir()).collect();
        self.settle(|change, edit| {
            let mut here = change.edits.iter().filter(|edit| edit.dir == dir);
            edit.dir == dir || here.any(|edit| edit.to.is_none_or(|node| !files.contains(&node)))
        });
    }

    /// The names of `node` and of the directories above it.
    fn settle_names_of(&mut self, node: NodeId) {
        let mut above = BTreeSet::from([node]);
        loop {
            let pending =
                self.platter.pending.iter().filter(|change| above.iter().any(|n| change.concerns(*n)));
            let mut more: BTreeSet<NodeId> = pending
                .flat_map(|change| change.edits.iter().filter(|edit| edit.to.is_some()))
                .map(|edit| edit.dir)
                .collect();
            more.remove(&ROOT);
            let before = above.len();
            above.extend(more);
            if above.len() == before {
                break;
            }
        }
        self.settle(|change, _| above.iter().any(|node| change.concerns(*node)));
    }

    /// Brings edits to the platter. An older edit of the same entry that stays behind is over with it.
    fn settle(&mut self, settles: impl Fn(&NameChange, &Edit) -> bool) {
        if self.platter.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.platter.pending);
        let (mut settled, mut left) = (Vec::new(), Vec::new());
        let mut over: BTreeSet<(NodeId, Name)> = BTreeSet::new();
        for change in pending.into_iter().rev() {
            let (now, mut later): (Vec<Edit>, Vec<Edit>) =
                change.edits.iter().cloned().partition(|edit| settles(&change, edit));
            later.retain(|edit| over.is_empty() || !over.contains(&(edit.dir, edit.name.clone())));
            if !later.is_empty() {
                left.push(NameChange { number: change.number, edits: later.into() });
            }
            over.extend(now.iter().map(|edit| (edit.dir, edit.name.clone())));
            settled.push(NameChange { number: change.number, edits: now.into() });
        }
        left.reverse();
        self.platter.pending = left;
        for change in settled.iter().rev() {
            self.bring(change);
        }
        self.sweep();
    }

    /// Whether the platter would be another with this name change.
    pub(super) fn would_bring(&self, change: &NameChange) -> bool {
        change.edits.iter().any(|edit| self.dir(edit.dir).durable.get(&edit.name).copied() != edit.to)
    }

    /// Does a name change on the platter.
    pub(super) fn bring(&mut self, change: &NameChange) {
        for edit in change.edits.iter() {
            let durable = Arc::make_mut(&mut self.dir_mut(edit.dir).durable);
            match edit.to {
                Some(node) => durable.insert(edit.name.clone(), node),
                None => durable.remove(&edit.name),
            };
        }
    }

    /// Forgets the nodes that neither memory nor platter knows any more, and what was pending in folders among them.
    pub(super) fn sweep(&mut self) {
        if !self.platter.ghosts {
            return;
        }
        let mut known = self.reachable();
        for change in &mut self.platter.pending {
            if change.edits.iter().any(|edit| !known.contains(&edit.dir)) {
                change.edits =
                    change.edits.iter().filter(|edit| known.contains(&edit.dir)).cloned().collect();
            }
        }
        self.platter.pending.retain(|change| !change.edits.is_empty());
        let edits = self.platter.pending.iter().flat_map(|change| change.edits.iter());
        known.extend(edits.flat_map(|edit| [edit.was, edit.to]).flatten());
        self.platter.ghosts = false;
        for id in self.nodes.ids() {
            if known.contains(&id) {
                let node = self.node(id);
                self.platter.ghosts |= node.names == 0 && node.opens == 0;
            } else if self.platter.model.is_journaled() {
                self.nodes.empty(id);
            } else {
                self.nodes.remove(id);
            }
        }
    }

    /// What a path or a description leads to, or may lead to after a power cut.
    fn reachable(&self) -> BTreeSet<NodeId> {
        let mut known = BTreeSet::new();
        let mut left: Vec<NodeId> = self.opens.iter().map(|open| open.node).collect();
        left.push(ROOT);
        while !left.is_empty() {
            while let Some(node) = left.pop() {
                if !known.insert(node) {
                    continue;
                }
                if let Body::Dir(dir) = &self.node(node).body {
                    left.extend(dir.entries.values().chain(dir.durable.values()));
                }
            }
            let edits = self.platter.pending.iter().flat_map(|change| change.edits.iter());
            let new = edits.filter(|edit| known.contains(&edit.dir)).filter_map(|edit| edit.to);
            left.extend(new.filter(|node| !known.contains(node)));
        }
        known
    }
}
