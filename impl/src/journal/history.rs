//! Reading the events back, the archived ones included.

use std::path::{Path, PathBuf};

use fencehold_model::Entry;
use fencehold_model::ndjson::{self, Kind};
use fencehold_model::record::{self, LINE_ONE_BYTES_MAX};

use super::Journal as _;
use super::file::FileJournal;
use super::layout::{self, ARCHIVE};
use crate::error::{Error, Result};
use crate::fs::{Fs, read_file};
use crate::host::Host;

impl<F: Fs, H: Host> FileJournal<F, H> {
    /// Hands every event that is still kept to `each`, the oldest first, and says which files could not be read whole.
    ///
    /// # Errors
    /// Where the journal is damaged, a folder cannot be listed or a file cannot be read.
    pub fn history(&self, mut each: impl FnMut(&Entry)) -> Result<Vec<String>> {
        // What is appended meanwhile is not known to be durable.
        let newest = self.read(|_, _| ())?.revision;
        self.every_event(|entry| {
            if entry.revision <= newest {
                each(entry);
            }
        })
    }

    pub(super) fn every_event(&self, mut each: impl FnMut(&Entry)) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for (n, path) in self.all_files()? {
            let environment = |error| Error::environment("reading", &path, error);
            let mut bytes = read_file(&self.fs, &path, 4 * LINE_ONE_BYTES_MAX).map_err(environment)?;
            if bytes.is_none() {
                // It was moved to the archive meanwhile.
                let archived = layout::journal_path(&self.dir.join(ARCHIVE), n);
                bytes = read_file(&self.fs, &archived, 4 * LINE_ONE_BYTES_MAX).map_err(environment)?;
            }
            let Some(bytes) = bytes else {
                notes.push(format!("{}: it was removed while it was looked for", path.display()));
                continue;
            };
            if let Err(why) = events(&bytes, n, &mut each) {
                notes.push(format!("{}: {why}; what follows is left out", path.display()));
            }
        }
        Ok(notes)
    }

    /// The numbers of the journal files in `dir`, rising; none where there is no such folder.
    pub(super) fn numbers(&self, dir: &Path) -> Result<Vec<u64>> {
        match layout::journal_numbers(&self.fs, dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|error| Error::environment("listing", dir, error)),
        }
    }

    fn all_files(&self) -> Result<Vec<(u64, PathBuf)>> {
        let mut files = Vec::new();
        // The archive last: a file that is moved there meanwhile stands in one of the two lists, or in both.
        for dir in [self.dir.clone(), self.dir.join(ARCHIVE)] {
            files.extend(self.numbers(&dir)?.into_iter().map(|n| (n, layout::journal_path(&dir, n))));
        }
        // The archived one comes first, by its path.
        files.sort_unstable();
        files.dedup_by_key(|(n, _)| *n);
        Ok(files)
    }
}

fn events(bytes: &[u8], n: u64, each: &mut impl FnMut(&Entry)) -> std::result::Result<(), String> {
    let head = ndjson::first(bytes, LINE_ONE_BYTES_MAX);
    let Kind::Line { text, .. } = head.kind else { return Err("line one is damaged".to_owned()) };
    let line = record::read_head(text, n).map_err(|why| format!("line one: {why}"))?;
    let (mut state, mut checksum) = (line.content.state, line.checksum);
    for (index, frame) in ndjson::frames(&bytes[head.bytes.end..], record::LINE_BYTES_MAX).enumerate() {
        match frame.kind {
            Kind::Unterminated => return Ok(()),
            Kind::Damaged(damage) => return Err(format!("line {}: {damage}", index + 2)),
            Kind::Line { text, .. } => {
                let line = record::read_entry(text, checksum, &state)
                    .map_err(|why| format!("line {}: {why}", index + 2))?;
                each(&line.content);
                state.apply(&line.content);
                checksum = line.checksum;
            }
        }
    }
    Ok(())
}
