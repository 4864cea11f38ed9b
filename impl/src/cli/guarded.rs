//! What the team's policy guards, asked for one file that is about to be written.

use std::collections::BTreeSet;
use std::path::Path;

use fencehold_model::LockName;
use fencehold_model::policy::Guarded;

use crate::error::Result;
use crate::fs::RealFs;
use crate::locate::{self, Place, Start};
use crate::writes::{Target, Tree, folds_case};

/// The lock of which a document at `path`, which is absolute and without symbolic links, needs a fence: the first by name,
/// where links of the tree put it under several. `place` is the workspace.
pub(super) fn lock_of_document(place: &Place, guarded: &Guarded, path: &Path) -> Result<Option<LockName>> {
    Ok(locks_over(place, guarded, path)?.pop_first())
}

/// The locks that a write of the file at `path` needs.
fn locks_over(place: &Place, guarded: &Guarded, path: &Path) -> Result<BTreeSet<LockName>> {
    if guarded.is_empty() {
        return Ok(BTreeSet::new());
    }
    // In a worktree that stands inside of another, a path is relative to the inner one.
    let inner = path.parent().map(|at| locate::locate(&RealFs, Start { at, git_dir: None }));
    let place = match &inner {
        Some(Ok(inner)) if inner.dir == place.dir => inner,
        _ => place,
    };
    let tree = Tree::new(&RealFs, place, folds_case(RealFs, place)?)?;
    match tree.target(&RealFs, Path::new(&nameable(&path.to_string_lossy())))? {
        Target::Entry(entry) => tree.locks_over(&RealFs, guarded, &entry),
        Target::Closed | Target::Outside => Ok(BTreeSet::new()),
    }
}

/// What no pattern can name is below those of the folders above it, and in those of the wildcards that any name meets.
pub(super) fn nameable(path: &str) -> String {
    path.replace(char::is_control, "\u{fffd}")
}
