//! The index of ended leases: what has left the folded state, for who lists them all.
//!
//! Invariants: a lease is in the index, durably, before a file begins whose line one leaves it out; a part of the index
//! is complete when it has its name; nothing is decided by it.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold_model::LeaseId;
use fencehold_model::lease::{self, Lease};
use fencehold_model::ndjson::{self, Kind};
use fencehold_model::record::LINE_BYTES_MAX;

use super::Journal as _;
use super::file::FileJournal;
use super::layout::{self, ARCHIVE};
use crate::error::{Error, Result};
use crate::fs::{Fs, create_synced, read_file};
use crate::host::Host;
use crate::mark::{sweep, temp_name};

/// The longest part that is read; a rotation gives up far fewer.
const PART_BYTES_MAX: usize = 256 << 20;

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Writes what leaves the state as file `n` begins. A rotation that is killed before that is done again, and writes
    /// the part anew: it replaces the one before.
    pub(super) fn index_ended(&self, n: u64, mode: u32, gone: &[(LeaseId, Lease)]) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        let dir = self.dir.join(ARCHIVE);
        let name = layout::ended_name(n);
        let path = dir.join(&name);
        let failed = |error| Error::environment("writing the index of ended leases to", &path, error);
        let bytes: String = gone.iter().map(|(id, lease)| lease::ended_line(id, lease)).collect();
        sweep(&self.fs, &dir, &name).map_err(failed)?;
        let temp = dir.join(temp_name(&name, self.host.random()));
        create_synced(&self.fs, &temp, mode, bytes.as_bytes()).map_err(failed)?;
        self.fs.rename(&temp, &path).map_err(failed)?;
        self.fs.sync_dir(&dir).map_err(failed)
    }

    /// The last grant of every lease that has ended and left the state, and what could not be read of them. Who lists
    /// all leases asks for those in the state *before*: one that leaves it between the two is then in both, under one
    /// token; the other way round it would be in none.
    ///
    /// # Errors
    /// Where the journal is damaged, the archive cannot be listed or a part cannot be read.
    pub fn ended_leases(&self) -> Result<(BTreeMap<LeaseId, Lease>, Vec<String>)> {
        let seen = self.read(|state, _| {
            let known = state.leases.iter().map(|(id, lease)| (id.clone(), lease.token));
            (state.policy.clone(), known.collect::<BTreeMap<_, _>>())
        })?;
        let (policy, known) = seen.value;
        let (mut ended, mut notes) = (BTreeMap::<LeaseId, Lease>::new(), Vec::new());
        let dir = self.dir.join(ARCHIVE);
        let numbers = layout::ended_numbers(&self.fs, &dir);
        let numbers = numbers.map_err(|error| Error::environment("listing", &dir, error))?;
        for n in numbers {
            let path = dir.join(layout::ended_name(n));
            let bytes = read_file(&self.fs, &path, PART_BYTES_MAX);
            let bytes = bytes.map_err(|error| Error::environment("reading", &path, error))?;
            let Some(bytes) = bytes else {
                notes.push(format!("{}: it was removed while it was looked for", path.display()));
                continue;
            };
            for (id, lease) in lines(&path, &bytes, &mut notes) {
                let id = policy.lease(&id);
                // Of one grant in two parts the later one counts: a rotation that did not come to its end left the other.
                let left = known.get(&id).is_none_or(|token| *token < lease.token);
                if left && ended.get(&id).is_none_or(|other| other.token <= lease.token) {
                    ended.insert(id, lease);
                }
            }
        }
        Ok((ended, notes))
    }
}

fn lines(path: &Path, bytes: &[u8], notes: &mut Vec<String>) -> Vec<(LeaseId, Lease)> {
    let mut read = Vec::new();
    for (index, frame) in ndjson::frames(bytes, LINE_BYTES_MAX).enumerate() {
        let lease = match frame.kind {
            Kind::Line { text, .. } => lease::read_ended_line(text).map_err(|why| why.to_string()),
            Kind::Unterminated => Err("it is cut off".to_owned()),
            Kind::Damaged(damage) => Err(damage.to_string()),
        };
        match lease {
            Ok(lease) => read.push(lease),
            Err(why) => notes.push(format!("{}, line {}: {why}; it is left out", path.display(), index + 1)),
        }
    }
    read
}
