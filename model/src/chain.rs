//! The chain of checksums: every line carries its own and that of the line before it.
//!
//! Invariants: a line's checksum covers each of its bytes before the field `crc`; line one of a file continues from
//! [`seed`], so a line of another workspace, of another file or of an older file in re-used blocks never continues a
//! chain by being whole.

use alloc::format;
use alloc::string::String;

/// CRC-32 (IEEE 802.3) of a line's bytes before its `crc` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum(pub u32);

/// What ends every line: `,"crc":"xxxxxxxx"}`.
const SEAL_BYTES: usize = 18;

/// The value that line one of journal file `n` continues from.
#[must_use]
pub fn seed(workspace: &str, n: u64) -> Checksum {
    Checksum(crc32fast::hash(format!("{workspace}/{n}").as_bytes()))
}

impl Checksum {
    /// Eight lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> String {
        format!("{:08x}", self.0)
    }

    /// Reads what [`Checksum::hex`] writes; anything else is none.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let plain = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        plain.then(|| u32::from_str_radix(text, 16).ok().map(Checksum)).flatten()
    }
}

/// Closes the object in `line` with its checksum and a newline. `line` is an object without its closing brace.
pub fn seal(line: &mut String) -> Checksum {
    let checksum = Checksum(crc32fast::hash(line.as_bytes()));
    line.push_str(",\"crc\":\"");
    line.push_str(&checksum.hex());
    line.push_str("\"}\n");
    checksum
}

/// The checksum of a line (without its newline), if the line is sealed and the checksum is right.
#[must_use]
pub fn verify(line: &str) -> Option<Checksum> {
    let (body, seal) = line.split_at_checked(line.len().checked_sub(SEAL_BYTES)?)?;
    let hex = seal.strip_prefix(",\"crc\":\"")?.strip_suffix("\"}")?;
    Checksum::from_hex(hex).filter(|claimed| claimed.0 == crc32fast::hash(body.as_bytes()))
}
