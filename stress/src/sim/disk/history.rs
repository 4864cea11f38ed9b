//! The contents of a file: what is in memory, and what since the last sync may have reached the platter.
//!
//! Invariants: without a history, memory and platter are the same; a page that no list names is on the platter as it is
//! in memory, or *lost* and on the platter as `base` has it; steps are counted over the whole file, 0 being `base`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(super) struct FileBody {
    bytes: Arc<Vec<u8>>,
    pub(super) history: Option<Arc<History>>,
    /// How many writeback errors there were.
    pub(super) errors: u32,
    /// Whether somebody was told of the last one.
    pub(super) told: bool,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    /// What is on the platter for certain.
    pub(super) base: Arc<Vec<u8>>,
    /// The size after each step; the first is that of `base`.
    pub(super) steps: Vec<Step>,
    /// The images that a page had since, the oldest first, each without the NULs behind the end of the file.
    pub(super) pages: BTreeMap<usize, Vec<Image>>,
    /// Pages that memory holds as clean and the platter does not have.
    pub(super) lost: BTreeSet<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) len: usize,
    /// Whether it made the file shorter.
    pub(super) cut: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Image {
    /// The step that made it.
    pub(super) step: usize,
    pub(super) bytes: Arc<[u8]>,
}

/// The bytes of page `page` in `bytes`, which may end before or in it.
pub(super) fn page_of(bytes: &[u8], page: usize, page_bytes: usize) -> &[u8] {
    let start = (page * page_bytes).min(bytes.len());
    &bytes[start..(start + page_bytes).min(bytes.len())]
}

/// Puts a page into `bytes`, as far as they reach; NULs behind its image.
pub(super) fn put_page(bytes: &mut [u8], page: usize, page_bytes: usize, image: &[u8]) {
    let start = (page * page_bytes).min(bytes.len());
    let end = (start + page_bytes).min(bytes.len());
    let into = &mut bytes[start..end];
    let count = image.len().min(into.len());
    into[..count].copy_from_slice(&image[..count]);
    into[count..].fill(0);
}

impl FileBody {
    /// What is on the platter as it is in memory.
    pub(super) fn clean(bytes: Vec<u8>) -> Self {
        FileBody { bytes: Arc::new(bytes), history: None, errors: 0, told: true }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many of its pages and sizes are not durable.
    pub(super) fn pending(&self) -> usize {
        let Some(history) = &self.history else { return 0 };
        let sizes = history.steps.windows(2).filter(|pair| pair[0].len != pair[1].len).count();
        sizes + history.pages.values().map(Vec::len).sum::<usize>()
    }

    /// Whether its size is not what the platter has.
    pub(super) fn changed_size(&self) -> bool {
        let changed = |history: &Arc<History>| history.steps.windows(2).any(|pair| pair[0] != pair[1]);
        self.history.as_ref().is_some_and(changed)
    }

    /// Writes at `start`, which may lie behind the end: the bytes between read as NULs.
    pub(super) fn write(&mut self, start: usize, new: &[u8], tracked: Option<usize>) {
        if new.is_empty() {
            return;
        }
        let (was, end) = (self.bytes.len(), start + new.len());
        if tracked.is_some() {
            self.begin_history();
        }
        let bytes = Arc::make_mut(&mut self.bytes);
        if was < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(new);
        let (Some(page_bytes), Some(history)) = (tracked, &mut self.history) else { return };
        // The kernel copies, and makes the file longer, page by page: so a write may be there up to a page.
        for page in start / page_bytes..end.div_ceil(page_bytes) {
            let len = was.max(end.min((page + 1) * page_bytes));
            Arc::make_mut(history).note(page, len, page_of(&self.bytes[..len], page, page_bytes), page_bytes);
        }
    }

    /// Makes the file `len` bytes long.
    pub(super) fn cut(&mut self, len: usize, tracked: Option<usize>) {
        let was = self.bytes.len();
        if len == was {
            return;
        }
        if tracked.is_some() {
            self.begin_history();
        }
        Arc::make_mut(&mut self.bytes).resize(len, 0);
        let (Some(page_bytes), Some(history)) = (tracked, &mut self.history) else { return };
        let history = Arc::make_mut(history);
        history.steps.push(Step { len, cut: len < was });
        let step = history.steps.len() - 1;
        for page in len / page_bytes..was.div_ceil(page_bytes) {
            let image = page_of(&self.bytes, page, page_bytes);
            history.lost.remove(&page);
            history.pages.entry(page).or_default().push(Image { step, bytes: image.into() });
        }
    }

    /// Everything that is in memory and not lost is on the platter.
    pub(super) fn settle(&mut self, page_bytes: usize) {
        let Some(history) = self.history.take() else { return };
        if history.lost.is_empty() {
            return;
        }
        let mut base = self.bytes.as_ref().clone();
        for page in &history.lost {
            put_page(&mut base, *page, page_bytes, page_of(&history.base, *page, page_bytes));
        }
        self.history = Some(Arc::new(History::new(Arc::new(base), history.lost.clone())));
    }

    /// A writeback failed: the pages that were to be written count as clean.
    pub(super) fn lose(&mut self) {
        self.errors += 1;
        self.told = false;
        let Some(history) = self.history.as_mut().map(Arc::make_mut) else { return };
        let pages = std::mem::take(&mut history.pages);
        history.lost.extend(pages.into_keys());
    }

    /// The clean pages that are not on the platter leave memory; who reads them gets what is there.
    pub(super) fn evict(&mut self, page_bytes: usize) {
        let Some(history) = self.history.as_mut().map(Arc::make_mut) else { return };
        let bytes = Arc::make_mut(&mut self.bytes);
        for page in std::mem::take(&mut history.lost) {
            put_page(bytes, page, page_bytes, page_of(&history.base, page, page_bytes));
        }
        if history.steps.len() == 1 && history.pages.is_empty() {
            self.history = None;
        }
    }

    fn begin_history(&mut self) {
        if self.history.is_none() {
            self.history = Some(Arc::new(History::new(Arc::clone(&self.bytes), BTreeSet::new())));
        }
    }
}

impl History {
    fn new(base: Arc<Vec<u8>>, lost: BTreeSet<usize>) -> Self {
        let steps = vec![Step { len: base.len(), cut: false }];
        History { base, steps, pages: BTreeMap::new(), lost }
    }

    /// A page was written, and the file is `len` long now. What is on the platter, or the newest image, once more is no
    /// change.
    fn note(&mut self, page: usize, len: usize, image: &[u8], page_bytes: usize) {
        let longer = self.steps.last().is_none_or(|last| last.len != len);
        let newest = self.pages.get(&page).and_then(|images| images.last());
        let same = match newest {
            Some(newest) => *newest.bytes == *image,
            None => page_of(&self.base, page, page_bytes) == image,
        };
        if same && !longer {
            return;
        }
        self.steps.push(Step { len, cut: false });
        let step = self.steps.len() - 1;
        self.lost.remove(&page);
        self.pages.entry(page).or_default().push(Image { step, bytes: image.into() });
    }
}
