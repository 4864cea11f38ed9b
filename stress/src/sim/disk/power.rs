//! The power cut: what of the pending changes is on the platter is chosen, the rest is as the last sync left it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::{FileBody, History, Image, page_of, put_page};
use super::locks::Lock;
use super::nodes::{Body, NodeId, ROOT};
use super::{Disk, Persistence};

/// Chooses one of so many.
type Choose<'a> = &'a mut dyn FnMut(&'static str, usize) -> usize;

/// Into so many sectors a page is divided, at the most.
const SECTORS: usize = 8;

impl Disk {
    /// What is on the platter after a power cut here: every pending change survives or not, as `choose(label, of)` says
    /// and the model allows; 0 is always the least, what the last sync left. Nothing is open, nothing is locked.
    ///
    /// `choose` is asked only where more than one outcome is possible, in an order that the disk alone fixes.
    #[must_use]
    pub fn power_cut(&self, choose: Choose<'_>) -> Disk {
        let mut after = self.clone();
        for open in std::mem::take(&mut after.opens) {
            let node = after.node_mut(open.node);
            node.opens -= 1;
            node.lock = Lock::default();
            if self.platter.model == Persistence::Kept {
                after.forget_unused(open.node);
            }
        }
        for id in after.nodes.ids() {
            if let Body::File(FileBody { errors: 1.., .. }) = after.node(id).body {
                let Body::File(file) = &mut after.node_mut(id).body else { continue };
                (file.errors, file.told) = (0, true);
            }
        }
        if self.platter.model != Persistence::Kept {
            after.cut_names(choose);
            after.read_platter(choose);
        }
        after
    }

    fn cut_names(&mut self, choose: Choose<'_>) {
        let mut pending = std::mem::take(&mut self.platter.pending);
        if self.platter.model.is_journaled() {
            pending.truncate(ask(choose, "names", pending.len() + 1));
            for change in &pending {
                self.bring(change);
            }
            return;
        }
        for change in &pending {
            if self.would_bring(change) && ask(choose, "name", 2) == 1 {
                self.bring(change);
            }
        }
    }

    /// Makes the platter what is in memory, from the root down; what it does not lead to is gone.
    fn read_platter(&mut self, choose: Choose<'_>) {
        let (model, page_bytes) = (self.platter.model, self.platter.page_bytes);
        let mut names: BTreeMap<NodeId, u32> = BTreeMap::from([(ROOT, 1)]);
        let mut left = vec![ROOT];
        while let Some(id) = left.pop() {
            let node = self.node_mut(id);
            node.unsynced = false;
            match &mut node.body {
                Body::File(file) => {
                    if let Some(history) = &file.history {
                        *file = FileBody::clean(history.survivor(model, page_bytes, choose));
                    }
                }
                Body::Symlink(_) => {}
                Body::Dir(_) => left.extend(self.read_dir(id, &mut names)),
            }
        }
        for id in self.nodes.ids() {
            match names.get(&id) {
                Some(names) => self.node_mut(id).names = *names,
                None => self.nodes.empty(id),
            }
        }
        self.platter.ghosts = false;
        self.nodes.renumber();
    }

    /// The entries of one directory; those that were not met before, the last first.
    fn read_dir(&mut self, id: NodeId, names: &mut BTreeMap<NodeId, u32>) -> Vec<NodeId> {
        let durable = Arc::clone(&self.dir(id).durable);
        let mut entries = durable.as_ref().clone();
        let mut new = Vec::new();
        for (name, node) in durable.iter() {
            let known = names.contains_key(node);
            if self.node(*node).is_dir() {
                if known {
                    // A directory that was moved and is still where it was has one name, the first that is found.
                    entries.remove(name);
                    continue;
                }
                self.dir_mut(*node).parent = id;
            }
            *names.entry(*node).or_default() += 1;
            if !known {
                new.push(*node);
            }
        }
        let entries = if entries.len() == durable.len() { durable } else { Arc::new(entries) };
        let dir = self.dir_mut(id);
        (dir.entries, dir.durable) = (Arc::clone(&entries), entries);
        new.reverse();
        new
    }
}

impl History {
    /// What is on the platter after a power cut.
    fn survivor(&self, model: Persistence, page_bytes: usize, choose: Choose<'_>) -> Vec<u8> {
        if model == Persistence::Btrfs {
            let step = ask(choose, "prefix", self.steps.len());
            let newest = |images: &[Image]| images.iter().rfind(|image| image.step <= step).cloned();
            return self.assembled(self.steps[step].len, page_bytes, |_, images| newest(images));
        }
        // A step that leaves the size as it is, is no size of its own.
        let is_size = |step: &usize| *step == 0 || self.steps[*step] != self.steps[*step - 1];
        let sizes: Vec<usize> = (0..self.steps.len()).filter(|step| is_size(step)).collect();
        let step = sizes[ask(choose, "size", sizes.len())];
        let mut len = self.steps[step].len;
        if model == Persistence::Pages {
            len = self.torn_size(step, page_bytes, choose);
        }
        let last = len.saturating_sub(1) / page_bytes;
        self.assembled(len, page_bytes, |page, images| {
            let possible = self.possible(model, page, images, step, len, page_bytes);
            let chosen = ask(choose, "page", possible.len());
            let image = possible.get(chosen)?;
            if model != Persistence::Pages || page != last || chosen == 0 {
                return Some(Image { step, bytes: image.as_slice().into() });
            }
            let torn = torn_page(&possible[chosen - 1], image, page_bytes, choose);
            Some(Image { step, bytes: torn.into() })
        })
    }

    /// A file of this size, each touched page as chosen.
    fn assembled(
        &self,
        len: usize,
        page_bytes: usize,
        mut chosen: impl FnMut(usize, &[Image]) -> Option<Image>,
    ) -> Vec<u8> {
        let mut bytes = self.base.as_ref().clone();
        bytes.resize(len, 0);
        for (page, images) in self.pages.range(..len.div_ceil(page_bytes)) {
            if let Some(image) = chosen(*page, images) {
                put_page(&mut bytes, *page, page_bytes, &image.bytes);
            }
        }
        bytes
    }

    /// The different images that a page may have, the oldest first, as they show in a file of size `len`.
    fn possible(
        &self,
        model: Persistence,
        page: usize,
        images: &[Image],
        step: usize,
        len: usize,
        page_bytes: usize,
    ) -> Vec<Vec<u8>> {
        let (mut from, mut to) = (0, usize::MAX);
        if model.is_journaled() {
            let cuts = || self.steps.iter().enumerate().filter(|(_, step)| step.cut);
            let touches = |cut: usize| cut < (page + 1) * page_bytes;
            let behind = cuts().filter(|(at, cut)| *at <= step && touches(cut.len));
            from = behind.map(|(at, _)| at).max().unwrap_or(0);
            to = cuts().find(|(at, cut)| *at > step && cut.len <= page * page_bytes).map_or(to, |(at, _)| at);
        }
        let durable = (from == 0).then(|| page_of(&self.base, page, page_bytes));
        let since = images.iter().filter(|image| (from..to).contains(&image.step));
        let shown = page_bytes.min(len - page * page_bytes);
        let mut possible: Vec<Vec<u8>> = Vec::new();
        for image in durable.into_iter().chain(since.map(|image| &*image.bytes)) {
            let mut image = image[..image.len().min(shown)].to_vec();
            image.resize(shown, 0);
            if !possible.contains(&image) {
                possible.push(image);
            }
        }
        if possible.is_empty() {
            possible.push(vec![0; shown]);
        }
        possible
    }

    /// How much of the growth of a step there is: nothing of it is a step of its own.
    fn torn_size(&self, step: usize, page_bytes: usize, choose: Choose<'_>) -> usize {
        let len = self.steps[step].len;
        let was = step.checked_sub(1).map_or(len, |before| self.steps[before].len);
        if was >= len {
            return len;
        }
        let sector = page_bytes.div_ceil(SECTORS);
        let sectors = (was + 1..len).filter(|at| at % sector == 0 && *at != len - 1);
        let byte_short = (len - 1 > was).then_some(len - 1);
        let lens: Vec<usize> = [len].into_iter().chain(byte_short).chain(sectors).collect();
        lens[ask(choose, "torn size", lens.len())]
    }
}

/// A page that is new up to a sector, and old after it.
fn torn_page(old: &[u8], new: &[u8], page_bytes: usize, choose: Choose<'_>) -> Vec<u8> {
    let sector = page_bytes.div_ceil(SECTORS);
    let mut possible = vec![new.to_vec()];
    for at in (sector..new.len()).step_by(sector) {
        let torn = [&new[..at], &old[at..]].concat();
        if torn != old && !possible.contains(&torn) {
            possible.push(torn);
        }
    }
    possible.swap_remove(ask(choose, "torn page", possible.len()))
}

fn ask(choose: Choose<'_>, label: &'static str, of: usize) -> usize {
    if of < 2 {
        return 0;
    }
    let chosen = choose(label, of);
    assert!(chosen < of, "{label}: {chosen} of {of}");
    chosen
}
