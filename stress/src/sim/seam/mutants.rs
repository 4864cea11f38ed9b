//! The mutants of the shipped code: one for each place that can be left out, each two that can change places, and what
//! else the seam can express.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::{Mutation, Place, Record};

/// A mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What is wrong, by file and function: it stays the same when lines move.
    pub name: String,
    /// What is wrong.
    pub mutation: Mutation,
    /// Of which kind it is.
    pub kind: Kind,
}

/// The kinds of mutants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A sync of a file is left out.
    SkipSync,
    /// A sync of a directory is left out.
    SkipSyncDir,
    /// An OS lock is not taken.
    SkipLock,
    /// An OS lock is not let go.
    SkipUnlock,
    /// Some other change is left out.
    SkipChange,
    /// Two calls change places.
    Swap,
    /// A failed sync is tried again.
    Retry,
    /// A look is answered from an earlier one.
    OldLook,
}

impl Kind {
    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::SkipSync => "sync left out",
            Kind::SkipSyncDir => "directory sync left out",
            Kind::SkipLock => "lock left out",
            Kind::SkipUnlock => "unlock left out",
            Kind::SkipChange => "change left out",
            Kind::Swap => "calls swapped",
            Kind::Retry => "failed sync tried again",
            Kind::OldLook => "old look",
        }
    }

    fn of(mutation: Mutation) -> Self {
        match mutation {
            Mutation::Skip(place) => match place.call {
                "sync" => Kind::SkipSync,
                "sync_dir" => Kind::SkipSyncDir,
                "lock" | "lock_shared" => Kind::SkipLock,
                "unlock" => Kind::SkipUnlock,
                _ => Kind::SkipChange,
            },
            Mutation::Swap(..) => Kind::Swap,
            Mutation::Retry(_) => Kind::Retry,
            Mutation::OldLook(_) => Kind::OldLook,
        }
    }
}

/// The files whose adjacent calls are swapped: commit, recovery and rotation, and what they are made of.
const ORDERED: [&str; 3] = ["impl/src/journal/", "impl/src/quarantine.rs", "impl/src/mark/name.rs"];

/// The mutants of what was recorded, in a fixed order.
#[must_use]
pub fn mutants(record: &Record) -> Vec<Mutant> {
    let places = || record.places.keys().copied();
    let ordered = |place: &Place| ORDERED.iter().any(|file| place.file.starts_with(file));
    let mut mutations: Vec<Mutation> = places().filter(Place::tells_nothing).map(Mutation::Skip).collect();
    let pairs = record.pairs.iter().filter(|(first, second)| {
        first != second && first.tells_nothing() && ordered(first) && ordered(second)
    });
    mutations.extend(pairs.map(|(first, second)| Mutation::Swap(*first, *second)));
    mutations.extend(places().filter(|place| place.call == "sync").map(Mutation::Retry));
    mutations.extend(places().filter(|place| place.call == "stat" && ordered(place)).map(Mutation::OldLook));
    let names = Names::of(record);
    mutations
        .into_iter()
        .map(|mutation| Mutant { name: names.mutation(mutation), mutation, kind: Kind::of(mutation) })
        .collect()
}

/// The places by file and function.
struct Names(HashMap<Place, String>);

impl Names {
    fn of(record: &Record) -> Self {
        let mut sources = HashMap::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut names = HashMap::new();
        // In the order of lines and columns: the second of a name is told from the first.
        for place in record.places.keys() {
            let source = sources.entry(place.file).or_insert_with(|| source(place.file));
            let file = place.file.strip_prefix("impl/src/").unwrap_or(place.file);
            let of = source.as_deref().and_then(|text| function(text, place.line));
            let name = format!("{} in {file} {}", place.call, of.unwrap_or_else(|| place.line.to_string()));
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            names.insert(*place, if *count == 1 { name } else { format!("{name} #{count}") });
        }
        Names(names)
    }

    fn mutation(&self, mutation: Mutation) -> String {
        let name = |place: &Place| self.0.get(place).map_or_else(|| place.to_string(), Clone::clone);
        match &mutation {
            Mutation::Skip(place) => format!("skip {}", name(place)),
            Mutation::Swap(first, second) => format!("swap {} | {}", name(first), name(second)),
            Mutation::Retry(place) => format!("retry {}", name(place)),
            Mutation::OldLook(place) => format!("old {}", name(place)),
        }
    }
}

/// The text of a file of the checkout that this was built from, if it is still there.
fn source(file: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(file)).ok()
}

/// The function that a line stands in.
fn function(text: &str, line: u32) -> Option<String> {
    let above = text.lines().take(line as usize).collect::<Vec<_>>();
    above.iter().rev().find_map(|line| {
        let (before, name) = line.split_once("fn ")?;
        let is_head = before.trim().is_empty() || before.trim_start().starts_with("pub");
        let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (is_head && !name.is_empty()).then_some(name)
    })
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
