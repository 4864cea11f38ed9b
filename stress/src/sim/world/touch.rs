//! What each call touches, for a search that leaves out the order of what commutes.
//!
//! It is noted before the call takes effect, by inode numbers, and names by the inode of their directory. Wherever it is
//! not plain, more is noted than is touched: that costs runs, not findings.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use fencehold::fs::Kind;

use super::inner::Inner;
use crate::sim::choice::Thing;
use crate::sim::disk::{OpenId, Persistence, ProcessId};
use crate::sim::door::Call;

impl Inner {
    pub(super) fn touch(&mut self, call: Call<'_>) {
        if !self.source.looks_at_touched() {
            return;
        }
        match call.open {
            Some(open) => self.touch_open(call.name, open),
            None => self.touch_path(call),
        }
    }

    fn touch_open(&mut self, name: &'static str, open: OpenId) {
        let Ok(stat) = self.disk.stat_open(open) else { return };
        let inode = stat.id.ino;
        match name {
            "fstat" | "read_at" => self.source.touch(Thing::Data(inode), false),
            // Where the power takes nothing, a sync changes nothing; else that of one file makes the names of all durable
            // if there is a journal.
            "sync" if self.disk.model() == Persistence::Kept => {}
            "sync" => self.source.touch(Thing::All, true),
            "lock" | "lock_shared" => {
                self.source.touch(Thing::Lock(inode), true);
                self.source.touch(Thing::Clock, false);
            }
            "unlock" => self.source.touch(Thing::Lock(inode), true),
            _ => self.source.touch(Thing::Data(inode), true),
        }
    }

    fn touch_path(&mut self, call: Call<'_>) {
        let there = self.disk.stat(call.path).ok().flatten();
        match call.name {
            "stat" => {
                self.touch_name(call.path, false);
                if let Some(stat) = there {
                    self.source.touch(Thing::Data(stat.id.ino), false);
                }
            }
            "open" | "resolve" => self.touch_name(call.path, false),
            "list" => self.touch_names(call.path, false),
            "sync_dir" if self.disk.model() == Persistence::Kept => self.touch_name(call.path, false),
            "create" | "make_dir" if there.is_some() => self.touch_name(call.path, false),
            "create" | "make_dir" => {
                self.touch_name(call.path, true);
                self.source.touch(Thing::Numbers, true);
            }
            "unlink" => {
                self.touch_name(call.path, true);
                self.source.touch(Thing::Numbers, false);
            }
            "rename" | "rename_new" | "link" => {
                let Some(from) = call.from else { return self.source.touch(Thing::All, true) };
                if !self.disk.stat(from).is_ok_and(|stat| stat.is_some_and(|it| it.kind == Kind::File)) {
                    return self.source.touch(Thing::All, true);
                }
                self.touch_name(from, true);
                self.touch_name(call.path, true);
                self.source.touch(Thing::Numbers, false);
            }
            _ => self.source.touch(Thing::All, true),
        }
    }

    /// An entry of a directory; a change of it is one of the list of names too. The way there is read, but what changes
    /// a way, moving or removing a directory, touches everything.
    fn touch_name(&mut self, path: &Path, written: bool) {
        let dir = path.parent().and_then(|parent| self.directory(parent));
        let (Some(dir), Some(name)) = (dir, path.file_name()) else {
            return self.source.touch(Thing::All, true);
        };
        self.source.touch(Thing::Name(dir, hash(name)), written);
        if written {
            self.source.touch(Thing::Names(dir), true);
        }
    }

    fn touch_names(&mut self, path: &Path, written: bool) {
        let names = self.directory(path).map_or(Thing::All, Thing::Names);
        self.source.touch(names, written || names == Thing::All);
    }

    /// The inode of a directory, which is the same whatever way leads there.
    fn directory(&self, path: &Path) -> Option<u64> {
        let stat = self.disk.stat(path).ok()??;
        (stat.kind == Kind::Dir).then_some(stat.id.ino)
    }

    /// close(2): the lock is let go, and an inode without a name gives its number back.
    pub(super) fn touch_close(&mut self, process: ProcessId, open: OpenId) {
        if !self.source.looks_at_touched() {
            return;
        }
        self.source.touch(Thing::Numbers, false);
        if self.processes[process].locked.contains(&open) {
            self.touch_lock(open);
        }
    }

    /// The end of a process: who lives, and the locks that it may have.
    pub(super) fn touch_end(&mut self, process: ProcessId) {
        if !self.source.looks_at_touched() {
            return;
        }
        self.source.touch(Thing::Life(process), true);
        self.source.touch(Thing::Numbers, false);
        for open in self.processes[process].locked.clone() {
            self.touch_lock(open);
        }
    }

    fn touch_lock(&mut self, open: OpenId) {
        if let Ok(stat) = self.disk.stat_open(open) {
            self.source.touch(Thing::Lock(stat.id.ino), true);
        }
    }
}

/// FNV-1a: quick for names, and where two meet, they count as one.
fn hash(name: &OsStr) -> u64 {
    let bytes = name.as_bytes().iter();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
