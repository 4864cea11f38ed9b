//! What stands on the disk before.

use std::path::Path;

use fencehold::fs::{How, Stat};

use super::text;
use crate::sim::disk::Disk;
use crate::sim::world::World;

/// The document as it is named; a symlink may stand there.
pub(super) const DOCUMENT: &str = "/state";
/// Where the symlink leads.
const LINKED: &str = "/kept/state";
pub(super) const LOG: &str = "/log";
/// The file whose OS lock orders the updates of the document; it is never removed.
pub(super) const GUARD: &str = "/guard";
/// How the name of a temp ends.
pub(super) const TEMP: &str = ".tmp";
/// How the name of a damaged document that was moved aside goes on.
pub(super) const BROKEN: &str = ".broken-";
/// The mode of a new document.
pub(super) const MODE: u32 = 0o644;
/// The mode of the one that is there.
const FOREIGN_MODE: u32 = 0o600;

/// The number in a whole document.
const NUMBER: u64 = 3;
pub(super) const DAMAGED: &[u8] = b"n 3 who";
/// The text of the record that is there.
pub(super) const OLD: &str = "old";

/// How the document and the log stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) damaged: bool,
    pub(super) linked: bool,
    pub(super) torn: bool,
}

impl Start {
    /// Chosen by the world's source.
    pub(super) fn chosen(world: &World) -> Self {
        let document = world.choose("document", 3);
        Start { damaged: document == 1, linked: document == 2, torn: world.choose("log", 2) == 1 }
    }

    /// Puts it on the disk.
    pub(super) fn put(self, disk: &mut Disk) {
        let built = self.build(disk);
        built.expect("a new disk takes some small files");
    }

    fn build(self, disk: &mut Disk) -> std::io::Result<()> {
        disk.put(GUARD, b"");
        disk.put(LOG, format!("1 {OLD} end\n{}", if self.torn { "2 ha" } else { "" }).as_bytes());
        let document = if self.linked { LINKED } else { DOCUMENT };
        if self.linked {
            disk.make_dir(Path::new("/kept"), 0o755)?;
            disk.symlink(Path::new(LINKED), Path::new(DOCUMENT))?;
        }
        // Whoever put it there is long dead.
        let nobody = usize::MAX;
        let open = disk.open(nobody, Path::new(document), How::CreateNew { mode: FOREIGN_MODE })?;
        disk.append(
            open,
            if self.damaged { DAMAGED.to_vec() } else { text(NUMBER).into_bytes() }.as_slice(),
        )?;
        disk.close(open);
        Ok(())
    }

    /// The number from which it is counted: a damaged document begins anew.
    pub(super) fn number(self) -> u64 {
        if self.damaged { 0 } else { NUMBER }
    }

    /// What is wrong with the document's mode, or with the link to it.
    pub(super) fn dressed(self, disk: &Disk) -> Result<(), String> {
        if self.damaged {
            return Ok(());
        }
        let stat = |path: &str| -> Result<Stat, String> {
            disk.stat(Path::new(path)).ok().flatten().ok_or_else(|| format!("{path} is gone"))
        };
        if self.linked && stat(DOCUMENT)?.kind != fencehold::fs::Kind::Symlink {
            return Err("the document took the place of a symlink".to_owned());
        }
        let mode = stat(if self.linked { LINKED } else { DOCUMENT })?.mode;
        if mode == FOREIGN_MODE { Ok(()) } else { Err(format!("the mode of the document became {mode:o}")) }
    }
}
