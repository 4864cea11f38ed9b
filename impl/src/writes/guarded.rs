//! Which guarded globs a path lies in: as they are spelled, and as the symbolic links of this tree lead.

use std::collections::BTreeSet;
use std::io;

use fencehold_model::policy::Guarded;
use fencehold_model::{LockName, Pattern};

use super::{Tree, no_entry};
use crate::error::{Error, Result};
use crate::fs::Fs;

impl Tree {
    /// The locks that a write of `entry` needs, by name; [`Tree::target`] gave it. What is spelled in the policy leads to
    /// another path where a symbolic link of this tree stands in it, and then both count.
    ///
    /// # Errors
    /// [`Error::Environment`] where a guarded path cannot be looked at.
    pub fn locks_over<F: Fs>(
        &self,
        fs: &F,
        guarded: &Guarded,
        entry: &Pattern,
    ) -> Result<BTreeSet<LockName>> {
        let mut locks = BTreeSet::new();
        for (lock, pattern) in guarded.entries() {
            if locks.contains(lock) {
                continue;
            }
            let spelled =
                self.folded(pattern.clone()).map_err(|why| no_entry(pattern.as_str().as_ref(), &why))?;
            if spelled.overlaps(entry) || self.led(fs, pattern)?.is_some_and(|led| led.overlaps(entry)) {
                locks.insert(lock.clone());
            }
        }
        Ok(locks)
    }

    /// Where a guarded pattern leads in this tree; none where that is outside, or nowhere.
    fn led<F: Fs>(&self, fs: &F, pattern: &Pattern) -> Result<Option<Pattern>> {
        match self.entry(fs, &self.root, pattern.as_str().as_ref()) {
            Ok(entry) => Ok(Some(entry)),
            Err(Error::Usage(_)) => Ok(None),
            // Who may not go this way writes nothing by it.
            Err(Error::Environment { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
