//! What stands under guard: globs, and the lock that a write below each of them needs.
//!
//! Invariants: every pattern is of a write set, as it stands in the file; no path lies under two locks, whether a
//! filesystem takes upper and lower case for one or not. Symbolic links of a tree may lead two patterns to one path all
//! the same; a write there needs both locks.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::json::{Fields, Malformed, Tree, Writer, write_list, write_text};
use crate::{LockName, Pattern};

/// The most patterns that one policy guards.
pub const GUARDED_PATHS_MAX: usize = 256;
/// The most bytes of pattern text that one policy guards: each is compared with each, and all stand in one line.
pub const GUARDED_BYTES_MAX: usize = 8 * 1024;

/// The guarded globs of a policy, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guarded(Vec<Guard>);

/// Globs under one lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What is guarded: files, folders (with a `/` at the end) and globs, relative to the top of a worktree.
    pub paths: Vec<Pattern>,
    /// The lock that a write there needs.
    pub lock: LockName,
}

impl Guarded {
    /// Takes guards, none of which is empty, and no two of which put one path under two locks.
    ///
    /// # Errors
    /// Where they are not that, or are more than [`GUARDED_PATHS_MAX`] patterns or [`GUARDED_BYTES_MAX`] bytes.
    pub fn new(guards: Vec<Guard>) -> Result<Self, String> {
        let guarded = Guarded::bounded(guards)?;
        let folded = |pattern: &Pattern| pattern.folded().map_err(|why| why.to_string());
        let mut all = Vec::new();
        for (lock, pattern) in guarded.entries() {
            all.push((lock, pattern, folded(pattern)?));
        }
        for (at, (lock, pattern, case)) in all.iter().enumerate() {
            for (other_lock, other, other_case) in &all[..at] {
                if lock != other_lock && (pattern.overlaps(other) || case.overlaps(other_case)) {
                    return Err(format!(
                        "{other} is under lock {other_lock} and {pattern} under lock {lock}, and a path can lie in both: \
                         give both one lock, or narrow one of them"
                    ));
                }
            }
        }
        Ok(guarded)
    }

    fn bounded(guards: Vec<Guard>) -> Result<Self, String> {
        if let Some(guard) = guards.iter().find(|guard| guard.paths.is_empty()) {
            return Err(format!("lock {} guards no path: give `paths` at least one", guard.lock));
        }
        let guarded = Guarded(guards);
        let (mut count, mut bytes) = (0, 0);
        for (_, pattern) in guarded.entries() {
            (count, bytes) = (count + 1, bytes + pattern.as_str().len());
        }
        if count > GUARDED_PATHS_MAX || bytes > GUARDED_BYTES_MAX {
            return Err(format!(
                "{count} paths of {bytes} bytes are guarded; the most is {GUARDED_PATHS_MAX} paths and \
                 {GUARDED_BYTES_MAX} bytes. Name folders instead of the files in them"
            ));
        }
        Ok(guarded)
    }

    /// Whether nothing is guarded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The guards, in the order of the file.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.0
    }

    /// Every guarded pattern, with its lock, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = (&LockName, &Pattern)> {
        self.0.iter().flat_map(|guard| guard.paths.iter().map(|pattern| (&guard.lock, pattern)))
    }

    /// Writes its JSON array.
    pub fn write(&self, out: &mut String) {
        write_list(out, &self.0, |out, guard| {
            Writer::new(out)
                .value("paths", |out| {
                    write_list(out, &guard.paths, |out, pattern| write_text(out, pattern.as_str()));
                })
                .text("lock", guard.lock.as_str())
                .end();
        });
    }

    /// Reads what [`Guarded::write`] wrote. That no path lies under two locks was seen to when it was applied.
    pub fn read(array: &[Tree<'_>]) -> Result<Self, Malformed> {
        let guards = array.iter().map(|guard| {
            let fields = Fields::of(guard)?;
            let paths = fields.array("paths")?.iter().map(|path| {
                let text =
                    path.as_str().ok_or_else(|| Malformed("field `paths` holds no text".to_string()))?;
                Pattern::new(text).map_err(|bad| Malformed(format!("field `paths`: {bad}")))
            });
            Ok(Guard { paths: paths.collect::<Result<_, _>>()?, lock: fields.id("lock")? })
        });
        Guarded::bounded(guards.collect::<Result<_, _>>()?)
            .map_err(|why| Malformed(format!("field `guarded`: {why}")))
    }
}
