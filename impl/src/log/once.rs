//! Appending a record only where its id does not stand yet.
//!
//! Invariants:
//! - the look for the id and the append are under one hold of the log's OS lock, so of any number of processes that append
//!   one record one does;
//! - a record that stands whole but for its newline, as a kill or a full disk leaves it, gets its newline and no second
//!   line: the next append of anybody would have made it a record;
//! - that an id stands is answered after what was read is durable.

use serde_json::{Map, Value};

use super::append::{append_once, line};
use super::lines::{What, scan};
use super::{Appended, Log};
use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::mark::{Access, Answer, Held, Pass, Shown};

/// What stands of a record.
enum Stands {
    /// All of it.
    Whole,
    /// All but its newline, from this byte on.
    Unended(u64),
    /// Nothing that is or can become it.
    Nothing,
}

impl<F: Fs> Log<F> {
    /// Appends `record` if no record has its `id`; none where one has.
    ///
    /// # Errors
    /// As [`Log::append`], and where the log cannot be read.
    pub fn append_absent(
        &self,
        record: &Map<String, Value>,
        shown: &Shown,
    ) -> Result<Answer<Option<Appended>>> {
        let text = line(record)?;
        let mut held = self.lock.take(self.patience)?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        let appended = match self.stands(id)? {
            Stands::Whole => None,
            Stands::Unended(offset) => {
                let ended = self.end(&mut held, &pass, offset)?;
                // A foreign writer, who takes no lock, may have come between.
                match self.stands(id)? {
                    Stands::Whole => Some(ended),
                    _ => Some(self.append_held(&mut held, &pass, &text)?),
                }
            }
            Stands::Nothing => Some(self.append_held(&mut held, &pass, &text)?),
        };
        if !held.stands().unwrap_or(false) {
            return Err(self.indefinite("its lock was removed while it was held"));
        }
        Ok(Ok(appended))
    }

    fn stands(&self, id: &str) -> Result<Stands> {
        let mut stands = Stands::Nothing;
        scan(&self.fs, &self.place, u64::MAX, |line| {
            match line.what {
                What::Record { id: other, .. } if other == id => stands = Stands::Whole,
                What::Unterminated(tail) if is_record(&tail, id) => stands = Stands::Unended(line.offset),
                _ => {}
            }
            !matches!(stands, Stands::Whole)
        })?;
        Ok(stands)
    }

    /// Writes the newline that a record lacks.
    fn end(&self, held: &mut Held<'_, F>, pass: &Pass, offset: u64) -> Result<Appended> {
        let Some(file) = self.existing()? else {
            return Err(self.indefinite("it was removed while it was read"));
        };
        held.raise(pass)?;
        let path = self.place.path();
        match append_once(&file, b"\n") {
            Ok(1) => self.finish(file, offset, pass),
            Ok(_) => Err(self.indefinite("no newline could be written behind its last record")),
            Err(error) => Err(Error::environment("appending to", &path, error)),
        }
    }
}

/// Whether bytes without a newline are a record of this id but for that.
fn is_record(tail: &[u8], id: &str) -> bool {
    let json: Option<Value> = serde_json::from_slice(tail).ok();
    json.as_ref().and_then(|json| json.get("id")).and_then(Value::as_str) == Some(id)
}
