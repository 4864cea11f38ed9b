//! The file that a proposal is about.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::id::BadId;

/// The longest target in bytes.
pub const TARGET_BYTES_MAX: usize = 1024;

/// A file below the root of a tree, in its one spelling: components joined by `/`, none of them empty, `.` or `..`.
/// Whoever leads a path there follows links first, so that two spellings of one file are one target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(String);

impl Target {
    /// Takes `path` as it stands, or says what is wrong with it.
    ///
    /// # Errors
    /// Where it is no path of that form, has more than [`TARGET_BYTES_MAX`] bytes, or holds a control character.
    pub fn new(path: &str) -> Result<Self, BadId> {
        let bad = |why: &str| Err(BadId::because(format!("target {path:?} {why}")));
        if path.len() > TARGET_BYTES_MAX {
            return Err(BadId::because(format!(
                "a target of {} bytes; the most is {TARGET_BYTES_MAX}",
                path.len()
            )));
        }
        if path.chars().any(char::is_control) {
            return bad("holds a control character");
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("is no path below the root in its one spelling");
        }
        Ok(Target(path.to_owned()))
    }

    /// The path as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for Target {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::new(text)
    }
}
