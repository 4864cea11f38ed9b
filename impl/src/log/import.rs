//! Taking over what stands in a file of another form ([`Legacy`]).
//!
//! Invariants:
//! - the other file is read, and never written, moved or locked: whoever still writes to it goes on, and what it adds is
//!   found by the next import;
//! - an entry is appended where the log does not say what it says already: a record that is equal to it, or one that counts
//!   it ([`super::fold`]). So an import that is run again, after a kill at any step or beside another, appends what is
//!   missing and nothing else;
//! - it is one hold of the log's OS lock, and answered once all of it is durable.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::append::ends_in_newline;
use super::fold::covers;
use super::lines::{What, scan};
use super::{Legacy, Log, Note};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs};
use crate::mark::{Access, Answer, Shown};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many entries it appended.
    pub appended: u64,
    /// How many the log said already.
    pub known: u64,
    /// What did not go as it should have, beside it.
    pub note: Option<Note>,
    /// Whether it passed the guard by force alone; the caller records the reason.
    pub forced: bool,
}

impl<F: Fs> Log<F> {
    /// Appends the entries that the log does not hold.
    ///
    /// # Errors
    /// Those of [`Log::append`]; [`Error::Indefinite`] where some entries may have been appended: the next import finds out
    /// which.
    pub fn import(&self, legacy: &Legacy, shown: &Shown) -> Result<Answer<Imported>> {
        let mut held = self.lock.take(self.patience)?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let existing = self.existing()?;
        held.raise(&pass)?;
        if let Some(file) = &existing {
            self.end_the_tail(file)?;
        }
        let missing = self.missing(legacy)?;
        let appended = missing.len() as u64;
        let mut done =
            Imported { appended, known: legacy.len() as u64 - appended, note: None, forced: pass.forced };
        if !missing.is_empty() {
            let file = self.existing_or_new()?;
            self.append_lines(&file, &missing)?;
            done.note = self.finish(file, 0, &pass)?.note;
        }
        if !held.stands().unwrap_or(false) {
            return Err(self.indefinite("its lock was removed while it was held"));
        }
        Ok(Ok(done))
    }

    /// How many entries the log does not hold. Takes no lock, and writes nothing.
    ///
    /// # Errors
    /// [`Error::Environment`] where the log cannot be read.
    pub fn lacks(&self, legacy: &Legacy) -> Result<u64> {
        Ok(self.missing(legacy)?.len() as u64)
    }

    /// A record may stand there whole but for its newline, as a killed import leaves it: it would be one after the next
    /// append, and is one before we look.
    fn end_the_tail(&self, file: &F::File) -> Result<()> {
        let failed = |error| Error::environment("reading", &self.place.path(), error);
        let len = file.stat().map_err(failed)?.len;
        if ends_in_newline(file, len).map_err(failed)? {
            return Ok(());
        }
        self.append_lines(file, &[])
    }

    /// The lines of the entries that no record of the log covers.
    fn missing(&self, legacy: &Legacy) -> Result<Vec<Vec<u8>>> {
        let at: HashMap<&str, usize> =
            legacy.entries.iter().enumerate().map(|(at, entry)| (entry.id.as_str(), at)).collect();
        let mut is_there = vec![false; legacy.entries.len()];
        scan(&self.fs, &self.place, u64::MAX, |line| {
            if let What::Record { id, record } = line.what {
                for id in ids(&id, &record) {
                    if let Some(&at) = at.get(id) {
                        is_there[at] = is_there[at] || covers(&record, &legacy.entries[at].record);
                    }
                }
            }
            true
        })?;
        let missing = legacy.entries.iter().zip(is_there).filter(|(_, is_there)| !is_there);
        Ok(missing.map(|(entry, _)| entry.line.clone().into_bytes()).collect())
    }
}

/// The ids that a record speaks of: its own, and those that it counts.
fn ids<'a>(id: &'a str, record: &'a Map<String, Value>) -> impl Iterator<Item = &'a str> {
    let folded = record.get("folded").and_then(Value::as_object);
    std::iter::once(id).chain(folded.into_iter().flat_map(|folded| folded.keys().map(String::as_str)))
}
