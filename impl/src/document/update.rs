//! The updates of a document: lock, ask the mark, read, change, raise the mark, replace.

use std::io;
use std::path::PathBuf;

use fencehold_model::NUMBER_BOUND;
use serde_json::{Map, Value};

use super::{DOCUMENT_BYTES_MAX, Document, Found, Version, Was, edit, inspect, replace, value};
use crate::error::{Error, Result};
use crate::fs::Fs;
use crate::host::Host;
use crate::mark::{Access, Answer, Held, Pass, Refusal, Shown, obey, sweep, temp_name};

/// What a document that is not there counts as, and what a repair begins anew with.
const NOTHING: &[u8] = b"{}\n";

/// A counter after an increment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incremented {
    /// Its value now.
    pub value: i64,
    /// The document's version now.
    pub version: Version,
}

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repaired {
    /// There was nothing to repair.
    Healthy(Version),
    /// The damaged bytes are kept, and the document begins anew.
    Anew {
        /// Where they are.
        kept: PathBuf,
        /// The document's version now.
        version: Version,
    },
}

impl<F: Fs, H: Host> Document<F, H> {
    /// Applies a JSON merge patch (RFC 7396) to the object that the document is; none counts as an empty one. Text
    /// that the patch does not touch stays as it is, byte for byte. Refused where the document is not `expect`.
    ///
    /// # Errors
    /// [`Error::Usage`] where the patch or the document is no object; those of [`Document::read`];
    /// [`Error::Indefinite`] where the directory could not be synced after the rename.
    pub fn merge(&self, patch: &Value, expect: Option<&Version>, shown: &Shown) -> Result<Answer<Version>> {
        let patch = check_patch(patch)?;
        self.update(expect, shown, |old| Ok(edit::merge(object_text(&old)?, patch).into_bytes()))
    }

    /// Adds `by` to the whole number at the top-level `key`; a missing one counts as 0.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is no whole number, or the sum is not within ±(2^53 - 1); those of
    /// [`Document::merge`].
    pub fn increment(&self, key: &str, by: i64, shown: &Shown) -> Result<Answer<Incremented>> {
        let mut sum = 0;
        let answer = self.update(None, shown, |old| {
            let text = object_text(&old)?;
            sum = add(key, old.value.get(key), by)?;
            let patch = Map::from_iter([(key.to_owned(), Value::from(sum))]);
            Ok(edit::merge(text, &patch).into_bytes())
        })?;
        Ok(answer.map(|version| Incremented { value: sum, version }))
    }

    /// Replaces its value by what `change` makes of it. Rendered anew: keys sorted, indented by two spaces where the
    /// old text had more than one line.
    ///
    /// # Errors
    /// Those of `change`, and of [`Document::merge`].
    pub fn update_with(
        &self,
        expect: Option<&Version>,
        shown: &Shown,
        change: impl FnOnce(&Value) -> Result<Value>,
    ) -> Result<Answer<Version>> {
        self.update(expect, shown, |old| {
            let new = change(old.value)?;
            Ok(value::render(&new, old.bytes))
        })
    }

    /// Replaces its bytes by what `change` makes of them, which must be a JSON object, and stands as it is. A missing document
    /// is shown as `{}` and a newline. The document's lock is held meanwhile.
    ///
    /// # Errors
    /// Those of `change`, and of [`Document::merge`]; [`Error::Usage`] where the new bytes are no JSON object: what a
    /// filter prints that found nothing (`null`) is no document.
    pub fn update_bytes(
        &self,
        expect: Option<&Version>,
        shown: &Shown,
        change: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
    ) -> Result<Answer<Version>> {
        self.update(expect, shown, |old| change(old.bytes.unwrap_or(NOTHING)))
    }

