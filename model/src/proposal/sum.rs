//! Which bytes a file or a proposal holds.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::id::BadId;

const ABSENT: &str = "absent";

/// The number of some bytes and their CRC-32 (IEEE), or `absent` where there is no file. Compared for equality only; it
/// guards against mistakes, not against malice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum(String);

impl Sum {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Sum(format!("{}-{:08x}", bytes.len(), crc32fast::hash(bytes)))
    }

    /// Of a file that is not there.
    #[must_use]
    pub fn absent() -> Self {
        Sum(ABSENT.to_owned())
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for Sum {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let is_sum = |(len, crc): (&str, &str)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits(len)
                && len.len() <= 16
                && crc.len() == 8
                && crc.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        if text == ABSENT || text.split_once('-').is_some_and(is_sum) {
            return Ok(Sum(text.to_owned()));
        }
        Err(BadId::because(format!("{text:?} is no sum of bytes")))
    }
}
