//! Beginning a new file: when the old one is long, is condemned, or belongs to another workspace.
//!
//! Invariants: the new file is complete and synced before it has its name; it never replaces one; the old file is
//! synced before; nothing is appended to the old one afterwards.

use std::path::Path;

use fencehold_model::record::{self, Head, LINE_ONE_BYTES_MAX};
use fencehold_model::{Entry, Event, Holder, OpId, State, WorkspaceId};

use super::file::{FileJournal, Inner, Note};
use super::floor::Floor;
use super::layout::{self, ARCHIVE};
use super::tail::Tail;
use super::time::{self, Now};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs, create_synced};
use crate::host::Host;
use crate::mark::{sweep, temp_name};

/// A file is rotated when its lines after line one are longer than this and than line one.
pub const ROTATE_BYTES: u64 = 64 * 1024;

/// While line one is longer than this, nothing new is taken in. It is far below the longest line one that is read, so
/// that there is always room for the events that end something.
pub const FULL_BYTES: u64 = 24 << 20;

/// What line one of a new file says.
pub(super) struct Successor {
    pub(super) workspace: WorkspaceId,
    pub(super) n: u64,
    pub(super) state: State,
    /// An event that stands in the file from the beginning.
    pub(super) entry: Option<Entry>,
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Every line counts for a sync of the tail's description.
    pub(super) fn rotate_if_due(&self, inner: &mut Inner<F>) -> Result<()> {
        let tail = inner.tail.as_mut().expect("a settled section has a tail");
        if tail.tail_bytes() <= ROTATE_BYTES.max(tail.head_bytes) {
            return Ok(());
        }
        tail.file.sync().map_err(|error| {
            self.condemn(tail.n);
            Error::environment("syncing", &tail.path, error)
        })?;
        if !self.relaxed() {
            tail.proof.all();
        }
        let mut state = tail.state.clone();
        let gone = match time::now(&self.host, &state)? {
            Now::At(now_ms) => state.forget(now_ms),
            _ => Vec::new(),
        };
        let next = Successor { workspace: tail.workspace.clone(), n: tail.n + 1, state, entry: None };
        let mode = self.file_mode()?;
        match self.index_ended(next.n, mode, &gone).and_then(|()| self.begin_file(inner, next)) {
            // Nothing rests on a rotation that is merely due: on a full disk a release must still be possible.
            Err(_) if self.may_stay(inner) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.tell(inner);
                Ok(())
            }
        }
    }

    /// Whether the file at hand is still the newest, and not yet too long to be read.
    fn may_stay(&self, inner: &Inner<F>) -> bool {
        inner.tail.as_ref().is_some_and(|tail| {
            tail.tail_bytes() < LINE_ONE_BYTES_MAX as u64 && self.is_newest(tail).unwrap_or(false)
        })
    }

    /// Makes a workspace of its own out of a copied or restored folder, whose `lock` is not the one it was made with.
    pub(super) fn adopt_copy(&self, inner: &mut Inner<F>) -> Result<()> {
        if inner.floor != 0 {
            return Ok(());
        }
        let (_, lock) = inner.lock.as_ref().expect("the section holds the lock");
        let floor = self.floor_above(inner)?;
        if floor.lock == lock.to_string() {
            let tail = inner.tail.as_mut().expect("a settled section has a tail");
            if floor.workspace != tail.workspace {
                return Err(Error::Damaged {
                    path: self.dir.join(layout::FLOOR),
                    line: None,
                    what: format!(
                        "it is of workspace {}, the journal of {}",
                        floor.workspace, tail.workspace
                    ),
                    advice: super::tail::REPAIR.to_owned(),
                });
            }
            if tail.floor_durable < floor.floor {
                // It may have been replaced after the directory was synced, by one who was killed before its own sync.
                tail.entries_durable = false;
            }
            inner.floor = floor.floor;
            return Ok(());
        }
        let lock = lock.to_string();
        let why = format!("the folder is a copy of workspace {}, or was restored", floor.workspace);
        let workspace = self.new_workspace_id();
        self.go_on_at_the_floor(inner, &workspace, &why)?;
        let floor = Floor { workspace: workspace.clone(), lock, floor: inner.floor };
        floor.write(&self.fs, &self.host, &self.dir)?;
        // Who copied it owes nobody a sync.
        self.sync_parent()?;
        self.tell(inner);
        inner.notes.push(Note(format!("{}: {why}; it goes on as workspace {workspace}", self.dir.display())));
        Ok(())
    }

    /// Whether the folder is a copy that nobody has adopted yet, as far as can be told without the OS lock.
    pub(super) fn is_copy(&self) -> Result<bool> {
        let lock = self.stat(&self.dir.join(layout::LOCK))?;
        let floor = Floor::read(&self.fs, &self.dir).ok();
        Ok(lock.zip(floor).is_some_and(|(lock, floor)| lock.id.to_string() != floor.lock))
    }

    pub(super) fn new_workspace_id(&self) -> WorkspaceId {
        WorkspaceId::new(&format!("{:032x}", self.host.random())).expect("hexadecimal digits are an id")
    }

    /// Begins a new file whose first event stands at the floor and says `why`.
    pub(super) fn go_on_at_the_floor(
        &self,
        inner: &mut Inner<F>,
        workspace: &WorkspaceId,
        why: &str,
    ) -> Result<()> {
        let floor = self.raise_floor(inner)?;
        let tail = inner.tail.as_ref().expect("a settled section has a tail");
        let state = tail.state.clone();
        let entry = Entry {
            revision: floor,
            at_ms: state.time_ms,
            actor: Holder::new("fencehold").expect("a word is a holder"),
            op: OpId::new(&format!("{:032x}", self.host.random())).expect("hexadecimal digits are an id"),
            event: Event::Repaired { reason: why.to_owned() },
        };
        let next = Successor { workspace: workspace.clone(), n: tail.n + 1, state, entry: Some(entry) };
        self.begin_file(inner, next)
    }

    /// The mode of a new file: as the folder's, executable for nobody.
    pub(super) fn file_mode(&self) -> Result<u32> {
        Ok(self.stat(&self.dir)?.map_or(0o600, |stat| stat.mode & 0o666 | 0o600))
    }

    /// Writes the new file, gives it its name, and moves the older ones to the archive.
    pub(super) fn begin_file(&self, inner: &mut Inner<F>, next: Successor) -> Result<()> {
        let path = layout::journal_path(&self.dir, next.n);
        let name = layout::journal_name(next.n);
        let failed = |error| Error::environment("beginning", &path, error);
        sweep(&self.fs, &self.dir, &name).map_err(failed)?;
        let head = Head { workspace: next.workspace, n: next.n, state: next.state };
        let (mut bytes, checksum) = record::write_head(&head, head.state.revision);
        if bytes.len() > LINE_ONE_BYTES_MAX {
            let len = bytes.len();
            return Err(Error::usage(format!(
                "the folded state has {len} bytes, the most is {LINE_ONE_BYTES_MAX}; release locks and clear leases that nobody needs"
            )));
        }
        if let Some(entry) = &next.entry {
            bytes.push_str(&record::write_entry(entry, head.state.revision, checksum).0);
        }
        let temp = self.dir.join(temp_name(&name, self.host.random()));
        let mode = self.file_mode()?;
        create_synced(&self.fs, &temp, mode, bytes.as_bytes()).map_err(failed)?;
        if let Err(error) = self.fs.rename_new(&temp, &path) {
            let _ = self.fs.unlink(&temp);
            return Err(failed(error));
        }
        self.fs.sync_dir(&self.dir).map_err(failed)?;
        // The folder's own entry may be owed since its creation, as who rotates relaxed pays no debts.
        let all_paid = inner.tail.as_ref().is_some_and(|before| before.entries_durable);
        if !all_paid && !self.relaxed() {
            self.sync_parent()?;
        }
        let before = inner.tail.take().map(Tail::into_before);
        let opened = Tail::open_at(&self.fs, path.clone(), next.n, true, self.host.boot(), before);
        let (mut tail, _) = opened.map_err(|none| none.into_error(&path))?;
        tail.proof.all();
        tail.entries_durable = all_paid || !self.relaxed();
        inner.known = Some((tail.workspace.clone(), tail.state.revision));
        inner.tail = Some(tail);
        self.archive_before(next.n);
        Ok(())
    }

    /// Moves every file before `n` to the archive, the oldest first. What cannot be moved stays where it is, and so do
    /// the ones after it: who has a file open knows by the next one that there is a later.
    fn archive_before(&self, n: u64) {
        let numbers = layout::journal_numbers(&self.fs, &self.dir).unwrap_or_default();
        for old in numbers.into_iter().filter(|old| *old < n) {
            let name = layout::journal_name(old);
            let to: &Path = &self.dir.join(ARCHIVE).join(&name);
            if self.fs.rename_new(&self.dir.join(&name), to).is_err() {
                return;
            }
            let condemned = layout::condemned_path(&self.dir, old);
            if self.fs.stat(&condemned).is_ok_and(|stat| stat.is_some()) {
                let _ = self.fs.unlink(&condemned);
            }
        }
    }
}
