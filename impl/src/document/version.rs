//! Versions of a document.

use std::fmt;
use std::io;

use crate::fs::File;

/// Which bytes a document holds: their number and CRC-32 (IEEE), or `absent`. Compared for equality only.
///
/// Two contents of one length that differ within 32 neighbouring bits never share a version; any other two do once in
/// 2^32. It guards against mistakes, not against malice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// A version as it was answered before; any other text is the version of nothing.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Version(text.to_owned())
    }

    /// The version of a file that is not there.
    #[must_use]
    pub fn absent() -> Self {
        Version("absent".to_owned())
    }

    /// The version of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut sum = Sum::default();
        sum.add(bytes);
        sum.version()
    }

    /// The version of what stands in an open file of any length from `offset` on.
    pub(crate) fn of_file(file: &impl File, offset: u64) -> io::Result<Self> {
        let mut sum = Sum::default();
        each_chunk(file, offset, |chunk| {
            sum.add(chunk);
            Ok(())
        })?;
        Ok(sum.version())
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version in the making.
#[derive(Default)]
pub(crate) struct Sum {
    crc: crc32fast::Hasher,
    len: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
    }

    pub(crate) fn version(self) -> Version {
        Version(format!("{}-{:08x}", self.len, self.crc.finalize()))
    }
}

/// Hands the bytes of a file from `at` on to `then`, a piece at a time.
pub(crate) fn each_chunk(
    file: &impl File,
    mut at: u64,
    mut then: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut chunk = vec![0_u8; 256 * 1024];
    loop {
        match file.read_at(at, &mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                then(&chunk[..count])?;
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