    /// Lets a damaged document begin anew as `with` (an empty object if none), once its bytes are in quarantine. Mode,
    /// owner, symlink, mark and fence count as in any update. A healthy document stays as it is.
    ///
    /// # Errors
    /// Those of [`Document::merge`]; [`Error::Environment`] where the bytes cannot be kept: they stay in place.
    pub fn repair(&self, with: Option<&[u8]>, shown: &Shown) -> Result<Answer<Repaired>> {
        let with = with.unwrap_or(NOTHING);
        check_new(with)?;
        let (mut held, pass) = match self.enter(shown)? {
            Ok(entered) => entered,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match inspect(&self.fs, &self.place.path())? {
            Found::Absent => Ok(Ok(Repaired::Healthy(Version::absent()))),
            Found::Whole { was, .. } => Ok(Ok(Repaired::Healthy(was.version))),
            Found::Damaged { was, file, .. } => {
                let dir = &self.folder.dir;
                let kept = crate::quarantine::keep(&self.fs, &self.host, dir, &self.place.key(), &file, 0)?;
                if kept.version != was.version {
                    return Ok(Err(Refusal::Version { found: kept.version, meanwhile: true }));
                }
                let answer = self.put(&mut held, &pass, Some(&was), with)?;
                Ok(answer.map(|version| Repaired::Anew { kept: kept.path, version }))
            }
        }
    }

    /// Removes it where it is `expect`; refused where it is not. Its lock, mark and fence stay.
    ///
    /// # Errors
    /// Those of [`Document::merge`].
    pub fn remove(&self, expect: &Version, shown: &Shown) -> Result<Answer<()>> {
        let (mut held, pass) = match self.enter(shown)? {
            Ok(entered) => entered,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let found = match inspect(&self.fs, &self.place.path())? {
            Found::Absent => Version::absent(),
            Found::Whole { was, .. } | Found::Damaged { was, .. } => was.version,
        };
        if found != *expect {
            return Ok(Err(Refusal::Version { found, meanwhile: false }));
        }
        held.raise(&pass)?;
        let path = self.place.path();
        self.fs.unlink(&path).map_err(|error| Error::environment("removing", &path, error))?;
        self.fs.sync_dir(&self.place.dir).map_err(|error| {
            Error::indefinite(&path, format!("its directory could not be synced: {error}"))
        })?;
        Ok(Ok(()))
    }

    fn update(
        &self,
        expect: Option<&Version>,
        shown: &Shown,
        change: impl FnOnce(Old<'_>) -> Result<Vec<u8>>,
    ) -> Result<Answer<Version>> {
        let (mut held, pass) = match self.enter(shown)? {
            Ok(entered) => entered,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (was, bytes, value) = match inspect(&self.fs, &self.place.path())? {
            Found::Absent => (None, None, Value::Object(Map::new())),
            Found::Whole { was, bytes, value, .. } => (Some(was), Some(bytes), value),
            Found::Damaged { what, file, .. } => return Err(self.keep(what, &file)),
        };
        let found = was.as_ref().map_or_else(Version::absent, |was| was.version.clone());
        if expect.is_some_and(|expect| *expect != found) {
            return Ok(Err(Refusal::Version { found, meanwhile: false }));
        }
        let new = change(Old { bytes: bytes.as_deref(), value: &value })?;
        check_new(&new)?;
        self.put(&mut held, &pass, was.as_ref(), &new)
    }

    /// Takes the lock, asks the policy and the mark, and removes what a killed holder of the lock left.
    fn enter(&self, shown: &Shown) -> Result<Answer<(Held<'_, F>, Pass)>> {
        if let Err(refusal) = obey(self.guarded_by.as_ref(), shown, Access::Write) {
            return Ok(Err(refusal));
        }
        let mut held = self.lock.take(self.patience)?;
        self.still_there()?;
        let pass = match held.check(shown, Access::Write)? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let dir = &self.place.dir;
        sweep(&self.fs, dir, &self.place.name).map_err(|error| Error::environment("listing", dir, error))?;
        Ok(Ok((held, pass)))
    }

    /// Raises the mark, then replaces the file. The mark is raised only here, when all that could refuse has spoken.
    fn put(
        &self,
        held: &mut Held<'_, F>,
        pass: &Pass,
        was: Option<&Was>,
        bytes: &[u8],
    ) -> Result<Answer<Version>> {
        held.raise(pass)?;
        let path = self.place.path();
        if !held.stands()? {
            let gone = io::Error::other("its lock was removed while it was held; is the workspace gone?");
            return Err(Error::environment("replacing", &path, gone));
        }
        let temp = temp_name(&self.place.name, self.host.random());
        let answer = replace(&self.fs, &self.place, was, bytes, &temp)?;
        match held.stands() {
            Ok(true) => Ok(answer),
            // Another may have taken the new lock and read what was here before.
            _ if answer.is_ok() => Err(Error::indefinite(&path, "its lock was removed while it was held")),
            _ => Ok(answer),
        }
    }
}

/// A document as an update finds it.
struct Old<'a> {
    bytes: Option<&'a [u8]>,
    value: &'a Value,
}

/// The text of a document that must be an object. A merge into anything else would wipe it (RFC 7396, section 2).
fn object_text<'a>(old: &Old<'a>) -> Result<&'a str> {
    if !old.value.is_object() {
        let kind = value::kind(old.value);
        return Err(Error::usage(format!(
            "the document is {kind} at its top level, not an object; nothing was changed"
        )));
    }
    let bytes = old.bytes.unwrap_or(NOTHING);
    value::text(bytes).map_err(|what| Error::usage(format!("the document is {what}")))
}

/// What [`Document::merge`] makes of these bytes; no bytes are those of a missing document.
///
/// # Errors
/// [`Error::Usage`] where the bytes or the patch are no object.
pub fn merged(bytes: Option<&[u8]>, patch: &Value) -> Result<Vec<u8>> {
    let value = value::parse(bytes.unwrap_or(NOTHING)).map_err(Error::usage)?;
    let text = object_text(&Old { bytes, value: &value })?;
    Ok(edit::merge(text, check_patch(patch)?).into_bytes())
}

/// Refuses a merge patch that is no object: RFC 7396 would put it in the place of the whole document.
///
/// # Errors
/// [`Error::Usage`].
pub fn check_patch(patch: &Value) -> Result<&Map<String, Value>> {
    patch.as_object().ok_or_else(|| {
        let kind = value::kind(patch);
        Error::usage(format!("a merge patch is an object, not {kind}; nothing was changed"))
    })
}

fn check_new(bytes: &[u8]) -> Result<()> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let len = bytes.len();
        return Err(Error::usage(format!(
            "the new document has {len} bytes, the most is {DOCUMENT_BYTES_MAX}"
        )));
    }
    match value::parse(bytes) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(other) => {
            let kind = value::kind(&other);
            Err(Error::usage(format!(
                "the new document is {kind} at its top level, not an object; nothing was changed"
            )))
        }
        Err(what) => Err(Error::usage(format!("the new document is {what}; nothing was changed"))),
    }
}

fn add(key: &str, value: Option<&Value>, by: i64) -> Result<i64> {
    let old = match value {
        None => 0,
        Some(value) => {
            value.as_i64().filter(|number| number.unsigned_abs() < NUMBER_BOUND).ok_or_else(|| {
                Error::usage(format!("{key:?} is {value}, not a whole number within ±(2^53 - 1)"))
            })?
        }
    };
    old.checked_add(by)
        .filter(|sum| sum.unsigned_abs() < NUMBER_BOUND)
        .ok_or_else(|| Error::usage(format!("{key:?} is {old}; {by} more is not within ±(2^53 - 1)")))
}
