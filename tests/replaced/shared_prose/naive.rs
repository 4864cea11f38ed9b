//! A merge of proposals in memory: without a flaw, with one, or with all of the published one, written anew from its
//! description.
//!
//! A session's file: blocks, each a heading of the second level with time and target, an empty line, and the content. A
//! merge lists the blocks, asks, appends what was chosen to the shared file, reads the session's file again, and writes
//! it without the blocks that name time and target of what was merged.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::{Merging, Who};

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flaw {
    /// WOLF-17: the third step writes what the second read.
    StaleRewrite,
    /// M23: nobody looks at the first step whether it was done, nor notes there that it is.
    NoClaim,
    /// WOLF-19: a block is known by its time and target.
    ByInstant,
    /// WOLF-20: the session's file is taken apart at every heading of the second level.
    SplitsAtHeadings,
    /// WOLF-24: what has no content stands there with a placeholder, and can be merged.
    MergesStubs,
    /// WOLF-21: whoever edits the shared file edits it.
    EditsPass,
}

/// All of them.
pub(super) const PUBLISHED: &[Flaw] = &[
    Flaw::StaleRewrite,
    Flaw::NoClaim,
    Flaw::ByInstant,
    Flaw::SplitsAtHeadings,
    Flaw::MergesStubs,
    Flaw::EditsPass,
];

const INSTANT: &str = "2026-11-21T12:00:00.000Z";
const STUB: &str = "(an entry that could not be parsed)\n";

/// The session's file, the shared one, and who is at what.
#[derive(Debug, Default)]
pub(super) struct Naive {
    flaws: BTreeSet<Flaw>,
    staging: String,
    shared: String,
    proposed: usize,
    picked: BTreeMap<Who, Block>,
    read: BTreeMap<Who, String>,
}

/// A block as the parser, which knows headings of its own alone, finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    heading: String,
    content: String,
}

impl Naive {
    pub(super) fn new(flaws: &[Flaw]) -> Self {
        let shared = "# What we know\n".to_owned();
        Naive { flaws: flaws.iter().copied().collect(), shared, ..Naive::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    /// The heading of what is proposed now: the clock does not move; a number keeps two apart, where that is done.
    fn heading(&self) -> String {
        let number = if self.has(Flaw::ByInstant) { String::new() } else { format!(" #{}", self.proposed) };
        format!("{INSTANT}{number} → cerebrum")
    }

    fn blocks(text: &str) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for line in text.split_inclusive('\n') {
            let heading = line.strip_prefix("## ").map(str::trim_end);
            match (heading.filter(|it| it.starts_with(INSTANT)), blocks.last_mut()) {
                (Some(heading), _) => {
                    blocks.push(Block { heading: heading.to_owned(), content: String::new() });
                }
                (None, Some(block)) => block.content.push_str(line),
                (None, None) => {}
            }
        }
        for block in &mut blocks {
            block.content = format!("{}\n", block.content.trim_matches('\n'));
        }
        blocks
    }

    fn text(blocks: &[Block]) -> String {
        blocks.iter().map(|block| format!("\n## {}\n\n{}", block.heading, block.content)).collect()
    }

    /// A session's file without what was merged.
    fn without(&self, text: &str, merged: &Block) -> String {
        if self.has(Flaw::SplitsAtHeadings) {
            let blocks = text.split("\n## ").filter(|block| !block.contains(&merged.heading));
            return blocks.collect::<Vec<_>>().join("\n## ");
        }
        let mut blocks = Self::blocks(text);
        blocks.retain(|block| block.heading != merged.heading);
        Self::text(&blocks)
    }
}

impl Merging for Naive {
    fn propose(&mut self, content: &str) {
        self.proposed += 1;
        let content = match content.trim() {
            "" if self.has(Flaw::MergesStubs) => STUB,
            "" => return,
            _ => content,
        };
        let block = Block { heading: self.heading(), content: content.to_owned() };
        self.staging.push_str(&Self::text(&[block]));
    }

    fn look(&mut self, who: Who) {
        self.read.insert(who, self.staging.clone());
    }

    fn pick(&mut self, who: Who, content: &str) {
        let seen = Self::blocks(&self.read.remove(&who).unwrap_or_default());
        if let Some(block) = seen.into_iter().find(|block| block.content == content) {
            self.picked.insert(who, block);
        }
    }

    fn apply(&mut self, who: Who) {
        let Some(block) = self.picked.get(&who).cloned() else { return };
        if !self.has(Flaw::NoClaim) {
            if !Self::blocks(&self.staging).contains(&block) {
                return;
            }
            self.staging = self.without(&self.staging, &block);
        }
        self.shared.push_str(&format!("\n{}", block.content));
    }

    fn reread(&mut self, who: Who) {
        self.read.insert(who, self.staging.clone());
    }

    fn rewrite(&mut self, who: Who) {
        let Some(block) = self.picked.remove(&who) else { return };
        let read = self.read.remove(&who).filter(|_| self.has(Flaw::StaleRewrite));
        self.staging = self.without(&read.unwrap_or_else(|| self.staging.clone()), &block);
    }

    fn dies(&mut self, who: Who) {
        self.picked.remove(&who);
        self.read.remove(&who);
    }

    fn merge_all(&mut self) {
        for block in Self::blocks(&self.staging) {
            self.look(0);
            self.pick(0, &block.content);
            self.apply(0);
            self.reread(0);
            self.rewrite(0);
        }
    }

    fn waits(&mut self) -> Vec<String> {
        Self::blocks(&self.staging).into_iter().map(|block| block.content).collect()
    }

    fn prose(&mut self) -> String {
        self.shared.clone()
    }

    fn edit(&mut self, text: &str) {
        if self.has(Flaw::EditsPass) {
            self.shared.push_str(text);
        }
    }
}
