//! Mutants of the shipped code, made at the port `Fs`: what it asks of the disk at one of its places is not done, or is
//! done in another order.
//!
//! The shipped code is not touched. Each of its places that call the port is known by file, line, column and method
//! ([`Place`]); a [`Mutation`] says what is wrong at one of them. While [`under`] runs, every process of every simulated
//! world on this thread has it, the one that recovers and the one that judges included: a mutant is a program, and it
//! is a program that is judged.
//!
//! What this cannot express is wrong computing between two calls; that has mutants of its own
//! ([`explore`](crate::explore), [`targets`](crate::targets)).

mod ambient;
mod census;
mod deeds;
pub mod hunt;
mod mutants;
mod process;
mod record;
mod verdicts;

pub use ambient::{quietly, recording, under};
pub use census::census;
pub use mutants::{Kind, Mutant, mutants};
pub(super) use process::{Fate, Seam};
pub use record::Record;

use std::fmt;

use super::door::Site;

/// A place in the source that calls the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1.
    pub column: u32,
    /// The method of the port.
    pub call: &'static str,
}

impl Place {
    /// The place of a call.
    #[must_use]
    pub fn of(site: Site, call: &'static str) -> Self {
        Place { file: site.file(), line: site.line(), column: site.column(), call }
    }

    /// Whether it stands in the shipped code, and not in the harness.
    #[must_use]
    pub fn is_shipped(&self) -> bool {
        self.file.starts_with("impl/src/")
    }

    /// Whether its caller is told nothing but that it was done: only then can it be left out or come later.
    #[must_use]
    pub fn tells_nothing(&self) -> bool {
        !matches!(self.call, "create" | "open" | "stat" | "fstat" | "resolve" | "list" | "read_at")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.strip_prefix("impl/src/").unwrap_or(self.file);
        write!(f, "{} at {file}:{}:{}", self.call, self.line, self.column)
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// The call is not made; its caller is told that it was done.
    Skip(Place),
    /// Where the second comes right after the first, the first is made after it.
    Swap(Place, Place),
    /// Where the call fails, it is made once more, and that counts.
    Retry(Place),
    /// The call, a stat, is answered with what stood at the path when the process first opened or looked at it.
    OldLook(Place),
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mutation::Skip(place) => write!(f, "skip {place}"),
            Mutation::Swap(first, second) => write!(f, "swap {first} with {second}"),
            Mutation::Retry(place) => write!(f, "retry {place}"),
            Mutation::OldLook(place) => write!(f, "old look for {place}"),
        }
    }
}
